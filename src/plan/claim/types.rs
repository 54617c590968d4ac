//! What a claim is once it has been read, and the canonical way to write it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::grammar;
use super::quantity::{Kind, decimal_text};
use crate::plan::PlanError;
use crate::samples::{Glob, Metric, PathPattern};

/// The tolerance of a claim on a distribution that names none: the largest distance between the two cumulative
/// distributions (Kolmogorov and Smirnov), 0 to 1.
pub const DEFAULT_DISTANCE: f64 = 0.05;

/// One sentence of a plan. Read by [`FromStr`]; `Display` writes the canonical text, which reads back as the same claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// What is measured.
    pub measure: Measure,
    /// How it has to stand to the case before, or to a number.
    pub relation: Relation,
}

/// What a claim is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A metric by its name, `wall`, or of a part, `hotpath.p95(module::function)`.
    Metric(Metric),
    /// System calls per iteration whose name fits any of the patterns; all of them where there is none.
    Syscalls(Vec<Glob>),
    /// What sampled stacks say of the functions that fit any of the patterns, at least one, taken together.
    Profile {
        /// What it says of them.
        kind: ProfileKind,
        /// Which functions.
        functions: Vec<PathPattern>,
    },
    /// All draws of a distribution that a case reports under this name.
    Distribution(String),
    /// The digest of a case's results.
    Checksum,
}

/// What sampled stacks say of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// The share of samples with one of the functions anywhere in the stack, 0 to 1.
    Share,
    /// The share of samples in one of the functions itself, 0 to 1.
    Own,
    /// CPU time per iteration below any of the functions, nanoseconds: the share of `cpu`.
    Cpu,
}

/// How a measure has to stand to what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Relation {
    /// At most the bound.
    Below {
        /// The bound.
        bound: Bound,
        /// Whether the bound itself is too much.
        strict: bool,
    },
    /// At least the bound.
    Above {
        /// The bound.
        bound: Bound,
        /// Whether the bound itself is too little.
        strict: bool,
    },
    /// Between two bounds of one kind, both of them included. They are the same where a claim says `==`: then the measure
    /// is exactly that.
    Within {
        /// The lower one; never above `high`.
        low: Bound,
        /// The upper one.
        high: Bound,
    },
    /// The same as before.
    Same {
        /// The relative difference that still counts as the same, above 0: 0.01 is 1 %. Of a distribution it is a
        /// distance, [`DEFAULT_DISTANCE`] where it is `None`; of everything else `None` means exactly.
        tolerance: Option<f64>,
    },
}

/// What a measure is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A number in the metric's base unit: nanoseconds, bytes, a count, per second, or a share from 0 to 1. For a case's own
    /// metric it is the number that the case reports; with a unit, the same base units, but seconds where its name says so.
    Absolute(f64),
    /// This times the value before the step; above 0.
    Before(f64),
}

/// What has to be measured before a claim can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Timed rounds.
    Timing,
    /// Rounds that count: allocations, and metrics that the case reports itself.
    Counting,
    /// Counted system calls.
    Syscalls,
    /// Instructions, by hardware counters or by callgrind.
    Instructions,
    /// Sampled stacks; [`ProfileKind::Cpu`] takes timed rounds as well.
    Profile,
    /// The report of the crate `hotpath`.
    Hotpath,
    /// Draws of a distribution, from rounds that count.
    Distribution,
    /// The checksums of both cases.
    Checksum,
    /// What is known once the program is built: its sizes, and what building took.
    Sizes,
}

impl Claim {
    /// Whether the claim compares with the case before, so that a step without one can't make it.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        let relative = |bound: &Bound| matches!(bound, Bound::Before(_));
        match &self.relation {
            Relation::Below { bound, .. } | Relation::Above { bound, .. } => relative(bound),
            Relation::Within { low, high } => relative(low) || relative(high),
            Relation::Same { .. } => true,
        }
    }

    /// What has to be measured for it.
    #[must_use]
    pub fn needs(&self) -> Need {
        self.measure.needs()
    }
}

impl FromStr for Claim {
    type Err = PlanError;

    /// Reads a claim. The error is of a file called `claim` and points at the place in the text.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        grammar::read(text).map_err(|fault| PlanError::new(fault, text, Path::new("claim")))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, relation } = self;
        let kind = measure.kind();
        write!(f, "{measure} ")?;
        match relation {
            Relation::Below { bound, strict } => write!(f, "<{} {}", orequal(*strict), bound.text(kind)),
            Relation::Above { bound, strict } => write!(f, ">{} {}", orequal(*strict), bound.text(kind)),
            Relation::Within { low, high } if low == high => write!(f, "== {}", low.text(kind)),
            Relation::Within { low, high } => write!(f, "in {} .. {}", low.text_in_range(kind), high.text(kind)),
            Relation::Same { tolerance: None } => f.write_str("== before"),
            Relation::Same { tolerance: Some(part) } => write!(f, "== before +- {}", Kind::Share.print(*part)),
        }
    }
}

fn orequal(strict: bool) -> &'static str {
    if strict { "" } else { "=" }
}

impl Bound {
    fn text(self, kind: Kind) -> String {
        match self {
            Self::Absolute(value) => kind.print(value),
            Self::Before(1.0) => "before".to_owned(),
            Self::Before(factor) => format!("{}x before", decimal_text(factor, 0)),
        }
    }

    /// The lower end of a range: what it is a part of is said at the upper end.
    fn text_in_range(self, kind: Kind) -> String {
        match self {
            Self::Absolute(_) => self.text(kind),
            Self::Before(factor) => format!("{}x", decimal_text(factor, 0)),
        }
    }
}
