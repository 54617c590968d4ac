//! Judging two runs against each other: what was not measured in the same rounds.

use crate::compare::{self, Sides};
use crate::samples::{Arm, Measurement, Metric, Run, WORKING_TREE};
use crate::stats::{self, Estimate};

use super::row::{Basis, Judgement, Limit, POWER, Row, Verdict};
use super::rules::{relative, verdict};
use super::waivers::waive;

/// Between two runs of one program the machine itself differs: other neighbours, other clock, other memory. This standard
/// deviation of the log of time is taken for it where the history of the machine does not tell.
pub const BETWEEN_RUNS: f64 = 0.02;

struct Pair<'a> {
    old: (&'a Measurement, usize),
    new: (&'a Measurement, usize),
    metric: &'a Metric,
    sides: Sides,
}

impl Pair<'_> {
    fn arms(&self) -> (&Arm, &Arm) {
        (&self.new.0.arms[self.new.1], &self.old.0.arms[self.old.1])
    }

    fn is_same_code(&self) -> bool {
        let (new, old) = self.arms();
        new.is_same_code(old)
    }
}

/// Judges `new` against `old` by the gate of `new`: same case, same variant, same handicap. `between_runs` is the standard
/// deviation between runs of the machine class, on the log scale.
#[must_use]
pub fn judge_stored(old: &Run, new: &Run, between_runs: f64) -> Judgement {
    let all = new.plain_measurements().flat_map(|measurement| pairs(old, new, measurement));
    let (same, pairs): (Vec<Pair<'_>>, Vec<Pair<'_>>) = all.partition(Pair::is_same_code);
    let estimate = |pair: &Pair<'_>, level: f64| {
        stats::welch_interval(&pair.sides.candidate, &pair.sides.baseline, level, between_runs)
    };
    let ps: Vec<f64> = pairs.iter().map(|pair| estimate(pair, 0.05).map_or(1.0, |e| e.p())).collect();
    let levels = stats::holm_levels(&ps, new.gate.family_error);
    let judged = pairs.iter().zip(ps.iter().zip(levels));
    let judged = judged.map(|(pair, (p, level))| row(new, pair, estimate(pair, level), *p, level));
    let mut rows: Vec<Row> = judged.chain(same.iter().map(|pair| same_code(new, pair))).collect();
    waive(new, &mut rows);
    let missing = old.plain_cases().chain(new.plain_cases()).filter(|case| !rows.iter().any(|row| row.case == **case));
    let mut missing: Vec<_> = missing.cloned().collect();
    missing.sort();
    missing.dedup();
    let (failures, steps) = (super::judge::failures(new), super::claims::steps(new));
    Judgement { rows, family_error: new.gate.family_error, missing, failures, steps, blames: Vec::new() }
}

fn pairs<'a>(old: &'a Run, new: &'a Run, measurement: &'a Measurement) -> Vec<Pair<'a>> {
    let mut found = Vec::new();
    for (at, arm) in measurement.arms.iter().enumerate() {
        let base = arm.revision != WORKING_TREE;
        if base && measurement.arms.iter().any(|other| other.revision == WORKING_TREE && matches(other, arm)) {
            continue; // What the run itself measured against: the candidate of the same variant is the one to judge.
        }
        let Some(before) = counterpart(old, measurement, arm) else { continue };
        for metric in &new.gate.metrics {
            if let Some(sides) = compare::across(before, (measurement, at), metric) {
                found.push(Pair { old: before, new: (measurement, at), metric, sides });
            }
        }
    }
    found
}

/// The arm of an earlier run that stands for what was saved: of two revisions the working tree, not what it was measured
/// against. Where several parts of a merged run have one, the arm of the same part is meant, else the first.
fn counterpart<'r>(old: &'r Run, measurement: &'r Measurement, arm: &Arm) -> Option<(&'r Measurement, usize)> {
    let all = || old.measurements_of(&measurement.case);
    let arms = || all().flat_map(|before| before.arms.iter().enumerate().map(move |(at, known)| (before, at, known)));
    let fitting = arms().filter(|(_, _, known)| matches(known, arm));
    let best =
        fitting.min_by_key(|(before, _, known)| (known.revision != WORKING_TREE, before.part != measurement.part));
    best.map(|(before, at, _)| (before, at))
}

fn matches(one: &Arm, other: &Arm) -> bool {
    one.variant == other.variant && one.handicap == other.handicap
}

fn same_code(new: &Run, pair: &Pair<'_>) -> Row {
    let (candidate, baseline) = pair.arms();
    let arms = (pair.new.1, pair.old.1);
    Row::same_code(pair.new.0, pair.metric, arms, (candidate, baseline), new.gate.tolerance(pair.metric))
}

fn row(new: &Run, pair: &Pair<'_>, estimate: Option<Estimate>, p: f64, level: f64) -> Row {
    let tolerance = new.gate.tolerance(pair.metric);
    let shown = estimate.as_ref().map(|e| relative(e.mean, e.low, e.high));
    let mean = |logs: &[f64]| logs.iter().map(|log| log.exp()).sum::<f64>() / logs.len() as f64;
    Row {
        case: pair.new.0.case.clone(),
        part: pair.new.0.part,
        metric: pair.metric.clone(),
        pair: (pair.new.1, pair.old.1),
        baseline: pair.old.0.arms[pair.old.1].clone(),
        candidate: pair.new.0.arms[pair.new.1].clone(),
        verdict: shown.map_or(Verdict::Undecided, |shown| verdict(shown, tolerance, pair.metric.better())),
        basis: Basis::Stored,
        change: shown,
        p,
        level,
        baseline_value: mean(&pair.sides.baseline),
        candidate_value: mean(&pair.sides.candidate),
        rounds: pair.sides.candidate.len(),
        smallest_visible: estimate
            .as_ref()
            .map(|e| stats::smallest_visible(e.se, e.df, level, POWER, tolerance.ln_1p()).exp_m1()),
        limited_by: Some(Limit::Runs),
        tolerance,
        waiver: None,
        notes: Vec::new(),
    }
}
