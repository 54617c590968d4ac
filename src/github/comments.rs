//! Comments in the conversation of an issue or a pull request.

use serde::Deserialize;
use serde_json::json;

use super::ask::Ask;
use super::client::Client;
use super::page::{FULL, Page};
use super::refusal::{Cause, Refusal};
use super::wire::{Account, App};

const READ: &str = "pull-requests: read";
const WRITE: &str = "pull-requests: write";

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Grows with every comment.
    pub id: u64,
    /// Markdown, as its author wrote it.
    pub body: String,
    /// The login of its author, unless the account was deleted. Comments by the token of a workflow are
    /// `github-actions[bot]`'s.
    pub author: Option<String>,
    /// The short name of the GitHub app that wrote it, if one did: `github-actions`.
    pub app: Option<String>,
    /// Where it is to be seen.
    pub url: String,
}

#[derive(Deserialize)]
struct WireComment {
    id: u64,
    body: Option<String>,
    user: Option<Account>,
    performed_via_github_app: Option<App>,
    html_url: String,
}

impl From<WireComment> for Comment {
    fn from(wire: WireComment) -> Self {
        Self {
            id: wire.id,
            body: wire.body.unwrap_or_default(),
            author: wire.user.map(|user| user.login),
            app: wire.performed_via_github_app.and_then(|app| app.slug),
            url: wire.html_url,
        }
    }
}

impl Client {
    /// One page of the comments on an issue or pull request, the oldest first; pages count from 1.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn comments(&self, issue: u64, page: u32) -> Result<Page<Comment>, Refusal> {
        let path = self.path(&format!("issues/{issue}/comments?per_page={FULL}&page={page}"));
        let comments = |wires: Vec<WireComment>| Ok(wires.into_iter().map(Comment::from).collect());
        self.page(&Ask::get(path).needing(READ), comments)
    }

    /// Writes a comment on an issue or pull request.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer. After [`Cause::Server`] and [`Cause::Unanswered`] it may be there all the same.
    pub fn create_comment(&self, issue: u64, body: &str) -> Result<Comment, Refusal> {
        let ask = Ask::post(self.path(&format!("issues/{issue}/comments")), json!({ "body": body }));
        self.get(&ask.needing(WRITE), |wire: WireComment| Ok(wire.into()))
    }

    /// Replaces the text of a comment.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn update_comment(&self, id: u64, body: &str) -> Result<Comment, Refusal> {
        let ask = Ask::patch(self.path(&format!("issues/comments/{id}")), json!({ "body": body }));
        self.get(&ask.needing(WRITE), |wire: WireComment| Ok(wire.into()))
    }

    /// Takes a comment away.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn delete_comment(&self, id: u64) -> Result<(), Refusal> {
        match self.tell(&Ask::delete(self.path(&format!("issues/comments/{id}"))).needing(WRITE)) {
            // Then an attempt whose answer was lost did it.
            Err(refusal) if refusal.cause == Cause::Missing && refusal.attempts > 1 => Ok(()),
            told => told,
        }
    }
}
