//! What can come of one request other than an answer.

use std::error::Error;

use http::StatusCode;
use hyper_util::client::legacy;
use octocrab::GitHubError;

type BoxError = Box<dyn Error + Send + Sync>;

/// What came of one request.
#[derive(Debug)]
pub(super) enum Fault {
    /// No connection came about, for this reason: nothing was asked.
    Unreached(String),
    /// The connection was cut, or there was silence, for this reason: what was asked may have been done.
    Silent(String),
    /// There was an answer, but nothing that can be used, for this reason.
    Unusable(String),
    /// GitHub said no, or that it can't.
    Status(Box<GitHubError>),
    /// The storage that GitHub sent us to said no, or that it can't.
    Storage(StatusCode),
}

impl Fault {
    /// What octocrab reports.
    pub(super) fn of(error: octocrab::Error) -> Self {
        let unreached =
            |source: &BoxError| source.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        match error {
            octocrab::Error::GitHub { source, .. } => Self::Status(source),
            octocrab::Error::Service { source, .. } if unreached(&source) => Self::Unreached(innermost(&*source)),
            other => Self::Silent(innermost(&other)),
        }
    }

    /// The same, telling which host was not reached.
    pub(super) fn at(self, host: &str) -> Self {
        match self {
            Self::Unreached(why) => Self::Unreached(format!("{host}: {why}")),
            other => other,
        }
    }

    /// Whether GitHub asks for patience: 429, and 403 with any sign of a rate limit, the primary or a secondary one.
    pub(super) fn is_limit(&self) -> bool {
        let Self::Status(error) = self else { return false };
        let header = |name: &str| error.headers.as_ref().and_then(|headers| headers.get(name));
        let forbidden = error.status_code == StatusCode::FORBIDDEN;
        let spent = header("x-ratelimit-remaining").is_some_and(|value| value == "0");
        let told = error.message.to_ascii_lowercase().contains("rate limit");
        error.status_code == StatusCode::TOO_MANY_REQUESTS
            || (forbidden && (spent || told || header("retry-after").is_some()))
    }
}

/// The reason behind the reasons, which is the one that tells something: octocrab's and hyper's say only which step failed.
fn innermost(error: &dyn Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
