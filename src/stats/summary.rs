//! One number for many: means that shrug off outliers, quantiles, skewness.

/// The arithmetic mean; NaN for an empty slice. The mean of equal values is exactly their value, which the rounding
/// of a sum would miss.
pub(super) fn mean(values: &[f64]) -> f64 {
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

/// The mean of the middle half, in the unit of `values`; NaN when empty or not all finite.
///
/// Each sorted value owns an interval of length one on `[0, n]` and counts by the part of it that lies inside
/// `[n/4, 3n/4]`. Values that straddle a quartile so count in part, and the statistic does not jump when `n` is not a
/// multiple of four. For up to two values it is their mean.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let Some(sorted) = sorted(values) else { return f64::NAN };
    let n = sorted.len() as f64;
    let (low, high) = (0.25 * n, 0.75 * n);
    let weight = |i: usize| ((i as f64 + 1.0).min(high) - (i as f64).max(low)).max(0.0);
    let sum: f64 = sorted.iter().enumerate().map(|(i, x)| x * weight(i)).sum();
    sum / (high - low)
}

/// The middle value, or the mean of the two middle ones; NaN when empty or not all finite.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share `q` of the values lies, interpolated linearly (Hyndman & Fan 1996, type 7: the
/// default of R and NumPy). NaN when empty, not all finite, or `q` is outside [0, 1].
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let Some(sorted) = sorted(values).filter(|_| (0.0..=1.0).contains(&q)) else {
        return f64::NAN;
    };
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// The adjusted Fisher-Pearson skewness G1 (Joanes & Gill 1998), without unit: 0 for symmetric data, positive for a
/// long right tail, and 0 by convention when all values are equal. NaN below three values or when not all are finite.
pub fn skewness(values: &[f64]) -> f64 {
    if values.len() < 3 || !all_finite(values) {
        return f64::NAN;
    }
    if is_constant(values) {
        return 0.0;
    }
    let (n, centre) = (values.len() as f64, mean(values));
    let moment = |power: i32| values.iter().map(|x| (x - centre).powi(power)).sum::<f64>() / n;
    (n * (n - 1.0)).sqrt() / (n - 2.0) * moment(3) / moment(2).powf(1.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEWED: [f64; 8] = [0.1, 0.2, 0.2, 0.5, 0.9, 1.4, 2.2, 6.0];

    #[test]
    fn interquartile_mean_of_a_multiple_of_four_is_the_mean_of_the_middle_half() {
        assert_eq!(interquartile_mean(&[100.0, 1.0, 3.0, -50.0]), 2.0);
        assert_eq!(interquartile_mean(&SKEWED), (0.2 + 0.5 + 0.9 + 1.4) / 4.0);
    }

    #[test]
    fn interquartile_mean_counts_values_at_the_quartiles_in_part() {
        assert_eq!(interquartile_mean(&[7.0]), 7.0);
        assert_eq!(interquartile_mean(&[4.0, 1.0]), 2.5);
        assert_eq!(interquartile_mean(&[0.0, 1.0, 8.0]), (0.25 * 0.0 + 1.0 + 0.25 * 8.0) / 1.5);
        // Wikipedia's example of nine numbers: 1, 3, 5, 7, 9, 11, 13, 15, 17.
        let nine: Vec<f64> = (0..9).map(|i| 2.0 * f64::from(i) + 1.0).collect();
        assert_eq!(interquartile_mean(&nine), 9.0);
    }

    #[test]
    fn interquartile_mean_ignores_how_far_the_outer_quarters_are() {
        let mut wild = SKEWED;
        wild[7] = 1e9;
        wild[0] = -1e9;
        assert_eq!(interquartile_mean(&wild), interquartile_mean(&SKEWED));
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
    fn skewness_matches_scipy_and_is_zero_for_symmetric_or_constant_data() {
        // scipy.stats.skew(SKEWED, bias=False)
        let found = skewness(&SKEWED);
        assert!((found - 2.1685046880305103).abs() < 1e-12, "{found}");
        assert!(skewness(&[1.0, 2.0, 3.0]).abs() < 1e-15);
        assert_eq!(skewness(&[0.1, 0.1, 0.1]), 0.0);
    }

    #[test]
    fn what_cannot_be_computed_is_not_a_number() {
        for statistic in [interquartile_mean, median] {
            assert!(statistic(&[]).is_nan());
            assert!(statistic(&[1.0, f64::NAN]).is_nan());
        }
        assert!(quantile(&[1.0], 1.5).is_nan());
        assert!(skewness(&[1.0, 2.0]).is_nan());
        assert!(skewness(&[1.0, 2.0, f64::INFINITY]).is_nan());
    }

    #[test]
    fn the_variance_of_equal_values_is_exactly_zero() {
        let equal = [0.1; 7];
        assert_eq!(variance(&equal), 0.0);
    }
}
