//! How many events a subscriber has in a day: Poisson distributed, by the normal approximation where the mean is large.

use perfplan_harness::{Checksum, Size, Suite, amount, observe};
use rand::Rng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, Normal, Poisson};

use crate::config::{Config, DailyMeans};
use crate::random;

/// Subscribers of an iteration, each with a number of calls, of messages and of data sessions.
const SUBSCRIBERS: usize = amount(100);

/// From this mean on the normal distribution stands in for Poisson's.
const LARGE: f64 = 30.0;

pub(crate) fn register(suite: &mut Suite) {
    suite.case("arrivals/rebuilt", rebuilt).about(
        "events of 100 subscribers, by Poisson twice and its normal approximation once, each built for its draw",
    );
    suite
        .case("arrivals/reused", reused)
        .about("events of 100 subscribers, by Poisson twice and its normal approximation once, all built at set-up");
}

/// The nearest whole number that is not below 0.
#[inline]
fn nearest(value: f64) -> u32 {
    (value + 0.5) as u32
}

#[expect(clippy::expect_used, reason = "refused are 0 and less, which no caller passes, and means that are not small")]
#[inline]
fn poisson(mean: f64) -> Poisson<f64> {
    Poisson::new(mean).expect("a mean above 0 and below 30")
}

#[expect(clippy::expect_used, reason = "a mean that is not finite can't be drawn from: a mistake in the configuration")]
#[inline]
fn normal(mean: f64) -> Normal<f64> {
    Normal::new(mean, mean.sqrt()).expect("a finite mean")
}

/// Before: every draw builds its distribution.
fn sample_poisson(mean: f64, rng: &mut impl Rng) -> u32 {
    if mean <= 0.0 {
        0
    } else if mean < LARGE {
        poisson(mean).sample(rng) as u32
    } else {
        nearest(normal(mean).sample(rng))
    }
}

/// After: the distribution of one mean, built once.
#[derive(Clone, Copy, Debug)]
enum PoissonSampler {
    /// The mean is 0 (or less): nothing ever arrives.
    Never,
    /// The mean is small.
    Exact(Poisson<f64>),
    /// The mean is large.
    Approximate(Normal<f64>),
}

impl PoissonSampler {
    /// # Panics
    /// Where the mean is not finite.
    fn new(mean: f64) -> Self {
        if mean <= 0.0 {
            Self::Never
        } else if mean < LARGE {
            Self::Exact(poisson(mean))
        } else {
            Self::Approximate(normal(mean))
        }
    }

    #[inline]
    fn sample(&self, rng: &mut impl Rng) -> u32 {
        match self {
            Self::Never => 0,
            Self::Exact(poisson) => poisson.sample(rng) as u32,
            Self::Approximate(normal) => nearest(normal.sample(rng)),
        }
    }
}

/// Before: the events of a day, of each kind: calls, messages, data sessions.
#[inline]
pub(crate) fn sample_daily(means: DailyMeans, rng: &mut impl Rng) -> [u32; 3] {
    let calls = sample_poisson(means.calls, rng);
    let messages = sample_poisson(means.messages, rng);
    let data_sessions = sample_poisson(means.data_sessions, rng);
    [calls, messages, data_sessions]
}

/// After: one sampler for each kind of event, kept by the worker.
pub(crate) struct DailySamplers {
    calls: PoissonSampler,
    messages: PoissonSampler,
    data_sessions: PoissonSampler,
}

impl From<DailyMeans> for DailySamplers {
    fn from(means: DailyMeans) -> Self {
        Self {
            calls: PoissonSampler::new(means.calls),
            messages: PoissonSampler::new(means.messages),
            data_sessions: PoissonSampler::new(means.data_sessions),
        }
    }
}

impl DailySamplers {
    /// The events of a day, of each kind: calls, messages, data sessions.
    #[inline]
    pub(crate) fn sample(&self, rng: &mut impl Rng) -> [u32; 3] {
        let calls = self.calls.sample(rng);
        let messages = self.messages.sample(rng);
        let data_sessions = self.data_sessions.sample(rng);
        [calls, messages, data_sessions]
    }
}

/// The events of iteration `index`.
#[inline]
fn arrivals(index: u64, draw: impl Fn(&mut SmallRng) -> [u32; 3]) -> u64 {
    let mut rng = random::of_iteration(index);
    let mut counts = Checksum::default();
    for _ in 0..SUBSCRIBERS {
        for count in draw(&mut rng) {
            observe("daily_events", f64::from(count));
            counts.add(u64::from(count));
        }
    }
    counts.value()
}

fn rebuilt(_: Size) -> impl FnMut(u64) -> u64 {
    let means = Config::load().daily;
    move |index| arrivals(index, |rng| sample_daily(means, rng))
}

fn reused(_: Size) -> impl FnMut(u64) -> u64 {
    let samplers = DailySamplers::from(Config::load().daily);
    move |index| arrivals(index, |rng| samplers.sample(rng))
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;
    use statrs::distribution::{ContinuousCDF, DiscreteCDF};

    use super::*;
    use crate::fit;

    const DRAWS: usize = 200_000;
    /// Both algorithms behind small means, with the edges of their ranges, and large means.
    const MEANS: [f64; 8] = [0.5, 8.0, 11.9, 12.1, 16.0, 29.9, 30.0, 45.0];

    /// Both ways, sorted.
    fn both(mean: f64) -> [Vec<u32>; 2] {
        let sorted = |draw: &dyn Fn(&mut SmallRng) -> u32| {
            let mut rng = random::of_iteration(1);
            let mut drawn: Vec<u32> = (0..DRAWS).map(|_| draw(&mut rng)).collect();
            drawn.sort_unstable();
            drawn
        };
        let sampler = PoissonSampler::new(mean);
        [sorted(&|rng| sample_poisson(mean, rng)), sorted(&|rng| sampler.sample(rng))]
    }

    /// The chance of at most `count` events, from another implementation.
    fn at_most(count: u32, mean: f64) -> f64 {
        if mean < LARGE {
            statrs::distribution::Poisson::new(mean).unwrap().cdf(u64::from(count))
        } else {
            statrs::distribution::Normal::new(mean, mean.sqrt()).unwrap().cdf(f64::from(count) + 0.5)
        }
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(rebuilt);
        contract::results_depend_on_the_index_alone(reused);
    }

    #[test]
    fn before_and_after_count_the_same_events() {
        contract::results_are_equal(rebuilt, reused);
    }

    #[test]
    fn before_and_after_draw_the_same_numbers_for_small_and_large_means() {
        for mean in MEANS {
            let [before, after] = both(mean);
            assert_eq!(before, after, "mean {mean}");
        }
    }

    #[test]
    fn counts_follow_the_distribution_for_small_and_large_means() {
        for mean in MEANS {
            let [_, drawn] = both(mean);
            let p = fit::kolmogorov_smirnov(&drawn, |count| at_most(count, mean));
            assert!(p > 1e-3, "mean {mean}: p = {p}");
            let off = fit::kolmogorov_smirnov(&drawn, |count| at_most(count, 1.05 * mean));
            assert!(off < 1e-4, "mean {mean}: a mean 5 % off is not seen, p = {off}");
        }
    }

    #[test]
    fn mean_variance_and_median_are_poissons_in_both_branches() {
        for mean in MEANS {
            let [_, drawn] = both(mean);
            let average = drawn.iter().map(|&count| f64::from(count)).sum::<f64>() / DRAWS as f64;
            let variance = drawn.iter().map(|&count| (f64::from(count) - average).powi(2)).sum::<f64>() / DRAWS as f64;
            // Five standard errors; the approximation's rounding adds 1/12 to the variance.
            assert!((average - mean).abs() < 5.0 * (mean / DRAWS as f64).sqrt(), "mean {average}, not {mean}");
            assert!((variance / mean - 1.0).abs() < 0.02, "variance {variance}, not {mean}");
            // Poisson's median lies within [mean - ln 2, mean + 1/3] (Choi 1994).
            let median = f64::from(drawn[DRAWS / 2]);
            assert!(median >= mean - 0.7 && median <= mean + 0.5, "median {median} of mean {mean}");
        }
    }

    #[test]
    fn the_normal_approximation_stays_within_two_per_cent_of_poisson() {
        for mean in [30.0, 45.0, 200.0] {
            let exact = statrs::distribution::Poisson::new(mean).unwrap();
            let furthest = (0..2 * mean as u32)
                .map(|count| (at_most(count, mean) - exact.cdf(u64::from(count))).abs())
                .fold(0.0, f64::max);
            assert!(furthest < 0.02, "mean {mean}: {furthest}");
        }
    }

    #[test]
    fn the_branch_follows_the_mean() {
        assert!(matches!(PoissonSampler::new(0.0), PoissonSampler::Never));
        assert!(matches!(PoissonSampler::new(29.99), PoissonSampler::Exact(_)));
        assert!(matches!(PoissonSampler::new(30.0), PoissonSampler::Approximate(_)));
    }

    #[test]
    fn nothing_arrives_where_the_mean_is_0_and_no_count_is_below_0() {
        let mut rng = random::of_iteration(0);
        assert_eq!((sample_poisson(0.0, &mut rng), PoissonSampler::new(-1.0).sample(&mut rng)), (0, 0));
        assert_eq!([-7.0, -0.5, 0.4, 0.5, 44.4, 44.6].map(nearest), [0, 0, 0, 1, 44, 45]);
    }
}
