//! Pull requests and their commits.

use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::ask::Ask;
use super::client::Client;
use super::names::{RepositoryName, Sha};
use super::page::{FULL, Page};
use super::refusal::Refusal;
use super::wire::WirePullRequest;

const READ: &str = "pull-requests: read";

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// `7` of `#7`.
    pub number: u64,
    /// Whether it is neither merged nor closed.
    pub open: bool,
    /// Whether its commits come from another repository, so that its author need not be trusted.
    pub fork: bool,
    /// The newest of its commits.
    pub head_sha: Sha,
    /// The branch that it comes from. Its author chose the name; all that git takes is possible.
    pub head_ref: String,
    /// The repository that it comes from, unless that was deleted.
    pub head_repository: Option<RepositoryName>,
    /// The commit that it was last compared with.
    pub base_sha: Sha,
    /// The branch that it is to be merged into.
    pub base_ref: String,
}

impl PullRequest {
    fn is_from(&self, owner: &str, branch: &str) -> bool {
        let owned = |repository: &RepositoryName| repository.owner().eq_ignore_ascii_case(owner);
        self.open && self.head_ref == branch && self.head_repository.as_ref().is_some_and(owned)
    }
}

impl Client {
    /// The pull request of this number.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn pull_request(&self, number: u64) -> Result<PullRequest, Refusal> {
        let ask = Ask::get(self.path(&format!("pulls/{number}"))).needing(READ);
        self.get(&ask, |wire: WirePullRequest| wire.try_into())
    }

    /// The open pull requests from this branch of this owner's repository, forks too.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn pull_requests_from(&self, head_owner: &str, head_branch: &str) -> Result<Vec<PullRequest>, Refusal> {
        let head: String = byte_serialize(format!("{head_owner}:{head_branch}").as_bytes()).collect();
        let page = |page| {
            Ask::get(self.path(&format!("pulls?state=open&head={head}&per_page={FULL}&page={page}"))).needing(READ)
        };
        let items = |wires: Vec<WirePullRequest>| wires.into_iter().map(PullRequest::try_from).collect();
        let mut found: Vec<PullRequest> = self.all(page, items)?;
        // A head that GitHub can't read is no filter to it: then it gives all that are open.
        found.retain(|pull_request| pull_request.is_from(head_owner, head_branch));
        Ok(found)
    }

    /// One page of the commits of a pull request, the oldest first; pages count from 1. GitHub gives at most 250 commits.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn commits(&self, pull_request: u64, page: u32) -> Result<Page<Sha>, Refusal> {
        #[derive(Deserialize)]
        struct Commit {
            sha: String,
        }
        let path = self.path(&format!("pulls/{pull_request}/commits?per_page={FULL}&page={page}"));
        let shas = |commits: Vec<Commit>| commits.iter().map(|commit| commit.sha.parse()).collect();
        self.page(&Ask::get(path).needing(READ), shas)
    }
}
