//! What a caller asks for: plain values, whoever the caller is.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::samples::Shard;

use crate::plan::Variant;

/// A run that is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A folder inside the workspace.
    pub folder: PathBuf,
    /// The plan's file, where it is not in its usual place.
    pub plan: Option<PathBuf>,
    /// Which cases; all without any.
    pub filters: Vec<String>,
    /// Which variants, by name; without any, all that need no asking.
    pub variants: Vec<String>,
    /// The revision that the working tree is compared with.
    pub base: Option<String>,
    /// The revision whose plan judges; the working tree's own where it is `None`.
    pub judge: Option<String>,
    /// Measuring time; the plan's where it is `None`.
    pub budget: Option<Duration>,
    /// Small sizes, and the plan's budget for quick runs.
    pub quick: bool,
    /// Go on with the latest run that was broken off, or with this one.
    pub resume: Option<Resume>,
    /// `CASE=2%`: these cases' candidates really do more than they report.
    pub handicaps: Vec<String>,
    /// The tolerance of wall time, in place of the plan's.
    pub tolerance: Option<f64>,
    /// How many compilers may run at once; as many as there are CPUs where it is `None`.
    pub jobs: Option<usize>,
    /// The part that is measured, where a run is divided over several machines.
    pub shard: Option<Shard>,
    /// The command line that asks for this, without the shard; it is kept in the record of a shard.
    pub command: String,
    /// The plan's matrix in place of its variants.
    pub matrix: bool,
    /// These variants in place of the plan's.
    pub these: Vec<Variant>,
    /// The plan's steps alone, without the plain cases.
    pub claims_only: bool,
    /// Builds the baseline and the variants that are named, no others: self-tests need no matrix.
    pub baseline_alone: bool,
}

/// Which broken-off run is resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The latest.
    Latest,
    /// This one.
    Run(String),
}

/// The request or the plan is wrong: what, and what to do instead. Exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
