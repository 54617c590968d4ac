//! How long a call lasts: log-normally distributed, in whole seconds.

use perfplan_harness::{Checksum, Size, Suite, amount, observe};
use rand::Rng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, LogNormal};

use crate::config::{Config, Quantiles};
use crate::random;

/// Calls of an iteration.
const CALLS: usize = amount(400);

/// The 90 % quantile of the standard normal distribution.
const Z90: f64 = 1.281_551_565_544_600_4;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("durations/rebuilt", rebuilt)
        .about("durations of 400 calls, each from a log-normal distribution that is built for it");
    suite
        .case("durations/reused", reused)
        .about("durations of 400 calls, all from one log-normal distribution that was built at set-up");
}

/// Mean and standard deviation of the logarithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logarithm {
    mu: f64,
    sigma: f64,
}

impl From<Quantiles> for Logarithm {
    /// The median's logarithm is the mean of the logarithms, and the 90 % quantile's lies `Z90` deviations above it.
    fn from(Quantiles { p50, p90 }: Quantiles) -> Self {
        let mu = p50.ln();
        Self { mu, sigma: (p90.ln() - mu) / Z90 }
    }
}

impl Logarithm {
    #[expect(
        clippy::expect_used,
        reason = "refused is a spread that is not finite only: a quantile of 0, a mistake in the configuration"
    )]
    #[inline]
    pub(crate) fn distribution(self) -> LogNormal<f64> {
        LogNormal::new(self.mu, self.sigma).expect("quantiles above 0")
    }
}

/// A call lasts at least a second, and the part of a second that has begun is not counted.
#[inline]
fn whole_seconds(duration: f64) -> u32 {
    duration.max(1.0) as u32
}

/// Before: the generator of calls keeps two numbers.
pub(crate) struct RebuildingCalls {
    pub(crate) logarithm: Logarithm,
}

impl RebuildingCalls {
    pub(crate) fn duration(&self, rng: &mut impl Rng) -> u32 {
        let distribution = self.logarithm.distribution();
        whole_seconds(distribution.sample(rng))
    }
}

/// After: the generator of calls keeps the distribution.
pub(crate) struct Calls {
    pub(crate) durations: LogNormal<f64>,
}

impl Calls {
    pub(crate) fn duration(&self, rng: &mut impl Rng) -> u32 {
        whole_seconds(self.durations.sample(rng))
    }
}

/// The durations of iteration `index`.
#[inline]
fn durations(index: u64, draw: impl Fn(&mut SmallRng) -> u32) -> u64 {
    let mut rng = random::of_iteration(index);
    let mut drawn = Checksum::default();
    for _ in 0..CALLS {
        let seconds = draw(&mut rng);
        observe("call_duration", f64::from(seconds));
        drawn.add(u64::from(seconds));
    }
    drawn.value()
}

fn rebuilt(_: Size) -> impl FnMut(u64) -> u64 {
    let calls = RebuildingCalls { logarithm: Config::load().call_duration.into() };
    move |index| durations(index, |rng| calls.duration(rng))
}

fn reused(_: Size) -> impl FnMut(u64) -> u64 {
    let calls = Calls { durations: Logarithm::from(Config::load().call_duration).distribution() };
    move |index| durations(index, |rng| calls.duration(rng))
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;
    use statrs::distribution::ContinuousCDF;

    use super::*;
    use crate::fit;

    const DRAWS: usize = 200_000;
    const ASKED: Quantiles = Quantiles { p50: 60.0, p90: 300.0 };

    fn drawn(draw: impl Fn(&mut SmallRng) -> u32) -> Vec<u32> {
        let mut rng = random::of_iteration(1);
        let mut drawn: Vec<u32> = (0..DRAWS).map(|_| draw(&mut rng)).collect();
        drawn.sort_unstable();
        drawn
    }

    /// Both ways, sorted.
    fn both() -> [Vec<u32>; 2] {
        let before = RebuildingCalls { logarithm: ASKED.into() };
        let after = Calls { durations: Logarithm::from(ASKED).distribution() };
        [drawn(|rng| before.duration(rng)), drawn(|rng| after.duration(rng))]
    }

    /// The chance of at most `seconds` whole seconds, from another implementation, where the median is `p50`.
    fn at_most(seconds: u32, p50: f64) -> f64 {
        let logarithm = Logarithm::from(Quantiles { p50, p90: 5.0 * p50 });
        let exact = statrs::distribution::LogNormal::new(logarithm.mu, logarithm.sigma).unwrap();
        exact.cdf(f64::from(seconds + 1))
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(rebuilt);
        contract::results_depend_on_the_index_alone(reused);
    }

    #[test]
    fn before_and_after_last_equally_long() {
        contract::results_are_equal(rebuilt, reused);
    }

    #[test]
    fn durations_follow_the_log_normal_distribution_before_and_after() {
        for drawn in both() {
            let p = fit::kolmogorov_smirnov(&drawn, |seconds| at_most(seconds, ASKED.p50));
            assert!(p > 1e-3, "p = {p}");
        }
    }

    #[test]
    fn the_test_of_the_distribution_sees_a_median_two_per_cent_off() {
        let [before, _] = both();
        let p = fit::kolmogorov_smirnov(&before, |seconds| at_most(seconds, 1.02 * ASKED.p50));
        assert!(p < 1e-4, "p = {p}");
    }

    #[test]
    fn mean_and_quantiles_are_those_configured_before_and_after() {
        let logarithm = Logarithm::from(ASKED);
        // Whole seconds lack half a second on average.
        let mean = (logarithm.mu + logarithm.sigma.powi(2) / 2.0).exp() - 0.5;
        for drawn in both() {
            let off = |value: f64, asked: f64| (value / asked - 1.0).abs();
            assert!(off(f64::from(drawn[DRAWS / 2]) + 0.5, ASKED.p50) < 0.02, "median {}", drawn[DRAWS / 2]);
            assert!(off(f64::from(drawn[DRAWS / 10 * 9]) + 0.5, ASKED.p90) < 0.02, "p90 {}", drawn[DRAWS / 10 * 9]);
            let average = drawn.iter().map(|&seconds| f64::from(seconds)).sum::<f64>() / DRAWS as f64;
            assert!(off(average, mean) < 0.02, "mean {average}, not {mean}");
        }
    }

    #[test]
    fn the_quantiles_asked_for_are_those_of_the_distribution() {
        let Logarithm { mu, sigma } = ASKED.into();
        let exact = statrs::distribution::LogNormal::new(mu, sigma).unwrap();
        assert!((exact.cdf(ASKED.p50) - 0.5).abs() < 1e-9, "median {}", exact.cdf(ASKED.p50));
        assert!((exact.cdf(ASKED.p90) - 0.9).abs() < 1e-9, "p90 {}", exact.cdf(ASKED.p90));
    }

    #[test]
    fn a_call_lasts_a_second_at_least() {
        assert_eq!([0.0, 0.3, 1.0, 1.9, 2.0].map(whole_seconds), [1, 1, 1, 1, 2]);
    }
}
