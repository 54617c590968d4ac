//! Ways to build.

use std::collections::BTreeMap;
use std::fmt;

use super::{Filters, Setting};
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

    /// What is set, knob by knob. The plain release profile has none. [`Variant::with`] is the way back.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let settings = [
            self.profile.clone().map(Setting::Profile),
            self.lto.clone().map(Setting::Lto),
            self.codegen_units.map(Setting::CodegenUnits),
            self.opt_level.clone().map(Setting::OptLevel),
            self.panic.clone().map(Setting::Panic),
            self.debug.clone().map(Setting::Debug),
            self.target_cpu.clone().map(Setting::TargetCpu),
            self.linker.clone().map(Setting::Linker),
            self.frame_pointers.map(Setting::FramePointers),
            self.allocator.map(Setting::Allocator),
            self.pgo.then_some(Setting::Pgo(true)),
            self.bolt.then_some(Setting::Bolt(true)),
            (!self.features.is_empty()).then(|| Setting::Features(self.features.clone())),
            (!self.rustflags.is_empty()).then(|| Setting::Rustflags(self.rustflags.clone())),
            (!self.env.is_empty()).then(|| Setting::Env(self.env.clone())),
        ];
        settings.into_iter().flatten().collect()
    }

    /// The same variant, name included, with one knob set. What the knob was set to is replaced, lists as a whole.
    #[must_use]
    pub fn with(&self, setting: &Setting) -> Self {
        let mut variant = self.clone();
        match setting.clone() {
            Setting::Profile(profile) => variant.profile = Some(profile),
            Setting::Lto(lto) => variant.lto = Some(lto),
            Setting::CodegenUnits(units) => variant.codegen_units = Some(units),
            Setting::OptLevel(level) => variant.opt_level = Some(level),
            Setting::Panic(panic) => variant.panic = Some(panic),
            Setting::Debug(debug) => variant.debug = Some(debug),
            Setting::TargetCpu(cpu) => variant.target_cpu = Some(cpu),
            Setting::Linker(linker) => variant.linker = Some(linker),
            Setting::FramePointers(kept) => variant.frame_pointers = Some(kept),
            Setting::Allocator(allocator) => variant.allocator = Some(allocator),
            Setting::Pgo(guided) => variant.pgo = guided,
            Setting::Bolt(reordered) => variant.bolt = reordered,
            Setting::Features(features) => variant.features = features,
            Setting::Rustflags(flags) => variant.rustflags = flags,
            Setting::Env(env) => variant.env = env,
        }
        variant
    }

    /// What is set, without what holds anyway (the release profile, the system's allocator) and with features in order:
    /// variants of which this is equal are built and run alike.
    #[must_use]
    pub fn resolved(&self) -> Vec<Setting> {
        self.settings().into_iter().filter_map(Setting::resolved).collect()
    }

    /// Whether setting this would change nothing.
    #[must_use]
    pub fn has(&self, setting: &Setting) -> bool {
        self.with(setting).resolved() == self.resolved()
    }

    /// What is set, by the plan's own words. The plain release profile has none.
    #[must_use]
    pub fn knobs(&self) -> BTreeMap<String, String> {
        self.settings().iter().map(|setting| (setting.knob().to_string(), setting.value())).collect()
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

    /// A variant with every knob turned.
    fn turned() -> Variant {
        let (some, list) = (|text: &str| Some(text.to_owned()), |text: &str| vec![text.to_owned()]);
        Variant {
            profile: some("dist"),
            lto: some("fat"),
            codegen_units: Some(1),
            opt_level: some("s"),
            panic: some("abort"),
            debug: some("full"),
            target_cpu: some("native"),
            linker: some("mold"),
            frame_pointers: Some(true),
            allocator: Some(Allocator::Jemalloc),
            pgo: true,
            bolt: true,
            features: list("simd"),
            rustflags: list("-Cx"),
            env: [("A".to_owned(), "b".to_owned())].into(),
            ..Variant::plain("v".parse().unwrap())
        }
    }

    #[test]
    fn settings_of_a_variant_make_the_same_variant_again() {
        let settings = turned().settings();
        let knobs: Vec<_> = settings.iter().map(Setting::knob).collect();
        assert_eq!(knobs, crate::plan::Knob::ALL);
        let plain = Variant::plain("v".parse().unwrap());
        assert!(settings.iter().all(|setting| turned().has(setting) && !plain.has(setting)));
        assert_eq!(settings.iter().fold(plain.clone(), |variant, setting| variant.with(setting)), turned());
        assert_eq!((plain.settings(), plain.knobs()), (Vec::new(), BTreeMap::new()));
        assert_eq!(turned().knobs().len(), 15);
    }

    #[test]
    fn a_setting_that_says_what_holds_anyway_is_one_that_the_plain_variant_has() {
        let plain = Variant::plain("v".parse().unwrap());
        let idle = [
            Setting::Profile("release".to_owned()),
            Setting::Allocator(Allocator::System),
            Setting::Pgo(false),
            Setting::Bolt(false),
            Setting::Features(Vec::new()),
            Setting::Rustflags(Vec::new()),
            Setting::Env(BTreeMap::new()),
        ];
        assert!(idle.iter().all(|setting| plain.has(setting) && !turned().has(setting)));
        // Without it, the profile decides, and nobody knows how.
        assert!(!plain.has(&Setting::FramePointers(false)) && !plain.has(&Setting::Lto("off".to_owned())));
        let features = |names: [&str; 2]| Setting::Features(names.map(str::to_owned).to_vec());
        assert!(plain.with(&features(["a", "b"])).has(&features(["b", "a"])));
    }
}
