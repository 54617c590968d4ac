//! One number for many: means of parts, quantiles, spreads.

/// The arithmetic mean; NaN for an empty slice. The mean of equal values is exactly their value, which the rounding
/// of a sum would miss.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    match values {
        [first, ..] if is_constant(values) => *first,
        _ => values.iter().sum::<f64>() / values.len() as f64,
    }
}

/// The unbiased variance; NaN below two values, and exactly zero when all values are one number.
pub(super) fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// Whether all values are one number.
pub(super) fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// Whether every value is a finite number.
pub(super) fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|x| x.is_finite())
}

/// The values in ascending order; `None` when there are none or one is not finite.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || !all_finite(values) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

/// The mean of the values between the quantiles `from` and `to`, in the unit of `values`: the interquartile mean between 0.25 and
/// 0.75. NaN when empty or not all finite.
///
/// Each of n sorted values owns an interval of length one on `[0, n]` and counts by the part of it that lies inside
/// `[from * n, to * n]`. Values that straddle a quantile so count in part, and the statistic does not jump when the quantile
/// falls on the next value.
pub fn mean_between(values: &[f64], from: f64, to: f64) -> f64 {
    let Some(sorted) = sorted(values) else { return f64::NAN };
    let n = sorted.len() as f64;
    let (low, high) = (from * n, to * n);
    let weight = |i: usize| ((i as f64 + 1.0).min(high) - (i as f64).max(low)).max(0.0);
    let sum: f64 = sorted.iter().enumerate().map(|(i, x)| x * weight(i)).sum();
    sum / (high - low)
}

/// A standard deviation that values far out hardly move: the mean absolute deviation from the median, scaled to be the standard
/// deviation of normal values. NaN when empty or not all finite.
pub fn spread(values: &[f64]) -> f64 {
    let centre = median(values);
    let deviations: Vec<f64> = values.iter().map(|x| (x - centre).abs()).collect();
    mean(&deviations) * (0.5 * std::f64::consts::PI).sqrt()
}

/// The middle value, or the mean of the two middle ones; NaN when empty or not all finite.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share `q` of the values lies, interpolated linearly (Hyndman & Fan 1996, type 7: the
/// default of R and NumPy). NaN when empty, not all finite, or `q` is outside [0, 1].
fn quantile(values: &[f64], q: f64) -> f64 {
    let Some(sorted) = sorted(values).filter(|_| (0.0..=1.0).contains(&q)) else {
        return f64::NAN;
    };
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::normals;

    const SKEWED: [f64; 8] = [0.1, 0.2, 0.2, 0.5, 0.9, 1.4, 2.2, 6.0];

    fn middle_half(values: &[f64]) -> f64 {
        mean_between(values, 0.25, 0.75)
    }

    #[test]
    fn the_middle_half_of_a_multiple_of_four_is_four_of_eight() {
        assert_eq!(middle_half(&[100.0, 1.0, 3.0, -50.0]), 2.0);
        assert_eq!(middle_half(&SKEWED), (0.2 + 0.5 + 0.9 + 1.4) / 4.0);
    }

    #[test]
    fn values_at_the_quartiles_count_in_part() {
        assert_eq!(middle_half(&[7.0]), 7.0);
        assert_eq!(middle_half(&[4.0, 1.0]), 2.5);
        assert_eq!(middle_half(&[0.0, 1.0, 8.0]), (0.25 * 0.0 + 1.0 + 0.25 * 8.0) / 1.5);
        // Wikipedia's example of nine numbers: 1, 3, 5, 7, 9, 11, 13, 15, 17.
        let nine: Vec<f64> = (0..9).map(|i| 2.0 * f64::from(i) + 1.0).collect();
        assert_eq!(middle_half(&nine), 9.0);
        assert_eq!(mean_between(&nine, 0.0, 0.25), (1.0 + 3.0 + 0.25 * 5.0) / 2.25);
    }

    #[test]
    fn how_far_the_outer_quarters_are_does_not_matter() {
        let mut wild = SKEWED;
        wild[7] = 1e9;
        wild[0] = -1e9;
        assert_eq!(middle_half(&wild), middle_half(&SKEWED));
    }

    #[test]
    fn the_spread_of_normal_values_is_their_standard_deviation() {
        let mut values = normals(&mut fastrand::Rng::with_seed(3), 20_000);
        assert!((spread(&values) - 1.0).abs() < 0.02, "{}", spread(&values));
        values[0] = 1e3;
        assert!((spread(&values) - 1.0).abs() < 0.1, "{}", spread(&values));
        assert_eq!(spread(&[2.0; 5]), 0.0);
        assert!(spread(&[]).is_nan());
    }

    #[test]
    fn quantiles_match_numpy() {
        // numpy.quantile(SKEWED, [0, 0.1, 0.25, 0.5, 0.9, 1])
        for (q, expected) in [(0.0, 0.1), (0.1, 0.17), (0.25, 0.2), (0.5, 0.7), (0.9, 3.34), (1.0, 6.0)] {
            let found = quantile(&SKEWED, q);
            assert!((found - expected).abs() < 1e-12, "{q}: {found}");
        }
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(quantile(&[5.0], 0.3), 5.0);
    }

    #[test]
    fn what_cannot_be_computed_is_not_a_number() {
        for statistic in [middle_half, median] {
            assert!(statistic(&[]).is_nan());
            assert!(statistic(&[1.0, f64::NAN]).is_nan());
        }
        assert!(quantile(&[1.0], 1.5).is_nan());
    }

    #[test]
    fn the_variance_of_equal_values_is_exactly_zero() {
        let equal = [0.1; 7];
        assert_eq!(variance(&equal), 0.0);
    }
}
