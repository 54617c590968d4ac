//! From a run to its judgement: every gated row, under one error budget.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{self, Change, Spread};
use crate::samples::{CaseId, Failure, Gate, Measurement, Metric, Run, Shard, Training};
use crate::stats::{self, Estimate, Spending};

use super::row::{Basis, Judgement, Limit, POWER, Row, Verdict};
use super::rules::{relative, verdict};
use super::waivers::waive;
use super::{blame, claims};

/// How the error is spent over the looks: evenly over the rounds. Effects that nobody planned for come in all sizes, so early
/// looks need a share worth having; the O'Brien-Fleming shape would leave them next to nothing (see the table at [`Spending`]).
const SPENDING: Spending = Spending::Power(1.0);

/// The most rows that are reckoned with beside those that are there: files come from strangers, and more are in no report.
const MOST_TO_COME: usize = 1 << 20;

/// What tells the measurements of a run apart: the case, and in a merged run the part.
type Place = (CaseId, Option<Shard>);

/// One comparison before the error budget is shared out.
#[derive(Debug)]
struct Candidate {
    place: Place,
    /// The candidate and its baseline.
    pair: (usize, usize),
    metric: Metric,
    change: Change,
    /// The looks so far: how many rounds there were at each. The present moment is the last.
    looks: Vec<usize>,
    p: f64,
    /// The estimate at the level that was asked for last: levels seldom change from one judgement to the next.
    estimate: Option<(f64, Option<Estimate>)>,
}

/// What the rounds of a case say.
#[derive(Debug, Default)]
struct Known {
    rounds: usize,
    candidates: Vec<Candidate>,
}

/// Judges a run by its own gate, again and again while it grows: what the rounds of a case say is worked out when it has new
/// ones.
#[derive(Debug, Default)]
pub struct Judge {
    known: BTreeMap<Place, Known>,
    steps: claims::Known,
}

/// Judges a run by its own gate.
#[must_use]
pub fn judge(run: &Run) -> Judgement {
    Judge::default().judge(run)
}

impl Judge {
    /// What is to be said of the run as it is now. It must be the same run as before, only with more in it.
    pub fn judge(&mut self, run: &Run) -> Judgement {
        let measured = run.plain_cases().flat_map(|case| run.measurements_of(case)).filter(|m| !lost(run, m, None));
        let measured: Vec<&Measurement> = measured.collect();
        for measurement in &measured {
            let known = self.known.entry(place(measurement)).or_default();
            if known.rounds != measurement.rounds.len() {
                *known = Known { rounds: measurement.rounds.len(), candidates: candidates(&run.gate, measurement) };
            }
        }
        let mut rows = self.rows(run, &measured);
        rows.extend(measured.iter().flat_map(|m| same_code(run, m)));
        waive(run, &mut rows);
        rows.sort_by_key(|row| run.cases.iter().position(|case| *case == row.case));
        let missing = run.plain_cases().filter(|case| !measured.iter().any(|m| m.case == **case && complete(m)));
        Judgement {
            blames: blame::blames(run, &rows),
            rows,
            family_error: run.gate.family_error,
            missing: missing.cloned().collect(),
            failures: failures(run),
            steps: claims::again(run, &mut self.steps),
        }
    }

    /// The rows of all arms that still take part, under one error budget.
    fn rows(&mut self, run: &Run, measured: &[&Measurement]) -> Vec<Row> {
        let of = |(case, part): &Place| measured.iter().copied().find(|m| m.case == *case && m.part == *part);
        let all = self.known.values_mut().flat_map(|known| &mut known.candidates);
        let standing = all.filter_map(|candidate| {
            let measurement = of(&candidate.place)?;
            let (new, old) = candidate.pair;
            let stand = !lost(run, measurement, Some(new)) && !lost(run, measurement, Some(old));
            stand.then_some((measurement, candidate))
        });
        let mut standing: Vec<(&Measurement, &mut Candidate)> = standing.collect();
        let ps: Vec<f64> = standing.iter().map(|(_, candidate)| candidate.p).collect();
        let levels = levels(ps, to_come(run), run.gate.family_error);
        let each = standing.iter_mut().zip(levels);
        each.map(|((measurement, candidate), level)| row(measurement, candidate, level, &run.gate)).collect()
    }
}

fn place(measurement: &Measurement) -> Place {
    (measurement.case.clone(), measurement.part)
}

/// What could not be measured, shards that a merged run lacks among it.
pub(super) fn failures(run: &Run) -> Vec<Failure> {
    run.failures.iter().cloned().chain(run.gaps()).collect()
}

/// A case has been measured when it has rounds, or when there was nothing to measure.
fn complete(measurement: &Measurement) -> bool {
    !measurement.rounds.is_empty() || measurement.pairs().any(|pair| is_same_code(measurement, pair))
}

/// Whether this arm (or, with `None`, the whole case) fell out.
fn lost(run: &Run, measurement: &Measurement, arm: Option<usize>) -> bool {
    let here =
        |failure: &&Failure| failure.case.as_ref() == Some(&measurement.case) && failure.part == measurement.part;
    run.failures.iter().filter(here).any(|failure| failure.arm == arm)
}

/// Whether both arms of a pair are the same machine code, run in the same way.
#[must_use]
pub fn is_same_code(measurement: &Measurement, (candidate, baseline): (usize, usize)) -> bool {
    let (new, old) = (&measurement.arms[candidate], &measurement.arms[baseline]);
    // A pair made to differ, or to be measured against itself in a self-test, is measured.
    new.is_same_code(old) && new.handicap == old.handicap && !new.self_test
}

fn candidates(gate: &Gate, measurement: &Measurement) -> Vec<Candidate> {
    let each = measurement.pairs().flat_map(|pair| gate.metrics.iter().map(move |metric| (pair, metric)));
    let candidate = |(pair, metric): ((usize, usize), &Metric)| {
        let change = compare::within(measurement, pair, metric)?;
        let looks = looks_until(change.rounds(), gate.most_rounds);
        let p = sequential_p(&change, &looks, gate.most_rounds);
        let place = place(measurement);
        Some(Candidate { place, pair, metric: metric.clone(), change, looks, p, estimate: None })
    };
    each.filter_map(candidate).collect()
}

impl Candidate {
    fn estimate(&mut self, level: f64) -> Option<Estimate> {
        match self.estimate {
            Some((known, estimate)) if known == level => estimate,
            _ => self.estimate.insert((level, self.change.estimate(self.change.rounds(), level))).1,
        }
    }
}

/// The planned looks so far, and the present moment. The budget may end between two looks: that the moment was not planned
/// does no harm, as it does not depend on what was seen (Lan & DeMets 1983).
fn looks_until(rounds: usize, most: usize) -> Vec<usize> {
    let earlier = stats::looks(most).into_iter().filter(|look| *look < rounds);
    earlier.chain([rounds]).collect()
}

fn sequential_p(change: &Change, looks: &[usize], most: usize) -> f64 {
    let ps: Vec<f64> = looks.iter().map(|look| change.p(*look)).collect();
    SPENDING.sequential_p(&ps, looks, most.max(change.rounds()))
}

/// Rows that are still to come, here or in other shards: they have their share of the budget from the start. Which metrics a
/// case will have is known once it has rounds; until then all that are gated may come.
fn to_come(run: &Run) -> usize {
    let elsewhere = run.divided.as_ref().map_or(0, |divided| divided.elsewhere);
    let rows = pairs_to_come(run).saturating_mul(run.gate.metrics.len());
    rows.saturating_add(elsewhere).min(MOST_TO_COME)
}

/// Pairs that have no rounds yet and may get some. What is lost, the same code or behind the end of the run gets none, and
/// would hold its share for ever.
fn pairs_to_come(run: &Run) -> usize {
    let known: BTreeMap<_, _> = run.measurements.iter().map(|m| ((&m.case, m.part), m)).collect();
    let lost: BTreeSet<_> = run.failures.iter().filter_map(|f| Some((f.case.as_ref()?, f.part, f.arm))).collect();
    let usual = run.measurements.iter().map(|m| m.pairs().count()).max().unwrap_or(1);
    let of = |(case, part): (_, _)| match known.get(&(case, part)) {
        _ if lost.contains(&(case, part, None)) => 0,
        None => usual,
        Some(measurement) if !measurement.rounds.is_empty() => 0,
        Some(measurement) => {
            let gone = |arm| lost.contains(&(case, part, Some(arm)));
            let comes = |pair: &(usize, usize)| !gone(pair.0) && !gone(pair.1) && !is_same_code(measurement, *pair);
            measurement.pairs().filter(comes).count()
        }
    };
    let plain = under_way(run).into_iter().filter(|(case, _)| run.step(case).is_none());
    plain.map(of).fold(0, usize::saturating_add)
}

/// The cases of all that has not come to its end: of the run, or of parts of a merged one that were broken off.
fn under_way(run: &Run) -> Vec<(&CaseId, Option<Shard>)> {
    let whole = (!run.complete && run.parts().is_empty()).then_some(&run.cases);
    let whole = whole.into_iter().flatten().map(|case| (case, None));
    let parts = run.parts().iter().filter(|part| !part.complete);
    let parts = parts.flat_map(|part| part.cases.iter().map(|case| (case, Some(part.shard))));
    whole.chain(parts).collect()
}

/// Each row's share of the budget, by Holm's step-down over the sequential p-values (Maurer & Bretz 2013).
fn levels(mut ps: Vec<f64>, to_come: usize, family_error: f64) -> Vec<f64> {
    let rows = ps.len();
    ps.extend(std::iter::repeat_n(1.0, to_come));
    let mut levels = stats::holm_levels(&ps, family_error);
    levels.truncate(rows);
    levels
}

fn row(measurement: &Measurement, candidate: &mut Candidate, level: f64, gate: &Gate) -> Row {
    let most = gate.most_rounds.max(candidate.change.rounds());
    let level = SPENDING.level_at(candidate.looks.len() - 1, &candidate.looks, most, level);
    let estimate = candidate.estimate(level);
    let Candidate { pair: (new, old), metric, change, p, .. } = &*candidate;
    let tolerance = gate.tolerance(metric);
    let shown = estimate.as_ref().map(|e| relative(e.mean, e.low, e.high));
    let said = shown.map_or(Verdict::Undecided, |shown| verdict(shown, tolerance, metric.better()));
    let visible =
        estimate.as_ref().map(|e| stats::smallest_visible(e.se, e.df, level, POWER, tolerance.ln_1p()).exp_m1());
    Row {
        case: measurement.case.clone(),
        part: measurement.part,
        metric: (*metric).clone(),
        pair: (*new, *old),
        baseline: measurement.arms[*old].clone(),
        candidate: measurement.arms[*new].clone(),
        verdict: said,
        basis: Basis::Lockstep,
        change: shown,
        p: *p,
        level,
        baseline_value: change.baseline,
        candidate_value: change.candidate,
        rounds: change.rounds(),
        smallest_visible: visible,
        limited_by: change.spread().map(limit),
        tolerance,
        waiver: None,
        notes: notes(measurement, (*new, *old)),
    }
}

fn limit(spread: Spread) -> Limit {
    let levels =
        [(spread.blocks, Limit::Blocks), (spread.processes, Limit::Processes), (spread.layouts, Limit::Layouts)];
    levels.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Limit::Processes, |(_, limit)| limit)
}

fn notes(measurement: &Measurement, (new, old): (usize, usize)) -> Vec<String> {
    let mut notes = Vec::new();
    for (which, arm) in [("baseline", old), ("candidate", new)] {
        if let Some(why) = &measurement.arms[arm].no_layout {
            notes.push(format!("the {which}'s layout is not averaged: {why}"));
        }
    }
    notes.extend(measurement.arms[new].training.as_ref().map(|training| trained(training, &measurement.case)));
    let blocks: usize =
        measurement.rounds.iter().filter_map(|round| Some(round.arms.first()?.batches.values().next()?.len())).sum();
    let dropped: usize = measurement.rounds.iter().map(|round| round.dropped as usize).sum();
    if dropped * 3 > blocks + dropped {
        notes.push(format!("{} % of the blocks were disturbed and left out", dropped * 100 / (blocks + dropped)));
    }
    notes
}

/// What a reader of a profile-guided row has to know: a gain on what was trained may have been learnt by heart.
fn trained(training: &Training, case: &CaseId) -> String {
    let on = if training.cases.contains(case) { "this case" } else { "other cases" };
    let Training { functions, ran, mismatched, lost, .. } = training;
    let misfits = match mismatched.saturating_add(*lost) {
        0 => String::new(),
        some => format!(", {some} of them misfitted"),
    };
    format!("trained on {on} at {} size: {ran} of {functions} functions ran{misfits}", training.size)
}

/// Rows of arms whose machine code is the baseline's: unchanged, and nothing to measure.
fn same_code(run: &Run, measurement: &Measurement) -> Vec<Row> {
    let same = measurement.pairs().filter(|pair| is_same_code(measurement, *pair));
    let unmeasured = same.filter(|pair| compare::within(measurement, *pair, &Metric::wall()).is_none());
    let row = |(new, old): (usize, usize)| {
        let (arms, wall) = ((&measurement.arms[new], &measurement.arms[old]), Metric::wall());
        Row::same_code(measurement, &wall, (new, old), arms, run.gate.tolerance(&wall))
    };
    unmeasured.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Divided;

    /// A real run that has just calibrated three cases, in each of which one arm is set against the baseline.
    fn calibrated() -> Run {
        let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        run.cases = ["w::a", "w::b", "w::c"].map(|case| case.parse().unwrap()).to_vec();
        run.measurements[0].rounds.clear();
        let measurement = run.measurements.remove(0);
        run.measurements =
            run.cases.iter().map(|case| Measurement { case: case.clone(), ..measurement.clone() }).collect();
        run.failures.clear();
        run.complete = false;
        run
    }

    fn fail(run: &mut Run, case: usize, arm: Option<usize>) {
        let (what, why, case) = ("it".to_owned(), "broke".to_owned(), Some(run.cases[case].clone()));
        run.failures.push(Failure { what, why, command: None, case, arm, part: None });
    }

    #[test]
    fn what_is_to_come_counts_in_every_gated_metric() {
        let mut run = calibrated();
        assert_eq!((run.gate.metrics.len(), to_come(&run)), (3, 9));
        run.gate.metrics.truncate(1);
        assert_eq!(to_come(&run), 3);
        run.measurements.truncate(1);
        assert_eq!(to_come(&run), 3, "a case that is not calibrated yet is taken to be like the others");
    }

    #[test]
    fn what_can_never_come_holds_no_budget() {
        let mut lost_case = calibrated();
        fail(&mut lost_case, 0, None);
        assert_eq!(to_come(&lost_case), 6);
        lost_case.measurements.remove(0);
        assert_eq!(to_come(&lost_case), 6, "it was lost when it was calibrated");

        let mut lost_arm = calibrated();
        fail(&mut lost_arm, 1, Some(1));
        fail(&mut lost_arm, 2, Some(0));
        assert_eq!(to_come(&lost_arm), 3);

        let mut same = calibrated();
        same.measurements[0].arms[1].code = same.measurements[0].arms[0].code.clone();
        assert_eq!(to_come(&same), 6);

        assert_eq!(to_come(&Run { complete: true, ..calibrated() }), 0);
    }

    #[test]
    fn a_run_that_promises_more_rows_than_there_can_be_is_judged_all_the_same() {
        let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        let (plan, command, shard) = (BTreeMap::new(), String::new(), "1/2".parse().ok());
        run.divided = Some(Divided { plan, command, shard, elsewhere: usize::MAX, parts: Vec::new() });
        run.cases.push("w::unmeasured".parse().unwrap());
        run.complete = false;
        assert_eq!(to_come(&run), MOST_TO_COME);
        assert_eq!(judge(&run).rows.len(), 1);
    }

    #[test]
    fn counts_of_functions_that_fit_no_number_are_still_said() {
        let counts = serde_json::json!({"profile": "p", "cases": [], "size": "quick", "functions": 3, "ran": 2,
            "mismatched": u64::MAX, "lost": 2});
        let training: Training = serde_json::from_value(counts).unwrap();
        let said = trained(&training, &"w::a".parse().unwrap());
        assert!(said.ends_with(&format!("2 of 3 functions ran, {} of them misfitted", u64::MAX)), "{said}");
    }
}
