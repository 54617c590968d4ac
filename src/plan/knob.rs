//! The knobs of a variant, and what one of them is set to.

use std::collections::BTreeMap;
use std::fmt;

use super::Allocator;

/// A knob of a variant, in the order in which names and reports list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knob {
    /// The cargo profile.
    Profile,
    /// Optimisation when linking.
    Lto,
    /// Units that a crate is compiled in.
    CodegenUnits,
    /// How much is optimised.
    OptLevel,
    /// What a panic does.
    Panic,
    /// Debug information.
    Debug,
    /// The processor that code is made for.
    TargetCpu,
    /// The linker.
    Linker,
    /// Frame pointers.
    FramePointers,
    /// The allocator.
    Allocator,
    /// Guidance by a profile.
    Pgo,
    /// Reordering after the link.
    Bolt,
    /// Features of the package.
    Features,
    /// Flags for rustc.
    Rustflags,
    /// Environment variables of the program.
    Env,
}

impl Knob {
    /// All knobs.
    pub const ALL: [Self; 15] = [
        Self::Profile,
        Self::Lto,
        Self::CodegenUnits,
        Self::OptLevel,
        Self::Panic,
        Self::Debug,
        Self::TargetCpu,
        Self::Linker,
        Self::FramePointers,
        Self::Allocator,
        Self::Pgo,
        Self::Bolt,
        Self::Features,
        Self::Rustflags,
        Self::Env,
    ];

    /// Its key in a plan.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Lto => "lto",
            Self::CodegenUnits => "codegen-units",
            Self::OptLevel => "opt-level",
            Self::Panic => "panic",
            Self::Debug => "debug",
            Self::TargetCpu => "target-cpu",
            Self::Linker => "linker",
            Self::FramePointers => "frame-pointers",
            Self::Allocator => "allocator",
            Self::Pgo => "pgo",
            Self::Bolt => "bolt",
            Self::Features => "features",
            Self::Rustflags => "rustflags",
            Self::Env => "env",
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A knob and its value, in the words of [`Variant`](super::Variant)'s fields. It is shown as `lto=fat`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The cargo profile.
    Profile(String),
    /// Optimisation when linking.
    Lto(String),
    /// Units that a crate is compiled in, at least 1.
    CodegenUnits(u32),
    /// How much is optimised.
    OptLevel(String),
    /// What a panic does.
    Panic(String),
    /// Debug information.
    Debug(String),
    /// The processor that code is made for.
    TargetCpu(String),
    /// The linker.
    Linker(String),
    /// Whether every function keeps a frame pointer.
    FramePointers(bool),
    /// The allocator.
    Allocator(Allocator),
    /// Whether the build is guided by a profile.
    Pgo(bool),
    /// Whether BOLT reorders the program.
    Bolt(bool),
    /// All features besides the workload's.
    Features(Vec<String>),
    /// All flags for rustc behind the user's own.
    Rustflags(Vec<String>),
    /// All environment variables besides those that are inherited.
    Env(BTreeMap<String, String>),
}

impl Setting {
    /// Which knob it sets.
    #[must_use]
    pub fn knob(&self) -> Knob {
        match self {
            Self::Profile(_) => Knob::Profile,
            Self::Lto(_) => Knob::Lto,
            Self::CodegenUnits(_) => Knob::CodegenUnits,
            Self::OptLevel(_) => Knob::OptLevel,
            Self::Panic(_) => Knob::Panic,
            Self::Debug(_) => Knob::Debug,
            Self::TargetCpu(_) => Knob::TargetCpu,
            Self::Linker(_) => Knob::Linker,
            Self::FramePointers(_) => Knob::FramePointers,
            Self::Allocator(_) => Knob::Allocator,
            Self::Pgo(_) => Knob::Pgo,
            Self::Bolt(_) => Knob::Bolt,
            Self::Features(_) => Knob::Features,
            Self::Rustflags(_) => Knob::Rustflags,
            Self::Env(_) => Knob::Env,
        }
    }

    /// The value as text: lists are joined, by commas (features) or blanks; an empty list is empty.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Profile(word)
            | Self::Lto(word)
            | Self::OptLevel(word)
            | Self::Panic(word)
            | Self::Debug(word)
            | Self::TargetCpu(word)
            | Self::Linker(word) => word.clone(),
            Self::CodegenUnits(units) => units.to_string(),
            Self::FramePointers(on) | Self::Pgo(on) | Self::Bolt(on) => on.to_string(),
            Self::Allocator(allocator) => allocator.to_string(),
            Self::Features(features) => features.join(","),
            Self::Rustflags(flags) => flags.join(" "),
            Self::Env(env) => env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "),
        }
    }

    /// What it comes to; `None` where it says what holds without it as well.
    pub(super) fn resolved(self) -> Option<Self> {
        match self {
            Self::Profile(profile) if profile == "release" => None,
            Self::Allocator(Allocator::System) => None,
            // Cargo takes features as a set.
            Self::Features(mut features) => {
                features.sort();
                features.dedup();
                Some(Self::Features(features))
            }
            other => Some(other),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.knob(), self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_knobs_are_listed_once_and_in_order() {
        assert!(Knob::ALL.is_sorted() && Knob::ALL.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(Knob::ALL.len(), Knob::Env as usize + 1);
    }

    #[test]
    fn a_setting_is_shown_as_knob_and_value() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let env = [("A", "1"), ("B", "x y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let shown = [
            Setting::Lto("fat".to_owned()),
            Setting::CodegenUnits(1),
            Setting::Pgo(true),
            Setting::Allocator(Allocator::Mimalloc),
            Setting::Features(words(&["simd", "fast"])),
            Setting::Rustflags(words(&["-C", "x=y"])),
            Setting::Env(env.into()),
        ];
        let expected = [
            "lto=fat",
            "codegen-units=1",
            "pgo=true",
            "allocator=mimalloc",
            "features=simd,fast",
            "rustflags=-C x=y",
            "env=A=1 B=x y",
        ];
        assert_eq!(shown.map(|setting| setting.to_string()), expected);
    }
}
