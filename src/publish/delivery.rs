//! Publishing, place by place.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::github::{Cause, Client, Refusal};

use super::letter::{Letter, To};
use super::{check, comment};

/// Where something is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The comment on the pull request.
    Comment,
    /// The check run beside the commit.
    CheckRun,
    /// The commit's status.
    Status,
    /// The summary of the job.
    Summary,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Comment => "the comment",
            Self::CheckRun => "the check run",
            Self::Status => "the commit status",
            Self::Summary => "the job's summary",
        })
    }
}

/// A place that nothing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub place: Place,
    /// Why.
    pub refusal: Refusal,
}

/// What became of a letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Where it is to be read, and what had to be done for that.
    pub done: Vec<(Place, &'static str)>,
    /// Where it is not.
    pub refused: Vec<Refused>,
}

impl Delivery {
    /// Whether it has to be tried again: GitHub failed or did not understand, or nothing came anywhere. That a token may not
    /// write somewhere is no failure where another place says it.
    #[must_use]
    pub fn failed(&self) -> bool {
        let may_not = |refused: &Refused| matches!(refused.refusal.cause, Cause::Forbidden | Cause::Missing);
        self.done.is_empty() || !self.refused.iter().all(may_not)
    }

    fn note(&mut self, place: Place, told: Result<&'static str, Refusal>) {
        match told {
            Ok(how) => self.done.push((place, how)),
            Err(refusal) => self.refused.push(Refused { place, refusal }),
        }
    }
}

/// Publishes a letter wherever the token may; without a client, in the summary of the job alone. The status is for where there may be
/// no check run.
///
/// # Errors
/// Where the summary can't be written. What GitHub refuses is in the delivery.
pub fn deliver(client: Option<&Client>, to: &To, letter: &Letter) -> Result<Delivery> {
    let mut delivery = Delivery::default();
    // First what needs nobody: whatever happens later, it is there.
    if let Some(path) = &to.summary {
        summary(path, &letter.report).with_context(|| format!("writing the job's summary {}", path.display()))?;
        delivery.note(Place::Summary, Ok("written"));
    }
    let Some(client) = client else { return Ok(delivery) };
    if let Some(number) = to.pull_request {
        let kept = comment::keep(client, number, to.author.as_deref(), letter);
        delivery.note(Place::Comment, kept.map(said));
    }
    let checked = check::check(client, &to.head, letter).map(|_| "written");
    let refused = checked.is_err();
    delivery.note(Place::CheckRun, checked);
    if refused {
        delivery.note(Place::Status, check::status(client, &to.head, letter).map(|()| "written"));
    }
    Ok(delivery)
}

fn said(kept: comment::Kept) -> &'static str {
    match kept {
        comment::Kept::Made => "made",
        comment::Kept::Updated => "updated",
        comment::Kept::Same => "says it already",
        comment::Kept::Later => "left as it is: a later run has spoken",
    }
}

/// Steps before this one may have written there too.
fn summary(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(file.write_all(format!("{}\n", text.trim_end()).as_bytes())?)
}
