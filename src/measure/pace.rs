//! How long a batch, a round and a series of rounds should be. Pure.

use std::time::Duration;

use crate::stats;

/// What calibrating a case found out, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// One iteration.
    pub iteration_ns: f64,
    /// Starting a process, setting the case up, warming it up and ending it: what a round costs beside its blocks, per arm.
    pub overhead_ns: f64,
    /// What a batch costs beside its work: handing over and answering.
    pub handing_ns: f64,
}

/// What a batch of several arms costs that are each to get the same number of iterations. Arms that run different cases may
/// differ a hundredfold: the geometric mean makes the batches of the quick one as much shorter than asked as those of the slow
/// one are longer.
#[must_use]
pub fn together(arms: &[Costs]) -> Costs {
    let mean = |of: fn(&Costs) -> f64| arms.iter().map(of).sum::<f64>() / arms.len().max(1) as f64;
    Costs {
        iteration_ns: mean(|costs| costs.iteration_ns.ln()).exp(),
        overhead_ns: mean(|costs| costs.overhead_ns),
        handing_ns: mean(|costs| costs.handing_ns),
    }
}

/// What a round aims at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// How long a batch is; one iteration where that is longer.
    pub batch: Duration,
    /// The least time per arm inside the batches of a round.
    pub round: Duration,
    /// The least share of a round that is spent inside batches, 0 to 1. Where processes or layouts spread most, shorter rounds
    /// would see more in the same time, but hardly: 0.7 in place of 0.87 changed no interval clearly.
    pub duty: f64,
}

/// How much shorter and longer than usual rounds may get, as the spreads call for. Where rounds hardly differ, longer ones win
/// next to no time, and fewer rounds know less of how much they differ.
const STRETCH: (f64, f64) = (1.0 / 3.0, 2.0);
/// The most time per arm inside the batches of a round: fresh processes must keep coming.
const LONGEST: f64 = 500e6;
/// The fewest blocks of a round of which a part can stand for all; fewer where they are so long (ns) that nothing short can disturb
/// much of one.
const FEWEST_BLOCKS: f64 = 4.0;
const FEWEST_LONG_BLOCKS: f64 = 2.0;
const LONG: f64 = 90e6;
/// A batch is never longer than this times the target, whatever a handicap would need.
const LONGEST_BATCH: f64 = 1_000.0;

/// Iterations per batch: about the target's time; and enough for the smallest handicap to be whole iterations, because a
/// statistic that trims would trim an extra iteration that only now and then comes. `None` where such a batch would be too long.
#[must_use]
pub fn iterations(costs: Costs, target: Target, handicaps: &[f64]) -> Option<u64> {
    let batch = target.batch.as_nanos() as f64;
    let usual = (batch / costs.iteration_ns).round().max(1.0);
    let whole = handicaps.iter().filter(|share| **share > 0.0).map(|share| (1.0 / share).ceil());
    let needed = whole.fold(1.0, f64::max);
    let most = (LONGEST_BATCH * batch / costs.iteration_ns).max(1.0);
    // A multiple, so that every batch of a handicapped arm has the same number of extra iterations.
    let multiple = (usual / needed).round().max(1.0) * needed;
    (needed <= most || needed <= 1.0).then_some(multiple as u64)
}

/// Blocks of a round: the target's time, more where starting is dear; once the variances are known, what they call for
/// (Kalibera & Jones 2013, section 4.2: the number of blocks that, for the cost of a round, narrows the interval most).
#[must_use]
pub fn blocks(costs: Costs, target: Target, iterations: u64, variances: Option<stats::Components>) -> usize {
    let batch = costs.iteration_ns * iterations as f64;
    // Of every batch, what its handing over takes from the share that may be lost is gone for the round's own overhead.
    let spare = (1.0 - target.duty) - target.duty * costs.handing_ns / batch;
    let at_duty = if spare > 0.0 { costs.overhead_ns * target.duty / spare } else { f64::INFINITY };
    let fewest = if batch < LONG { FEWEST_BLOCKS } else { FEWEST_LONG_BLOCKS };
    let aim = target.round.as_nanos() as f64;
    let usual = aim.max(at_duty);
    let best = variances.map(|variances| stats::best_blocks(variances, costs.overhead_ns, batch));
    let time = best.map_or(usual, |blocks| {
        let most = usual.min(LONGEST) * STRETCH.1;
        (blocks * batch).clamp((aim * STRETCH.0).max(at_duty).min(most), most)
    });
    (time.min(LONGEST.max(batch)) / batch).round().max(fewest) as usize
}

/// Executions of a command in a round. Every one is a process of its own, so a round needs only as many as make what is done
/// between rounds (recording, judging) little beside them.
#[must_use]
pub fn executions(costs: Costs, target: Target) -> usize {
    const SHORTEST: f64 = 1.0 / 3.0;
    (target.round.as_nanos() as f64 * SHORTEST / costs.iteration_ns).round().max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { batch: Duration::from_millis(1), round: Duration::from_millis(30), duty: 0.9 };

    fn costs(iteration_ns: f64, overhead_ns: f64) -> Costs {
        Costs { iteration_ns, overhead_ns, handing_ns: 0.0 }
    }

    #[test]
    fn a_batch_is_about_as_long_as_asked_and_one_iteration_at_least() {
        assert_eq!(iterations(costs(10e3, 0.0), TARGET, &[0.0]), Some(100));
        assert_eq!(iterations(costs(5e6, 0.0), TARGET, &[0.0]), Some(1));
        assert_eq!(iterations(costs(20e9, 0.0), TARGET, &[]), Some(1));
    }

    #[test]
    fn a_handicap_is_whole_iterations_in_every_batch() {
        for share in [0.005, 0.01, 0.03] {
            let n = iterations(costs(10e3, 0.0), TARGET, &[0.0, share]).unwrap() as f64;
            assert!(n * share >= 1.0, "{n} iterations can't show {share}");
        }
        assert_eq!(iterations(costs(1e3, 0.0), TARGET, &[0.005]), Some(1_000));
        assert_eq!(iterations(costs(400e3, 0.0), TARGET, &[0.005]), Some(200));
        assert_eq!(iterations(costs(50e6, 0.0), TARGET, &[0.005]), None, "a batch of ten seconds");
    }

    #[test]
    fn rounds_get_shorter_where_rounds_spread_and_longer_where_blocks_do() {
        let blocks_for = |within: f64, between: f64| {
            blocks(costs(10e3, 1e6), TARGET, 100, Some(stats::Components { within, between }))
        };
        assert_eq!(blocks(costs(10e3, 1e6), TARGET, 100, None), 30);
        assert_eq!(blocks_for(1e-6, 4e-4), 10);
        assert_eq!(blocks_for(4e-4, 0.0), 60);
    }

    #[test]
    fn handing_over_counts_too_and_where_it_eats_the_share_rounds_are_as_long_as_can_be() {
        let blocks_for = |handing_ns: f64| blocks(Costs { handing_ns, ..costs(10e3, 4e6) }, TARGET, 100, None);
        assert_eq!(blocks_for(0.0), 36);
        assert_eq!(blocks_for(20e3), 44);
        assert_eq!(blocks_for(500e3), 500);
    }

    #[test]
    fn arms_that_run_different_cases_share_the_stretch() {
        let both = together(&[costs(100e3, 1e6), costs(1e3, 3e6)]);
        assert!((both.iteration_ns / 10e3 - 1.0).abs() < 1e-9 && both.overhead_ns == 2e6, "{both:?}");
        assert_eq!(iterations(both, TARGET, &[]), Some(100), "10 ms of the slow one, 0.1 ms of the quick one");
    }

    #[test]
    fn a_dear_start_makes_rounds_longer_but_not_endless() {
        let n = 100;
        assert_eq!(blocks(costs(10e3, 1e6), TARGET, n, None), 30);
        assert_eq!(blocks(costs(10e3, 10e6), TARGET, n, None), 90);
        assert_eq!(blocks(costs(10e3, 1e9), TARGET, n, None), 500);
        assert_eq!(blocks(costs(2e9, 1e6), TARGET, 1, None), 2, "so long that nothing short disturbs much of one");
        assert_eq!(blocks(costs(50e6, 1e6), TARGET, 1, None), 4);
    }

    #[test]
    fn short_commands_run_several_times_in_a_round_and_long_ones_once() {
        assert_eq!(executions(costs(600e3, 0.0), TARGET), 17);
        assert_eq!(executions(costs(80e6, 0.0), TARGET), 1);
    }
}
