//! What is to be shown.

use crate::samples::{CaseId, Profile};

/// One build, looked into.
#[derive(Clone, Copy, Debug)]
pub struct ProfileSide<'p> {
    /// What it is called: `release`, `release of 3f2a9c1d7b`.
    pub title: &'p str,
    /// Shares of functions; `None` where nothing was attributed to any.
    pub profile: Option<&'p Profile>,
    /// What was counted per iteration, by the metric's name.
    pub counts: &'p [(String, f64)],
}

/// A case, of one build or of two.
#[derive(Clone, Debug)]
pub struct Sides<'p> {
    /// Which case.
    pub case: &'p CaseId,
    /// The build; or the baseline and the candidate, whose difference is shown.
    pub sides: Vec<ProfileSide<'p>>,
}
