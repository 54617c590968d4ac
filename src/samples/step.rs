//! A step of a written plan: two cases that are measured in the same rounds, and what the plan says of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CaseId;

/// One step of a plan. It is measured as a case of its own, `step::ID`, with one arm per side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What its measurement is called: `step::ID`.
    pub case: CaseId,
    /// What it does, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where the sentence stands that it was taken from: `000, section 1`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What is known of it so far, where a claim is known not to hold: `refuted: 2 % slower`. Then that fails no run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expect: String,
    /// The case before the step; `None` where the claims are about one case alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CaseId>,
    /// The case after the step.
    pub after: CaseId,
    /// What the plan says, in the language of claims.
    pub claims: Vec<String>,
}

impl Step {
    /// The workload that measurements of steps belong to; no other may have its name.
    pub const WORKLOAD: &str = "step";

    /// The step's name in its plan.
    #[must_use]
    pub fn id(&self) -> &str {
        self.case.case()
    }

    /// Whether it is known that not all of its claims hold.
    #[must_use]
    pub fn is_known_to_be_refuted(&self) -> bool {
        self.expect.split([':', ' ']).next() == Some("refuted")
    }

    /// The cases that have to run for it, the one before first.
    pub fn cases(&self) -> impl Iterator<Item = &CaseId> {
        self.before.iter().chain([&self.after])
    }
}
