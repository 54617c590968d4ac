//! The sentences of a report: what was compared, what came out, what was looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::samples::Run;
use crate::verdict::{Judgement, Row, Verdict};

use super::line::{Group, Labels, Standing};
use super::numbers::{chosen, counted};
use super::text::clean;

/// More candidates than this are counted, not named.
const MOST_NAMED: usize = 3;

/// What is compared with what: `wall of native against variant release`.
pub(super) fn title(run: &Run, rows: &[Row], labels: &Labels) -> String {
    if rows.is_empty() {
        return format!("{}, nothing to compare", counted(measured(run), "case"));
    }
    let listed = |names: BTreeSet<String>, noun: &str| match names.len() {
        many if many > MOST_NAMED => counted(many, noun),
        _ => names.into_iter().collect::<Vec<_>>().join(", "),
    };
    let metrics = rows.iter().map(|row| clean(row.metric.as_str())).collect();
    let candidates = rows.iter().map(|row| labels.candidate(row)).collect();
    format!("{} of {} against {}", listed(metrics, "metric"), listed(candidates, "candidate"), clean(&run.against))
}

/// How many cases were measured, in however many parts.
fn measured(run: &Run) -> usize {
    run.measurements.iter().map(|measurement| &measurement.case).collect::<BTreeSet<_>>().len()
}

/// The outcome in one sentence, the worst first.
pub(super) fn headline(judgement: &Judgement, groups: &[Group]) -> String {
    let rows = judgement.rows.len();
    let [regressed, improved, undecided] =
        [Verdict::Regressed, Verdict::Improved, Verdict::Undecided].map(|v| judgement.count(v));
    let of_rows = |count: usize, what: &str| format!("{count} of {} {what}", counted(rows, "row"));
    let sentence = match (regressed, improved, undecided) {
        _ if rows == 0 => "nothing was compared".to_owned(),
        (0, 0, 0) => format!("no change in {}", counted(rows, "row")),
        (0, 0, undecided) => of_rows(undecided, "undecided, none regressed"),
        (0, improved, _) => of_rows(improved, "improved, none regressed") + &worst(groups),
        (regressed, ..) => of_rows(regressed, "regressed") + &worst(groups),
    };
    sentence + &lost(judgement)
}

/// The row at the top: where to look first.
fn worst(groups: &[Group]) -> String {
    let first = groups.first().and_then(|group| Some((group, group.lines.first()?)));
    first.map_or(String::new(), |(group, line)| format!(" ({} {})", group.case, line.change))
}

fn lost(judgement: &Judgement) -> String {
    let part = |count: usize, text: &str| {
        if count > 0 { format!("; {}{text}", counted(count, "case")) } else { String::new() }
    };
    let failures = match judgement.failures.len() {
        0 => String::new(),
        count => format!("; {}", counted(count, "failure")),
    };
    part(judgement.missing.len(), " missing") + &failures
}

/// What was looked at, whatever came out: silence would be ambiguous.
pub(super) fn summary(run: &Run, judgement: &Judgement) -> String {
    if judgement.rows.is_empty() {
        return format!("{} measured, none compared{}", counted(measured(run), "case"), lost(judgement));
    }
    let count = |verdict| judgement.count(verdict);
    format!(
        "{}: {} unchanged{}{}, {} undecided, {} regressed, {} improved{}",
        counted(judgement.rows.len(), "row"),
        count(Verdict::Unchanged),
        within(&judgement.rows),
        aside(&judgement.rows),
        count(Verdict::Undecided),
        count(Verdict::Regressed),
        count(Verdict::Improved),
        lost(judgement),
    )
}

/// The tolerance of the unchanged rows.
fn within(rows: &[Row]) -> String {
    let unchanged = rows.iter().filter(|row| row.verdict == Verdict::Unchanged);
    let tolerances: BTreeSet<String> = unchanged.map(|row| chosen(row.tolerance)).collect();
    match tolerances.len() {
        0 => String::new(),
        1 => tolerances.iter().map(|tolerance| format!(" within {tolerance}")).collect(),
        _ => " within their tolerances".to_owned(),
    }
}

fn aside(rows: &[Row]) -> String {
    let count = |standing| rows.iter().filter(|row| Standing::of(row) == standing).count();
    let parts = [(count(Standing::Tolerated), "real but tolerated"), (count(Standing::SameCode), "same code")];
    let said: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// Per candidate, how many cases are the same machine code as the baseline's.
pub(super) fn same_code(rows: &[Row], labels: &Labels) -> Vec<String> {
    let mut cases = BTreeMap::<String, BTreeSet<_>>::new();
    for row in rows.iter().filter(|row| Standing::of(row) == Standing::SameCode) {
        cases.entry(labels.candidate(row)).or_default().insert(&row.case);
    }
    cases.into_iter().map(|(candidate, cases)| format!("{candidate}: {}", counted(cases.len(), "case"))).collect()
}

/// The notes of rows that are shown on one line, each once, with the number of rows that it holds for.
pub(super) fn footnotes(groups: &[Group]) -> Vec<(String, usize)> {
    let mut notes: Vec<(String, usize)> = Vec::new();
    let folded = groups.iter().flat_map(|group| &group.lines).filter(|line| !line.standing.needs_eyes());
    for note in folded.flat_map(|line| &line.notes) {
        match notes.iter_mut().find(|(known, _)| known == note) {
            Some((_, rows)) => *rows += 1,
            None => notes.push((note.clone(), 1)),
        }
    }
    notes
}
