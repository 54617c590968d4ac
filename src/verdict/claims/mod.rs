//! The claims of a plan's steps, each judged like a verdict: confirmed only where its whole interval satisfies it, refuted only
//! where the whole interval violates it. All claims of a run share one error budget.

mod evidence;
mod judge;
mod outcome;
#[cfg(test)]
mod tests;

pub use judge::lacking;
pub(super) use judge::{Known, again, steps};
pub use outcome::{ClaimOutcome, Holds, Measured, Scale, StepOutcome, Why};
