//! A step of a written plan: two cases that are measured in the same rounds, and what the plan says of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, VariantName};

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
    /// The variant that the side after the step is built as, where the step is a way to build; else the baseline, as the side
    /// before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<VariantName>,
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

    /// The cases that have to run for it, the one before first; each with the variant that it is built as, where that is not
    /// the baseline.
    pub fn sides(&self) -> impl Iterator<Item = (&CaseId, Option<&VariantName>)> {
        self.before.iter().map(|before| (before, None)).chain([(&self.after, self.variant.as_ref())])
    }
}
