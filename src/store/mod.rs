//! Runs, kept: on disk while they are measured and after, and as baselines in a git ref that teams share; and what
//! other tools measured, read in.

mod artifact;
mod baselines;
#[cfg(test)]
mod fixture;
mod journal;
mod k6;
mod load;
mod names;
mod runs;
mod validate;

pub use artifact::{LARGEST_ARCHIVE, Origin, check_origin, read_artifact};
pub use baselines::{Baselines, fingerprint};
pub use journal::Journal;
pub use k6::{K6Summary, read_k6};
pub use load::read_run;
pub use names::{BaselineName, Entry};
pub use runs::{Runs, runs_below};
pub use validate::validate;
