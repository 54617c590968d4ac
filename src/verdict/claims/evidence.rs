//! The interval of a claim's measure: from timed rounds, from counting rounds, or from what is known of the program.

use std::collections::BTreeMap;

use super::outcome::Measured;
use crate::compare::{self, Change};
use crate::samples::{Measurement, Metric};
use crate::stats::{self, Estimate, Spending};

/// How the error of a claim that timed rounds decide is spent over the looks: as for rows.
const SPENDING: Spending = Spending::Power(1.0);

/// The arms of a step's measurement: where there is a case before it, that comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub(super) before: Option<usize>,
    pub(super) after: usize,
}

impl Sides {
    pub(super) fn of(measurement: &Measurement) -> Self {
        match measurement.pairs().next() {
            Some((after, before)) => Self { before: Some(before), after },
            None => Self { before: None, after: 0 },
        }
    }
}

/// What one arm has of a measure.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    /// One value per timed round, above zero.
    Rounds(Vec<f64>),
    /// One value per process of the timed rounds, of which there are more at every look.
    Processes(Vec<f64>),
    /// One value per counting or sampling round.
    Counted(Vec<f64>),
    /// The one value that there is.
    Known(f64),
}

/// Error that may be spent, and how many looks timed rounds were planned to have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) level: f64,
    pub(super) most_rounds: usize,
}

impl Allowance {
    /// The level at the present look.
    fn now(self, rounds: usize) -> f64 {
        let most = self.most_rounds.max(rounds);
        let earlier = stats::looks(most).into_iter().filter(|look| *look < rounds);
        let looks: Vec<usize> = earlier.chain([rounds]).collect();
        SPENDING.level_at(looks.len() - 1, &looks, most, self.level)
    }
}

/// A metric of one arm, wherever it was measured.
pub(super) fn values(measurement: &Measurement, arm: usize, metric: &Metric) -> Option<Values> {
    let timed = compare::alone(measurement, arm, metric);
    if !timed.is_empty() {
        return Some(Values::Rounds(timed));
    }
    let parts = measurement.rounds.iter().flat_map(|round| &round.arms).filter(|part| part.arm == arm);
    let process: Vec<f64> = parts.filter_map(|part| part.process.get(metric).copied()).collect();
    if !process.is_empty() {
        return Some(Values::Processes(process));
    }
    let of = |metric: &Metric| measurement.counted.get(arm)?.get(metric).filter(|values| !values.is_empty());
    // Where no hardware counts them, callgrind does.
    let counted = of(metric).or_else(|| match metric.as_str() {
        "instructions" => of(&"callgrind.instructions".parse().ok()?),
        _ => None,
    });
    let known = || measurement.arms.get(arm)?.sizes.get(metric).copied();
    counted.cloned().map(Values::Counted).or_else(|| known().map(Values::Known))
}

/// Sums of all counted metrics `word.NAME` whose name is wanted, round by round. `None` where nothing of the word was counted.
pub(super) fn sums(measurement: &Measurement, arm: usize, word: &str, wanted: &dyn Fn(&str) -> bool) -> Option<Values> {
    let counted = measurement.counted.get(arm)?;
    let total = counted.iter().find(|(metric, _)| metric.as_str() == word)?.1;
    let of_word = |metric: &Metric| metric.as_str().strip_prefix(word)?.strip_prefix('.').map(wanted);
    let mut sums = vec![0.0; total.len()];
    for (_, values) in counted.iter().filter(|(metric, _)| of_word(metric) == Some(true)) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    Some(Values::Counted(sums))
}

/// The interval of the ratio of both sides in timed rounds: they were measured together, round by round.
pub(super) fn paired(change: &Change, allowance: Allowance) -> Option<Measured> {
    let estimate = change.estimate(change.rounds(), allowance.now(change.rounds()))?;
    let [low, mid, high] = [estimate.low, estimate.mean, estimate.high].map(f64::exp);
    Some(Measured { estimate: mid, low, high, rounds: change.rounds() })
}

/// The interval of one side by itself.
pub(super) fn alone(values: &Values, allowance: Allowance, draws: u64) -> Option<Measured> {
    match values {
        Values::Known(value) => Some(exactly(*value, 1)),
        Values::Rounds(rounds) => {
            let logs: Vec<f64> = rounds.iter().map(|value| value.ln()).collect();
            let estimate = stats::signed_rank_interval(&logs, allowance.now(rounds.len()))?;
            let [low, mid, high] = [estimate.low, estimate.mean, estimate.high].map(f64::exp);
            Some(Measured { estimate: mid, low, high, rounds: rounds.len() })
        }
        Values::Processes(each) => Some(not_below_none(&stats::mean_interval(each, allowance.now(each.len()))?)),
        Values::Counted(counted) => {
            let measured = not_below_none(&stats::mean_interval(counted, allowance.level)?);
            let unseen = if never_seen(counted) { stats::share_never_seen(draws, allowance.level) } else { 0.0 };
            let high = if draws > 0 { measured.high.max(unseen) } else { measured.high };
            Some(Measured { high, ..measured })
        }
    }
}

/// The interval of the ratio of both sides, counted in rounds of their own. Where sampling never saw the measure on the side
/// after the step, what could have been missed counts. `draws` are the samples behind shares; 0 for counts.
pub(super) fn unpaired(after: &Values, before: &Values, allowance: Allowance, draws: u64) -> Option<Measured> {
    match (after, before) {
        (Values::Known(after), Values::Known(before)) if *before > 0.0 => Some(exactly(after / before, 1)),
        (Values::Processes(above), Values::Processes(below)) => {
            let level = allowance.now(above.len().min(below.len()));
            Some(not_below_none(&stats::ratio_interval(above, below, level)?))
        }
        (Values::Counted(above), Values::Counted(below)) => {
            let estimate = stats::ratio_interval(above, below, allowance.level)?;
            if draws == 0 || !never_seen(above) {
                return Some(not_below_none(&estimate));
            }
            let least = stats::mean_interval(below, allowance.level)?.low;
            let high = stats::share_never_seen(draws, allowance.level) / least;
            (least > 0.0).then_some(Measured { estimate: 0.0, low: 0.0, high, rounds: estimate.n })
        }
        _ => None,
    }
}

fn never_seen(values: &[f64]) -> bool {
    values.iter().all(|value| *value == 0.0)
}

fn exactly(value: f64, rounds: usize) -> Measured {
    Measured { estimate: value, low: value, high: value, rounds }
}

/// A count, a size or a share below zero is none.
fn not_below_none(estimate: &Estimate) -> Measured {
    let Estimate { mean, low, high, n, .. } = *estimate;
    Measured { estimate: mean, low: low.max(0.0).min(mean), high, rounds: n }
}

/// Whether the values are all zero: nothing is a multiple of that but zero.
pub(super) fn is_nothing(values: &Values) -> bool {
    match values {
        Values::Rounds(each) | Values::Processes(each) | Values::Counted(each) => never_seen(each),
        Values::Known(value) => *value == 0.0,
    }
}

/// Samples behind the shares of an arm; 0 where it was not sampled.
pub(super) fn samples(measurement: &Measurement, arm: usize) -> u64 {
    measurement.profiles.iter().find(|profile| profile.arm == arm).map_or(0, |profile| profile.samples)
}

/// The draws of a distribution that an arm reported.
pub(super) fn draws<'m>(measurement: &'m Measurement, arm: usize, name: &str) -> Option<&'m [f64]> {
    let of: &BTreeMap<String, Vec<f64>> = measurement.observed.get(arm)?;
    of.get(name).map(Vec::as_slice)
}

/// Whether both sides always had the same results; `None` where nothing says what they were.
pub(super) fn same_results(measurement: &Measurement, sides: Sides) -> Option<bool> {
    let sum = |round: &crate::samples::Round, arm: usize| {
        let part = round.arms.iter().find(|part| part.arm == arm)?;
        // Commands have no checksums, and neither has a round that kept no block.
        (!part.checksum.is_empty()).then(|| part.checksum.clone())
    };
    let before = sides.before?;
    let pairs = measurement.rounds.iter().filter_map(|round| Some((sum(round, sides.after)?, sum(round, before)?)));
    pairs.map(|(after, before)| after == before).reduce(|all, same| all && same)
}
