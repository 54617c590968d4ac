//! How the batches of one process become one number.
//!
//! What other tenants of a machine do only ever adds time, to some batches and not to others. The fastest batches of a process
//! therefore tell most about the program: on the bundled cases the mean of the fastest quarter spreads half as much from round
//! to round as the interquartile mean of ratios of neighbouring batches does (median over 34 cases; up to forty times less
//! for arithmetic). For some it spreads more: a sort whose branches are learnt in some processes and not in others, a hash
//! table at the edge of the cache. So the spread of the rounds decides which one is taken, for both arms alike.

use crate::samples::Metric;
use crate::stats;

/// Which of its batches stand for a process. Each is a mean of the values between two quantiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The lowest quarter.
    FastestQuarter,
    /// The lower half.
    FastestHalf,
    /// The middle half: the interquartile mean.
    MiddleHalf,
    /// All of them.
    Whole,
}

impl Level {
    /// Those that may be taken for a metric. What adds up over iterations is disturbed in one direction; a percentile or a
    /// ratio is not, and its high values are what it is there for.
    fn of_metric(metric: &Metric) -> &'static [Self] {
        if metric.adds_up() { &[Self::FastestQuarter, Self::FastestHalf, Self::MiddleHalf] } else { &[Self::Whole] }
    }

    /// Of the levels that may be taken for a metric, the one with the smallest spread.
    pub(super) fn steadiest(metric: &Metric, spread: impl Fn(Self) -> f64) -> Self {
        let levels = Self::of_metric(metric).iter().copied();
        let least = levels.min_by(|a, b| spread(*a).total_cmp(&spread(*b)));
        least.unwrap_or(Self::MiddleHalf) // Every metric has a level.
    }

    /// The level of a process with these batches; NaN without any.
    pub(super) fn of(self, batches: &[f64]) -> f64 {
        let (from, to) = match self {
            Self::FastestQuarter => (0.0, 0.25),
            Self::FastestHalf => (0.0, 0.5),
            Self::MiddleHalf => (0.25, 0.75),
            Self::Whole => (0.0, 1.0),
        };
        stats::mean_between(batches, from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_means_of_parts() {
        let batches = [8.0, 1.0, 100.0, 2.0, 5.0, 3.0, 6.0, 4.0];
        assert_eq!(Level::FastestQuarter.of(&batches), 1.5);
        assert_eq!(Level::FastestHalf.of(&batches), 2.5);
        assert_eq!(Level::MiddleHalf.of(&batches), 4.5);
        assert_eq!(Level::Whole.of(&batches), 129.0 / 8.0);
    }

    #[test]
    fn the_tail_of_a_percentile_is_not_cut_off() {
        assert_eq!(Level::of_metric(&"latency.p99".parse().unwrap()), [Level::Whole]);
        assert_eq!(Level::Whole.of(&[1.0, 1.0, 1.0, 97.0]), 25.0, "a stall in one of four batches counts");
        assert_eq!(Level::of_metric(&Metric::wall()).len(), 3);
    }
}
