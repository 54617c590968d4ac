//! Why rows changed, as it is read.

use super::super::examples::*;
use super::super::text;
use super::super::{Style, View, markdown, terminal};
use super::terminal::assert_reads;
use crate::samples::{Measurement, Profile};
use crate::verdict::{Beside, Blame, Judgement, Row, Sampled, Verdict, Work};

const PLAIN: Style = Style { colour: false, width: 100 };

/// The view of one blame on the usual row.
fn view(blame: Blame) -> View {
    let (run, judgement) = blamed();
    View::of(&run, &Judgement { blames: vec![blame], ..judgement })
}

#[test]
fn a_change_is_followed_by_the_functions_and_counters_behind_it() {
    let (run, judgement) = blamed();
    let view = View::of(&run, &judgement);
    assert_reads(&terminal(&view, PLAIN), include_str!("../snapshots/blame.txt"));
    assert_reads(&terminal(&view, Style { colour: false, width: 80 }), include_str!("../snapshots/blame_narrow.txt"));
}

#[test]
fn the_same_work_in_other_time_is_not_the_codes_fault() {
    let mut blame = Blame { work: Work::Same, ..blame() };
    blame.counters[1].after = blame.counters[1].before;
    let told = &view(blame).blames[0];
    assert_eq!(told.conclusion, "wall +11.2 %, instructions 0.00 %: layout or host, not your code");
    let nothing = Blame { work: Work::Unknown, counters: Vec::new(), functions: Vec::new(), ..self::blame() };
    let shown = terminal(&view(nothing), PLAIN);
    assert!(
        shown.contains("per iteration\n\n  no function's own time differs by so much") && !shown.contains("before"),
        "{shown}"
    );
}

#[test]
fn counters_that_read_the_same_are_left_out_and_many_are_counted() {
    let mut blame = blame();
    let syscall =
        |n: u32| Beside { metric: format!("syscalls.n{n}").parse().unwrap(), before: 1.0, after: 2.0 + f64::from(n) };
    blame.counters.extend((0..20).map(syscall));
    let view = view(blame);
    let names: Vec<&str> = view.blames[0].counters.iter().map(|line| line.metric.as_str()).collect();
    assert_eq!(names[..5], ["wall", "instructions", "syscalls", "syscalls.n19", "syscalls.n18"]);
    assert_eq!((names.len(), view.blames[0].more_counters), (10, 14));
    assert!(
        terminal(&view, PLAIN).contains("14 more counters differ too")
            && markdown(&view).contains("14 more counters differ too")
    );
}

#[test]
fn stacks_that_are_not_as_they_should_be_are_told() {
    let (mut run, mut judgement) = blamed();
    let odd = Sampled {
        method: "frame-pointers".to_owned(),
        rooted: 4_700,
        notes: vec!["no .eh_frame".to_owned()],
        ..judgement.blames[0].sampled[0].clone()
    };
    judgement.blames[0].sampled = vec![odd.clone(), odd];
    let told = "frame-pointers at every tick of cpu-clock; only 97.7 % reach the thread's root";
    assert_eq!(View::of(&run, &judgement).blames[0].stacks, [format!("stacks of both sides: {told}; no .eh_frame")]);
    let profiles = vec![Profile { arm: 1, lost: 12, ..profile(&[]) }];
    run.measurements = vec![Measurement { profiles, ..measured("engine::book/hash", 1, &[&[1.0]]) }];
    judgement.blames = vec![blame()];
    let stacks = View::of(&run, &judgement).blames[0].stacks.clone();
    assert_eq!(stacks, ["the candidate's stacks: 12 of 4824 samples lost"]);
}

#[test]
fn the_command_names_the_candidate_and_the_other_revision() {
    let (run, judgement) = blamed();
    let command =
        |row: Row| View::of(&run, &Judgement { rows: vec![row], ..judgement.clone() }).blames[0].command.clone();
    let row = judgement.rows[0].clone();
    assert_eq!(
        command(row.clone()),
        format!("cargo perfplan profile engine::book/hash --variant release --against {COMMIT} --diff")
    );
    let variant = Row { baseline: arm("release", "working tree"), candidate: arm("fat", "working tree"), ..row };
    assert_eq!(command(variant), "cargo perfplan profile engine::book/hash --variant fat --diff");
}

#[test]
fn lines_of_blame_fit_into_the_terminal() {
    let mut blame = blame();
    blame.functions[1].name = format!("<{}>::call", "generator::a_long_name::".repeat(9));
    blame.sampled[0].notes = vec!["many words ".repeat(30)];
    let (run, mut judgement) = blamed();
    judgement.rows[0].baseline = arm("native", "working tree");
    judgement.rows[0].candidate = arm("release", "working tree");
    judgement.blames = vec![blame];
    for width in [70, 80, 90, 100, 120, 160] {
        let shown = terminal(&View::of(&run, &judgement), Style { colour: false, width });
        let widest = shown.lines().filter(|line| !line.starts_with("  $")).map(text::width).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{shown}");
    }
}

#[test]
fn a_comment_shows_the_functions_and_folds_the_counters() {
    let (run, judgement) = blamed();
    let text = markdown(&View::of(&run, &judgement));
    for part in [
        "✗ `engine::book/hash` **+11.2 %**, +134 ns per iteration<br>instructions \\+11\\.3 %\\: the program does more work\n",
        "| **+120 ns** | +110 … +130 ns | `core::fmt::write` | 12.0 % → 21.3 % | 30.1 % → 38.4 % |\n",
        "| +14.2 ns | -6.80 … +35.2 ns | `<engine::book::Book as core::fmt::Display>::fmt` |",
        "<details><summary>counters of both sides</summary>",
        "| `alloc.count` | 3 | 4 | +33.3 % |\n",
        "| `syscalls` | 0 | 2 | – |\n",
        "```text\ncargo perfplan profile engine::book/hash --variant release",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    assert!(!text.contains("faults.minor"));
}

#[test]
fn a_blame_without_its_row_is_left_out() {
    let (run, judgement) = blamed();
    let other = Judgement { rows: vec![row("w::a", Verdict::Regressed, 0.1, 0.01)], ..judgement };
    assert_eq!(View::of(&run, &other).blames, []);
}
