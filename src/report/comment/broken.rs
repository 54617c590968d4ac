//! What could not be built or measured: the first failure with all that is known of it, the others folded.

use crate::report::markdown::{Section, failure};
use crate::report::numbers::counted;
use crate::report::text::shortened;
use crate::report::view::{Broken, View};

/// The longest line of an error in a comment.
const LONGEST_LINE: usize = 160;

/// The first failure.
pub(super) fn first(view: &View) -> Option<Section> {
    section(view.failures.get(..1)?)
}

/// All others.
pub(super) fn others(view: &View) -> Option<Section> {
    let others = view.failures.get(1..)?;
    Some(section(others)?.folded(&counted(others.len(), "more failure")))
}

fn section(failures: &[Broken]) -> Option<Section> {
    let short = |line: &String| shortened(line, LONGEST_LINE);
    let brief = failures.iter().map(|one| Broken { why: one.why.iter().map(short).collect(), ..one.clone() });
    Section::new(String::new(), brief.map(|one| failure(&one)).collect(), "", "failure")
}
