//! The shapes of GitHub's JSON that answers and event payloads share. Members that are not wanted are passed over.

use serde::Deserialize;

use super::names::{RepositoryName, Sha, branch};
use super::pulls::PullRequest;

#[derive(Deserialize)]
pub(super) struct WirePullRequest {
    number: u64,
    state: String,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    branch: String,
    /// Null where the repository was deleted.
    repo: Option<WireRepository>,
}

#[derive(Deserialize)]
pub(super) struct WireRepository {
    id: u64,
    pub(super) full_name: String,
}

/// A user, an organisation or a bot.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) login: String,
}

/// A GitHub app.
#[derive(Deserialize)]
pub(super) struct App {
    pub(super) slug: Option<String>,
}

impl TryFrom<WirePullRequest> for PullRequest {
    type Error = String;

    fn try_from(wire: WirePullRequest) -> Result<Self, String> {
        let WirePullRequest { number, state, head, base } = wire;
        let id = |side: &Side| side.repo.as_ref().map(|repository| repository.id);
        Ok(Self {
            number,
            open: state == "open",
            // Where the repository is gone, it was a fork: one's own is still there to ask.
            fork: id(&head).is_none() || id(&head) != id(&base),
            head_sha: head.sha.parse::<Sha>()?,
            head_ref: branch(&head.branch)?,
            head_repository: head.repo.map(|repository| repository.full_name.parse::<RepositoryName>()).transpose()?,
            base_sha: base.sha.parse::<Sha>()?,
            base_ref: branch(&base.branch)?,
        })
    }
}
