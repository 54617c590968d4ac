//! Runs of build variants made up for tests.

use std::collections::BTreeMap;

use serde_json::json;

use crate::samples::{Arm, ArmRound, CaseId, FORMAT, Gate, Measurement, Metric, Round, Run};
use crate::stats;
use crate::verdict::{self, Basis, Judgement, Relative, Row, Verdict};

use super::{Advice, Settings, advise};

/// The error that the intervals of the rows are made at.
const LEVEL: f64 = 0.001;

/// A run whose rows are said instead of measured.
pub(crate) struct Study {
    pub(crate) run: Run,
    pub(crate) judgement: Judgement,
}

/// `lto=fat pgo=true` as settings.
pub(crate) fn settings(text: &str) -> Settings {
    let pair = |part: &str| part.split_once('=').map(|(knob, value)| (knob.to_owned(), value.to_owned()));
    text.split(' ').filter_map(pair).collect()
}

pub(crate) fn arm(knobs: &str) -> Arm {
    let name = if knobs.is_empty() { "release".to_owned() } else { knobs.replace(' ', "+") };
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "+=-._".contains(*c)).collect();
    let revision = "working tree";
    serde_json::from_value(json!({"variant": name, "knobs": settings(knobs), "revision": revision, "code": knobs}))
        .unwrap()
}

impl Study {
    /// A run of these cases that has a baseline alone.
    pub(crate) fn of(cases: &[&str]) -> Self {
        let cases: Vec<CaseId> = cases.iter().map(|case| case.parse().unwrap()).collect();
        let measurement = |case: &CaseId| -> Measurement {
            let round = json!({"elapsed_ns": 1, "inside_ns": 1, "dropped": 0, "arms": [process(0, 1e6)]});
            let value = json!({"case": case, "arms": [sized(arm(""), &[1e9, 4e5, 2e5])], "iterations": 1, "warm_up": 1,
                               "threads": 1, "rounds": [round]});
            serde_json::from_value(value).unwrap()
        };
        let run = json!({"format": FORMAT, "id": "20261121-093000-abcd", "started": 0, "tool": "0.1.0", "commit": null,
                         "against": "variant release", "asked": "", "gate": Gate::default(), "cases": cases,
                         "environment": {"fingerprint": {}, "circumstances": {}, "absent": {}},
                         "measurements": cases.iter().map(measurement).collect::<Vec<_>>(), "failures": [],
                         "complete": true});
        let run = serde_json::from_value(run).unwrap();
        Self {
            run,
            judgement: Judgement {
                rows: Vec::new(),
                family_error: 0.01,
                missing: Vec::new(),
                failures: Vec::new(),
                steps: Vec::new(),
                blames: Vec::new(),
            },
        }
    }

    /// Adds a cell. `change` says per case the log of the ratio to the baseline and its standard error; `None` where it failed.
    pub(crate) fn cell(&mut self, knobs: &str, change: impl FnMut(usize) -> Option<(f64, f64)>) -> &mut Self {
        self.costing(knobs, [1.0; 4], change)
    }

    /// The same with ratios of build time, size of file, size of code and memory.
    pub(crate) fn costing(
        &mut self,
        knobs: &str,
        [build, file, text, memory]: [f64; 4],
        mut change: impl FnMut(usize) -> Option<(f64, f64)>,
    ) -> &mut Self {
        for (at, measurement) in self.run.measurements.iter_mut().enumerate() {
            let place = measurement.arms.len();
            let candidate = sized(arm(knobs), &[build * 1e9, file * 4e5, text * 2e5]);
            measurement.arms.push(Arm { against: Some(0), ..candidate.clone() });
            measurement.rounds[0].arms.push(serde_json::from_value(process(place, memory * 1e6)).unwrap());
            let Some((log, se)) = change(at) else { continue };
            let arms = (candidate, measurement.arms[0].clone());
            self.judgement.rows.push(row(&measurement.case, place, arms, (log, se)));
        }
        self
    }

    /// A run of these cases and cells as if it had been measured: so many rounds, in which each process takes e to what
    /// `level` says of its arm (0 is the baseline) and case; judged as a run is.
    pub(crate) fn measured(
        cases: &[&str],
        cells: &[&str],
        rounds: usize,
        mut level: impl FnMut(usize, usize) -> f64,
    ) -> Self {
        let mut study = Self::of(cases);
        for (case, measurement) in study.run.measurements.iter_mut().enumerate() {
            let arms = cells.iter().map(|knobs| Arm { against: Some(0), ..arm(knobs) });
            measurement.arms.extend(arms);
            let of = |arm: usize, level: f64| ArmRound {
                arm,
                layout: None,
                checksum: String::new(),
                batches: [(Metric::wall(), vec![1e6 * level.exp()])].into(),
                process: BTreeMap::new(),
            };
            let mut round = || Round {
                arms: (0..=cells.len()).map(|arm| of(arm, level(arm, case))).collect(),
                ..measurement.rounds[0].clone()
            };
            measurement.rounds = (0..rounds).map(|_| round()).collect();
        }
        study.judgement = verdict::judge(&study.run);
        study
    }

    /// Says of the last cell that a profile of these cases guided it.
    pub(crate) fn trained_on(&mut self, cases: &[&str]) -> &mut Self {
        let training = json!({"profile": "p", "cases": cases, "size": "small", "functions": 9, "ran": 9, "mismatched": 0,
                              "lost": 0});
        let last = self.judgement.rows.last().unwrap().candidate.variant.clone();
        for row in self.judgement.rows.iter_mut().filter(|row| row.candidate.variant == last) {
            row.candidate.training = serde_json::from_value(training.clone()).unwrap();
        }
        self
    }

    pub(crate) fn advise(&self) -> Advice {
        advise(&self.run, &self.judgement)
    }
}

fn process(arm: usize, memory: f64) -> serde_json::Value {
    json!({"arm": arm, "layout": null, "checksum": "0", "batches": {"wall": [1.0]}, "process": {"rss.peak": memory}})
}

fn sized(arm: Arm, sizes: &[f64; 3]) -> Arm {
    let names = ["build.cpu", "binary.file", "binary.text"].map(|name| name.parse().unwrap());
    Arm { sizes: names.into_iter().zip(*sizes).collect::<BTreeMap<_, _>>(), ..arm }
}

fn row(case: &CaseId, place: usize, (candidate, baseline): (Arm, Arm), (log, se): (f64, f64)) -> Row {
    let interval = stats::normal_interval(log, se, 1, LEVEL);
    let [estimate, low, high] = [log, interval.low, interval.high].map(f64::exp_m1);
    let same = se == 0.0;
    Row {
        case: case.clone(),
        part: None,
        metric: Metric::wall(),
        pair: (place, 0),
        baseline,
        candidate,
        verdict: if same { Verdict::Unchanged } else { Verdict::Undecided },
        basis: if same { Basis::SameCode } else { Basis::Lockstep },
        change: (!same).then_some(Relative { estimate, low, high }),
        p: 0.5,
        level: LEVEL,
        baseline_value: 100.0,
        candidate_value: 100.0 * log.exp(),
        rounds: 40,
        smallest_visible: None,
        limited_by: None,
        tolerance: 0.01,
        waiver: None,
        notes: Vec::new(),
    }
}

/// A standard normal number: the sum of twelve uniforms, near enough for 95 % intervals.
pub(crate) fn normal(rng: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

/// A study that looks like a real one: two workloads, one knob at a time, something of everything.
pub(crate) fn example() -> Study {
    let cases =
        ["generator::redb/cached", "generator::redb/naive", "generator::contacts", "engine::fees", "engine::match"];
    let mut study = Study::of(&cases);
    let of = |generator: f64, engine: f64, se: f64| {
        move |case: usize| Some((if case < 3 { generator } else { engine } + 0.004 * (case as f64 - 2.0), se))
    };
    study.costing("lto=thin", [1.31, 0.86, 0.93, 1.0], of(-0.101, -0.032, 0.002));
    study.costing("lto=fat", [2.42, 0.71, 0.88, 0.99], of(-0.142, -0.058, 0.002));
    study.costing("codegen-units=1", [1.18, 0.94, 0.95, 1.0], of(-0.021, -0.012, 0.003));
    study.costing("opt-level=s", [0.83, 0.62, 0.55, 0.99], of(0.172, 0.093, 0.003));
    study.costing("panic=abort", [0.92, 0.81, 0.85, 1.0], of(-0.004, -0.002, 0.0015));
    study.costing("target-cpu=native", [1.02, 1.01, 1.03, 1.0], |case| {
        Some((if case == 4 { 0.031 } else { -0.068 }, 0.003))
    });
    study.costing("allocator=jemalloc", [1.64, 2.21, 1.73, 1.38], of(-0.083, 0.003, 0.006));
    study.costing("allocator=mimalloc", [1.21, 1.22, 1.14, 1.21], of(-0.079, 0.001, 0.006));
    study.costing("pgo=true", [2.93, 0.92, 0.94, 1.0], |case| Some((if case < 2 { -0.14 } else { -0.035 }, 0.003)));
    study.trained_on(&cases[..2]);
    study
}
