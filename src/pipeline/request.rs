//! What a caller asks for: plain values, whoever the caller is.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

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
