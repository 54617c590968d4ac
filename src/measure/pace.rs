//! How long a batch, a round and a series of rounds should be. Pure.

use std::time::Duration;

use crate::samples::Round;
use crate::stats;

/// What calibrating a case found out, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// One iteration.
    pub iteration_ns: f64,
    /// Starting a process, setting the case up and warming it up: what a round costs beside its blocks, per arm.
    pub overhead_ns: f64,
}

/// What a round aims at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// How long a batch is; one iteration where that is longer.
    pub batch: Duration,
    /// The least time per arm inside the batches of a round.
    pub round: Duration,
}

/// The share of a round that is spent inside batches, before anything is known of the spreads.
const DUTY: f64 = 0.9;
/// The least such share where processes or layouts spread most, and many short rounds see more than few long ones.
const LEAST_DUTY: f64 = 0.7;
/// How much shorter and longer than usual rounds may get, as the spreads call for. Where rounds hardly differ, longer ones win
/// next to no time, and fewer rounds know less of how much they differ.
const STRETCH: (f64, f64) = (1.0 / 3.0, 2.0);
/// The most time per arm inside the batches of a round: fresh processes must keep coming.
const LONGEST: f64 = 500e6;
/// The fewest blocks of a round that make an interquartile mean.
const FEWEST_BLOCKS: f64 = 4.0;
/// A batch is never longer than this times the target, whatever a handicap would need.
const LONGEST_BATCH: f64 = 100.0;

/// Iterations per batch: about the target's time; and enough for the smallest handicap to be whole iterations, because a
/// statistic that trims would trim an extra iteration that only now and then comes.
#[must_use]
pub fn iterations(costs: Costs, target: Target, handicaps: &[f64]) -> u64 {
    let batch = target.batch.as_nanos() as f64;
    let usual = (batch / costs.iteration_ns).round().max(1.0);
    let whole = handicaps.iter().filter(|share| **share > 0.0).map(|share| (1.0 / share).ceil());
    let needed = whole.fold(1.0, f64::max);
    let most = (LONGEST_BATCH * batch / costs.iteration_ns).max(1.0);
    // A multiple, so that every batch of a handicapped arm has the same number of extra iterations.
    let multiple = (usual / needed).round().max(1.0) * needed;
    (if needed <= most { multiple } else { usual }) as u64
}

/// Blocks of a round: the target's time, more where starting is dear; once the spreads are known, what they call for.
#[must_use]
pub fn blocks(costs: Costs, target: Target, iterations: u64, rounds: &[Round]) -> usize {
    let batch = costs.iteration_ns * iterations as f64;
    let at_duty = |duty: f64| costs.overhead_ns * duty / (1.0 - duty);
    let aim = target.round.as_nanos() as f64;
    let usual = aim.max(at_duty(DUTY));
    let time = best_blocks(costs, batch, rounds).map_or(usual, |blocks| {
        let least = (aim * STRETCH.0).max(at_duty(LEAST_DUTY));
        (blocks * batch).clamp(least, usual * STRETCH.1)
    });
    (time.min(LONGEST.max(batch)) / batch).round().max(FEWEST_BLOCKS) as usize
}

/// Kalibera & Jones (2013, section 4.2): the number of blocks that, for the cost of a round, narrows the interval most.
fn best_blocks(costs: Costs, batch: f64, rounds: &[Round]) -> Option<f64> {
    const ENOUGH: usize = 10;
    if rounds.len() < ENOUGH {
        return None;
    }
    let groups: Vec<Vec<f64>> = rounds.iter().filter_map(first_log_ratios).collect();
    let components = stats::components(&groups)?;
    Some(stats::best_blocks(components, costs.overhead_ns, batch))
}

/// Per block, ln of the first candidate's time over the baseline's.
fn first_log_ratios(round: &Round) -> Option<Vec<f64>> {
    let times = |at: usize| round.arms.get(at).and_then(|arm| arm.batches.values().next());
    let (baseline, candidate) = (times(0)?, times(1)?);
    Some(candidate.iter().zip(baseline).map(|(c, b)| (c / b).ln()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{ArmRound, Metric};

    const TARGET: Target = Target { batch: Duration::from_millis(1), round: Duration::from_millis(30) };

    fn costs(iteration_ns: f64, overhead_ns: f64) -> Costs {
        Costs { iteration_ns, overhead_ns }
    }

    #[test]
    fn a_batch_is_about_as_long_as_asked_and_one_iteration_at_least() {
        assert_eq!(iterations(costs(10e3, 0.0), TARGET, &[0.0]), 100);
        assert_eq!(iterations(costs(5e6, 0.0), TARGET, &[0.0]), 1);
    }

    #[test]
    fn a_handicap_is_whole_iterations_in_every_batch() {
        for share in [0.005, 0.01, 0.03] {
            let n = iterations(costs(10e3, 0.0), TARGET, &[0.0, share]) as f64;
            assert!(n * share >= 1.0, "{n} iterations can't show {share}");
        }
        assert_eq!(iterations(costs(1e3, 0.0), TARGET, &[0.005]), 1_000);
    }

    /// Twenty rounds of two arms whose log ratios spread like this, between rounds and inside them.
    fn rounds(between: f64, within: f64) -> Vec<Round> {
        let arm = |arm: usize, values: Vec<f64>| ArmRound {
            arm,
            layout: None,
            checksum: String::new(),
            batches: [(Metric::wall(), values)].into(),
            process: std::collections::BTreeMap::new(),
        };
        let sign = |n: usize| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
        let candidate = |at: usize| (0..10).map(|n| 1e6 * (1.0 + between * sign(at) + within * sign(n))).collect();
        let round = |at: usize| Round {
            elapsed_ns: 0,
            inside_ns: 0,
            dropped: 0,
            arms: vec![arm(0, vec![1e6; 10]), arm(1, candidate(at))],
        };
        (0..20).map(round).collect()
    }

    #[test]
    fn rounds_get_shorter_where_rounds_spread_and_longer_where_blocks_do() {
        let blocks_for = |rounds: &[Round]| blocks(costs(10e3, 2e6), TARGET, 100, rounds);
        assert_eq!(blocks_for(&[]), 30);
        assert_eq!(blocks_for(&rounds(0.02, 0.001)), 10);
        assert_eq!(blocks_for(&rounds(0.0, 0.02)), 60);
    }

    #[test]
    fn a_dear_start_makes_rounds_longer_but_not_endless() {
        let n = 100;
        assert_eq!(blocks(costs(10e3, 1e6), TARGET, n, &[]), 30);
        assert_eq!(blocks(costs(10e3, 10e6), TARGET, n, &[]), 90);
        assert_eq!(blocks(costs(10e3, 1e9), TARGET, n, &[]), 500);
        assert_eq!(blocks(costs(2e9, 1e6), TARGET, 1, &[]), 4);
    }
}
