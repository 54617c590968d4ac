//! The summary that is kept with the sources.

use super::super::examples::*;
use super::super::performance_summary;
use super::terminal::assert_reads;
use crate::samples::Run;
use crate::verdict::{Judgement, StepOutcome};

fn of(steps: Vec<StepOutcome>) -> Judgement {
    Judgement { steps, ..judgement(Vec::new()) }
}

/// A run of the n-th day, at a commit of its own.
fn at(day: u64) -> Run {
    let mut run = run(&[]);
    run.started += day * 86_400;
    run.id = format!("20261121-093000-{day:04}").parse().unwrap();
    run.commit = Some(format!("{day:040x}"));
    run
}

/// The names of the commits in the table of commits.
fn columns(text: &str) -> Vec<&str> {
    let table = text.split_once("## Per commit\n\n").unwrap().1;
    let cells = table.lines().next().unwrap().split(" | ").skip(1);
    cells.map(|cell| cell.split('`').nth(1).unwrap()).collect()
}

#[test]
fn the_newest_run_is_told_in_full_and_the_others_by_their_changes() {
    let mut earlier = plan();
    earlier.truncate(1);
    earlier[0].change = step("s", Some((-0.281, 0.02)), Vec::new()).change;
    let (old, new) = (at(0), Run { commit: Some(format!("{COMMIT}+")), ..at(1) });
    let (before, after) = (of(earlier), of(plan()));
    let text = performance_summary(&[(&new, &after), (&old, &before)]);
    assert_reads(&text, include_str!("../snapshots/performance.md"));
    assert_eq!(
        text,
        performance_summary(&[(&old, &before), (&new, &after)]),
        "the order in which runs come must not matter"
    );
}

#[test]
fn eight_commits_are_shown_each_once_and_the_newest_last() {
    let runs: Vec<Run> = (0..12).map(at).collect();
    let again = Run { commit: runs[10].commit.clone(), ..at(20) };
    let (judged, nothing) = (of(plan()), of(Vec::new()));
    let mut all: Vec<(&Run, &Judgement)> = runs.iter().map(|run| (run, &judged)).collect();
    all.push((&again, &judged));
    let empty = at(30);
    all.push((&empty, &nothing));
    let text = performance_summary(&all);
    let columns = columns(&text);
    assert_eq!((columns.len(), columns[0], columns[7]), (8, "0000000000", "0000000000"), "{text}");
    assert_eq!(text.matches("2026-12-11").count(), 2, "in the head and in the last column: {text}");
    assert!(!text.contains("2026-12-01"), "the same commit was measured again later: {text}");
}

#[test]
fn a_run_of_some_steps_does_not_hide_the_others_of_its_commit() {
    let (whole, part) = (at(0), Run { commit: at(0).commit, ..at(1) });
    let text = performance_summary(&[(&whole, &of(plan())), (&part, &of(plan().split_off(1)))]);
    assert!(text.contains("| `redb-snapshot-cache` | ✓ -31.2 % |\n"), "{text}");
}

#[test]
fn other_machines_are_told() {
    let (one, mut other) = (at(0), at(1));
    other.environment.fingerprint.insert("cpu.model".to_owned(), "another".to_owned());
    let judged = of(plan());
    assert!(performance_summary(&[(&one, &judged), (&other, &judged)]).contains("Measured on 2 kinds of machines"));
    assert!(!performance_summary(&[(&one, &judged), (&at(1), &judged)]).contains("kinds of machines"));
}

#[test]
fn without_steps_it_says_so() {
    assert!(
        performance_summary(&[(&run(&[]), &judgement(calm_rows()))]).ends_with("No step of a plan was measured.\n")
    );
}
