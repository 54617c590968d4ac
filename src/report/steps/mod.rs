//! The steps of a plan made readable: what each changed, and which of its claims hold.
//!
//! ```text
//!   StepOutcome ──> StepView ──┬──> Page::steps   for the person at the prompt
//!                              └──> sections      for comments and job summaries
//! ```

mod markdown;
mod terminal;
mod view;
mod words;

pub(super) use markdown::sections;
pub use view::{ClaimLine, StepView};
pub(super) use view::{known, steps};
pub(super) use words::{estimate, mark, reason, word};
