//! The way in: each gate in its order, the cheap ones first.

use anyhow::{Result, anyhow};

use super::{bounds::bounds, entry::run_json, shape::shape};
use crate::samples::Run;
use crate::store::load::decode;
use crate::store::validate::validate;

/// The longest thing that is ever said of an archive, in characters: errors quote it, and stand in logs and summaries.
const LONGEST_ERROR: usize = 500;

/// The run in an artifact's archive: of its entry `run.json`, which lies at the root or one folder down. Nothing else is read,
/// and nothing is written to disk.
///
/// # Errors
/// Where the archive can be read in more than one way (names, overlaps, contradictions, data around it), has more than
/// 256 MiB or 10,000 entries, or more or less than one `run.json`; where that has more than 64 MiB, is no run, would take
/// more than bounded time or memory to hold, to judge or to show, or fails [`validate`]. What was refused is named, on one
/// line and free of control characters.
pub fn read_artifact(archive: &[u8]) -> Result<Run> {
    run_in(archive).map_err(|wrong| anyhow!("the artifact is refused: {}", quotable(&wrong)))
}

fn run_in(archive: &[u8]) -> Result<Run, String> {
    let json = run_json(archive)?;
    let located = |wrong: String| format!("run.json: {wrong}");
    shape(&json).map_err(located)?;
    let run = decode(&json).map_err(|error| located(format!("{error:#}")))?;
    bounds(&run).and_then(|()| validate(&run)).map_err(located)?;
    Ok(run)
}

/// An error without what a terminal, a log or a page would act on, and not too long: its beginning says most.
fn quotable(text: &str) -> String {
    // Quotation marks are harmless, and what is escaped already stays as it is.
    let harmless = |c: char| if matches!(c, '"' | '\'' | '\\') { c.to_string() } else { c.escape_debug().to_string() };
    let said: String = text.chars().take(LONGEST_ERROR + 1).map(harmless).collect();
    match said.char_indices().nth(LONGEST_ERROR) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}
