//! Runs that would take minutes to judge or gigabytes to show, and the largest that pass.

use std::time::{Duration, Instant};

use perfplan::samples::Run;
use perfplan::store::read_artifact;
use perfplan::{report, verdict};
use serde_json::{Value, json};

use crate::support::{artifact, assert_run_refused, honest};

fn name(at: usize) -> String {
    format!("m{at}")
}

/// What the cases of a run are to have.
#[derive(Clone, Copy)]
struct Extent {
    cases: usize,
    arms: usize,
    rounds: usize,
    metrics: usize,
}

/// A run of that extent, whose values differ a little.
fn extended(run: &mut Value, Extent { cases, arms, rounds, metrics }: Extent) {
    let names: Vec<String> = (0..metrics).map(name).collect();
    let arm = |at: usize| {
        let against = (at > 0).then_some(0);
        json!({"variant": format!("v{at}"), "revision": "working tree", "code": at.to_string(), "against": against})
    };
    let values = |round: usize, arm: usize| {
        let value = 1_000_000 + (round * 7_919 + arm * 104_729) % 1_000;
        names.iter().map(|name| (name.clone(), json!([value]))).collect::<serde_json::Map<_, _>>()
    };
    let part = |round: usize, arm: usize| json!({"arm": arm, "layout": null, "checksum": "", "process": {}, "batches": values(round, arm)});
    let round = |at: usize| {
        let parts: Vec<Value> = (0..arms).map(|arm| part(at, arm)).collect();
        json!({"elapsed_ns": 1, "inside_ns": 1, "dropped": 0, "arms": parts})
    };
    let measurement = |case: &str| {
        json!({"case": case, "iterations": 1, "warm_up": 1, "threads": 1,
               "arms": (0..arms).map(arm).collect::<Vec<_>>(), "rounds": (0..rounds).map(round).collect::<Vec<_>>()})
    };
    // In an order that is not that of their names.
    let cases: Vec<String> = (0..cases).map(|at| format!("w::case{:05}", (at * 7_919) % 65_521)).collect();
    run["gate"]["metrics"] = json!(names);
    run["measurements"] = json!(cases.iter().map(|case| measurement(case)).collect::<Vec<_>>());
    run["cases"] = json!(cases);
}

#[track_caller]
fn assert_too_much(extent: Extent, reason: &str) {
    assert_run_refused(|run| extended(run, extent), reason);
}

#[test]
fn more_rows_than_anybody_reads_are_refused() {
    assert_too_much(
        Extent { cases: 200, arms: 102, rounds: 0, metrics: 1 },
        "20200 rows of pairs and metrics are more",
    );
}

#[test]
fn more_rounds_than_can_be_judged_soon_are_refused() {
    assert_too_much(Extent { cases: 1, arms: 14, rounds: 4_096, metrics: 2 }, "steps of work are more than");
}

#[test]
fn more_arms_metrics_cases_or_rounds_than_there_can_be_are_refused() {
    assert_too_much(Extent { cases: 1, arms: 1_025, rounds: 0, metrics: 1 }, "1025 arms are more than 1024");
    assert_too_much(Extent { cases: 1, arms: 2, rounds: 0, metrics: 33 }, "33 metrics are more than 32");
    assert_too_much(Extent { cases: 4_097, arms: 1, rounds: 0, metrics: 1 }, "4097 cases are more than 4096");
    assert_too_much(Extent { cases: 1, arms: 1, rounds: 4_097, metrics: 1 }, "4097 rounds are more than 4096");
}

#[test]
fn text_that_every_row_would_repeat_is_refused() {
    assert_run_refused(
        |run| {
            extended(run, Extent { cases: 1, arms: 1_000, rounds: 0, metrics: 4 });
            run["measurements"][0]["arms"][0]["env"] = json!({"X": "x".repeat(60_000)});
        },
        "bytes of text in the arms of all rows",
    );
}

#[test]
fn more_failures_facts_or_waivers_than_anybody_has_are_refused() {
    let failure = json!({"what": "x", "why": "y", "command": null});
    assert_run_refused(|run| run["failures"] = json!(vec![failure; 4_097]), "4097 failures are more");
    let facts: serde_json::Map<_, _> = (0..1_001).map(|at| (name(at), json!(""))).collect();
    assert_run_refused(|run| run["environment"]["circumstances"] = json!(facts), "facts about a machine are more");
    let waiver = json!({"case": "*", "metric": "wall", "commit": "", "reason": "", "expires": "9999-12-31"});
    assert_run_refused(|run| run["review"] = json!({"waivers": vec![waiver; 257]}), "257 waivers are more");
    let function = json!({"name": "f", "own": [0.1], "total": [0.1]});
    let profile = json!({"arm": 0, "event": "", "method": "", "samples": 1, "rooted": 1, "lost": 0,
                         "functions": vec![function; 1_001]});
    assert_run_refused(|run| run["measurements"][0]["profiles"] = json!([profile]), "1001 functions in a profile");
}

/// How long it takes to judge, to make the view, and to show it in every way that is posted.
fn costs(run: &Run) -> [Duration; 3] {
    let begun = Instant::now();
    let judgement = verdict::judge(run);
    let judged = begun.elapsed();
    let view = report::View::of(run, &judgement);
    let viewed = begun.elapsed();
    let frame = report::Frame::default();
    let check = report::check(&view, &frame, &|_| None).summary;
    let texts = [report::markdown(&view), report::comment(&view, &frame), check, report::status(&view)];
    assert!(texts.iter().all(|text| text.chars().count() < 65_536));
    assert!(!report::forest(&view).unwrap().is_empty());
    [judged, viewed - judged, begun.elapsed() - viewed]
}

/// The largest runs that pass, each large in another way.
const LARGEST: [(&str, Extent); 6] = [
    ("rounds", Extent { cases: 3, arms: 4, rounds: 4_096, metrics: 2 }),
    ("cases", Extent { cases: 4_096, arms: 2, rounds: 12, metrics: 4 }),
    ("arms", Extent { cases: 9, arms: 1_000, rounds: 5, metrics: 2 }),
    ("metrics", Extent { cases: 300, arms: 3, rounds: 40, metrics: 32 }),
    ("rows", Extent { cases: 99, arms: 200, rounds: 1, metrics: 1 }),
    ("a matrix", Extent { cases: 30, arms: 20, rounds: 90, metrics: 3 }),
];

#[test]
#[ignore = "takes some minutes; PERFPLAN_LARGEST names one of them, for its memory"]
fn the_largest_runs_that_pass_are_judged_within_seconds() {
    let wanted = std::env::var("PERFPLAN_LARGEST").ok();
    for (what, extent) in LARGEST.into_iter().filter(|(what, _)| wanted.as_deref().is_none_or(|wanted| wanted == *what))
    {
        let mut run = honest();
        extended(&mut run, extent);
        let text = run.to_string();
        drop(run);
        let (size, archive) = (text.len(), artifact(text));
        let begun = Instant::now();
        let run = read_artifact(&archive).unwrap_or_else(|error| panic!("{what}: {error:#}"));
        let read = begun.elapsed();
        let took = costs(&run);
        println!("{what}: {size} bytes, read in {read:?}; judged, viewed and shown in {took:?}");
        assert!(took.iter().sum::<Duration>() < Duration::from_secs(120), "{what}: {took:?}");
    }
}
