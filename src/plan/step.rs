//! The steps of a written plan.

use super::claim::Claim;
use crate::samples::{CaseId, VariantName};

/// One step: a case before it, a case after it, and what is claimed of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name, a slug: `redb-snapshot-cache`. No other step of the plan has it.
    pub id: String,
    /// What it does, for people.
    pub title: Option<String>,
    /// The case before it; `None` where all claims compare with numbers.
    pub before: Option<CaseId>,
    /// The case after it, another one than `before` unless it is built in another way.
    pub after: CaseId,
    /// The variant that the side after it is built as; `None` for the plan's baseline.
    pub variant: Option<VariantName>,
    /// What is claimed, at least one.
    pub claims: Vec<Sentence>,
    /// Where the plan stands that it was taken from: `000 section 1`.
    pub plan: Option<String>,
    /// What is known of it so far: `refuted: 12 %`.
    pub expect: Option<String>,
}

/// A claim and how the plan puts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    /// The plan's own words.
    pub text: String,
    /// What they mean.
    pub claim: Claim,
}
