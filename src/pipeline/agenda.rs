//! What to measure next. Pure.
//!
//! Every case gets a few rounds, so that none is missing from the report and what a round of it costs is known. Then the steps of
//! the plan come to their first look, since somebody wrote their claims down. From there on the next series of rounds is the one
//! that costs the least per row or claim that it may decide: a budget that can't decide all rows decides as many as it can, in
//! place of bringing all of them half the way. Series double, so that a row which nothing decides soon gives way to the others.

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
    let turns = open.filter_map(|(at, case)| turn(run, judgement, at, run.measurement(case)?));
    let paid = turns.filter_map(|(turn, urgency)| {
        let measurement = run.measurement(&run.cases[turn.case])?;
        let rounds = match measurement.rounds.len() {
            0 => turn.rounds.min(FIRST),
            _ => affordable(measurement, turn.rounds, purse),
        };
        (rounds > 0).then_some((Turn { rounds, ..turn }, urgency))
    });
    paid.min_by(|(_, one), (_, other)| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))).map(|(turn, _)| turn)
}

/// What comes first, and within that what its rounds cost per row or claim that is undecided, in seconds.
type Urgency = (Place, f64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The first rounds of a case.
    First,
    /// A step of the plan before its first look.
    Claimed,
    Any,
}

/// The rounds up to a case's next look, and how urgent they are.
fn turn(run: &Run, judgement: &Judgement, at: usize, measurement: &Measurement) -> Option<(Turn, Urgency)> {
    let arms = undecided(run, judgement, measurement);
    let measured = measurement.rounds.len();
    let is_step = run.step(&measurement.case).is_some();
    let looks = match measurement.pairs().next().is_some() || is_step {
        true => stats::looks(run.gate.most_rounds),
        false => vec![ALONE],
    };
    let place = match measured {
        0 => Place::First,
        some if is_step && looks.first().is_some_and(|first| some < *first) => Place::Claimed,
        _ => Place::Any,
    };
    let rounds = looks.into_iter().find(|look| *look > measured)? - measured;
    let price = rounds as f64 * each(measurement).as_secs_f64() / decides(judgement, measurement) as f64;
    (!arms.is_empty()).then_some((Turn { case: at, arms, rounds }, (place, price)))
}

/// How many rows and claims of a case more rounds may decide; 1 where there are none yet.
fn decides(judgement: &Judgement, measurement: &Measurement) -> usize {
    let rows = judgement.rows.iter().filter(|row| row.case == measurement.case && row.verdict == Verdict::Undecided);
    let outcome = judgement.steps.iter().find(|outcome| outcome.step.case == measurement.case);
    let claims = outcome.into_iter().flat_map(|outcome| &outcome.claims);
    let claims = claims.filter(|claim| claim.timed && claim.holds == Holds::Undecided);
    (rows.count() + claims.count()).max(1)
}

/// What a round of a case has cost so far.
fn each(measurement: &Measurement) -> Duration {
    spent(measurement) / u32::try_from(measurement.rounds.len()).unwrap_or(u32::MAX).max(1)
}

fn spent(measurement: &Measurement) -> Duration {
    Duration::from_nanos(measurement.rounds.iter().map(|round| round.elapsed_ns).sum())
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
    let looked = stats::looks(run.gate.most_rounds).first().is_some_and(|first| measurement.rounds.len() >= *first);
    let yields = |claim: &ClaimOutcome| !looked || !matches!(claim.why, Why::Absent(_));
    let undecided = |claim: &ClaimOutcome| claim.timed && claim.holds == Holds::Undecided && yields(claim);
    !lost && (measurement.rounds.is_empty() || outcome.is_some_and(|outcome| outcome.claims.iter().any(undecided)))
}

/// As many of `rounds` as can be paid for, at what rounds have cost so far.
fn affordable(measurement: &Measurement, rounds: usize, purse: Purse) -> usize {
    let left = purse.left.min(purse.per_case.saturating_sub(spent(measurement))).as_secs_f64();
    let each = each(measurement).as_secs_f64();
    if each > 0.0 { rounds.min((left / each) as usize) } else { rounds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict;

    /// A run of cases with these numbers of rounds, each of which took so many milliseconds.
    fn run_with(cases: &[(&str, usize, u64)]) -> Run {
        let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        let (mut plain, round) = (run.measurements[0].clone(), run.measurements[0].rounds[0].clone());
        plain.rounds.clear();
        let of = |(case, rounds, ms): &(&str, usize, u64)| Measurement {
            case: case.parse().unwrap(),
            rounds: vec![crate::samples::Round { elapsed_ns: ms * 1_000_000, ..round.clone() }; *rounds],
            ..plain.clone()
        };
        run.measurements = cases.iter().map(of).collect();
        run.cases = run.measurements.iter().map(|measurement| measurement.case.clone()).collect();
        (run.failures, run.complete) = (Vec::new(), false);
        run
    }

    /// The case and the number of rounds that are next, with so many milliseconds left.
    fn chosen(run: &Run, left: u64) -> Option<(String, usize)> {
        let purse = Purse { left: Duration::from_millis(left), per_case: Duration::MAX };
        let turn = next(run, &verdict::judge(run), &[], purse)?;
        Some((run.cases[turn.case].to_string(), turn.rounds))
    }

    #[test]
    fn every_case_gets_first_rounds_before_any_gets_more_even_where_nothing_is_left() {
        let run = run_with(&[("w::cheap", 4, 1), ("w::new", 0, 0)]);
        assert_eq!(chosen(&run, 0), Some(("w::new".to_owned(), FIRST)));
    }

    #[test]
    fn the_series_that_costs_least_is_next_and_series_grow() {
        let run = run_with(&[("w::dear", 4, 900), ("w::cheap", 4, 10)]);
        assert_eq!(chosen(&run, 60_000), Some(("w::cheap".to_owned(), 16)));
        // Sixteen rounds that are 18 times as dear cost less than the 320 of the cheap ones' last look.
        let run = run_with(&[("w::dear", 4, 900), ("w::cheap", 320, 50)]);
        assert_eq!(chosen(&run, 60_000), Some(("w::dear".to_owned(), 16)));
    }

    #[test]
    fn steps_of_the_plan_come_to_their_first_look_before_rows_that_nobody_asked_about() {
        let with_step = |rounds| {
            let mut run = run_with(&[("w::cheap", 4, 1), ("step::s", rounds, 900)]);
            let claims = ["wall < before"];
            let step = serde_json::json!({"case": "step::s", "before": "w::a", "after": "w::b", "claims": claims});
            run.steps = vec![serde_json::from_value(step).unwrap()];
            run
        };
        assert_eq!(chosen(&with_step(4), 60_000), Some(("step::s".to_owned(), 16)));
        assert_eq!(chosen(&with_step(20), 60_000), Some(("w::cheap".to_owned(), 16)));
    }

    #[test]
    fn no_more_rounds_are_begun_than_can_be_paid_for() {
        let run = run_with(&[("w::a", 4, 100)]);
        assert_eq!(chosen(&run, 350), Some(("w::a".to_owned(), 3)));
        assert_eq!(chosen(&run, 50), None);
    }
}
