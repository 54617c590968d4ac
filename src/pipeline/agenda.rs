//! What to measure next: the case with undecided rows that has had the fewest rounds, up to its next look. Pure.

use std::time::Duration;

use crate::samples::{CaseId, Measurement, Run};
use crate::stats;
use crate::verdict::{ClaimOutcome, Holds, Judgement, Verdict, Why, is_same_code};

/// Rounds of a case that is compared with nothing: enough for a steady mean and its spread.
const ALONE: usize = 20;
/// Rounds that every case gets, whatever they cost: without them it would be missing from the report, and nobody would know what
/// a round of it costs.
const FIRST: usize = 4;

/// The next series of rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Index into the run's cases.
    pub(super) case: usize,
    /// The arms that take part: undecided candidates and their baselines.
    pub(super) arms: Vec<usize>,
    /// How many rounds.
    pub(super) rounds: usize,
}

/// What may still be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purse {
    /// On all cases together.
    pub(super) left: Duration,
    /// On any one case, from its beginning.
    pub(super) per_case: Duration,
}

/// The next turn, or `None` when all rows are decided, have had all their rounds, or nothing is left to spend.
pub(super) fn next(run: &Run, judgement: &Judgement, given_up: &[CaseId], purse: Purse) -> Option<Turn> {
    let open = run.cases.iter().enumerate().filter(|(_, case)| !given_up.contains(case));
    let turns = open.filter_map(|(at, case)| turn(run, judgement, at, case));
    let paid = turns.filter_map(|(turn, measured)| {
        let measurement = run.measurement(&run.cases[turn.case])?;
        let rounds = if measured == 0 { turn.rounds.min(FIRST) } else { affordable(measurement, turn.rounds, purse) };
        (rounds > 0).then_some((Turn { rounds, ..turn }, measured))
    });
    paid.min_by_key(|(_, measured)| *measured).map(|(turn, _)| turn)
}

fn turn(run: &Run, judgement: &Judgement, at: usize, case: &CaseId) -> Option<(Turn, usize)> {
    let measurement = run.measurement(case)?;
    let measured = measurement.rounds.len();
    let arms = undecided(run, judgement, measurement);
    let looks = if measurement.pairs().next().is_some() || run.step(case).is_some() {
        stats::looks(run.gate.most_rounds)
    } else {
        vec![ALONE]
    };
    let look = looks.into_iter().find(|look| *look > measured)?;
    (!arms.is_empty()).then_some((Turn { case: at, arms, rounds: look - measured }, measured))
}

/// The arms whose rows are undecided, and their baselines; the only arm of a case that is compared with nothing.
fn undecided(run: &Run, judgement: &Judgement, measurement: &Measurement) -> Vec<usize> {
    if run.step(&measurement.case).is_some() {
        let all = 0..measurement.arms.len();
        return if is_open(run, judgement, measurement) { all.collect() } else { Vec::new() };
    }
    if measurement.pairs().next().is_none() {
        return (0..measurement.arms.len()).collect();
    }
    let gone = |arm: usize| {
        let here = run.failures.iter().filter(|failure| failure.case.as_ref() == Some(&measurement.case));
        here.into_iter().any(|failure| failure.arm.is_none_or(|broken| broken == arm))
    };
    let open = |(new, old): &(usize, usize)| {
        if gone(*new) || gone(*old) || is_same_code(measurement, (*new, *old)) {
            return false;
        }
        let rows = judgement.rows.iter().filter(|row| row.case == measurement.case);
        let mut rows = rows.filter(|row| row.pair == (*new, *old)).peekable();
        // A pair without a row has not been measured yet.
        rows.peek().is_none() || rows.any(|row| row.verdict == Verdict::Undecided)
    };
    let mut arms: Vec<usize> = measurement.pairs().filter(open).flat_map(|(new, old)| [new, old]).collect();
    arms.sort_unstable();
    arms.dedup();
    arms
}

/// Whether a step needs more timed rounds: the first ones, which tell how much it changed, or those that a claim needs.
fn is_open(run: &Run, judgement: &Judgement, measurement: &Measurement) -> bool {
    let lost = run.failures.iter().any(|failure| failure.case.as_ref() == Some(&measurement.case));
    let outcome = judgement.steps.iter().find(|outcome| outcome.step.case == measurement.case);
    // What the case does not yield, no more rounds of it will.
    let yields = |claim: &ClaimOutcome| measurement.rounds.len() < ALONE || !matches!(claim.why, Why::Absent(_));
    let undecided = |claim: &ClaimOutcome| claim.timed && claim.holds == Holds::Undecided && yields(claim);
    !lost && (measurement.rounds.is_empty() || outcome.is_some_and(|outcome| outcome.claims.iter().any(undecided)))
}

/// As many of `rounds` as can be paid for, at what rounds have cost so far.
fn affordable(measurement: &Measurement, rounds: usize, purse: Purse) -> usize {
    let spent = Duration::from_nanos(measurement.rounds.iter().map(|round| round.elapsed_ns).sum());
    let each = spent.as_secs_f64() / measurement.rounds.len().max(1) as f64;
    let left = purse.left.min(purse.per_case.saturating_sub(spent)).as_secs_f64();
    if each > 0.0 { rounds.min((left / each) as usize) } else { rounds }
}
