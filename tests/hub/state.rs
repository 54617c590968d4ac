//! What the hub knows of its one repository.

use serde_json::Value;

/// Whoever has the token of a workflow.
pub const WORKFLOW: &str = "github-actions[bot]";

/// The nth commit that there could be: 40 digits.
pub fn sha(n: u64) -> String {
    format!("{n:040x}")
}

/// A comment on a pull request.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// Ever growing, and beyond 32 bits, as on GitHub.
    pub id: u64,
    /// The number of the pull request.
    pub issue: u64,
    /// The login of who wrote it.
    pub author: String,
    /// Markdown.
    pub body: String,
    /// How often it was changed.
    pub edits: usize,
}

/// A check run.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Ever growing.
    pub id: u64,
    /// The commit that was checked.
    pub head_sha: String,
    /// What was asked for last, field by field: `name`, `status`, `conclusion`, `details_url`, `external_id`.
    pub fields: serde_json::Map<String, Value>,
    /// The title, the summary and the text of the output.
    pub output: serde_json::Map<String, Value>,
    /// Of all requests together: GitHub adds to them, and never takes one away.
    pub annotations: Vec<Value>,
    /// How often it was changed.
    pub edits: usize,
}

impl Check {
    /// A field of the check run, or of its output; empty where it has none.
    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).or_else(|| self.output.get(field)).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A status of a commit. There may be many of one context: the last counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Ever growing.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// What tells it from others; `default` where nothing was given.
    pub context: String,
    /// A sentence, at most 140 characters.
    pub description: Option<String>,
    /// Where there is more to read.
    pub target_url: Option<String>,
}

/// A pull request into the hub's repository.
#[derive(Clone, Debug, PartialEq)]
pub struct PullRequest {
    /// Its number, which is the issue's too.
    pub number: u64,
    /// Neither merged nor closed.
    pub open: bool,
    /// Who owns the repository that it comes from.
    pub head_owner: String,
    /// The name of that repository; `None` where it was deleted.
    pub head_repository: Option<String>,
    /// The branch that it comes from.
    pub head_branch: String,
    /// The branch that it goes into.
    pub base_branch: String,
    /// The commit of that branch.
    pub base_sha: String,
    /// Its commits; the last is the head.
    pub commits: Vec<String>,
}

impl PullRequest {
    /// One of the repository's own branches, `feature`, with one commit: [`sha`] of its number.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            open: true,
            head_owner: super::OWNER.to_owned(),
            head_repository: Some(super::NAME.to_owned()),
            head_branch: "feature".to_owned(),
            base_branch: "main".to_owned(),
            base_sha: sha(0xba5e),
            commits: vec![sha(number)],
        }
    }

    /// The same from somebody's fork.
    pub fn forked_by(self, owner: &str) -> Self {
        Self { head_owner: owner.to_owned(), ..self }
    }

    /// The commit that it would merge.
    pub fn head_sha(&self) -> &str {
        self.commits.last().map_or("", String::as_str)
    }
}

/// What a workflow run uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Of the workflow run.
    pub run: u64,
    /// Its own.
    pub id: u64,
    /// As it was uploaded; several of one run may share it.
    pub name: String,
    /// A zip archive, if the test wants one.
    pub bytes: Vec<u8>,
    /// Not to be had any more.
    pub expired: bool,
}

/// Everything.
#[derive(Debug, Default)]
pub struct State {
    pub comments: Vec<Comment>,
    pub checks: Vec<Check>,
    pub statuses: Vec<Status>,
    pub pulls: Vec<PullRequest>,
    pub artifacts: Vec<Artifact>,
    /// Commits that are of no pull request.
    pub commits: Vec<String>,
    given: u64,
}

impl State {
    /// An id that nothing has.
    pub fn next_id(&mut self) -> u64 {
        self.given += 1;
        (3 << 32) + self.given
    }

    pub fn pull(&self, number: u64) -> Option<&PullRequest> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub fn has_commit(&self, sha: &str) -> bool {
        let of_pull = |pull: &PullRequest| pull.base_sha == sha || pull.commits.iter().any(|commit| commit == sha);
        self.commits.iter().any(|commit| commit == sha) || self.pulls.iter().any(of_pull)
    }

    pub fn add_comment(&mut self, issue: u64, author: &str, body: &str) -> Comment {
        let id = self.next_id();
        let comment = Comment { id, issue, author: author.to_owned(), body: body.to_owned(), edits: 0 };
        self.comments.push(comment.clone());
        comment
    }
}
