//! The hub as a test has it in hand.

use std::thread;

use super::script::{Fault, Matcher};
use super::server::{Recorded, Server};
use super::state::{Artifact, Check, Comment, PullRequest, State, Status, WORKFLOW};

/// The owner of the hub's repository.
pub const OWNER: &str = "octo";
/// The name of the hub's repository.
pub const NAME: &str = "widget";

/// What a hub is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What all paths begin with: nothing, or as in GitHub Enterprise `/api/v3`.
    pub base: &'static str,
    /// The only token that counts.
    pub token: &'static str,
    /// Whose token it is; `None` makes it the token of a workflow, which may not ask who it is.
    pub login: Option<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { base: "", token: "ghs_TheTokenOfTheWorkflow", login: None }
    }
}

impl Settings {
    /// Who writes what is written with the token.
    pub fn author(&self) -> &'static str {
        self.login.unwrap_or(WORKFLOW)
    }
}

/// A GitHub with one repository, `octo/widget`, on this machine's loopback. Dropping it ends it; a fault or a hold that was
/// ordered and never came to pass is a mistake of the test, and panics then.
#[derive(Debug)]
pub struct Hub {
    server: Server,
}

impl Hub {
    /// One with a workflow's token and without pull requests.
    pub fn start() -> Self {
        Self::with(Settings::default())
    }

    /// Another one.
    pub fn with(settings: Settings) -> Self {
        Self { server: Server::start(settings) }
    }

    /// The address of the interface, as `GITHUB_API_URL` has it.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.server.api, self.settings().base)
    }

    /// Makes the addresses in its answers lead through a proxy, so that links are followed there too.
    pub(super) fn behind(&self, url: &str) {
        url.clone_into(&mut self.server.shared.address.lock().unwrap());
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.server.shared.settings
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.server.shared.state.lock().unwrap())
    }

    /// Adds a pull request.
    pub fn add_pull(&self, pull: PullRequest) {
        self.state(|state| state.pulls.push(pull));
    }

    /// Changes a pull request, as a push or a merge does.
    pub fn change_pull(&self, number: u64, change: impl FnOnce(&mut PullRequest)) {
        self.state(|state| change(state.pulls.iter_mut().find(|pull| pull.number == number).unwrap()));
    }

    /// Adds a commit that is of no pull request.
    pub fn add_commit(&self, sha: &str) {
        self.state(|state| state.commits.push(sha.to_owned()));
    }

    /// Adds a comment of anybody's; returns its id.
    pub fn add_comment(&self, issue: u64, author: &str, body: &str) -> u64 {
        self.state(|state| state.add_comment(issue, author, body).id)
    }

    /// Adds so many comments of other people's.
    pub fn add_talk(&self, issue: u64, comments: usize) {
        for n in 0..comments {
            self.add_comment(issue, ["ada", "grace", "linus"][n % 3], &format!("I think {n} things of it"));
        }
    }

    /// Adds an artifact of a workflow run; returns its id.
    pub fn add_artifact(&self, run: u64, name: &str, bytes: Vec<u8>) -> u64 {
        self.state(|state| {
            let id = state.next_id();
            state.artifacts.push(Artifact { run, id, name: name.to_owned(), bytes, expired: false });
            id
        })
    }

    /// Makes an artifact too old to be had.
    pub fn expire(&self, id: u64) {
        self.state(|state| state.artifacts.iter_mut().filter(|one| one.id == id).for_each(|one| one.expired = true));
    }

    /// The comments on a pull request, oldest first.
    pub fn comments(&self, issue: u64) -> Vec<Comment> {
        self.state(|state| state.comments.iter().filter(|comment| comment.issue == issue).cloned().collect())
    }

    /// Those of them that were written with the hub's token.
    pub fn own_comments(&self, issue: u64) -> Vec<Comment> {
        let author = self.settings().author();
        self.comments(issue).into_iter().filter(|comment| comment.author == author).collect()
    }

    /// All check runs, oldest first.
    pub fn checks(&self) -> Vec<Check> {
        self.state(|state| state.checks.clone())
    }

    /// All statuses, oldest first.
    pub fn statuses(&self) -> Vec<Status> {
        self.state(|state| state.statuses.clone())
    }

    /// All requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.shared.log.lock().unwrap().clone()
    }

    /// The next so many requests of a kind go wrong. Of several orders for a request, the first that is left counts.
    pub fn fail(&self, times: usize, matcher: Matcher, fault: Fault) {
        self.server.shared.script.fail(times, matcher, fault);
    }

    /// All requests of a kind go wrong from now on.
    pub fn always_fail(&self, matcher: Matcher, fault: Fault) {
        self.server.shared.script.fail(usize::MAX, matcher, fault);
    }

    /// So many requests of a kind wait for each other: each is carried out, and none is answered before all came.
    pub fn hold(&self, requests: usize, matcher: Matcher) {
        self.server.shared.script.hold(requests, matcher);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let left = self.server.shared.script.left();
        assert!(left.is_empty() || thread::panicking(), "ordered, and never came to pass: {left:#?}");
    }
}
