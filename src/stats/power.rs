//! What a measurement could have seen.

use super::interval::is_level;
use super::student::{critical, normal_upper};

/// Points at which the distribution of the estimated standard error is summed.
const NODES: usize = 64;

/// The smallest true |change| that is found with chance `power`, where "found" means that the t interval at level
/// `alpha` excludes zero on the right side **and** the estimate is further from zero than `tolerance`.
///
/// `se` is the standard error of the estimate and `df` its degrees of freedom (infinite when it is known); the result
/// is on the scale of `se` and `tolerance`, for example log ratios. The estimate is normal round the true change, its
/// standard error varies like the root of a chi-square over `df`, and both conditions are taken together: with
/// `tolerance` = 0 this is the effect size of the noncentral t test. Without any spread (`se` = 0) everything beyond
/// the tolerance is found, and the tolerance is returned. Infinite when nothing can be: `alpha` or `power` outside
/// (0, 1), `df` not positive, or a negative or NaN `se`.
pub fn smallest_visible(se: f64, df: f64, alpha: f64, power: f64, tolerance: f64) -> f64 {
    if !is_level(alpha) || !is_level(power) || df.is_nan() || df <= 0.0 || se.is_nan() || se < 0.0 {
        return f64::INFINITY;
    }
    if se == 0.0 {
        return tolerance.max(0.0);
    }
    // In units of the standard error from here on.
    let thresholds = thresholds(critical(alpha, df), df, tolerance / se);
    let missed = |change: f64| thresholds.iter().map(|(t, weight)| weight * normal_upper(change - t)).sum::<f64>();
    let furthest = thresholds.iter().map(|(t, _)| *t).fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, furthest + 40.0);
    if !high.is_finite() {
        return f64::INFINITY;
    }
    for _ in 0..44 {
        let middle = 0.5 * (low + high);
        if missed(middle) > 1.0 - power {
            low = middle;
        } else {
            high = middle;
        }
    }
    high * se
}

/// How far an estimate must lie from zero to be found, with the chance of each: the larger of `tolerance` and the
/// half width, which is `critical` times the estimated standard error. All in units of the true standard error.
///
/// The estimated standard error u has the density u^(df - 1) exp(-df u^2 / 2); in ln u that decays at both ends,
/// where equally spaced points are as good as any (the trapezoidal rule).
fn thresholds(critical: f64, df: f64, tolerance: f64) -> Vec<(f64, f64)> {
    if df.is_infinite() {
        return vec![(critical.max(tolerance), 1.0)];
    }
    let spread = 6.0 / (2.0 * df).sqrt();
    let (first, last) = (-(spread + 14.0 / df), spread);
    let node = |i: usize| {
        let ln_u = first + (last - first) * i as f64 / (NODES - 1) as f64;
        let weight = (df * (ln_u - 0.5 * (2.0 * ln_u).exp() + 0.5)).exp();
        ((critical * ln_u.exp()).max(tolerance), weight)
    };
    let nodes: Vec<(f64, f64)> = (0..NODES).map(node).collect();
    let total: f64 = nodes.iter().map(|(_, weight)| weight).sum();
    nodes.into_iter().map(|(threshold, weight)| (threshold, weight / total)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::{normals, t_interval};

    #[test]
    fn without_a_tolerance_it_is_the_noncentral_t_test() {
        // scipy: the nc with stats.nct.sf(stats.t.isf(alpha / 2, df), df, nc) == power
        for (df, alpha, power, expected) in NONCENTRAL {
            let found = smallest_visible(1.0, df, alpha, power, 0.0);
            assert!((found / expected - 1.0).abs() < 1e-4, "df {df}, alpha {alpha}: {found}, not {expected}");
        }
    }

    const NONCENTRAL: [(f64, f64, f64, f64); 6] = [
        (1.0, 0.1, 0.5, 4.3116420),
        (4.0, 0.05, 0.8, 3.7610603),
        (9.0, 0.01, 0.95, 5.2414268),
        (19.0, 3e-4, 0.8, 5.3842266),
        (199.0, 1e-4, 0.95, 5.6431086),
        (639.0, 3e-4, 0.5, 3.6338736),
    ];

    #[test]
    fn with_a_known_error_it_is_the_sum_of_two_normal_points() {
        let found = smallest_visible(2.0, f64::INFINITY, 0.05, 0.8, 0.0);
        assert!((found - 2.0 * (1.959963984540054 + 0.8416212335729143)).abs() < 1e-8, "{found}");
        // A tolerance beyond the half width takes its place.
        let found = smallest_visible(2.0, f64::INFINITY, 0.05, 0.8, 10.0);
        assert!((found - (10.0 + 2.0 * 0.8416212335729143)).abs() < 1e-8, "{found}");
    }

    #[test]
    fn a_change_of_that_size_is_found_as_often_as_promised() {
        let mut rng = fastrand::Rng::with_seed(12);
        for (n, tolerance) in [(10, 0.0), (10, 0.9), (40, 0.5)] {
            let (alpha, power, se) = (0.01, 0.8, 1.0 / (n as f64).sqrt());
            let change = smallest_visible(se, n as f64 - 1.0, alpha, power, tolerance);
            let found = (0..4_000).filter(|_| {
                let values: Vec<f64> = normals(&mut rng, n).iter().map(|x| x + change).collect();
                let found = t_interval(&values, alpha);
                found.low > 0.0 && found.mean > tolerance
            });
            let share = found.count() as f64 / 4_000.0;
            assert!((share - power).abs() < 0.022, "{n} values, tolerance {tolerance}: found {share}");
        }
    }

    #[test]
    fn more_certainty_takes_a_larger_change_and_the_scale_carries_over() {
        let plain = smallest_visible(1.0, 9.0, 0.01, 0.8, 0.5);
        assert!(smallest_visible(1.0, 9.0, 0.001, 0.8, 0.5) > plain);
        assert!(smallest_visible(1.0, 9.0, 0.01, 0.95, 0.5) > plain);
        assert!(smallest_visible(1.0, 30.0, 0.01, 0.8, 0.5) < plain);
        assert!((smallest_visible(0.01, 9.0, 0.01, 0.8, 0.005) - 0.01 * plain).abs() < 1e-9);
    }

    #[test]
    fn no_spread_sees_the_tolerance_and_no_freedom_sees_nothing() {
        assert_eq!(smallest_visible(0.0, 9.0, 0.01, 0.8, 0.01), 0.01);
        assert_eq!(smallest_visible(f64::NAN, 9.0, 0.01, 0.8, 0.01), f64::INFINITY);
        assert_eq!(smallest_visible(1.0, 0.0, 0.01, 0.8, 0.01), f64::INFINITY);
        assert_eq!(smallest_visible(1.0, 9.0, 0.01, 1.0, 0.01), f64::INFINITY);
        assert_eq!(smallest_visible(f64::INFINITY, 9.0, 0.01, 0.8, 0.01), f64::INFINITY);
    }
}
