//! perfplan.toml to a validated [`Plan`]: what is measured, how long, and how it is judged. Nothing is run here.
//!
//! The defaults stand in `default.toml`, which is part of the program and read by the same code; a user's file is laid over
//! them key by key. Every error names the file, the line and the column, shows the line and says what to write instead.

mod changes;
pub mod claim;
mod error;
mod fault;
mod filter;
mod knob;
mod layers;
mod load;
mod matrix;
mod nearest;
mod quick;
mod step;
mod types;
mod values;
mod variant;
mod wire;
mod workload;

#[cfg(test)]
mod tests;

pub use changes::{Rules, changes};
pub use error::PlanError;
pub use filter::{Filters, Unmatched};
pub use knob::{Knob, Setting};
pub use load::{PLACES, find, load};
pub use matrix::{Axis, DesignKind, Exclusion, Matrix};
pub use perfplan_harness::Size;
pub use step::{Sentence, Step};
pub use types::{Building, Measure, Plan, TrainingPlan};
pub use variant::{Allocator, Variant};
pub use workload::{Workload, WorkloadSource};
