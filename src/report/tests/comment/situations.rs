//! Six outcomes that a pull request can have.

use super::super::super::examples::*;
use super::super::super::{Frame, View};
use crate::samples::{Failure, Skipped};
use crate::verdict::{Basis, Blame, Judgement, Limit, Relative, Row, StepOutcome, Verdict};

pub(super) const BASE: &str = "8d1e6f0a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e";

/// What the platform says of the run.
pub(super) fn frame() -> Frame {
    Frame {
        plan: "perfplan.toml".to_owned(),
        base: Some(BASE.to_owned()),
        head: Some(COMMIT.to_owned()),
        run_url: Some("https://github.com/acme/engine/actions/runs/42".to_owned()),
        artifact: Some((
            "perfplan-run".to_owned(),
            "https://github.com/acme/engine/actions/runs/42/artifacts/7".to_owned(),
        )),
        newest: 42,
    }
}

fn view(judgement: &Judgement) -> View {
    let mut run = run(&[]);
    run.commit = Some(COMMIT.to_owned());
    run.against = format!("revision {BASE}");
    View::of(&run, judgement)
}

fn unchanged(count: u32) -> Vec<Row> {
    let row = |n: u32| row(&format!("store::btree/range-{n}"), Verdict::Unchanged, 0.0002 * f64::from(n), 0.003);
    calm_rows().into_iter().chain((1..=count).map(row)).collect()
}

pub(super) fn well() -> View {
    let mut rows = unchanged(6);
    rows.extend((1..=3).map(|n| same_code(&format!("codec::varint/{n}"))));
    view(&judgement(rows))
}

fn undecided_rows() -> Vec<Row> {
    let row = |case: &str, limit| Row { limited_by: Some(limit), ..row(case, Verdict::Undecided, 0.004, 0.0125) };
    vec![
        row("router::match/deep", Limit::Processes),
        Row {
            change: Some(Relative { estimate: 0.0098, low: 0.0050, high: 0.0146 }),
            ..row("router::match/wide", Limit::Blocks)
        },
    ]
}

pub(super) fn regressed() -> View {
    let mut rows = unchanged(4);
    rows.push(row("engine::book/hash", Verdict::Regressed, 0.112, 0.008));
    rows.push(row("engine::book/place", Verdict::Regressed, 0.0431, 0.004));
    rows.push(Row {
        notes: vec!["the candidate's layout is not averaged: the linker is not lld".to_owned()],
        ..row("parser::json/small", Verdict::Regressed, 0.0182, 0.003)
    });
    rows.push(row("parser::csv/wide", Verdict::Improved, -0.082, 0.006));
    rows.extend(undecided_rows());
    let mut judgement = judgement(rows);
    let within = blame().functions[0].clone();
    let place = Blame {
        case: "engine::book/place".parse().unwrap(),
        change_ns: 51.8,
        within: Some(crate::verdict::Blamed { name: "engine::book::place".to_owned(), change_ns: 50.1, ..within }),
        functions: Vec::new(),
        ..blame()
    };
    judgement.blames = vec![blame(), place];
    view(&judgement)
}

pub(super) fn improved() -> View {
    let mut rows = unchanged(4);
    rows.push(row("engine::book/hash", Verdict::Improved, -0.182, 0.009));
    rows.push(row("engine::book/place", Verdict::Improved, -0.0431, 0.004));
    rows.push(row("parser::csv/wide", Verdict::Improved, -0.0205, 0.006));
    view(&judgement(rows))
}

pub(super) fn undecided() -> View {
    let mut rows = unchanged(4);
    rows.extend(undecided_rows());
    rows.push(Row {
        basis: Basis::Stored,
        limited_by: Some(Limit::Runs),
        ..row("generator::redb/naive", Verdict::Undecided, 0.004, 0.0125)
    });
    view(&Judgement { steps: vec![lookups()], ..judgement(rows) })
}

fn lookups() -> StepOutcome {
    plan().remove(2)
}

pub(super) fn refuted() -> View {
    let mut known = step("bloom-filter", Some((0.021, 0.004)), plan().remove(1).claims[..1].to_vec());
    known.step.expect = "refuted: 2 % slower".to_owned();
    let steps = plan().into_iter().chain([known]).collect();
    view(&Judgement { steps, ..judgement(unchanged(2)) })
}

pub(super) fn broken() -> View {
    let mut judgement = judgement(unchanged(2));
    let error = "error[E0308]: mismatched types\n  --> src/book.rs:42:17\n   |\n42 |     let level: u32 = self.levels.len();\n   \
                 |                ---   ^^^^^^^^^^^^^^^^^ expected `u32`, found `usize`\n   |                |\n   |                \
                 expected due to this\n\nerror: could not compile `engine` (lib) due to 1 previous error";
    let command = Some("cargo build --profile fat --package engine".to_owned());
    judgement.failures = vec![
        Failure { command, ..failure("build of variant fat of working tree", error) },
        Failure {
            command: None,
            ..failure("engine::book/hash, variant release of working tree", "ended by signal 11")
        },
    ];
    judgement.missing = vec!["engine::book/hash".parse().unwrap(), "engine::book/place".parse().unwrap()];
    let mut run = run(&[]);
    let why = "no llvm-bolt: apt-get install bolt-19 has it".to_owned();
    run.skipped = vec![Skipped { variant: "bolted".parse().unwrap(), why }];
    View::of(&run, &judgement)
}
