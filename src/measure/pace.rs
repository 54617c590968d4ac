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

/// At least this share of a round is spent inside batches.
const DUTY: f64 = 0.9;
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

/// Blocks of a round: the target's time, more where starting is dear, and what the measured spreads call for.
#[must_use]
pub fn blocks(costs: Costs, target: Target, iterations: u64, rounds: &[Round]) -> usize {
    let batch = costs.iteration_ns * iterations as f64;
    let duty = costs.overhead_ns * DUTY / (1.0 - DUTY);
    let least = (target.round.as_nanos() as f64).max(duty);
    let called_for = best_blocks(costs, batch, rounds).unwrap_or(0.0) * batch;
    let time = least.max(called_for).min(LONGEST.max(batch));
    (time / batch).round().max(FEWEST_BLOCKS) as usize
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

    #[test]
    fn a_dear_start_makes_rounds_longer_but_not_endless() {
        let n = 100;
        assert_eq!(blocks(costs(10e3, 1e6), TARGET, n, &[]), 30);
        assert_eq!(blocks(costs(10e3, 10e6), TARGET, n, &[]), 90);
        assert_eq!(blocks(costs(10e3, 1e9), TARGET, n, &[]), 500);
        assert_eq!(blocks(costs(2e9, 1e6), TARGET, 1, &[]), 4);
    }
}
