//! How far apart two distributions are: Kolmogorov and Smirnov's distance, with what the draws allow to say of it.

use super::interval::is_level;
use super::summary::all_finite;

/// The distance between two distributions: the most by which their shares below any value differ, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Between the draws.
    pub distance: f64,
    /// The least that it can be between the distributions themselves.
    pub low: f64,
    /// The most.
    pub high: f64,
    /// The two-sample test of "both are the same distribution" (Smirnov 1948, asymptotic).
    pub p: f64,
}

/// The distance between the distributions that `one` and `other` were drawn from, independently. The interval misses the truth
/// with chance `alpha` at most, whatever the distributions are (Dvoretzky, Kiefer & Wolfowitz 1956, with Massart's constant
/// 1990, half of `alpha` for each sample).
///
/// `None` without draws, where one is not finite, or `alpha` is outside (0, 1).
#[must_use]
pub fn distribution_distance(one: &[f64], other: &[f64], alpha: f64) -> Option<Distance> {
    if one.is_empty() || other.is_empty() || !all_finite(one) || !all_finite(other) || !is_level(alpha) {
        return None;
    }
    let distance = largest_gap(&sorted(one), &sorted(other));
    let reach = |n: usize| ((4.0 / alpha).ln() / (2.0 * n as f64)).sqrt();
    let both = reach(one.len()) + reach(other.len());
    let effective = (one.len() as f64 * other.len() as f64 / (one.len() + other.len()) as f64).sqrt();
    let (low, high) = ((distance - both).max(0.0), (distance + both).min(1.0));
    Some(Distance { distance, low, high, p: kolmogorov_upper(effective * distance) })
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The largest difference of two empirical distribution functions; equal values step together.
fn largest_gap(one: &[f64], other: &[f64]) -> f64 {
    let (mut at, mut beside, mut largest) = (0, 0, 0.0_f64);
    while at < one.len() && beside < other.len() {
        let value = one[at].min(other[beside]);
        at += one[at..].iter().take_while(|x| **x == value).count();
        beside += other[beside..].iter().take_while(|x| **x == value).count();
        largest = largest.max((at as f64 / one.len() as f64 - beside as f64 / other.len() as f64).abs());
    }
    largest
}

/// P(K > x) for Kolmogorov's distribution: 2 sum (-1)^(k-1) exp(-2 k^2 x^2).
fn kolmogorov_upper(x: f64) -> f64 {
    const SERIES_FROM: f64 = 0.2; // Below it the chance is 1 to all digits, and the series converges slowly.
    if x < SERIES_FROM {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * x * x).exp();
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::stats::draws::normals;

    #[test]
    fn the_distance_is_the_largest_gap_and_its_p_is_kolmogorovs() {
        // Up to 3 lie four of the five and one of the four.
        let found = distribution_distance(&[5.0, 1.0, 2.0, 2.0, 3.0], &[4.0, 2.0, 6.0, 4.0], 0.05).expect("draws");
        assert!((found.distance - 0.55).abs() < 1e-12, "{found:?}");
        // The first terms of the series by hand.
        assert!((kolmogorov_upper(1.0) - 0.269_999_671_677).abs() < 1e-9);
        assert!((kolmogorov_upper(1.95) - 0.000_996_4).abs() < 1e-6);
        assert_eq!(kolmogorov_upper(0.1), 1.0);
    }

    #[test]
    fn one_distribution_is_rejected_as_often_as_promised_and_another_always() {
        let mut rng = Rng::with_seed(9);
        let mut rejected = 0;
        for _ in 0..2_000 {
            let (one, other) = (normals(&mut rng, 200), normals(&mut rng, 300));
            rejected += u32::from(distribution_distance(&one, &other, 0.05).expect("draws").p < 0.05);
        }
        assert!((60..=110).contains(&rejected), "{rejected} of 2000");
        let wider: Vec<f64> = normals(&mut rng, 2_000).iter().map(|x| 1.5 * x).collect();
        let found = distribution_distance(&normals(&mut rng, 2_000), &wider, 0.01).expect("draws");
        assert!(found.p < 1e-6 && found.low > 0.0, "{found:?}");
    }

    #[test]
    fn the_interval_of_the_distance_holds_the_truth() {
        // Two uniforms, one moved by 0.1: the distance is 0.1.
        let mut rng = Rng::with_seed(10);
        let missed = (0..1_000)
            .filter(|_| {
                let one: Vec<f64> = (0..400).map(|_| rng.f64()).collect();
                let other: Vec<f64> = (0..400).map(|_| rng.f64() + 0.1).collect();
                let found = distribution_distance(&one, &other, 0.05).expect("draws");
                !(found.low..=found.high).contains(&0.1)
            })
            .count();
        assert!(missed <= 50, "{missed} of 1000");
    }

    #[test]
    fn what_has_no_distance_is_none() {
        assert_eq!(distribution_distance(&[], &[1.0], 0.05), None);
        assert_eq!(distribution_distance(&[f64::NAN], &[1.0], 0.05), None);
        assert_eq!(distribution_distance(&[1.0], &[1.0], 0.0), None);
    }
}
