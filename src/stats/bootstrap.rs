//! Intervals by resampling, for values that are few or skewed.

use fastrand::Rng;

use super::interval::{Estimate, is_level, mean_interval};
use super::student::{critical, normal_point, normal_upper};
use super::summary::mean;

/// Fewer resamples than this beyond an end of the interval, and the end is a matter of luck.
const FEWEST_BEYOND: f64 = 5.0;

/// The BCa bootstrap interval (Efron 1987) for the mean of independent `values`, missing it with chance `alpha`:
/// unlike the t interval it leans with the skewness of the values.
///
/// Bootstrap intervals of few values are too short, because resampling spreads like variance / n instead of
/// variance / (n - 1) and knows no t distribution. So the tails are taken as far out as makes the interval of normal
/// values the t interval (Hesterberg 2015, "expanded percentile" interval). `se`, `df` and thereby
/// [`Estimate::p`] are those of the t interval; only `low` and `high` come from resampling.
///
/// `resamples` of a few times 1000 do for `alpha` = 0.05; the number needed grows like 1 / `alpha`, and several times
/// more for skewed values, where one end lies further out. `None` when fewer than five of them lie beyond an end, as
/// for small `alpha` on few values, where no number of resamples would help; and where [`mean_interval`] is `None`.
/// Equal values give that value alone.
pub fn bca_interval(values: &[f64], alpha: f64, resamples: usize, seed: u64) -> Option<Estimate> {
    let plain = mean_interval(values, alpha)?;
    if plain.se == 0.0 {
        return Some(plain);
    }
    let n = values.len() as f64;
    let tail = normal_upper((n / plain.df).sqrt() * critical(alpha, plain.df));
    let (low, high) = bca(values, tail, resamples, seed)?;
    Some(Estimate { low, high, ..plain })
}

/// The BCa interval as published, with the chance `tail` beyond either end.
fn bca(values: &[f64], tail: f64, resamples: usize, seed: u64) -> Option<(f64, f64)> {
    if !is_level(tail) {
        return None;
    }
    let centre = mean(values);
    let mut means = resampled_means(values, resamples, seed);
    let bias = median_bias(&means, centre)?;
    let acceleration = acceleration(values, centre);
    // The share of resampled means below an end, for z = -+ the normal point of the tail (Efron 1987, eq. 2.3).
    let share = |z: f64| {
        let moved = bias + z;
        let leaned = 1.0 - acceleration * moved;
        (leaned > 0.0).then(|| normal_upper(-(bias + moved / leaned)))
    };
    let z = normal_point(tail);
    let (low, high) = (share(-z)?, share(z)?);
    let count = resamples as f64;
    if low.min(1.0 - high) * count < FEWEST_BEYOND || low >= high {
        return None;
    }
    Some((order_statistic(&mut means, low), order_statistic(&mut means, high)))
}

/// The mean of each of `count` samples of the same size, drawn from `values` with replacement.
fn resampled_means(values: &[f64], count: usize, seed: u64) -> Vec<f64> {
    let (mut rng, n) = (Rng::with_seed(seed), values.len());
    (0..count).map(|_| (0..n).map(|_| values[rng.usize(..n)]).sum::<f64>() / n as f64).collect()
}

/// How far the resampled means lie to one side of the mean, as a normal deviate; means equal to it count half. `None`
/// when all of them lie on one side.
fn median_bias(means: &[f64], centre: f64) -> Option<f64> {
    let below = means.iter().filter(|&&m| m < centre).count() as f64;
    let equal = means.iter().filter(|&&m| m == centre).count() as f64;
    let share = (below + 0.5 * equal) / means.len() as f64;
    is_level(share).then(|| -normal_point(share))
}

/// How fast the spread of the mean changes with the mean: for a mean the jackknife has a closed form, a sixth of the
/// skewness over sqrt(n).
fn acceleration(values: &[f64], centre: f64) -> f64 {
    let sum = |power: i32| values.iter().map(|x| (x - centre).powi(power)).sum::<f64>();
    sum(3) / (6.0 * sum(2).powf(1.5))
}

/// The value below which a share of the `means` lies, without sorting all of them.
fn order_statistic(means: &mut [f64], share: f64) -> f64 {
    let index = ((share * means.len() as f64) as usize).min(means.len() - 1);
    *means.select_nth_unstable_by(index, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::{normals, skewed};

    /// Twenty values with a long right tail.
    const SKEWED: [f64; 20] = [
        0.02, 0.05, 0.11, 0.14, 0.21, 0.26, 0.30, 0.38, 0.44, 0.52, 0.61, 0.72, 0.80, 0.99, 1.21, 1.40, 1.75, 2.30,
        3.10, 4.90,
    ];

    #[test]
    fn plain_bca_matches_scipy() {
        // scipy.stats.bootstrap(..., np.mean, n_resamples=10**6, method="BCa"), the same to 0.001 over three seeds
        let (low, high) = bca(&SKEWED, 0.025, 200_000, 7).expect("enough resamples");
        assert!((low - 0.620).abs() < 0.01 && (high - 1.753).abs() < 0.015, "{low} {high}");
    }

    #[test]
    fn the_interval_of_skewed_values_leans_towards_their_tail() {
        let found = bca_interval(&SKEWED, 0.05, 20_000, 7).expect("enough resamples");
        let (below, above) = (found.mean - found.low, found.high - found.mean);
        assert!(above > 1.3 * below, "{found:?}");
    }

    #[test]
    fn the_interval_of_normal_values_is_about_the_t_interval() {
        let mut rng = fastrand::Rng::with_seed(4);
        for n in [10, 20, 60] {
            // Mirrored, so that neither bias nor skewness is left.
            let half = normals(&mut rng, n / 2);
            let values: Vec<f64> = half.iter().flat_map(|x| [*x, -x]).collect();
            let plain = mean_interval(&values, 0.05).expect("finite values");
            let found = bca_interval(&values, 0.05, 20_000, n as u64).expect("enough resamples");
            assert!((found.half_width() / plain.half_width() - 1.0).abs() < 0.08, "{n}: {found:?} {plain:?}");
        }
    }

    #[test]
    fn the_interval_widens_as_alpha_falls_and_moves_and_stretches_with_the_values() {
        let mut rng = fastrand::Rng::with_seed(5);
        for seed in 0..10 {
            let values = skewed(&mut rng, 30);
            let wide = bca_interval(&values, 0.02, 20_000, seed).expect("enough resamples");
            let narrow = bca_interval(&values, 0.2, 20_000, seed).expect("enough resamples");
            assert!(wide.low < narrow.low && narrow.high < wide.high);
            let moved: Vec<f64> = values.iter().map(|x| 5.0 + 3.0 * x).collect();
            let found = bca_interval(&moved, 0.2, 20_000, seed).expect("enough resamples");
            assert!((found.low - 5.0 - 3.0 * narrow.low).abs() < 1e-9, "{found:?} {narrow:?}");
            assert!((found.high - 5.0 - 3.0 * narrow.high).abs() < 1e-9, "{found:?} {narrow:?}");
        }
    }

    #[test]
    fn an_end_that_too_few_resamples_reach_is_not_made_up() {
        assert_eq!(bca_interval(&SKEWED, 1e-4, 10_000, 1), None);
        assert_eq!(bca_interval(&[1.0, 2.0, 4.0], 0.01, 100_000, 1), None);
        assert_eq!(bca_interval(&SKEWED, 0.05, 0, 1), None);
        assert_eq!(bca_interval(&[1.0], 0.05, 1_000, 1), None);
    }

    #[test]
    fn equal_values_give_a_point_and_a_seed_gives_one_answer() {
        let point = bca_interval(&[0.1; 5], 0.05, 100, 1).expect("five values");
        assert_eq!((point.low, point.high), (0.1, 0.1));
        let twice = [9, 9].map(|seed| bca_interval(&SKEWED, 0.05, 2_000, seed));
        assert_eq!(twice[0], twice[1]);
    }
}
