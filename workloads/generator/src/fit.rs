//! Does a sample follow a distribution? p-values for tests.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Pearson's chi-square test of `observed` counts against `weights`, which need not add up to 1: the chance of counts at
/// least as far off.
pub(crate) fn chi_square(observed: &[u64], weights: &[f64]) -> f64 {
    assert_eq!(observed.len(), weights.len());
    let share = observed.iter().sum::<u64>() as f64 / weights.iter().sum::<f64>();
    let statistic: f64 = observed
        .iter()
        .zip(weights)
        .map(|(&count, weight)| (count as f64 - share * weight).powi(2) / (share * weight))
        .sum();
    ChiSquared::new((observed.len() - 1) as f64).unwrap().sf(statistic)
}

/// The Kolmogorov-Smirnov test of a sorted sample of whole numbers; `at_most(k)` is the chance of at most `k`. The p-value
/// is the asymptotic one for continuous distributions, which is too large, never too small, for whole numbers
/// (Noether 1963).
pub(crate) fn kolmogorov_smirnov(sorted: &[u32], at_most: impl Fn(u32) -> f64) -> f64 {
    assert!(sorted.is_sorted());
    let count = sorted.len() as f64;
    let (mut furthest, mut below) = (0.0_f64, 0);
    for equal in sorted.chunk_by(|a, b| a == b) {
        // Between two values of the sample its distribution stays where it was, and the other one rises.
        if let Some(before) = equal[0].checked_sub(1) {
            furthest = furthest.max((below as f64 / count - at_most(before)).abs());
        }
        below += equal.len();
        furthest = furthest.max((below as f64 / count - at_most(equal[0])).abs());
    }
    kolmogorov_survival(furthest * count.sqrt())
}

/// The chance that Kolmogorov's statistic exceeds `x` (Kolmogorov 1933).
fn kolmogorov_survival(x: f64) -> f64 {
    // The alternating series converges at once where it matters; below, the chance is nearly 1.
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (-2.0 * f64::from(k).powi(2) * x.powi(2)).exp();
    (1..=100).map(|k| if k % 2 == 1 { 2.0 * term(k) } else { -2.0 * term(k) }).sum::<f64>().clamp(0.0, 1.0)
}

#[test]
fn p_values_are_those_of_the_tables() {
    // Critical values at 5 % and 1 %.
    assert!((kolmogorov_survival(1.3581) - 0.05).abs() < 1e-4);
    assert!((kolmogorov_survival(1.6276) - 0.01).abs() < 1e-4);
    // A die thrown 120 times: statistic 5, 5 degrees of freedom.
    assert!((chi_square(&[15, 25, 20, 15, 25, 20], &[1.0; 6]) - 0.4159).abs() < 1e-4);
}

#[test]
fn the_furthest_distance_may_lie_between_two_values_of_the_sample() {
    let sample: Vec<u32> = [0; 50].into_iter().chain([9; 50]).collect();
    // Right at 0 and at 9, but half of a half too much stands before 9.
    let at_most = |k: u32| {
        if k < 5 {
            0.5
        } else if k < 9 {
            0.75
        } else {
            1.0
        }
    };
    assert!((kolmogorov_smirnov(&sample, at_most) - kolmogorov_survival(2.5)).abs() < 1e-12);
}
