//! Check runs: what stands beside a commit, with a text and annotations of its own.

use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::ask::Ask;
use super::client::Client;
use super::names::Sha;
use super::page::FULL;
use super::refusal::Refusal;
use super::wire::App;

const READ: &str = "checks: read";
const WRITE: &str = "checks: write";

/// A check run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// Grows with every check run.
    pub id: u64,
    /// What it is called on the page of the pull request.
    pub name: String,
    /// The commit that it stands beside.
    pub head_sha: Sha,
    /// What its maker knows it by.
    pub external_id: Option<String>,
    /// The short name of the GitHub app that made it: `github-actions`. Only that app can change it.
    pub app: Option<String>,
    /// Where it is to be seen.
    pub url: Option<String>,
}

/// What a completed check run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Green.
    Success,
    /// Red: a required check keeps the pull request from being merged.
    Failure,
    /// Grey, and as good as green.
    Neutral,
}

impl Conclusion {
    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

/// A completed check run to be made, or to be put in the place of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheckRun {
    /// What it is called on the page of the pull request.
    pub name: String,
    /// The commit that it stands beside.
    pub head_sha: Sha,
    /// What we know it by.
    pub external_id: Option<String>,
    /// Where its "Details" lead.
    pub details_url: Option<String>,
    /// What it came to.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// At most 50: GitHub takes no more at once.
    pub annotations: Vec<Annotation>,
}

/// A remark on a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The file, from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// How bad it is.
    pub level: Level,
    /// Plain text, at most 64 KiB.
    pub message: String,
    /// Plain text, at most 255 characters.
    pub title: String,
}

/// How bad it is what an annotation tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Notice,
    /// Worth a look.
    Warning,
    /// Must be changed.
    Failure,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

#[derive(Deserialize)]
struct WireCheckRuns {
    check_runs: Vec<WireCheckRun>,
}

#[derive(Deserialize)]
struct WireCheckRun {
    id: u64,
    name: String,
    head_sha: String,
    external_id: Option<String>,
    app: Option<App>,
    html_url: Option<String>,
}

impl TryFrom<WireCheckRun> for CheckRun {
    type Error = String;

    fn try_from(wire: WireCheckRun) -> Result<Self, String> {
        Ok(Self {
            id: wire.id,
            name: wire.name,
            head_sha: wire.head_sha.parse()?,
            external_id: wire.external_id,
            app: wire.app.and_then(|app| app.slug),
            url: wire.html_url,
        })
    }
}

impl NewCheckRun {
    fn body(&self) -> Value {
        let annotations = self.annotations.iter().map(Annotation::body).collect::<Vec<_>>();
        json!({
            "name": self.name,
            "external_id": self.external_id,
            "details_url": self.details_url,
            "status": "completed",
            "conclusion": self.conclusion.word(),
            "output": { "title": self.title, "summary": self.summary, "annotations": annotations },
        })
    }
}

impl Annotation {
    fn body(&self) -> Value {
        json!({
            "path": self.path,
            "start_line": self.line,
            "end_line": self.line,
            "annotation_level": self.level.word(),
            "message": self.message,
            "title": self.title,
        })
    }
}

impl Client {
    /// All check runs of this name beside a commit, whoever made them, those of earlier attempts included.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn check_runs(&self, sha: &Sha, name: &str) -> Result<Vec<CheckRun>, Refusal> {
        let name: String = byte_serialize(name.as_bytes()).collect();
        let page = |page| {
            let query = format!("check_name={name}&filter=all&per_page={FULL}&page={page}");
            Ask::get(self.path(&format!("commits/{sha}/check-runs?{query}"))).needing(READ)
        };
        self.all(page, |wire: WireCheckRuns| wire.check_runs.into_iter().map(CheckRun::try_from).collect())
    }

    /// Makes a check run. One of the same name and commit takes the place of the app's earlier one on the page.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer. After [`Cause::Server`](super::Cause::Server) and
    /// [`Cause::Unanswered`](super::Cause::Unanswered) it may be there all the same.
    pub fn create_check_run(&self, new: &NewCheckRun) -> Result<CheckRun, Refusal> {
        let mut body = new.body();
        body["head_sha"] = json!(new.head_sha.as_str());
        let ask = Ask::post(self.path("check-runs"), body).needing(WRITE);
        self.get(&ask, |wire: WireCheckRun| wire.try_into())
    }

    /// Changes a check run. Its commit stays, and annotations are added to those that it has.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn update_check_run(&self, id: u64, new: &NewCheckRun) -> Result<CheckRun, Refusal> {
        let ask = Ask::patch(self.path(&format!("check-runs/{id}")), new.body()).needing(WRITE);
        self.get(&ask, |wire: WireCheckRun| wire.try_into())
    }
}
