//! The waist of the hourglass: what was measured, in the words that every other room uses. Data only, no I/O.

mod divided;
mod environment;
mod gate;
mod measurement;
mod merge;
mod metric;
mod names;
mod pattern;
mod profile;
mod record;
mod review;
mod run;
mod shard;
mod step;

pub use divided::{Divided, Part};
pub use environment::Environment;
pub use gate::Gate;
pub use measurement::{Arm, ArmRound, Failure, Measurement, Round, Skipped, Training, WORKING_TREE};
pub use merge::{MergeError, merge};
pub use metric::{Better, Metric, Unit};
pub use names::{CaseId, RunId, VariantName};
pub use pattern::{Glob, PathPattern, fits};
pub use profile::{FunctionShare, Profile};
pub use record::{Record, replay};
pub use review::{PlanChange, Review, Waiver};
pub use run::{FORMAT, Run};
pub use shard::Shard;
pub use step::Step;
