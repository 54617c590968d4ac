//! Plain values, for runs that compare nothing: one arm per case.

use crate::compare;
use crate::samples::{Arm, Measurement, Metric, Run};

use super::arms::Naming;
use super::numbers::{self, NONE};
use super::text::clean;

/// One arm of a case and one metric of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absolute {
    /// Which case.
    pub case: String,
    /// Which arm; empty where all cases have the same one.
    pub arm: String,
    /// Which metric.
    pub metric: String,
    /// Mean per iteration, over rounds.
    pub mean: String,
    /// Standard deviation between rounds, as a share of the mean.
    pub spread: String,
    /// Rounds behind it.
    pub rounds: usize,
    /// Allocations per iteration; a dash where none were counted.
    pub allocations: String,
}

/// The values of every arm that was measured, in the order of the run.
pub(super) fn absolutes(run: &Run) -> Vec<Absolute> {
    let naming = Naming::of(run.plain_measurements().flat_map(|measurement| &measurement.arms));
    let mut values: Vec<Absolute> =
        run.plain_measurements().flat_map(|measurement| of_case(measurement, &run.gate.metrics, naming)).collect();
    if values.windows(2).all(|pair| pair[0].arm == pair[1].arm) {
        values.iter_mut().for_each(|value| value.arm.clear());
    }
    values
}

fn of_case(measurement: &Measurement, metrics: &[Metric], naming: Naming) -> Vec<Absolute> {
    let arms = measurement.arms.iter().enumerate();
    let each = arms.flat_map(|(at, arm)| metrics.iter().map(move |metric| (at, arm, metric)));
    each.filter_map(|(at, arm, metric)| of_arm(measurement, (at, arm), metric, naming)).collect()
}

/// `None` where the arm never yielded the metric.
fn of_arm(measurement: &Measurement, (at, arm): (usize, &Arm), metric: &Metric, naming: Naming) -> Option<Absolute> {
    let values = values(measurement, at, metric);
    let average = mean(&values)?;
    let counts = measurement.counted.get(at).and_then(|counted| counted.get(&allocation_count()?));
    Some(Absolute {
        case: clean(&measurement.case.to_string()),
        arm: naming.name_in(measurement.part, arm),
        metric: clean(metric.as_str()),
        mean: numbers::value(metric, average),
        spread: deviation(&values).map_or(NONE.to_owned(), |deviation| numbers::share(deviation / average)),
        rounds: values.len(),
        allocations: counts.and_then(|counts| mean(counts)).map_or(NONE.to_owned(), crate::units::count),
    })
}

fn allocation_count() -> Option<Metric> {
    "alloc.count".parse().ok()
}

/// Per round the value of the batches, or the one of the whole process.
fn values(measurement: &Measurement, at: usize, metric: &Metric) -> Vec<f64> {
    let batches = compare::alone(measurement, at, metric);
    if !batches.is_empty() {
        return batches;
    }
    let parts = measurement.rounds.iter().flat_map(|round| &round.arms).filter(|part| part.arm == at);
    parts.filter_map(|part| part.process.get(metric).copied()).collect()
}

pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation of several values.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::examples::{measured, run};
    use super::*;

    #[test]
    fn values_are_per_iteration_and_their_spread_is_between_rounds() {
        let mut run = run(&["w::a"]);
        run.measurements = vec![measured("w::a", 100, &[&[99_000.0, 101_000.0], &[120_000.0]])];
        let values = absolutes(&run);
        assert_eq!(values.len(), 1, "{values:?}");
        assert_eq!((values[0].mean.as_str(), values[0].spread.as_str()), ("1.10 µs", "12.9 %"));
        assert_eq!((values[0].rounds, values[0].allocations.as_str(), values[0].arm.as_str()), (2, "3", ""));
    }

    #[test]
    fn one_round_has_no_spread() {
        let mut run = run(&["w::a"]);
        run.measurements = vec![measured("w::a", 1, &[&[5.0]])];
        assert_eq!(absolutes(&run)[0].spread, NONE);
    }
}
