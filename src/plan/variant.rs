//! Ways to build.

use std::collections::BTreeMap;
use std::fmt;

use super::Filters;
use crate::samples::VariantName;

/// One way to build and run. A knob that is `None` is as the cargo profile has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: VariantName,
    /// The cargo profile that is built and changed; `release` where it is `None`.
    pub profile: Option<String>,
    /// `off`, `thin`, `fat`, or `false`: cargo's own `false`, which leaves LTO between the units of one crate on.
    /// The first three are strings for cargo, `false` is a boolean.
    pub lto: Option<String>,
    /// Units that a crate is compiled in, at least 1.
    pub codegen_units: Option<u32>,
    /// `0` to `3` (numbers for cargo), `s` or `z`.
    pub opt_level: Option<String>,
    /// `unwind` or `abort`.
    pub panic: Option<String>,
    /// `none`, `line-directives-only`, `line-tables-only`, `limited` or `full`.
    pub debug: Option<String>,
    /// The processor that code is made for, as rustc names it: `native`, `x86-64-v3`.
    pub target_cpu: Option<String>,
    /// The linker, as the compiler driver's `-fuse-ld` names it: `lld`, `mold`, `bfd`, `gold`, `wild`.
    pub linker: Option<String>,
    /// Whether every function keeps a frame pointer.
    pub frame_pointers: Option<bool>,
    /// The allocator that the program uses.
    pub allocator: Option<Allocator>,
    /// Whether the build is guided by a profile of a training run.
    pub pgo: bool,
    /// Whether the linked program's code is put in another order by BOLT, as a training run of it says.
    pub bolt: bool,
    /// Features that are switched on besides the workload's.
    pub features: Vec<String>,
    /// Flags for rustc, behind the user's own.
    pub rustflags: Vec<String>,
    /// Environment variables when the program runs.
    pub env: BTreeMap<String, String>,
    /// Whether results must equal the baseline's.
    pub same_results: bool,
    /// The cases that it is measured for; without filters, all.
    pub only: Filters,
    /// Whether it is measured only when it is asked for by name.
    pub explicit: bool,
}

impl Variant {
    /// A variant of this name that leaves everything as the release profile has it.
    #[must_use]
    pub fn plain(name: VariantName) -> Self {
        Self {
            name,
            profile: None,
            lto: None,
            codegen_units: None,
            opt_level: None,
            panic: None,
            debug: None,
            target_cpu: None,
            linker: None,
            frame_pointers: None,
            allocator: None,
            pgo: false,
            bolt: false,
            features: Vec::new(),
            rustflags: Vec::new(),
            env: BTreeMap::new(),
            same_results: true,
            only: Filters::default(),
            explicit: false,
        }
    }

    /// What is set, by the plan's own words. The plain release profile has none.
    #[must_use]
    pub fn knobs(&self) -> BTreeMap<String, String> {
        let list = |words: &[String], between: &str| (!words.is_empty()).then(|| words.join(between));
        let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let knobs = [
            ("profile", self.profile.clone()),
            ("lto", self.lto.clone()),
            ("codegen-units", self.codegen_units.map(|units| units.to_string())),
            ("opt-level", self.opt_level.clone()),
            ("panic", self.panic.clone()),
            ("debug", self.debug.clone()),
            ("target-cpu", self.target_cpu.clone()),
            ("linker", self.linker.clone()),
            ("frame-pointers", self.frame_pointers.map(|kept| kept.to_string())),
            ("allocator", self.allocator.map(|allocator| allocator.to_string())),
            ("pgo", self.pgo.then(|| "true".to_owned())),
            ("bolt", self.bolt.then(|| "true".to_owned())),
            ("features", list(&self.features, ",")),
            ("rustflags", list(&self.rustflags, " ")),
            ("env", list(&env, " ")),
        ];
        knobs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// Whether it is built like the release profile and differs, if at all, in how it is run: programs that are not built
    /// here can be measured as such a variant.
    #[must_use]
    pub fn only_env(&self) -> bool {
        let Self { name, env, same_results, only, explicit, .. } = self.clone();
        *self == Self { env, same_results, only, explicit, ..Self::plain(name) }
    }
}

/// What serves a program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allocator {
    /// The platform's.
    System,
    /// jemalloc.
    Jemalloc,
    /// mimalloc.
    Mimalloc,
    /// snmalloc.
    Snmalloc,
}

impl Allocator {
    /// The word for it, in plans and as a feature.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Jemalloc => "jemalloc",
            Self::Mimalloc => "mimalloc",
            Self::Snmalloc => "snmalloc",
        }
    }
}

impl fmt::Display for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_alone_needs_no_other_build_and_a_knob_does() {
        let mut variant = Variant::plain("tuned".parse().unwrap());
        variant.env.insert("MALLOC_CONF".to_owned(), "narenas:1".to_owned());
        (variant.same_results, variant.explicit) = (false, true);
        assert!(variant.only_env());
        variant.codegen_units = Some(1);
        assert!(!variant.only_env());
    }
}
