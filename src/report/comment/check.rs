//! What a check run and a commit's status say.

use crate::report::markdown::LONGEST;
use crate::report::numbers::counted;
use crate::report::steps::StepView;
use crate::report::text::shortened;
use crate::report::view::View;
use crate::verdict::Holds;

use super::body::{Charts, body};
use super::frame::Frame;
use super::verdict::verdict;

/// The longest description of a status, in characters: as much as GitHub takes.
const LONGEST_STATUS: usize = 140;
/// The longest name in it.
const LONGEST_NAME: usize = 40;
/// The longest title of a note, in characters; GitHub takes 255.
const LONGEST_TITLE: usize = 200;
/// The longest message of a note, in characters; GitHub takes 64 KiB.
const LONGEST_MESSAGE: usize = 4_000;

/// The output of a check run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckText {
    /// The verdict in one sentence: plain text of at most 140 characters.
    pub title: String,
    /// What the comment says, without its first line and its chart: Markdown of at most [`LONGEST`] bytes, where GitHub takes
    /// 65,535 characters.
    pub summary: String,
    /// One note per step of the plan that failed, in the plan's order. GitHub takes 50 at a time.
    pub annotations: Vec<Note>,
}

/// What is said beside a line of the plan's file. Plain text, which GitHub shows as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which line, from 1.
    pub line: u32,
    /// Which step, and how much of it is refuted: at most 200 characters on one line.
    pub title: String,
    /// The refuted claims with what was measured, one on each line: at most 4,000 characters.
    pub message: String,
}

/// What a check run says. `line_of` knows the line of a step's id in the plan's file; steps that it does not know are told at the
/// first line.
#[must_use]
pub fn check(view: &View, frame: &Frame, line_of: &dyn Fn(&str) -> Option<u32>) -> CheckText {
    let failed = view.steps.iter().filter(|step| step.fails);
    CheckText {
        title: status(view),
        summary: body(view, frame, LONGEST, Charts::LeftOut),
        annotations: failed.map(|step| note(step, line_of(&step.id).unwrap_or(1))).collect(),
    }
}

fn note(step: &StepView, line: u32) -> Note {
    let refuted: Vec<_> = step.claims.iter().filter(|claim| claim.holds == Holds::Refuted).collect();
    let claims: Vec<String> = refuted.iter().map(|claim| format!("{}: {}", claim.claim, claim.says())).collect();
    let title = format!("{}: {} of {} refuted", step.id, refuted.len(), counted(step.claims.len(), "claim"));
    Note { line, title: shortened(&title, LONGEST_TITLE), message: cut(&claims.join("\n"), LONGEST_MESSAGE) }
}

/// What a commit's status says: the verdict in one sentence, plain text on one line, at most 140 characters.
#[must_use]
pub fn status(view: &View) -> String {
    let (_, sentence) = verdict(view, &|name| shortened(name, LONGEST_NAME));
    cut(&sentence, LONGEST_STATUS)
}

/// The beginning of a text, in at most `most` characters: the worst is said first.
fn cut(text: &str, most: usize) -> String {
    let mut kept: String = text.chars().take(most).collect();
    if kept.len() < text.len() {
        kept.pop();
        kept.push('…');
    }
    kept
}
