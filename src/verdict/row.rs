//! What judging yields: one row per case, metric and pair of arms, and the sum of all.

use serde::Serialize;

use super::blame::Blame;
use super::claims::{Holds, StepOutcome, Why};
use crate::samples::{Arm, CaseId, Failure, Measurement, Metric, Shard, Waiver};

/// The power at which the smallest visible change is stated: found 19 times of 20.
pub const POWER: f64 = 0.95;

/// What is said of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval excludes zero and the estimate is beyond the tolerance on the bad side.
    Regressed,
    /// The same on the good side.
    Improved,
    /// The interval lies inside the tolerance (or the machine code is the same).
    Unchanged,
    /// None of these: more rounds would tell.
    Undecided,
}

/// What a row rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Both arms measured in the same rounds.
    Lockstep,
    /// Both arms are the same machine code: nothing to measure.
    SameCode,
    /// The baseline's numbers come from another run.
    Stored,
}

/// What keeps a row from seeing smaller changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Spread between batches of one process: longer rounds would help.
    Blocks,
    /// Spread between processes: more rounds would help.
    Processes,
    /// Spread between link orders: more layouts would help.
    Layouts,
    /// Spread between runs, for stored baselines: measuring both sides together would help.
    Runs,
}

/// A relative change with its interval: 0.02 is 2 % more than the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Relative {
    /// The estimate.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One judged comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which case.
    pub case: CaseId,
    /// The part of a merged run that the candidate was measured in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// Which metric.
    pub metric: Metric,
    /// Candidate and baseline, as indices into the measurement's arms.
    #[serde(skip)]
    pub pair: (usize, usize),
    /// The baseline arm.
    pub baseline: Arm,
    /// The candidate arm.
    pub candidate: Arm,
    /// What is said of it.
    pub verdict: Verdict,
    /// What it rests on.
    pub basis: Basis,
    /// The change from the baseline, at the row's share of the error budget. `None` where nothing was measured.
    pub change: Option<Relative>,
    /// Sequential p-value: the smallest overall error at which the row would have been called changed by now.
    pub p: f64,
    /// The error that the interval was made at.
    pub level: f64,
    /// The baseline's value per iteration, in the metric's unit: the mean over rounds.
    pub baseline_value: f64,
    /// The candidate's value per iteration.
    pub candidate_value: f64,
    /// Rounds behind the estimate.
    pub rounds: usize,
    /// The smallest true change that so many rounds find 19 times of 20, as a share. `None` with too few rounds.
    pub smallest_visible: Option<f64>,
    /// What keeps it from being smaller.
    pub limited_by: Option<Limit>,
    /// The tolerance that the row was judged with.
    pub tolerance: f64,
    /// Why a regression is let pass, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// What a reader must know beside: layout not averaged, many blocks dropped, ...
    pub notes: Vec<String>,
}

impl Row {
    /// The row of two arms with the same machine code, candidate (which is the measurement's) and baseline: unchanged, and
    /// nothing to measure.
    pub(super) fn same_code(
        measurement: &Measurement,
        metric: &Metric,
        pair: (usize, usize),
        (candidate, baseline): (&Arm, &Arm),
        tolerance: f64,
    ) -> Self {
        Self {
            case: measurement.case.clone(),
            part: measurement.part,
            metric: metric.clone(),
            pair,
            baseline: baseline.clone(),
            candidate: candidate.clone(),
            verdict: Verdict::Unchanged,
            basis: Basis::SameCode,
            change: None,
            p: 1.0,
            level: 1.0,
            baseline_value: 0.0,
            candidate_value: 0.0,
            rounds: 0,
            smallest_visible: None,
            limited_by: None,
            tolerance,
            waiver: None,
            notes: Vec::new(),
        }
    }

    /// Whether the row can fail a gate: another revision, another run, or a drill. Variants of one source are measured to
    /// choose between them, and a slower one is no regression of the source.
    #[must_use]
    pub fn is_gated(&self) -> bool {
        let drill = self.candidate.handicap > self.baseline.handicap;
        self.basis == Basis::Stored || self.candidate.revision != self.baseline.revision || drill
    }

    /// Whether the interval excludes zero though the row is unchanged: a real change that is tolerated.
    #[must_use]
    pub fn tolerated_change(&self) -> bool {
        let excludes_zero = self.change.is_some_and(|change| change.low > 0.0 || change.high < 0.0);
        self.verdict == Verdict::Unchanged && excludes_zero
    }
}

/// All rows of a run, and what was not judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The rows, in the order of the run's cases.
    pub rows: Vec<Row>,
    /// The chance of any false alarm in this report.
    pub family_error: f64,
    /// Cases that were asked for and have no measurement.
    pub missing: Vec<CaseId>,
    /// What could not be measured.
    pub failures: Vec<Failure>,
    /// The steps of the plan, with what is said of their claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepOutcome>,
    /// Why rows changed, where they were looked into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blames: Vec<Blame>,
}

impl Judgement {
    /// Whether a gate has to fire.
    #[must_use]
    pub fn regressed(&self) -> bool {
        self.rows.iter().any(|row| row.is_gated() && row.verdict == Verdict::Regressed && row.waiver.is_none())
    }

    /// How many rows regressed and were let pass.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.rows.iter().filter(|row| row.waiver.is_some()).count()
    }

    /// Whether a claim was refuted, of which the plan does not know that already.
    #[must_use]
    pub fn refuted(&self) -> bool {
        self.steps.iter().any(|outcome| {
            let known = outcome.step.is_known_to_be_refuted();
            let refuted = outcome.claims.iter().filter(|claim| claim.holds == Holds::Refuted);
            // That results differ is never a known matter: it may be another difference today.
            refuted.into_iter().any(|claim| !known || claim.why == Why::Different)
        })
    }

    /// How many claims stand like this.
    #[must_use]
    pub fn claims(&self, holds: Holds) -> usize {
        self.steps.iter().flat_map(|step| &step.claims).filter(|claim| claim.holds == holds).count()
    }

    /// How many rows have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }
}
