//! Which numbers are set against which: two arms of the same rounds, or two arms of different runs.

use crate::samples::{ArmRound, Measurement, Metric, Round};
use crate::stats;

use super::Change;

/// The change from arm `baseline` to arm `candidate`, from the rounds in which both took part. `None` where the metric
/// was not measured.
#[must_use]
pub fn within(measurement: &Measurement, (candidate, baseline): (usize, usize), metric: &Metric) -> Option<Change> {
    let divisor = if metric.adds_up() { measurement.iterations as f64 } else { 1.0 };
    let mut change =
        Change { logs: Vec::new(), layouts: Vec::new(), blocks: Vec::new(), baseline: 0.0, candidate: 0.0 };
    for (at, round) in measurement.rounds.iter().enumerate() {
        let (Some(old), Some(new)) = (values(round, baseline, metric), values(round, candidate, metric)) else {
            continue;
        };
        let ratios: Vec<f64> = new.iter().zip(old).map(|(new, old)| (new / old).ln()).collect();
        if ratios.is_empty() || ratios.iter().any(|ratio| !ratio.is_finite()) {
            continue; // A metric that reads 0 has no relative change.
        }
        change.logs.push(stats::interquartile_mean(&ratios));
        change.blocks.push(ratios);
        // Without a layout every round stands for itself.
        change.layouts.push(part(round, baseline).and_then(|part| part.layout).unwrap_or(at as u64));
        change.baseline += stats::interquartile_mean(old) / divisor;
        change.candidate += stats::interquartile_mean(new) / divisor;
    }
    let rounds = change.logs.len() as f64;
    (rounds > 0.0).then(|| {
        change.baseline /= rounds;
        change.candidate /= rounds;
        change
    })
}

/// The same metric of two arms that were not measured together: per round ln(value per iteration), for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides {
    /// The baseline's rounds.
    pub baseline: Vec<f64>,
    /// The candidate's rounds.
    pub candidate: Vec<f64>,
}

/// Sets arm `old_arm` of one measurement against arm `new_arm` of another. `None` where one lacks the metric.
#[must_use]
pub fn across(
    (old, old_arm): (&Measurement, usize),
    (new, new_arm): (&Measurement, usize),
    metric: &Metric,
) -> Option<Sides> {
    let sides = Sides { baseline: levels(old, old_arm, metric), candidate: levels(new, new_arm, metric) };
    (!sides.baseline.is_empty() && !sides.candidate.is_empty()).then_some(sides)
}

fn levels(measurement: &Measurement, arm: usize, metric: &Metric) -> Vec<f64> {
    let divisor = if metric.adds_up() { measurement.iterations as f64 } else { 1.0 };
    let rounds = measurement.rounds.iter().filter_map(|round| values(round, arm, metric));
    let logs =
        rounds.filter(|values| !values.is_empty()).map(|values| (stats::interquartile_mean(values) / divisor).ln());
    logs.filter(|log| log.is_finite()).collect()
}

fn part(round: &Round, arm: usize) -> Option<&ArmRound> {
    round.arms.iter().find(|part| part.arm == arm)
}

fn values<'a>(round: &'a Round, arm: usize, metric: &Metric) -> Option<&'a [f64]> {
    part(round, arm)?.batches.get(metric).map(Vec::as_slice)
}
