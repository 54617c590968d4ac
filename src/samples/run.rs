//! All that one `cargo perfplan run` recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, Divided, Environment, Failure, Gate, Measurement, Review, RunId, Shard, Skipped, Step};
use crate::units;

/// The version of the format. Older files keep loading; newer ones are refused by name.
pub const FORMAT: u32 = 1;

/// One run: what was asked, where it ran, what came out. The file `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The version of this format.
    pub format: u32,
    /// The run's name.
    pub id: RunId,
    /// When it started: seconds since 1970, UTC.
    pub started: u64,
    /// The tool's version.
    pub tool: String,
    /// The commit that the working tree was at, where there is a repository; with `+` behind it when it had changes.
    pub commit: Option<String>,
    /// What the comparison is against: `variant release`, `revision main`, `baseline nightly`.
    pub against: String,
    /// Digest of what was asked (plan, filters, variants, revisions, handicaps): a run resumes only under an equal one.
    /// Empty in a merged run, which never resumes.
    pub asked: String,
    /// The machine.
    pub environment: Environment,
    /// How it is to be judged.
    pub gate: Gate,
    /// By whose word.
    #[serde(default, skip_serializing_if = "Review::is_empty")]
    pub review: Review,
    /// The cases that were asked for, measured or not; those of steps among them.
    pub cases: Vec<CaseId>,
    /// The steps of the plan whose claims are to be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What was measured.
    pub measurements: Vec<Measurement>,
    /// What could not be measured.
    pub failures: Vec<Failure>,
    /// The variants that were not built, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// What makes it a shard of a run over several machines, or several of those put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divided: Option<Divided>,
    /// Whether all that was asked has been done.
    pub complete: bool,
}

impl Run {
    /// The day on which it started: `2026-11-21`, UTC.
    #[must_use]
    pub fn day(&self) -> String {
        units::day(self.started)
    }

    /// The step that a measurement of this name belongs to; `None` for a plain case.
    #[must_use]
    pub fn step(&self, case: &CaseId) -> Option<&Step> {
        self.steps.iter().find(|step| step.case == *case)
    }

    /// The cases that stand for themselves: all but the steps.
    pub fn plain_cases(&self) -> impl Iterator<Item = &CaseId> {
        self.cases.iter().filter(|case| self.step(case).is_none())
    }

    /// What was measured of them.
    pub fn plain_measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().filter(|measurement| self.step(&measurement.case).is_none())
    }

    /// The measurement of a case, in a run that was measured in one piece.
    #[must_use]
    pub fn measurement(&self, case: &CaseId) -> Option<&Measurement> {
        self.measurement_in(case, None)
    }

    /// The measurement of a case in one part of a merged run; with `None`, in a run that was measured in one piece.
    #[must_use]
    pub fn measurement_in(&self, case: &CaseId, part: Option<Shard>) -> Option<&Measurement> {
        self.measurements.iter().find(|measurement| measurement.case == *case && measurement.part == part)
    }

    /// All measurements of a case: in a merged run, one per part that measured it.
    pub fn measurements_of<'r>(&'r self, case: &'r CaseId) -> impl Iterator<Item = &'r Measurement> {
        self.measurements.iter().filter(move |measurement| measurement.case == *case)
    }
}
