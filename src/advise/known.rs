//! A change on the log scale and how well it is known.

use serde::Serialize;

use crate::samples::{Better, Metric};
use crate::stats;
use crate::verdict::{Relative, Verdict, verdict};

/// The error of every interval in an [`Advice`](super::Advice) that does not name another: 95 % intervals.
pub const ERROR: f64 = 0.05;

/// The log of a ratio and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) log: f64,
    pub(super) se: f64,
}

impl Known {
    /// What needs no measuring: the same on both sides.
    pub(super) const NOTHING: Self = Self { log: 0.0, se: 0.0 };

    /// The relative change with its interval at this error.
    pub(super) fn relative(self, error: f64) -> Relative {
        let interval = stats::normal_interval(self.log, self.se, 1, error);
        Relative { estimate: interval.mean.exp_m1(), low: interval.low.exp_m1(), high: interval.high.exp_m1() }
    }

    /// The p-value of "no change".
    pub(super) fn p(self) -> f64 {
        stats::normal_interval(self.log, self.se, 1, ERROR).p()
    }

    /// The difference to another one that shares nothing with it.
    pub(super) fn less(self, other: Self) -> Self {
        Self { log: self.log - other.log, se: self.se.hypot(other.se) }
    }
}

/// A relative change over several cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The geometric mean with its 95 % interval.
    pub change: Relative,
    /// How many cases it rests on.
    pub cases: usize,
}

/// From which change on, and in which direction, something is worth having.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taste {
    pub(super) tolerance: f64,
    pub(super) better: Better,
}

impl Taste {
    pub(super) fn of(metric: &Metric, tolerance: f64) -> Self {
        Self { tolerance, better: metric.better() }
    }

    /// How much worse a log change is: negative where it is a gain.
    pub(super) fn loss(self, log: f64) -> f64 {
        match self.better {
            Better::Lower => log,
            Better::Higher => -log,
        }
    }

    /// As rows are judged.
    pub(super) fn judge(self, change: Relative) -> Verdict {
        verdict(change, self.tolerance, self.better)
    }
}
