//! Which numbers are set against which: two arms of the same rounds, or two arms of different runs.

use crate::samples::{ArmRound, Measurement, Metric, Round};
use crate::stats;

use super::{Change, Level};

/// The batches of both arms in one round.
struct Both<'a> {
    baseline: &'a [f64],
    candidate: &'a [f64],
    layout: u64,
}

/// The change from arm `baseline` to arm `candidate`, from the rounds in which both took part. `None` where the metric
/// was not measured.
#[must_use]
pub fn within(measurement: &Measurement, (candidate, baseline): (usize, usize), metric: &Metric) -> Option<Change> {
    let both = |(at, round)| both(round, at, (candidate, baseline), metric);
    let rounds: Vec<Both<'_>> = measurement.rounds.iter().enumerate().filter_map(both).collect();
    let level = Level::steadiest(metric, |level| sizes_spread(&rounds, level));
    (!rounds.is_empty()).then(|| change(&rounds, level, divisor(measurement, metric)))
}

/// How much the sizes of the changes spread, whichever way they go. Had the arms of a round changed places, it would be the
/// same; so a choice by it says nothing of the signs, and the test of the signs keeps its level to the letter. (A choice by
/// the spread of the changes themselves prefers samples that happen to lie close together: half as many false alarms again.)
fn sizes_spread(rounds: &[Both<'_>], level: Level) -> f64 {
    let sizes = rounds.iter().map(|both| log(level, both.baseline, both.candidate).abs());
    stats::spread(&sizes.collect::<Vec<_>>())
}

fn both<'a>(round: &'a Round, at: usize, (candidate, baseline): (usize, usize), metric: &Metric) -> Option<Both<'a>> {
    let (old, new) = (part(round, baseline)?, part(round, candidate)?);
    // Without a layout every round stands for itself.
    let layout = old.layout.unwrap_or(at as u64);
    Some(Both { baseline: usable(old, metric)?, candidate: usable(new, metric)?, layout })
}

/// The batches of a process, unless one can't be: what reads 0 has no relative change.
fn usable<'a>(part: &'a ArmRound, metric: &Metric) -> Option<&'a [f64]> {
    let batches = part.batches.get(metric)?;
    let positive = batches.iter().all(|value| value.is_finite() && *value > 0.0);
    (positive && !batches.is_empty()).then_some(batches)
}

fn change(rounds: &[Both<'_>], level: Level, divisor: f64) -> Change {
    let mean =
        |values: &dyn Fn(&Both<'_>) -> f64| rounds.iter().map(values).sum::<f64>() / divisor / rounds.len() as f64;
    Change {
        level,
        logs: rounds.iter().map(|both| log(level, both.baseline, both.candidate)).collect(),
        halves: rounds.iter().map(|both| halves(both, level)).filter(|difference| difference.is_finite()).collect(),
        layouts: rounds.iter().map(|both| both.layout).collect(),
        batches: rounds.iter().map(|both| both.baseline.len()).sum::<usize>() as f64 / rounds.len() as f64,
        baseline: mean(&|both| level.of(both.baseline)),
        candidate: mean(&|both| level.of(both.candidate)),
    }
}

/// The change seen in the first half of the blocks, less the change seen in the second.
fn halves(both: &Both<'_>, level: Level) -> f64 {
    let middle = both.baseline.len() / 2;
    let ((old, old_later), (new, new_later)) = (both.baseline.split_at(middle), both.candidate.split_at(middle));
    log(level, old, new) - log(level, old_later, new_later)
}

fn log(level: Level, baseline: &[f64], candidate: &[f64]) -> f64 {
    (level.of(candidate) / level.of(baseline)).ln()
}

/// The values of one arm: per round its level per iteration.
///
/// Empty where the metric was not measured.
#[must_use]
pub fn alone(measurement: &Measurement, arm: usize, metric: &Metric) -> Vec<f64> {
    let of = |level| levels(measurement, arm, metric, level);
    of(Level::steadiest(metric, |level| stats::spread(&logs(&of(level)))))
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
    let sides = |level| Sides {
        baseline: logs(&levels(old, old_arm, metric, level)),
        candidate: logs(&levels(new, new_arm, metric, level)),
    };
    let spread = |sides: Sides| stats::spread(&sides.baseline).hypot(stats::spread(&sides.candidate));
    let sides = sides(Level::steadiest(metric, |level| spread(sides(level))));
    (!sides.baseline.is_empty() && !sides.candidate.is_empty()).then_some(sides)
}

fn levels(measurement: &Measurement, arm: usize, metric: &Metric, level: Level) -> Vec<f64> {
    let batches = measurement.rounds.iter().filter_map(|round| usable(part(round, arm)?, metric));
    batches.map(|batches| level.of(batches) / divisor(measurement, metric)).collect()
}

fn logs(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.ln()).collect()
}

fn divisor(measurement: &Measurement, metric: &Metric) -> f64 {
    if metric.adds_up() { measurement.iterations.max(1) as f64 } else { 1.0 }
}

fn part(round: &Round, arm: usize) -> Option<&ArmRound> {
    round.arms.iter().find(|part| part.arm == arm)
}
