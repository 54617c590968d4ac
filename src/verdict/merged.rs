//! Tests of judging runs that were put together from shards.

use crate::samples::{Divided, Failure, Run, Shard, merge};

use super::{BETWEEN_RUNS, Basis, Judgement, Row, Verdict, judge, judge_stored};

/// A real run as a shard of two: its candidate is called `candidate` and takes `factor` times as long.
fn shard(text: &str, candidate: &str, factor: f64) -> Run {
    let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
    let number = text.parse::<Shard>().unwrap().index() + 1;
    run.id = format!("run-{number}").parse().unwrap();
    let (plan, command) = (Default::default(), "cargo perfplan run".to_owned());
    let (shard, parts) = (text.parse().ok(), Vec::new());
    run.divided = Some(Divided { plan, command, shard, elsewhere: 1, parts });
    let measurement = &mut run.measurements[0];
    measurement.arms[1].variant = candidate.parse().unwrap();
    let candidates = measurement.rounds.iter_mut().flat_map(|round| &mut round.arms).filter(|arm| arm.arm == 1);
    candidates.flat_map(|arm| arm.batches.values_mut().flatten()).for_each(|value| *value *= factor);
    run
}

fn shards() -> [Run; 2] {
    [shard("1/2", "fat", 1.0), shard("2/2", "native", 3.0)]
}

fn row<'j>(judgement: &'j Judgement, candidate: &str, part: &str) -> &'j Row {
    let part = Some(part.parse().unwrap());
    judgement.rows.iter().find(|row| row.candidate.variant.as_str() == candidate && row.part == part).unwrap()
}

#[test]
fn rows_name_the_arms_of_their_own_part_and_share_one_error_budget() {
    let merged = judge(&merge(shards().to_vec()).unwrap());
    assert_eq!(merged.rows.len(), 2);
    assert!(merged.missing.is_empty() && merged.failures.is_empty(), "{:?}", merged.failures);
    for (run, (candidate, part)) in shards().iter().zip([("fat", "1/2"), ("native", "2/2")]) {
        let alone = &judge(run).rows[0];
        let row = row(&merged, candidate, part);
        assert_eq!((row.candidate_value, row.baseline_value), (alone.candidate_value, alone.baseline_value));
        assert!(alone.level <= row.level, "a shard that is judged alone leaves the others their share");
        assert_eq!(alone.verdict, row.verdict);
    }
    let by_itself = judge(&Run { divided: None, ..shard("1/2", "fat", 1.0) });
    assert!(row(&merged, "fat", "1/2").level <= by_itself.rows[0].level);
    assert!(judge(&shards()[0]).rows[0].level < by_itself.rows[0].level);
}

#[test]
fn a_failure_of_one_part_leaves_the_others_arm_of_the_same_place_alone() {
    let [one, mut other] = shards();
    let case = Some(other.cases[0].clone());
    let (what, why) = ("it".to_owned(), "broke".to_owned());
    other.failures.push(Failure { what, why, command: None, case, arm: Some(1), part: None });
    let judgement = judge(&merge(vec![one, other]).unwrap());
    assert_eq!(judgement.rows.len(), 1);
    assert_eq!(judgement.rows[0].candidate.variant.as_str(), "fat");
    assert_eq!(judgement.failures[0].part, "2/2".parse().ok());
}

#[test]
fn a_missing_shard_is_a_failure_of_the_report() {
    let judgement = judge(&merge(vec![shard("2/2", "native", 3.0)]).unwrap());
    assert_eq!(judgement.failures.len(), 1);
    assert_eq!(judgement.failures[0].what, "shard 1/2 is missing");
    assert_eq!(judgement.failures[0].command.as_deref(), Some("cargo perfplan run --shard 1/2"));
}

#[test]
fn two_shards_of_three_are_judged_no_more_generously_than_one() {
    let third = |text: &str, candidate: &str| {
        let mut run = shard(text, candidate, 1.0);
        let metrics = run.gate.metrics.len();
        run.divided.as_mut().unwrap().elsewhere = 2 * metrics;
        run
    };
    let (one, other) = (third("1/3", "fat"), third("2/3", "native"));
    let two = judge(&merge(vec![one.clone(), other.clone()]).unwrap());
    let metrics = one.gate.metrics.len() as f64;
    let share = |rows: f64| one.gate.family_error / (rows + metrics);
    let all = judge(&merge(vec![one.clone(), other, third("3/3", "mimalloc")]).unwrap());
    assert!(row(&two, "fat", "1/3").level < row(&all, "fat", "1/3").level, "the third is still to come");
    assert!(judge(&one).rows[0].level < row(&two, "fat", "1/3").level, "what came is counted as it is");
    assert!(row(&two, "fat", "1/3").level <= share(2.0));
}

#[test]
fn a_part_that_was_broken_off_keeps_a_share_for_what_it_has_not_measured() {
    let [one, other] = shards();
    let mut broken = Run { complete: false, ..other };
    broken.cases.push("generator::contacts/later".parse().unwrap());
    let level = |other: Run| row(&judge(&merge(vec![one.clone(), other]).unwrap()), "fat", "1/2").level;
    let (ended, broken) = (level(Run { complete: true, ..broken.clone() }), level(broken));
    assert!(broken < ended, "{broken} and {ended}");
}

#[test]
fn merged_runs_are_compared_part_by_part() {
    let old = merge(shards().to_vec()).unwrap();
    let mut new = old.clone();
    for measurement in &mut new.measurements {
        measurement.arms.iter_mut().for_each(|arm| arm.code += "new");
    }
    let judgement = judge_stored(&old, &new, BETWEEN_RUNS);
    assert_eq!(judgement.rows.len(), 4, "the baseline is an arm of each part");
    for (candidate, part) in [("release", "1/2"), ("fat", "1/2"), ("release", "2/2"), ("native", "2/2")] {
        let row = row(&judgement, candidate, part);
        assert_eq!(row.candidate_value, row.baseline_value, "{candidate} is set against itself in the same part");
        assert_eq!(row.basis, Basis::Stored);
        assert_ne!(row.verdict, Verdict::Regressed);
    }
    assert!(judge_stored(&old, &old, BETWEEN_RUNS).rows.iter().all(|row| row.basis == Basis::SameCode));
}
