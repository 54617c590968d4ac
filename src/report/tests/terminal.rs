//! The report at the prompt, as it is read: `snapshots/` holds the expected texts.

use super::super::examples::*;
use super::super::text;
use super::super::{Style, View, terminal};
use crate::samples::{Arm, Failure, Run};
use crate::verdict::{Basis, Judgement, Limit, Relative, Row, Verdict};

const PLAIN: Style = Style { colour: false, width: 100 };

fn shown(run: &Run, judgement: &Judgement) -> String {
    terminal(&View::of(run, judgement), PLAIN)
}

/// Compares line by line, so that a failure shows which one.
pub(super) fn assert_reads(text: &str, expected: &str) {
    for (at, (line, wanted)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, wanted, "line {} of\n{text}", at + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{text}");
}

#[test]
fn a_quiet_run_says_what_it_looked_at() {
    assert_reads(&shown(&run(&[]), &judgement(calm_rows())), include_str!("../snapshots/unchanged.txt"));
}

#[test]
fn a_regression_stands_first() {
    let mut rows = calm_rows();
    rows.push(row("router::match/deep", Verdict::Regressed, 0.0102, 0.003));
    rows.push(row("router::match/flat", Verdict::Regressed, 0.0431, 0.004));
    rows[4].notes.push("the candidate's layout is not averaged: the linker is not lld".to_owned());
    assert_reads(&shown(&run(&[]), &judgement(rows)), include_str!("../snapshots/regressed.txt"));
}

#[test]
fn an_improvement_of_one_variant_stands_beside_the_others_of_its_case() {
    let variant = |name: &str, row: Row| Row {
        baseline: arm("release", "working tree"),
        candidate: arm(name, "working tree"),
        ..row
    };
    let [first, second, third] = calm_rows().try_into().unwrap();
    let rows = vec![
        variant(
            "fat",
            Row { notes: vec!["12 % of the blocks were disturbed and left out".to_owned()], ..first.clone() },
        ),
        variant("native", first),
        variant("fat", second),
        variant(
            "native",
            Row { verdict: Verdict::Improved, ..row("parser::json/large", Verdict::Improved, -0.082, 0.006) },
        ),
        variant("fat", third),
    ];
    let mut run = run(&[]);
    run.against = "variant release".to_owned();
    assert_reads(&shown(&run, &judgement(rows)), include_str!("../snapshots/improved.txt"));
}

#[test]
fn an_undecided_row_says_what_would_decide_it() {
    let undecided = |case: &str, limit| Row { limited_by: Some(limit), ..row(case, Verdict::Undecided, 0.004, 0.0125) };
    let mut rows = calm_rows();
    rows.push(undecided("w::processes", Limit::Processes));
    rows.push(undecided("w::layouts", Limit::Layouts));
    rows.push(Row { basis: Basis::Stored, ..undecided("w::stored", Limit::Runs) });
    rows.push(Row {
        change: Some(Relative { estimate: 0.0098, low: 0.0050, high: 0.0146 }),
        ..undecided("w::edge", Limit::Blocks)
    });
    rows.push(Row {
        change: Some(Relative { estimate: 0.004, low: -0.25, high: 0.25 }),
        ..undecided("w::hopeless", Limit::Blocks)
    });
    rows.push(Row {
        smallest_visible: None,
        limited_by: None,
        rounds: 1,
        change: None,
        ..undecided("w::new", Limit::Blocks)
    });
    assert_reads(&shown(&run(&[]), &judgement(rows)), include_str!("../snapshots/undecided.txt"));
}

#[test]
fn what_failed_and_what_is_missing_is_told_with_the_command() {
    let mut run = run(&[]);
    run.complete = false;
    let mut judgement = judgement(calm_rows());
    judgement.failures = vec![
        failure(
            "build of variant fat",
            "error: linking with `cc` failed: exit status: 1\n  = note: cannot find -lfoo\n",
        ),
        Failure { command: None, ..failure("case w::lost", "the worker ended by signal 9") },
    ];
    judgement.missing = vec!["w::lost".parse().unwrap(), "w::never/begun".parse().unwrap()];
    let differences = vec![("cpu.model".to_owned(), "AMD EPYC 7B13".to_owned(), "Intel Xeon".to_owned())];
    let view = View::of(&run, &judgement).differing(differences);
    assert_reads(&terminal(&view, PLAIN), include_str!("../snapshots/failed.txt"));
}

#[test]
fn the_same_code_takes_one_line_per_candidate() {
    let of = |name: &str, row: Row| Row { candidate: arm(name, COMMIT), ..row };
    let mut rows: Vec<Row> = (0..12).map(|n| of("fat", same_code(&format!("w::{n}")))).collect();
    rows.extend((0..3).map(|n| of("native", same_code(&format!("w::{n}")))));
    rows.push(of("native", row("w::4", Verdict::Unchanged, 0.001, 0.002)));
    assert_reads(&shown(&run(&[]), &judgement(rows)), include_str!("../snapshots/same_code.txt"));
}

#[test]
fn a_run_that_compares_nothing_shows_plain_values() {
    let mut run = run(&["w::a"]);
    run.measurements =
        vec![measured("w::a", 100, &[&[99_000.0, 101_000.0], &[120_000.0]]), measured("w::b", 1, &[&[5e6]])];
    assert_reads(&shown(&run, &judgement(Vec::new())), include_str!("../snapshots/absolute.txt"));
}

#[test]
fn metrics_and_handicaps_are_told_apart() {
    let p99 = Row {
        metric: "latency.p99".parse().unwrap(),
        tolerance: 0.1,
        ..row("w::queue", Verdict::Unchanged, 0.01, 0.02)
    };
    let slowed = |row: Row| Row { candidate: Arm { handicap: 0.02, ..row.baseline.clone() }, ..row };
    let rows =
        vec![row("w::queue", Verdict::Unchanged, 0.001, 0.002), p99, row("w::plain", Verdict::Unchanged, 0.001, 0.002)];
    let view = View::of(&run(&[]), &judgement(rows.into_iter().map(slowed).collect()));
    assert_eq!(view.title, "latency.p99, wall of handicap +2.00 % against revision main");
    let labels: Vec<&str> = view.groups.iter().flat_map(|group| &group.lines).map(|line| line.label.as_str()).collect();
    assert_eq!(labels, ["wall", "latency.p99", ""]);
    assert!(view.summary.contains("3 unchanged within their tolerances"), "{}", view.summary);
}

#[test]
fn rows_fit_into_the_terminal() {
    let long = format!("generator::{}", "a_very_long_name/".repeat(8) + "end");
    let mut judgement =
        judgement(vec![row(&long, Verdict::Regressed, 0.03, 0.01), row("w::b", Verdict::Undecided, 0.0, 0.02)]);
    judgement.missing = (0..40).map(|n| format!("w::missing/{n}").parse().unwrap()).collect();
    for width in [65, 80, 90, 100, 160] {
        let shown = terminal(&View::of(&run(&[]), &judgement), Style { colour: false, width });
        let widest = shown.lines().map(text::width).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{shown}");
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let mut rows = calm_rows();
    rows.push(row("w::worse", Verdict::Regressed, 0.03, 0.01));
    rows.push(row("w::better", Verdict::Improved, -0.03, 0.01));
    let view = View::of(&run(&[]), &judgement(rows));
    let mut coloured = terminal(&view, Style { colour: true, ..PLAIN });
    assert!(coloured.contains("\u{1b}[31m✗ regressed\u{1b}[0m") && coloured.contains("\u{1b}[32m✓ improved\u{1b}[0m"));
    for code in ["0", "1", "2", "31", "32", "33"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, terminal(&view, PLAIN));
}
