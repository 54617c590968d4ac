//! What each step bought, commit by commit.

use crate::report::arms::commit;
use crate::report::markdown::code;
use crate::report::numbers::{NONE, change};
use crate::report::steps::mark;
use crate::samples::{CaseId, Run};
use crate::units::day;
use crate::verdict::{Judgement, StepOutcome};

use super::summary::quoted;

/// More commits than this are not shown: the newest are.
const MOST_COMMITS: usize = 8;

type Judged<'r> = (&'r Run, &'r Judgement);

/// A table with a column per commit, the oldest first. `runs` are in the order in which they started.
pub(super) fn table(runs: &[Judged]) -> String {
    let columns = columns(runs);
    let headings: Vec<String> = columns.iter().map(|column| heading(column)).collect();
    let ruler = vec!["--:"; columns.len()].join(" | ");
    let mut text = format!("\n## Per commit\n\n| step | {} |\n| :-- | {ruler} |\n", headings.join(" | "));
    for step in steps(&columns) {
        let cells: Vec<String> = columns.iter().map(|column| cell(column, step)).collect();
        text += &format!("| {} | {} |\n", quoted(step.case()), cells.join(" | "));
    }
    text + "\nThe change of wall time by the step, and ✓ where all its claims are confirmed, ✗ where one is refuted, ? else.\n"
        + &machines(&columns)
}

/// The runs of each commit, the newest first; the commits in the order in which they were last measured.
fn columns<'r>(runs: &[Judged<'r>]) -> Vec<Vec<Judged<'r>>> {
    let mut columns: Vec<Vec<Judged>> = Vec::new();
    for judged in runs.iter().rev() {
        // Without a repository every run stands for itself.
        let known = |column: &&mut Vec<Judged>| judged.0.commit.is_some() && column[0].0.commit == judged.0.commit;
        match columns.iter_mut().find(known) {
            Some(column) => column.push(*judged),
            None => columns.push(vec![*judged]),
        }
    }
    columns.truncate(MOST_COMMITS);
    columns.reverse();
    columns
}

fn heading(column: &[Judged]) -> String {
    let run = column[0].0;
    let name = run.commit.as_deref().map_or_else(
        || quoted(run.id.as_str()),
        |name| {
            let (id, changed) = commit(name);
            format!("{}{changed}", code(&id))
        },
    );
    format!("{name}<br>{}", day(run.started))
}

/// All steps: those of the newest commit in the order of its plan, then those that only older ones have.
fn steps<'r>(columns: &[Vec<Judged<'r>>]) -> Vec<&'r CaseId> {
    let mut steps: Vec<&CaseId> = Vec::new();
    let judged = columns.iter().rev().flatten();
    for case in judged.flat_map(|(_, judgement)| &judgement.steps).map(|outcome| &outcome.step.case) {
        if !steps.contains(&case) {
            steps.push(case);
        }
    }
    steps
}

/// The newest outcome of a step at a commit: not every run measures all of them.
fn cell(column: &[Judged], step: &CaseId) -> String {
    let mut outcomes = column.iter().flat_map(|(_, judgement)| &judgement.steps);
    outcomes.find(|outcome| outcome.step.case == *step).map_or_else(|| NONE.to_owned(), shown)
}

fn shown(outcome: &StepOutcome) -> String {
    let change = outcome.change.map_or_else(String::new, |relative| format!(" {}", change(relative).0));
    format!("{}{change}", mark(outcome.holds()))
}

/// That not all commits were measured on one kind of machine.
fn machines(columns: &[Vec<Judged>]) -> String {
    let mut kinds: Vec<&Run> = Vec::new();
    for (run, _) in columns.iter().flatten() {
        if !kinds.iter().any(|known| known.environment.comparable(&run.environment)) {
            kinds.push(run);
        }
    }
    match kinds.len() {
        0 | 1 => String::new(),
        many => format!("\nMeasured on {many} kinds of machines: both sides of a change always on the same one.\n"),
    }
}
