//! What is said of a claim, and of a step with all its claims.

use serde::Serialize;

use super::super::row::Relative;
use crate::samples::{Shard, Step};

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// The whole interval satisfies it.
    Confirmed,
    /// Part of the interval satisfies it, or nothing was measured.
    Undecided,
    /// The whole interval violates it.
    Refuted,
}

/// What the numbers of a claim's interval are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The case after the step over the case before it: 0.7 is 30 % less.
    Ratio,
    /// The case after the step by itself, in the metric's unit.
    Value,
    /// The distance of two distributions, 0 to 1.
    Distance,
    /// Nothing that has an interval: results are equal or not.
    Equality,
}

/// What was measured for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The estimate.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// How many rounds, processes or draws it rests on.
    pub rounds: usize,
}

/// Why a claim is not confirmed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is confirmed.
    Holds,
    /// The nearest bound is missed by this much, on the claim's scale.
    Beyond(f64),
    /// The interval is too wide: about this many rounds in all would decide.
    MoreRounds(usize),
    /// It is so close to the bound that no number of rounds that anybody would wait for tells.
    TooClose,
    /// It was not measured, for this reason; empty where it is only not measured yet.
    Absent(String),
    /// The claim can't be read.
    Unreadable(String),
    /// There was none before the step, so that no multiple of it is anything but none.
    NothingBefore,
    /// The results differ.
    Different,
}

/// One claim, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimOutcome {
    /// The claim as the plan says it.
    pub claim: String,
    /// Whether it holds.
    pub holds: Holds,
    /// What was measured; `None` where nothing was.
    pub measured: Option<Measured>,
    /// What the numbers are.
    pub scale: Scale,
    /// The metric, for its unit.
    pub metric: String,
    /// Why it is not confirmed.
    pub why: Why,
    /// The error that the interval was made at.
    pub level: f64,
    /// Whether timed rounds decide it.
    #[serde(skip)]
    pub timed: bool,
}

/// A step with all its claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepOutcome {
    /// The step.
    pub step: Step,
    /// The part of a merged run that it was measured in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// How much the step changed wall time; `None` without a case before it, or too few rounds.
    pub change: Option<Relative>,
    /// Wall time per iteration before and after, nanoseconds.
    pub wall: Vec<f64>,
    /// The claims, in the order of the plan.
    pub claims: Vec<ClaimOutcome>,
}

impl StepOutcome {
    /// Refuted where one claim is; confirmed where all are.
    #[must_use]
    pub fn holds(&self) -> Holds {
        self.claims.iter().map(|claim| claim.holds).max().unwrap_or(Holds::Undecided)
    }
}
