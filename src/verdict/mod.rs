//! Changes x gate to verdicts. Each rule is a small pure function; no text, no exit codes.

mod blame;
mod claims;
mod judge;
#[cfg(test)]
mod merged;
mod row;
mod rules;
mod stored;
mod waivers;

pub use blame::{Beside, Blame, Blamed, Sampled, Work};
pub use claims::{ClaimOutcome, Holds, Measured, Scale, StepOutcome, Why, lacking};
pub use judge::{Judge, is_same_code, judge};
pub use row::{Basis, Judgement, Limit, POWER, Relative, Row, Verdict};
pub use rules::verdict;
pub use stored::{BETWEEN_RUNS, judge_stored};
