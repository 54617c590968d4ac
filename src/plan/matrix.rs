//! The matrix of a plan: which knobs are turned, and what is not combined.

use std::fmt;

use super::{Knob, Setting, Variant};

/// What is tried beside the baseline variant. No axis stands twice, and none is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Which of the combinations are built.
    pub design: DesignKind,
    /// The resolution that a fractional design has to reach: 3, 4 or 5.
    pub resolution: u8,
    /// The knobs that are turned, in the order of [`Knob`].
    pub axes: Vec<Axis>,
    /// The combinations that are not built. None of them is the baseline variant.
    pub exclude: Vec<Exclusion>,
}

/// A knob and values of it, at least one, no two of which come to the same. On an axis of the matrix they stand beside the
/// baseline variant's own, and none comes to the same as that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The knob.
    pub knob: Knob,
    /// Its values; all are settings of `knob`.
    pub values: Vec<Setting>,
}

/// Variants that are not built: those that have, of every knob named here, one of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The knobs and their values, at least one.
    pub knobs: Vec<Axis>,
}

impl Exclusion {
    /// Whether it leaves the variant out.
    #[must_use]
    pub fn hits(&self, variant: &Variant) -> bool {
        self.knobs.iter().all(|knob| knob.values.iter().any(|setting| variant.has(setting)))
    }
}

/// As in `opt-level=s|z with pgo=true`.
impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = |knob: &Axis| knob.values.iter().map(Setting::value).collect::<Vec<_>>().join("|");
        let knobs: Vec<String> = self.knobs.iter().map(|knob| format!("{}={}", knob.knob, values(knob))).collect();
        f.write_str(&knobs.join(" with "))
    }
}

/// How combinations are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DesignKind {
    /// The baseline variant with one knob changed at a time.
    OneAtATime,
    /// Every combination.
    Full,
    /// The fewest combinations that reach a resolution.
    Fractional,
}

impl DesignKind {
    /// The word for it in plans.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneAtATime => "one-at-a-time",
            Self::Full => "full",
            Self::Fractional => "fractional",
        }
    }
}

impl fmt::Display for DesignKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
