//! The change of one metric from one arm to another, round by round.

use super::Level;
use crate::stats::{self, Components, Estimate};

/// How a candidate differs from a baseline, on the log scale: one number per round.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which batches stand for a process.
    pub level: Level,
    /// Per round ln(candidate's level / baseline's). Rounds are the independent observations; blocks never are.
    pub logs: Vec<f64>,
    /// Per round how far the change seen in the first half of its blocks is from the change seen in the second. (Not in every other
    /// block: programs that use two buffers in turn make neighbouring batches differ, and no number of blocks averages that.)
    pub halves: Vec<f64>,
    /// Per round the layout that was drawn: rounds that share one are not quite independent.
    pub layouts: Vec<u64>,
    /// Batches per process, mean over rounds.
    pub batches: f64,
    /// The baseline's value per iteration, mean over rounds.
    pub baseline: f64,
    /// The candidate's value per iteration, mean over rounds.
    pub candidate: f64,
}

/// Where the variance of a change's estimate comes from: each level's part of it, on the log scale squared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// From batches inside a process.
    pub blocks: f64,
    /// From processes.
    pub processes: f64,
    /// From link orders.
    pub layouts: f64,
}

impl Change {
    /// How many rounds it rests on.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.logs.len()
    }

    /// The estimate from the first `rounds` rounds: Hodges-Lehmann's, with the signed-rank interval at error `alpha`. `None`
    /// with too few rounds for that level.
    #[must_use]
    pub fn estimate(&self, rounds: usize, alpha: f64) -> Option<Estimate> {
        stats::signed_rank_interval(&self.independent(rounds), alpha)
    }

    /// The p-value of "no change" from the first `rounds` rounds.
    #[must_use]
    pub fn p(&self, rounds: usize) -> f64 {
        stats::signed_rank_p(&self.independent(rounds))
    }

    /// One number per layout, the mean over its rounds: rounds that share a layout are not independent, layouts are.
    fn independent(&self, rounds: usize) -> Vec<f64> {
        let rounds = rounds.min(self.logs.len());
        let groups = grouped(&self.logs[..rounds], &self.layouts[..rounds]);
        groups.iter().map(|group| group.iter().sum::<f64>() / group.len() as f64).collect()
    }

    /// The two variances that decide how long rounds should be: of one block, and between rounds beyond that. `None` where
    /// too few rounds or blocks tell.
    #[must_use]
    pub fn components(&self) -> Option<Components> {
        let (total, blocks) = (stats::spread(&self.logs).powi(2), self.blocks_part());
        let known = self.halves.len() > 1 && total.is_finite();
        known.then(|| Components { within: blocks * self.batches, between: (total - blocks).max(0.0) })
    }

    /// The part of a round's variance that is its blocks'. Its two halves differ by four times that.
    fn blocks_part(&self) -> f64 {
        if self.halves.len() > 1 { stats::spread(&self.halves).powi(2) / 4.0 } else { 0.0 }
    }

    /// What the three levels of variance contribute to the uncertainty of the estimate. `None` with too few rounds to tell.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        let rounds = self.logs.len();
        if rounds < 2 {
            return None;
        }
        let total = stats::spread(&self.logs).powi(2);
        let blocks = self.blocks_part().min(total);
        let groups = grouped(&self.logs, &self.layouts);
        let repeated = stats::components(&groups).filter(|_| groups.len() < rounds);
        let share = repeated.map_or(0.0, |c| c.between / (c.between + c.within).max(f64::MIN_POSITIVE));
        let layouts = (share * total).min(total - blocks);
        Some(Spread {
            blocks: blocks / rounds as f64,
            processes: (total - blocks - layouts) / rounds as f64,
            layouts: layouts / groups.len() as f64,
        })
    }
}

fn grouped(values: &[f64], keys: &[u64]) -> Vec<Vec<f64>> {
    let mut groups = std::collections::BTreeMap::<u64, Vec<f64>>::new();
    for (value, key) in values.iter().zip(keys) {
        groups.entry(*key).or_default().push(*value);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    /// Sum of twelve uniforms: near enough to a normal, without a dependency.
    fn normal(rng: &mut Rng) -> f64 {
        (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
    }

    /// 200 rounds of 10 blocks over 100 layouts with these standard deviations.
    fn change(layout_sd: f64, process_sd: f64, block_sd: f64) -> Change {
        let mut rng = Rng::with_seed(7);
        let layouts: Vec<u64> = (0..200).map(|round| round / 2).collect();
        let effects: Vec<f64> = (0..100).map(|_| layout_sd * normal(&mut rng)).collect();
        let blocks: Vec<Vec<f64>> = layouts
            .iter()
            .map(|layout| {
                let level = effects[*layout as usize] + process_sd * normal(&mut rng);
                (0..10).map(|_| level + block_sd * normal(&mut rng)).collect()
            })
            .collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let logs = blocks.iter().map(|block| mean(block)).collect();
        let halves = blocks.iter().map(|block| mean(&block[..5]) - mean(&block[5..])).collect();
        Change { level: Level::MiddleHalf, logs, halves, layouts, batches: 10.0, baseline: 1.0, candidate: 1.0 }
    }

    #[test]
    fn the_level_that_spreads_most_is_told() {
        let spread = change(0.01, 0.001, 0.001).spread().unwrap();
        assert!(spread.layouts > 10.0 * spread.processes.max(spread.blocks), "{spread:?}");
        let spread = change(0.001, 0.01, 0.001).spread().unwrap();
        assert!(spread.processes > 10.0 * spread.blocks && spread.processes > 3.0 * spread.layouts, "{spread:?}");
        let spread = change(0.0, 0.0, 0.02).spread().unwrap();
        assert!(spread.blocks > 3.0 * spread.processes.max(spread.layouts), "{spread:?}");
    }

    #[test]
    fn shared_layouts_widen_the_interval() {
        let shared = change(0.01, 0.001, 0.001);
        let alone = Change { layouts: (0..200).collect(), ..shared.clone() };
        let width = |change: &Change| change.estimate(200, 0.01).unwrap().half_width();
        assert!(width(&shared) > 1.2 * width(&alone));
    }
}
