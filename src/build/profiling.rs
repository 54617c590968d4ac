//! What a build has to do with profiles.

use std::path::PathBuf;

use super::pgo::DIAGNOSE;

/// Whether a build counts how often its code runs, or uses what such a build has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profiling {
    /// Neither.
    #[default]
    None,
    /// It counts, and writes the counts where the environment variable [`Profiling::FILE`] of the running program says.
    Train,
    /// It is guided by this profile. The file's name has to change with its content: rustc and cargo look at the name alone.
    Use(PathBuf),
}

impl Profiling {
    /// The environment variable that tells a counting program where to write.
    pub const FILE: &'static str = "LLVM_PROFILE_FILE";

    /// What rustc has to be told. In training the folder is not: it would be in every compilation's identity, and another
    /// training would compile everything again.
    pub(super) fn rustflags(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Train => vec!["-Cprofile-generate".to_owned()],
            Self::Use(profile) => {
                let guided = format!("-Cprofile-use={}", profile.display());
                std::iter::once(guided).chain(DIAGNOSE.map(str::to_owned)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_and_final_build_differ_in_nothing_but_the_profile() {
        assert!(Profiling::None.rustflags().is_empty());
        assert_eq!(Profiling::Train.rustflags(), ["-Cprofile-generate"]);
        assert_eq!(Profiling::Use("/p/abc.profdata".into()).rustflags()[0], "-Cprofile-use=/p/abc.profdata");
    }
}
