//! The sentences of a report: what was compared, what came out, what was looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::samples::Run;
use crate::verdict::{Holds, Judgement, Row, Verdict};

use super::line::{Group, Labels, Standing};
use super::numbers::{chosen, counted};
use super::text::clean;

/// More candidates than this are counted, not named.
const MOST_NAMED: usize = 3;

/// What is compared with what: `wall of native against variant release`.
pub(super) fn title(run: &Run, judgement: &Judgement, labels: &Labels) -> String {
    let steps = match judgement.steps.len() {
        0 => String::new(),
        count => format!("{} of the plan", counted(count, "step")),
    };
    match (judgement.rows.is_empty(), measured(run), steps.is_empty()) {
        (true, 0, false) => steps,
        (true, cases, true) => format!("{}, nothing to compare", counted(cases, "case")),
        (true, cases, false) => format!("{steps}; {} with nothing to compare", counted(cases, "case")),
        (false, _, true) => compared(run, &judgement.rows, labels),
        (false, _, false) => format!("{}; {steps}", compared(run, &judgement.rows, labels)),
    }
}

fn compared(run: &Run, rows: &[Row], labels: &Labels) -> String {
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
    run.plain_measurements().map(|measurement| &measurement.case).collect::<BTreeSet<_>>().len()
}

/// The outcome in one sentence, the worst first.
pub(super) fn headline(judgement: &Judgement, groups: &[Group]) -> String {
    let (rows, claims) = (rows(judgement, groups), claims(judgement));
    let said: Vec<String> = [rows, claims].into_iter().flatten().collect();
    let sentence = if said.is_empty() { "nothing was compared".to_owned() } else { said.join("; ") };
    sentence + &lost(judgement)
}

/// What came out of the rows; `None` without any.
fn rows(judgement: &Judgement, groups: &[Group]) -> Option<String> {
    let rows = judgement.rows.len();
    let [regressed, improved, undecided] =
        [Verdict::Regressed, Verdict::Improved, Verdict::Undecided].map(|v| judgement.count(v));
    let regressed = regressed - judgement.accepted();
    let of_rows = |count: usize, what: &str| format!("{count} of {} {what}", counted(rows, "row"));
    let sentence = match (regressed, improved, undecided) {
        (0, 0, 0) => format!("no change in {}", counted(rows, "row")),
        (0, 0, undecided) => of_rows(undecided, "undecided, none regressed"),
        (0, improved, _) => of_rows(improved, "improved, none regressed") + &worst(groups),
        (regressed, ..) => of_rows(regressed, "regressed") + &worst(groups),
    };
    (rows > 0).then_some(sentence + &accepted(judgement))
}

/// What came out of the claims; `None` without any.
fn claims(judgement: &Judgement) -> Option<String> {
    let [confirmed, refuted, undecided] =
        [Holds::Confirmed, Holds::Refuted, Holds::Undecided].map(|holds| judgement.claims(holds));
    let all = confirmed + refuted + undecided;
    let of_claims = |count: usize, what: &str| format!("{count} of {} {what}", counted(all, "claim"));
    let sentence = match (refuted, undecided) {
        (0, 0) => format!("{} confirmed", counted(all, "claim")),
        (0, undecided) => of_claims(undecided, "undecided, none refuted"),
        (refuted, _) => of_claims(refuted, "refuted") + &first_refuted(judgement),
    };
    (all > 0).then_some(sentence)
}

/// The first refuted step that the plan does not know already: where to look first.
fn first_refuted(judgement: &Judgement) -> String {
    let mut refuted = judgement.steps.iter().filter(|step| step.holds() == Holds::Refuted);
    let new = refuted.find(|step| !step.step.is_known_to_be_refuted());
    new.map_or_else(|| ", as the plan knows".to_owned(), |step| format!(" ({})", clean(step.step.id())))
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
    let cases = measured(run);
    let alone = judgement.rows.is_empty() && (cases > 0 || judgement.steps.is_empty());
    let none = alone.then(|| format!("{} measured, none compared", counted(cases, "case")));
    let rows = (!judgement.rows.is_empty()).then(|| all_rows(judgement));
    let claims = (!judgement.steps.is_empty()).then(|| all_claims(judgement));
    let said: Vec<String> = [none, rows, claims].into_iter().flatten().collect();
    said.join("; ") + &lost(judgement)
}

fn all_rows(judgement: &Judgement) -> String {
    let count = |verdict| judgement.count(verdict);
    format!(
        "{}: {} unchanged{}{}, {} undecided, {} regressed{}, {} improved",
        counted(judgement.rows.len(), "row"),
        count(Verdict::Unchanged),
        within(&judgement.rows),
        aside(&judgement.rows),
        count(Verdict::Undecided),
        count(Verdict::Regressed) - judgement.accepted(),
        accepted(judgement),
        count(Verdict::Improved),
    )
}

/// How many regressions were accepted.
fn accepted(judgement: &Judgement) -> String {
    match judgement.accepted() {
        0 => String::new(),
        count => format!(", {count} regressed and accepted"),
    }
}

/// How the claims stand: `7 claims: 5 confirmed, 1 refuted, 1 undecided`.
pub(super) fn all_claims(judgement: &Judgement) -> String {
    let count = |holds| judgement.claims(holds);
    let all: usize = judgement.steps.iter().map(|step| step.claims.len()).sum();
    format!(
        "{}: {} confirmed, {} refuted, {} undecided",
        counted(all, "claim"),
        count(Holds::Confirmed),
        count(Holds::Refuted),
        count(Holds::Undecided),
    )
}

/// How many false alarms are to be expected; empty where nothing was judged. Rows and claims have a budget each.
pub(super) fn false_alarms(judgement: &Judgement) -> String {
    let error = judgement.family_error;
    let claims = judgement.steps.iter().any(|step| !step.claims.is_empty());
    match (judgement.rows.is_empty(), claims) {
        (true, false) => String::new(),
        (false, true) => format!("{error} among the rows, {error} among the claims"),
        (true, true) | (false, false) => error.to_string(),
    }
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
