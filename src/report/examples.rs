//! Runs and judgements made up for tests.

mod blame;
mod steps;

use std::collections::BTreeMap;

use serde_json::json;

use crate::samples::{Arm, Environment, FORMAT, Failure, Gate, Measurement, Metric, Review, Run};
use crate::verdict::{Basis, Judgement, Limit, Relative, Row, Verdict};

pub(crate) use blame::{blame, blamed, profile};
pub(crate) use steps::{absolute, claim, measured_for, plan, ratio, step};

use super::line::{Line, Standing};

pub(crate) const COMMIT: &str = "3f2a9c1d7b0e4a5f6c8d9e0f1a2b3c4d5e6f7a8b";

pub(crate) fn arm(variant: &str, revision: &str) -> Arm {
    serde_json::from_value(json!({"variant": variant, "revision": revision, "code": "c0de"})).unwrap()
}

pub(crate) fn environment() -> Environment {
    let facts = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Environment {
        fingerprint: facts(&[("cpu.model", "AMD EPYC 7B13"), ("kernel", "6.18.0")]),
        circumstances: facts(&[("rustc", "1.95.0")]),
        absent: facts(&[("cycles", "no hardware counters")]),
    }
}

pub(crate) fn run(cases: &[&str]) -> Run {
    Run {
        format: FORMAT,
        id: "20261121-093000-abcd".parse().unwrap(),
        started: 1_795_253_400,
        tool: "0.1.0".to_owned(),
        commit: Some(format!("{COMMIT}+")),
        against: "revision main".to_owned(),
        asked: String::new(),
        environment: environment(),
        gate: Gate::default(),
        cases: cases.iter().map(|case| case.parse().unwrap()).collect(),
        steps: Vec::new(),
        measurements: Vec::new(),
        failures: Vec::new(),
        skipped: Vec::new(),
        review: Review::default(),
        divided: None,
        complete: true,
    }
}

/// A case with one arm, `rounds` of batches of wall time, and three allocations per iteration.
pub(crate) fn measured(case: &str, iterations: u64, rounds: &[&[f64]]) -> Measurement {
    let round = |batches: &&[f64]| {
        json!({"elapsed_ns": 1, "inside_ns": 1, "dropped": 0,
               "arms": [{"arm": 0, "layout": null, "checksum": "0", "batches": {"wall": batches}, "process": {}}]})
    };
    let counted = BTreeMap::from([("alloc.count", vec![3.0, 3.0])]);
    serde_json::from_value(json!({
        "case": case, "arms": [arm("release", "working tree")], "iterations": iterations, "warm_up": 1, "threads": 1,
        "rounds": rounds.iter().map(round).collect::<Vec<_>>(), "counted": [counted],
    }))
    .unwrap()
}

/// A row of the working tree against main: 1 % tolerance, 40 rounds, 1.2 ms.
pub(crate) fn row(case: &str, verdict: Verdict, estimate: f64, half_width: f64) -> Row {
    Row {
        case: case.parse().unwrap(),
        part: None,
        metric: Metric::wall(),
        pair: (1, 0),
        baseline: arm("release", COMMIT),
        candidate: arm("release", "working tree"),
        verdict,
        basis: Basis::Lockstep,
        change: Some(Relative { estimate, low: estimate - half_width, high: estimate + half_width }),
        p: 0.001,
        level: 0.0003,
        baseline_value: 1_203_000.0,
        candidate_value: 1_203_000.0 * (1.0 + estimate),
        rounds: 40,
        smallest_visible: Some(half_width * 1.4),
        limited_by: Some(Limit::Processes),
        tolerance: 0.01,
        waiver: None,
        notes: Vec::new(),
    }
}

pub(crate) fn same_code(case: &str) -> Row {
    let row = row(case, Verdict::Unchanged, 0.0, 0.0);
    Row { basis: Basis::SameCode, change: None, smallest_visible: None, limited_by: None, rounds: 0, ..row }
}

pub(crate) fn judgement(rows: Vec<Row>) -> Judgement {
    Judgement {
        rows,
        family_error: 0.01,
        missing: Vec::new(),
        failures: Vec::new(),
        steps: Vec::new(),
        blames: Vec::new(),
    }
}

pub(crate) fn failure(what: &str, why: &str) -> Failure {
    let command = Some("cargo build --profile fat".to_owned());
    Failure { what: what.to_owned(), why: why.to_owned(), command, case: None, arm: None, part: None }
}

/// A line whose interval reaches from zero to `reach`.
pub(crate) fn line(reach: f64, tolerance: f64) -> Line {
    Line {
        standing: Standing::Undecided,
        label: String::new(),
        change: String::new(),
        interval: None,
        values: None,
        visible: String::new(),
        notes: Vec::new(),
        span: Some(Relative { estimate: reach / 2.0, low: 0.0, high: reach }),
        tolerance,
    }
}

/// Three unchanged rows, one of them a real change that is tolerated.
pub(crate) fn calm_rows() -> Vec<Row> {
    vec![
        row("generator::redb/cached", Verdict::Unchanged, 0.0012, 0.003),
        row("parser::json/large", Verdict::Unchanged, 0.0051, 0.0020),
        row("store::btree/range", Verdict::Unchanged, -0.0003, 0.0041),
    ]
}

/// Every character that a terminal, Markdown, HTML or GitHub would act on.
pub(crate) const EVIL: &str = "x`|</details><script>alert(1)</script> @team #1 [l](https://evil.example) \u{1b}[2J\u{202e}\u{7}\nnew www.evil.example";

/// A run whose every free text is hostile to terminals, Markdown and XML.
pub(crate) fn hostile() -> (Run, Judgement) {
    let evil = EVIL;
    let mut run = run(&["w::a"]);
    run.against = evil.to_owned();
    run.environment.fingerprint.insert(evil.to_owned(), evil.to_owned());
    run.environment.fingerprint.insert("cpu.model".to_owned(), evil.to_owned());
    run.environment.circumstances.insert("rustc".to_owned(), evil.to_owned());
    run.environment.absent.insert(evil.to_owned(), evil.to_owned());
    let mut rows = vec![row("w::a", Verdict::Regressed, 0.03, 0.01), row("w::b", Verdict::Unchanged, 0.0, 0.001)];
    for row in &mut rows {
        row.baseline.revision = format!("before {evil}");
        row.candidate.revision = evil.to_owned();
        row.notes = vec![evil.to_owned()];
    }
    rows.push(Row { candidate: arm("fat", &format!("other {evil}")), ..same_code("w::c") });
    let mut judgement = judgement(rows);
    judgement.failures = vec![failure(evil, &format!("{evil}\n```\n{evil}"))];
    judgement.failures[0].command = Some(evil.to_owned());
    judgement.steps = vec![steps::hostile()];
    judgement.blames = vec![blame::hostile()];
    (run, judgement)
}
