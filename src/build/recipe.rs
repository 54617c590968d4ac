//! All that decides what a build makes, and the name that follows from it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use anyhow::Result;
use serde::Serialize;

use super::cache::Key;
use super::flags::Flags;
use super::sources::Sources;

/// Builds that an older tool has cached are not found under another number.
const FORMAT: u32 = 2;

/// Variables by which the environment reaches into builds; a `*` stands for anything.
const VARIABLES: [&str; 24] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_*",
    "CARGO_BUILD_*",
    "CARGO_INCREMENTAL",
    "CARGO_TARGET_*_LINKER",
    "CARGO_TARGET_*_RUSTFLAGS",
    "CMAKE_*",
    "BINDGEN_*",
    "CPATH",
    "C_INCLUDE_PATH",
    "RUSTC*",
    "CC*",
    "CXX*",
    "CFLAGS*",
    "CXXFLAGS*",
    "CPPFLAGS*",
    "LDFLAGS*",
    "AR*",
    "TARGET_*",
    "HOST_*",
    "JEMALLOC_*",
    "PKG_CONFIG*",
    "LIBRARY_PATH",
];

/// What goes into a build.
#[derive(Serialize)]
pub(super) struct Recipe<'a> {
    /// What rustc says of itself.
    pub(super) toolchain: &'a str,
    /// The programs that link: file, size and time of change, which tell versions apart without running them.
    pub(super) linkers: Vec<(String, u64, u64)>,
    pub(super) sources: &'a Sources,
    /// Workload, package and program of each.
    pub(super) programs: Vec<(&'a str, &'a str, &'a str)>,
    pub(super) flags: &'a Flags,
    /// `package/feature` of each.
    pub(super) features: Vec<String>,
    pub(super) bolt: bool,
    /// What a profile depends on beside all this.
    pub(super) guided: Option<&'a str>,
}

impl Recipe<'_> {
    pub(super) fn key(&self) -> Result<Key> {
        Key::of(&(FORMAT, self, environment(env::vars_os())))
    }
}

/// The variables that reach into builds.
fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    let fits = |name: &str, pattern: &str| match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => name == pattern,
    };
    let text = |(name, value): (OsString, OsString)| {
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    };
    all.map(text).filter(|(name, _)| VARIABLES.iter().any(|pattern| fits(name, pattern))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_reach_into_builds_count_and_others_do_not() {
        let pairs =
            [("RUSTFLAGS", "-Ca"), ("CFLAGS_x86_64", "-O3"), ("HOME", "/h"), ("CARGO_MANIFEST_DIR", "/m"), ("XCC", "")];
        let kept = environment(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["CFLAGS_x86_64", "RUSTFLAGS"]);
    }
}
