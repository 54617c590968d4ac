//! What GitHub did not do, why, and what to change.

use std::fmt;

use http::StatusCode;
use octocrab::GitHubError;
use serde_json::Value;

use super::ask::Ask;
use super::fault::Fault;
use super::text::clean;
use super::token::Token;

/// How much of GitHub's message is shown, in characters.
const LONGEST: usize = 300;

/// Why something was not done: what a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The token is not known, or no longer (401).
    Unauthorized,
    /// The token may not do this (403): the job lacks a permission, or the pull request is from a fork.
    Forbidden,
    /// There is no such thing, or none that the token may see (404), or no longer (410), or elsewhere (3xx).
    Missing,
    /// GitHub does not take what was sent (422, and whatever else is the fault of the request).
    Invalid,
    /// A rate limit that lasts longer than the patience (429, and 403 that says so).
    Limited,
    /// GitHub failed (5xx), or its storage did. What was asked may have been done nevertheless.
    Server,
    /// No answer, or none that can be understood. What was asked may have been done nevertheless.
    Unanswered,
}

/// Something that GitHub did not do. Nothing of it holds the token, and it is in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, to decide by.
    pub cause: Cause,
    /// Method and path: `POST /repos/owner/name/issues/7/comments`.
    pub asked: String,
    /// GitHub's own message, or what became of the connection; at most 300 characters without control characters.
    pub said: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How often it was asked.
    pub attempts: u32,
    needs: Option<&'static str>,
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// What is to be told of a request that was given up.
    pub(super) fn new(ask: &Ask, fault: &Fault, attempts: u32, token: &Token) -> Self {
        let (cause, status, said) = match fault {
            Fault::Status(error) => (cause(fault, error.status_code), Some(error.status_code), message(error)),
            Fault::Storage(status) => (Cause::Server, Some(*status), "the storage of artifacts did not give it".into()),
            Fault::Unreached(why) | Fault::Silent(why) | Fault::Unusable(why) => (Cause::Unanswered, None, why.clone()),
        };
        Self {
            cause,
            asked: token.cover(&ask.shown()),
            said: clean(&token.cover(&said), LONGEST),
            status: status.map(|status| status.as_u16()),
            attempts,
            needs: ask.needs,
        }
    }

    fn outcome(&self) -> &'static str {
        match self.cause {
            Cause::Unauthorized | Cause::Forbidden => "was refused",
            Cause::Missing => "found nothing",
            Cause::Invalid => "was not accepted",
            Cause::Limited => "met a rate limit",
            Cause::Server => "failed at GitHub's end",
            Cause::Unanswered => "got no answer that can be used",
        }
    }

    /// What to change, where something can be changed.
    fn advice(&self) -> Option<String> {
        let needs = self.needs;
        match self.cause {
            Cause::Unauthorized => Some("give the step `env: GITHUB_TOKEN: ${{ github.token }}`".to_owned()),
            Cause::Forbidden => needs.map(|needs| {
                format!("give the job `permissions: {needs}`; in a run for a fork the token can only read, whatever it is given")
            }),
            Cause::Missing => needs.map(|needs| {
                format!("where it does exist, the token may not see it: give the job `permissions: {needs}`")
            }),
            Cause::Limited => Some("run the job again later".to_owned()),
            Cause::Server | Cause::Unanswered if !self.asked.starts_with("GET ") => {
                Some("it may have been done nevertheless".to_owned())
            }
            Cause::Invalid | Cause::Server | Cause::Unanswered => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.asked, self.outcome())?;
        match (self.status, self.attempts) {
            (Some(status), 0 | 1) => write!(f, " ({status})")?,
            (Some(status), attempts) => write!(f, " ({status}, {attempts} attempts)")?,
            (None, 0 | 1) => {}
            (None, attempts) => write!(f, " ({attempts} attempts)")?,
        }
        write!(f, ": {}", self.said)?;
        self.advice().map_or(Ok(()), |advice| write!(f, " ({advice})"))
    }
}

fn cause(fault: &Fault, status: StatusCode) -> Cause {
    match status {
        _ if fault.is_limit() => Cause::Limited,
        StatusCode::UNAUTHORIZED => Cause::Unauthorized,
        StatusCode::FORBIDDEN => Cause::Forbidden,
        StatusCode::NOT_FOUND | StatusCode::GONE => Cause::Missing,
        status if status.is_redirection() => Cause::Missing,
        status if status.is_server_error() => Cause::Server,
        _ => Cause::Invalid,
    }
}

/// GitHub's message with what it says of single fields. Of a page for people, which proxies and outages answer with, only
/// the status is told.
fn message(error: &GitHubError) -> String {
    let reason = error.status_code.canonical_reason().unwrap_or("no reason given");
    let page = error.message.trim_start().starts_with('<');
    let first = if page || error.message.trim().is_empty() { reason.to_owned() } else { error.message.clone() };
    let errors = error.errors.iter().flatten().filter_map(field);
    [first].into_iter().chain(errors).collect::<Vec<_>>().join("; ")
}

/// What is wrong with one field: `output.summary is too long`.
fn field(error: &Value) -> Option<String> {
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    match (error.as_str(), text("message"), text("field"), text("code")) {
        (Some(whole), ..) | (None, Some(whole), ..) => Some(whole.to_owned()),
        (None, None, Some(field), Some(code)) => Some(format!("{field}: {code}")),
        (None, None, field, code) => field.or(code).map(str::to_owned),
    }
}
