//! Estimates with their intervals, and Welch's of a difference of two means.

use super::student::{critical, two_sided_p};
use super::summary::{all_finite, mean, variance};

/// A mean and how well it is known. All but `df` and `n` are in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimated mean.
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// Degrees of freedom of the standard error; not always whole, infinite when `se` is taken as known.
    pub df: f64,
    /// How many values went in.
    pub n: usize,
}

impl Estimate {
    /// The interval `mean +- t * se` that misses the truth with chance `alpha`.
    pub(super) fn student(mean: f64, se: f64, df: f64, n: usize, alpha: f64) -> Estimate {
        let reach = if se > 0.0 { critical(alpha, df) * se } else { 0.0 };
        Estimate { mean, se, low: mean - reach, high: mean + reach, df, n }
    }

    /// Half the length of the interval.
    pub fn half_width(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Whether `x` lies inside the interval, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// The two-sided t test of "the mean is zero". Without any spread it is 1 for a mean of zero and 0 for any other.
    pub fn p(&self) -> f64 {
        if self.se > 0.0 {
            two_sided_p(self.mean / self.se, self.df)
        } else if self.mean == 0.0 {
            1.0
        } else {
            0.0
        }
    }
}

/// Whether `alpha` can be the level of an interval.
pub(super) fn is_level(alpha: f64) -> bool {
    alpha > 0.0 && alpha < 1.0
}

/// Welch's interval for mean(`candidate`) - mean(`baseline`), two independent groups with spreads of their own, as
/// when the baseline was measured on another day.
///
/// `extra_sd` is the standard deviation of such a difference between two runs of one and the same program beyond what
/// the spread inside the runs explains (for two alike runs: sqrt(2) times the spread of one). It is added in
/// quadrature and taken as known; 0 switches it off. The degrees of freedom are Welch and Satterthwaite's, the known
/// part counting as infinitely many.
///
/// `None` when a group has fewer than two values, when a number is not finite, when `extra_sd` is negative, or when
/// `alpha` is outside (0, 1).
pub fn welch_interval(candidate: &[f64], baseline: &[f64], alpha: f64, extra_sd: f64) -> Option<Estimate> {
    let known = extra_sd.is_finite() && extra_sd >= 0.0;
    if candidate.len() < 2 || baseline.len() < 2 || !known || !is_level(alpha) {
        return None;
    }
    if !all_finite(candidate) || !all_finite(baseline) {
        return None;
    }
    let (change, n) = (mean(candidate) - mean(baseline), candidate.len() + baseline.len());
    let share = |group: &[f64]| variance(group) / group.len() as f64;
    let (a, b) = (share(candidate), share(baseline));
    let total = a + b + extra_sd * extra_sd;
    let wobble = a * a / (candidate.len() as f64 - 1.0) + b * b / (baseline.len() as f64 - 1.0);
    // Two groups without any spread: the difference is exact, or known to within `extra_sd`.
    let df = if wobble > 0.0 { total * total / wobble } else { f64::INFINITY };
    Some(Estimate::student(change, total.sqrt(), df, n, alpha))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::normals;

    const CANDIDATE: [f64; 10] = [1.2, -0.4, 0.9, 2.2, 0.3, 1.1, -0.1, 0.8, 1.7, 0.5];
    const BASELINE: [f64; 6] = [0.2, 0.6, -1.4, 0.3, 0.9, -0.5];

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    #[test]
    fn the_welch_interval_matches_scipy() {
        // scipy.stats.ttest_ind(..., equal_var=False)
        let found = welch_interval(&CANDIDATE, &BASELINE, 0.05, 0.0).expect("two groups");
        assert!(close(found.mean, 0.8033333333333332) && close(found.df, 10.153424252973819), "{found:?}");
        assert!(close(found.low, -0.1383338120875398) && close(found.high, 1.7450004787542062), "{found:?}");
        assert!(close(found.p(), 0.08661718720678806), "{}", found.p());
    }

    #[test]
    fn spread_between_runs_widens_the_welch_interval_in_quadrature() {
        let alone = welch_interval(&CANDIDATE, &BASELINE, 0.05, 0.0).expect("two groups");
        let stored = welch_interval(&CANDIDATE, &BASELINE, 0.05, 3.0).expect("two groups");
        assert!(close(stored.se, alone.se.hypot(3.0)) && stored.df > alone.df);
        let exact = welch_interval(&[2.0, 2.0], &[1.0, 1.0], 0.05, 0.5).expect("two groups");
        assert!(close(exact.half_width(), 0.5 * 1.959963984540054), "{exact:?}");
    }

    #[test]
    fn what_has_no_interval_is_none() {
        for alpha in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(welch_interval(&CANDIDATE, &BASELINE, alpha, 0.0), None);
        }
        assert_eq!(welch_interval(&CANDIDATE, &[1.0, f64::INFINITY], 0.05, 0.0), None);
        assert_eq!(welch_interval(&CANDIDATE, &[1.0], 0.05, 0.0), None);
        assert_eq!(welch_interval(&CANDIDATE, &BASELINE, 0.05, -1.0), None);
        assert_eq!(welch_interval(&CANDIDATE, &BASELINE, 0.05, f64::NAN), None);
    }

    #[test]
    fn an_interval_widens_as_alpha_falls_and_excludes_zero_exactly_when_p_is_below_alpha() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let n = rng.usize(2..40);
            let values: Vec<f64> = normals(&mut rng, n).iter().map(|x| x + 0.4).collect();
            let mut before = 0.0;
            for alpha in [0.5, 0.1, 0.01, 1e-3, 1e-5] {
                let found = welch_interval(&values, &BASELINE, alpha, 0.0).expect("finite values");
                assert!(found.half_width() > before);
                assert_eq!(found.contains(0.0), found.p() >= alpha);
                before = found.half_width();
            }
        }
    }
}
