//! What reviewers have agreed to: regressions that were accepted, and what a change makes of the plan that it is judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, Metric, fits};

/// A regression that was accepted, as a committed plan says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// The case, or with `*` (any text) a pattern for the whole names of several.
    pub case: String,
    /// The metric that may be worse.
    pub metric: Metric,
    /// The commit that made it worse: its id, or the beginning of one.
    pub commit: String,
    /// Why that is accepted.
    pub reason: String,
    /// The last day on which it is: `2027-03-31`, UTC.
    pub expires: String,
}

impl Waiver {
    /// Whether it is about this row.
    #[must_use]
    pub fn covers(&self, case: &CaseId, metric: &Metric) -> bool {
        self.metric == *metric && fits(&self.case, &case.to_string())
    }

    /// Whether its time is over; `today` is written as its last day is. So written, days sort as they follow each other.
    #[must_use]
    pub fn is_over(&self, today: &str) -> bool {
        today > self.expires.as_str()
    }
}

/// What the plan under judgement says otherwise than the plan that judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanChange {
    /// Which part: `tolerance of wall`, `claim of step redb-cache`.
    pub what: String,
    /// What the plan that judges says; `None` where it says nothing.
    pub before: Option<String>,
    /// What the other one says; `None` where it says nothing any more.
    pub after: Option<String>,
}

/// By whose word a run is judged. A change can't excuse itself: tolerances and waivers are those of the revision that it is
/// compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// The revision whose plan judges; `None` where the working tree's own does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<String>,
    /// What the working tree's plan says otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PlanChange>,
    /// The waivers of commits that the candidate has and the baseline has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

impl Review {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(case: &str, metric: &str) -> Waiver {
        let (metric, reason) = (metric.parse().unwrap(), "safer".to_owned());
        Waiver { case: case.to_owned(), metric, commit: "abcdef0".to_owned(), reason, expires: "2027-03-31".to_owned() }
    }

    #[test]
    fn a_waiver_is_about_whole_names_of_cases_and_one_metric() {
        let covers = |pattern: &str, metric: &str| {
            waiver(pattern, metric).covers(&"engine::book/hash".parse().unwrap(), &Metric::wall())
        };
        assert!(covers("engine::book/hash", "wall") && covers("engine::*", "wall"));
        assert!(!covers("engine::book", "wall") && !covers("book/hash", "wall") && !covers("engine::*", "cpu"));
    }

    #[test]
    fn a_waiver_holds_on_its_last_day_and_not_on_the_next() {
        let waiver = waiver("w::a", "wall");
        assert!(!waiver.is_over("2026-12-01") && !waiver.is_over("2027-03-31"));
        assert!(waiver.is_over("2027-04-01") && waiver.is_over("2028-01-01"));
    }
}
