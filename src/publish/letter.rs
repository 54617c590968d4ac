//! What is to be published, and where.

use std::path::PathBuf;

use crate::github::{Conclusion, Sha};
use crate::report::CheckText;

/// What is to be published. All texts are ready, and fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The plan that it is about: it has one comment, one check run and one status.
    pub plan: String,
    /// The plan's file from the root of the repository, for annotations.
    pub file: String,
    /// The order of the run: later ones overwrite earlier ones.
    pub order: u64,
    /// The comment, with its marker.
    pub comment: String,
    /// What the check run says.
    pub check: CheckText,
    /// What the commit status says.
    pub status: String,
    /// What it came to.
    pub conclusion: Conclusion,
    /// The long report, for the summary of the job.
    pub report: String,
    /// Where "Details" lead.
    pub details: Option<String>,
}

/// Where it is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To {
    /// The pull request, where there is one.
    pub pull_request: Option<u64>,
    /// The commit that was judged.
    pub head: Sha,
    /// The login that our comments have, where it is neither the token's nor that of workflows: that of an app.
    pub author: Option<String>,
    /// The file of the job's summary.
    pub summary: Option<PathBuf>,
}
