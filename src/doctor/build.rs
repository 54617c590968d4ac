//! How one variant is built, as far as there is something to say about it.

use super::Profile;

/// How one variant is built. Filled from the plan and the manifests by whoever knows both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The variant's name.
    pub variant: String,
    /// Whether the others are compared with it, here or as a stored baseline elsewhere.
    pub baseline: bool,
    /// The cargo profile, with the variant's knobs in it.
    pub profile: Profile,
    /// Flags for rustc: the user's own, then the variant's. `-Ckey=value`, or `-C` and `key=value` as two words.
    pub rustflags: Vec<String>,
    /// The target triple that it is built for.
    pub target: String,
}

impl Build {
    /// What the flags for rustc say of a code generation option; the last one counts. Empty for one without a value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let mut words = self.rustflags.iter().map(String::as_str).peekable();
        let mut found = None;
        while let Some(word) = words.next() {
            let option = match word {
                "-C" | "--codegen" => words.next(),
                _ => word.strip_prefix("-C").or_else(|| word.strip_prefix("--codegen=")),
            };
            let (key, value) = option.map(|option| option.split_once('=').unwrap_or((option, ""))).unwrap_or_default();
            // rustc takes both spellings.
            if key.replace('_', "-") == name {
                found = Some(value);
            }
        }
        found
    }

    /// The same for an option that is on or off.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.option(name).map(|value| !matches!(value, "n" | "no" | "off" | "false"))
    }

    pub(super) fn opt_level(&self) -> &str {
        self.option("opt-level").unwrap_or(&self.profile.opt_level)
    }

    pub(super) fn codegen_units(&self) -> u32 {
        self.option("codegen-units").and_then(|units| units.parse().ok()).unwrap_or(self.profile.codegen_units)
    }

    pub(super) fn panic(&self) -> &str {
        self.option("panic").unwrap_or(&self.profile.panic)
    }

    pub(super) fn strip(&self) -> &str {
        self.option("strip").unwrap_or(&self.profile.strip)
    }

    /// Whether a line of the source can be found for an address.
    pub(super) fn has_lines(&self) -> bool {
        let asked =
            self.rustflags.iter().any(|word| word == "-g") || self.option("debuginfo").is_some_and(|d| d != "0");
        let level = self.option("debuginfo").filter(|level| matches!(*level, "0" | "none"));
        let made = asked || (self.profile.debug != "none" && level.is_none());
        made && self.strip() == "none"
    }

    pub(super) fn debug_assertions(&self) -> bool {
        self.switch("debug-assertions").unwrap_or(self.profile.debug_assertions)
    }

    pub(super) fn overflow_checks(&self) -> bool {
        self.switch("overflow-checks").unwrap_or(self.profile.overflow_checks)
    }

    /// Lines to paste into the root manifest.
    pub(super) fn setting(&self, line: &str) -> String {
        format!("[profile.{}]\n{line}", self.profile.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_rustc_are_read_in_all_spellings_and_the_last_one_counts() {
        let option = |flags: &[&str], name: &str| {
            let profile = Profile::read("release", &[], &|_| None).unwrap();
            let rustflags = flags.iter().map(|flag| (*flag).to_owned()).collect();
            let build = Build { variant: "v".into(), baseline: true, profile, rustflags, target: "t".into() };
            build.option(name).map(str::to_owned)
        };
        assert_eq!(option(&["-Ctarget-cpu=native"], "target-cpu").as_deref(), Some("native"));
        assert_eq!(option(&["-C", "target-cpu=a", "--codegen", "target_cpu=b"], "target-cpu").as_deref(), Some("b"));
        assert_eq!(option(&["--codegen=opt-level=2", "-Awarnings"], "opt-level").as_deref(), Some("2"));
        assert_eq!(option(&["-C", "force-unwind-tables"], "force-unwind-tables").as_deref(), Some(""));
        assert_eq!(option(&["-C"], "panic"), None);
        assert_eq!(option(&["-Clink-arg=-Cpanic=abort"], "panic"), None);
    }
}
