//! Runs for the tests of this room.

use std::collections::BTreeMap;

use crate::samples::{
    Arm, ArmRound, CaseId, FORMAT, Failure, Gate, Measurement, Metric, Record, Review, Round, Run, Training,
};

/// A run that has just begun.
pub(super) fn begun(id: &str) -> Run {
    let mut environment = crate::samples::Environment::default();
    environment.fingerprint.insert("cpu.model".to_owned(), "Example 9000".to_owned());
    Run {
        format: FORMAT,
        id: id.parse().unwrap(),
        started: 1_700_000_000,
        tool: "0.1.0".to_owned(),
        commit: Some("0123456789abcdef0123456789abcdef01234567+".to_owned()),
        against: "revision main".to_owned(),
        asked: "f00d".to_owned(),
        environment,
        gate: Gate::default(),
        cases: vec![case()],
        steps: Vec::new(),
        measurements: Vec::new(),
        failures: Vec::new(),
        skipped: Vec::new(),
        review: Review::default(),
        divided: None,
        complete: false,
    }
}

pub(super) fn case() -> CaseId {
    CaseId::new("generator", "redb/cached").unwrap()
}

fn arm(variant: &str) -> Arm {
    Arm {
        operations: 1,
        variant: variant.parse().unwrap(),
        case: None,
        knobs: BTreeMap::new(),
        revision: "working tree".to_owned(),
        against: (variant == "fat").then_some(0),
        handicap: 0.0,
        self_test: false,
        code: "c0de".to_owned(),
        other_results: false,
        env: BTreeMap::new(),
        no_layout: None,
        sizes: BTreeMap::from([("binary.text".parse().unwrap(), 4096.0)]),
        training: Some(Training {
            profile: "0123abcd".to_owned(),
            cases: vec![case()],
            size: "quick".to_owned(),
            functions: 3_000,
            ran: 800,
            mismatched: 1,
            lost: 2,
            warnings: vec!["left out of the profile: x.profraw: truncated".to_owned()],
        }),
    }
}

pub(super) fn calibrated() -> Measurement {
    let arms = vec![arm("release"), arm("fat")];
    Measurement {
        case: case(),
        part: None,
        arms,
        iterations: 8,
        warm_up: 2,
        threads: 1,
        rounds: Vec::new(),
        counted: Vec::new(),
        observed: Vec::new(),
        absent: BTreeMap::new(),
        profiles: Vec::new(),
    }
}

pub(super) fn round(seed: u32) -> Round {
    let values = |arm: u32| (0..5).map(|at| f64::from(seed * 1000 + arm * 100 + at) + 0.25).collect();
    let one = |arm: u32| ArmRound {
        arm: arm as usize,
        layout: Some(u64::MAX - u64::from(seed)),
        checksum: "5eed".to_owned(),
        batches: BTreeMap::from([(Metric::wall(), values(arm))]),
        process: BTreeMap::from([("rss.peak".parse().unwrap(), 1e9)]),
    };
    Round { elapsed_ns: 5_000, inside_ns: 4_000, dropped: 1, arms: vec![one(1), one(0)] }
}

/// A whole life after the beginning.
pub(super) fn records() -> Vec<Record> {
    let counts = BTreeMap::from([("alloc.count".parse().unwrap(), vec![17.0, 18.0])]);
    let mut all = vec![Record::Case(Box::new(calibrated()))];
    all.extend((0..4).map(|seed| Record::Round { case: case(), round: round(seed) }));
    all.push(Record::Counted {
        case: case(),
        counted: vec![counts.clone(), counts],
        observed: Vec::new(),
        absent: BTreeMap::new(),
    });
    let why = "error: \"quoted\"\nsecond line \u{202e}".to_owned();
    let what = "case generator::redb/cached, variant fat".to_owned();
    all.push(Record::Failure(Failure { what, why, command: None, case: Some(case()), arm: Some(1), part: None }));
    all.push(Record::End);
    all
}

/// A run with all of that in it.
pub(super) fn complete(id: &str) -> Run {
    let begin = Record::Begin(Box::new(begun(id)));
    crate::samples::replay(std::iter::once(begin).chain(records())).unwrap()
}
