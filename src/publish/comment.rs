//! One comment per plan on a pull request, updated in place.
//!
//! GitHub has no way to make a comment only if there is none. So whoever makes one looks again afterwards: of several, the oldest
//! stays and gets the newest text, and the others go. Of two that publish at once, the one whose comment came later sees both.

use crate::github::{Cause, Client, Comment, Refusal};
use crate::report::order_of;

use super::letter::Letter;

/// The author of comments that are made with the token of a workflow.
const WORKFLOWS: &str = "github-actions[bot]";
/// How many pages of comments are looked through, of 100 each.
const MOST_PAGES: u32 = 100;
/// How often a comment is made whose making got no answer, and which is not there.
const ATTEMPTS: usize = 3;

/// What became of the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Made,
    Updated,
    /// It says that already.
    Same,
    /// A later run has spoken.
    Later,
}

/// Puts the comment of a plan onto a pull request. `author` is who our comments are by, where that can't be found out.
pub(super) fn keep(client: &Client, number: u64, author: Option<&str>, letter: &Letter) -> Result<Kept, Refusal> {
    let login = match author {
        Some(login) => login.to_owned(),
        None => client.login()?.unwrap_or_else(|| WORKFLOWS.to_owned()),
    };
    let thread = Thread { client, number, login, letter };
    match thread.own()?.as_slice() {
        [] => thread.make(),
        [oldest, others @ ..] => thread.settle(oldest, others),
    }
}

/// The conversation of a pull request.
struct Thread<'t> {
    client: &'t Client,
    number: u64,
    login: String,
    letter: &'t Letter,
}

impl Thread<'_> {
    /// Our own comments about the plan, the oldest first. What somebody else wrote is not ours, whatever it begins with.
    fn own(&self) -> Result<Vec<Comment>, Refusal> {
        let mut own = Vec::new();
        for page in 1..=MOST_PAGES {
            let found = self.client.comments(self.number, page)?;
            own.extend(found.items.into_iter().filter(|comment| self.is_own(comment)));
            if !found.more {
                break;
            }
        }
        own.sort_by_key(|comment| comment.id);
        Ok(own)
    }

    fn is_own(&self, comment: &Comment) -> bool {
        let by_us = comment.author.as_ref().is_some_and(|author| author.eq_ignore_ascii_case(&self.login));
        by_us && order_of(&comment.body, &self.letter.plan).is_some()
    }

    /// Makes the comment, and looks whether somebody else did so too.
    fn make(&self) -> Result<Kept, Refusal> {
        let mut attempts = 0;
        let own = loop {
            attempts += 1;
            let made = self.client.create_comment(self.number, &self.letter.comment);
            let own = self.own()?;
            match made {
                Ok(_) => break own,
                // It may be there nevertheless.
                Err(_) if !own.is_empty() => break own,
                Err(refusal) if lost(&refusal) && attempts < ATTEMPTS => {}
                Err(refusal) => return Err(refusal),
            }
        };
        if let [oldest, others @ ..] = own.as_slice()
            && !others.is_empty()
        {
            self.settle(oldest, others)?;
        }
        Ok(Kept::Made)
    }

    /// Leaves one comment, with the text of the latest run.
    fn settle(&self, oldest: &Comment, others: &[Comment]) -> Result<Kept, Refusal> {
        let order = |comment: &Comment| order_of(&comment.body, &self.letter.plan).unwrap_or(0);
        // Of equally late ones the last counts here: the oldest comment, which stays.
        let latest = others.iter().rev().chain([oldest]).max_by_key(|comment| order(comment));
        let (text, kept) = match latest.filter(|latest| order(latest) > self.letter.order) {
            Some(latest) => (&latest.body, Kept::Later),
            None if oldest.body == self.letter.comment => (&oldest.body, Kept::Same),
            None => (&self.letter.comment, Kept::Updated),
        };
        if *text != oldest.body {
            self.client.update_comment(oldest.id, text)?;
        }
        for other in others {
            match self.client.delete_comment(other.id) {
                // Who publishes at the same time has taken it away already.
                Err(refusal) if refusal.cause == Cause::Missing => {}
                told => told?,
            }
        }
        Ok(kept)
    }
}

/// Whether what was asked may have been done nevertheless.
fn lost(refusal: &Refusal) -> bool {
    matches!(refusal.cause, Cause::Server | Cause::Unanswered)
}
