//! Commit statuses: the older and plainer kind of check, for tokens that may not make check runs.

use serde_json::json;

use super::ask::Ask;
use super::client::Client;
use super::names::Sha;
use super::refusal::Refusal;

/// What a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Green.
    Success,
    /// Red.
    Failure,
    /// Red: what should have been judged could not be.
    Error,
    /// Yellow: not known yet.
    Pending,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Pending => "pending",
        }
    }
}

/// A status to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it says.
    pub state: State,
    /// What it is called. A later status takes the place of an earlier one of the same name.
    pub context: String,
    /// Plain text, at most 140 characters.
    pub description: String,
    /// Where its "Details" lead.
    pub target_url: Option<String>,
}

impl Client {
    /// Sets a status beside a commit.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer. Setting it again does no harm: the last one counts.
    pub fn create_status(&self, sha: &Sha, status: &Status) -> Result<(), Refusal> {
        let body = json!({
            "state": status.state.word(),
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
        });
        self.tell(&Ask::post(self.path(&format!("statuses/{sha}")), body).needing("statuses: write"))
    }
}
