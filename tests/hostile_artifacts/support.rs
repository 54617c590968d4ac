//! A real run to be spoiled, and what must hold for every refusal.

use perfplan::samples::Run;
use perfplan::store::read_artifact;
use serde_json::Value;

use crate::zip::{Entry, zip};

/// A real run, as text.
pub(crate) const RUN: &str = include_str!("../../fixtures/run-format-1.json");

pub(crate) fn honest() -> Value {
    serde_json::from_str(RUN).unwrap()
}

/// The artifact of a text that claims to be a run. What is long is not packed, so that it is not refused for how well it was.
pub(crate) fn artifact(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    let packed = if text.len() > 1 << 20 { Entry::stored } else { Entry::deflated };
    zip(&[packed("run.json", text)])
}

/// What is said against an archive: on one line that does nothing to a log or a terminal, and not too long.
pub(crate) fn refused(archive: &[u8]) -> String {
    let said = format!("{:#}", read_artifact(archive).unwrap_err());
    assert!(said.starts_with("the artifact is refused: "), "{said}");
    assert!(said.chars().count() < 600, "{said}");
    assert!(!said.contains(|c: char| c.is_control() || "\u{202e}\u{200b}\u{feff}".contains(c)), "{said:?}");
    said
}

/// That an archive is refused, and for this reason.
#[track_caller]
pub(crate) fn assert_refused(archive: &[u8], reason: &str) {
    let said = refused(archive);
    assert!(said.contains(reason), "{said:?} lacks {reason:?}");
}

/// That a text which claims to be a run is refused, and for this reason.
#[track_caller]
pub(crate) fn assert_text_refused(text: impl AsRef<[u8]>, reason: &str) {
    assert_refused(&artifact(text), reason);
}

/// That a real run is refused once it is spoiled, and for this reason.
#[track_caller]
pub(crate) fn assert_run_refused(spoil: impl FnOnce(&mut Value), reason: &str) {
    let mut run = honest();
    spoil(&mut run);
    assert_text_refused(run.to_string(), reason);
}

/// A real run after a change that may be made.
#[track_caller]
pub(crate) fn accepted(change: impl FnOnce(&mut Value)) -> Run {
    let mut run = honest();
    change(&mut run);
    read_artifact(&artifact(run.to_string())).unwrap()
}
