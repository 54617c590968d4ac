//! What each knob of the build bought, and what to take. Pure: no I/O, and no text but names.
//!
//! ```text
//!   Run + Judgement ──> Grid (cells x cases, log changes) ──> Model (which sums of cells tell which effect)
//!                                                                │
//!     Advice { effects, interactions, cells with their fronts, fittings, recommendation } <──┘
//! ```
//!
//! Whatever is said is a weighted sum of the changes of cells, case by case, and its mean over cases and workloads: one way to
//! propagate errors, in `contrast.rs`. The intervals are about these cases on this machine; they say nothing of others.

mod advice;
mod choice;
mod contrast;
mod covariance;
mod effects;
mod fitting;
#[cfg(test)]
pub(crate) mod fixture;
mod front;
mod grid;
mod known;
mod model;
pub mod patch;
mod recommend;
#[cfg(test)]
mod tests;

pub use advice::{Advice, advise};
pub use effects::{Effect, Interaction, Meaning};
pub use fitting::Fitting;
pub use front::Cell;
pub use grid::{Cost, Settings, UNSET};
pub use known::{ERROR, Mean};
pub use recommend::{Expected, Ground, Reason, Recommendation};
