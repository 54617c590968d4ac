//! The waist of the hourglass: what was measured, in the words that every other room uses. Data only, no I/O.

mod environment;
mod gate;
mod measurement;
mod metric;
mod names;
mod record;
mod run;

pub use environment::Environment;
pub use gate::Gate;
pub use measurement::{Arm, ArmRound, Failure, Measurement, Round, Skipped, Training, WORKING_TREE};
pub use metric::{Better, Metric, Unit};
pub use names::{CaseId, RunId, VariantName};
pub use record::{Record, replay};
pub use run::{FORMAT, Run};
