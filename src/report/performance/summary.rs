//! The whole file.

use crate::report::arms::commit;
use crate::report::markdown::code;
use crate::report::summary::all_claims;
use crate::samples::Run;
use crate::units::day;
use crate::verdict::Judgement;

use super::{history, newest};

const TITLE: &str = "# Performance summary\n\n\
                     Every step of the plan was measured before and after it, in the same rounds on one machine. \
                     `cargo perfplan` writes this file: what is changed by hand is lost.\n";

/// `PERFORMANCE_SUMMARY.md`: the steps of the newest run with their claims and whether they may stay, then what they bought
/// commit by commit. Runs may come in any order: they are sorted by when they started, and those that measured no step are left
/// out. Equal runs yield equal text.
#[must_use]
pub fn performance_summary(runs: &[(&Run, &Judgement)]) -> String {
    let mut runs: Vec<(&Run, &Judgement)> =
        runs.iter().copied().filter(|(_, judgement)| !judgement.steps.is_empty()).collect();
    runs.sort_by_key(|(run, _)| (run.started, &run.id));
    match runs.last() {
        None => format!("{TITLE}\nNo step of a plan was measured.\n"),
        Some((run, judgement)) => {
            format!("{TITLE}{}{}{}", head(run, judgement), newest::table(run, judgement), history::table(&runs))
        }
    }
}

fn head(run: &Run, judgement: &Judgement) -> String {
    let environment = &run.environment;
    let fact = |name: &str| environment.fingerprint.get(name).or_else(|| environment.circumstances.get(name));
    let at = run.commit.as_deref().map(commit).map(|(id, changed)| format!("{}{changed}", code(&id)));
    let facts = [
        ("commit", at),
        ("date", Some(day(run.started))),
        ("machine", fact("cpu.model").map(|model| quoted(model))),
        ("toolchain", fact("rustc").map(|version| quoted(version))),
        ("run", Some(quoted(run.id.as_str()))),
    ];
    let line = |(name, value): (&str, Option<String>)| value.map(|value| format!("| {name} | {value} |\n"));
    let lines: String = facts.into_iter().filter_map(line).collect();
    format!("\n| newest run | |\n| :-- | :-- |\n{lines}\n**{}**\n", all_claims(judgement))
}

/// A text from a file, on one line and in a code span.
pub(super) fn quoted(text: &str) -> String {
    code(&crate::report::text::clean(text))
}
