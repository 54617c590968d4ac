//! A mean by itself, the ratio of two independent means, and a share that was never seen.

use super::interval::{Estimate, is_level};
use super::student::critical;
use super::summary::{all_finite, mean, variance};

/// Student's t interval for the mean of `values`, at error `alpha`. Values that are all equal have an interval without length.
///
/// `None` with fewer than two values, where one is not finite, or `alpha` is outside (0, 1).
#[must_use]
pub fn mean_interval(values: &[f64], alpha: f64) -> Option<Estimate> {
    let n = values.len();
    let usable = n > 1 && all_finite(values) && is_level(alpha);
    usable.then(|| Estimate::student(mean(values), (variance(values) / n as f64).sqrt(), n as f64 - 1.0, n, alpha))
}

/// The ratio mean(`above`) / mean(`below`) of two independent groups, with Fieller's interval (Fieller 1954) at error `alpha`;
/// the degrees of freedom are Welch and Satterthwaite's for the variance of `above - ratio * below`. Single values may be zero
/// or negative, which logarithms would not allow.
///
/// `None` with fewer than two values in a group, where a value is not finite, where the mean of `below` is not clearly above
/// zero at this level, or `alpha` is outside (0, 1).
#[must_use]
pub fn ratio_interval(above: &[f64], below: &[f64], alpha: f64) -> Option<Estimate> {
    let usable = above.len() > 1 && below.len() > 1 && all_finite(above) && all_finite(below) && is_level(alpha);
    let base = mean(below);
    if !usable || base <= 0.0 {
        return None;
    }
    let share = |group: &[f64]| variance(group) / group.len() as f64;
    let (ratio, numerator, denominator) = (mean(above) / base, share(above), share(below));
    let scaled = ratio * ratio * denominator;
    let total = numerator + scaled;
    let n = above.len() + below.len();
    if total == 0.0 && denominator == 0.0 {
        return Some(Estimate { mean: ratio, se: 0.0, low: ratio, high: ratio, df: f64::INFINITY, n });
    }
    let wobble = numerator * numerator / (above.len() as f64 - 1.0) + scaled * scaled / (below.len() as f64 - 1.0);
    // Where the numerator has no spread and is zero, all that is uncertain is the denominator's.
    let df = if wobble > 0.0 { total * total / wobble } else { below.len() as f64 - 1.0 };
    let t = critical(alpha, df);
    let g = t * t * denominator / (base * base);
    if g >= 1.0 {
        return None;
    }
    let (centre, reach) = (ratio / (1.0 - g), t / (base * (1.0 - g)) * (numerator * (1.0 - g) + scaled).sqrt());
    Some(Estimate { mean: ratio, se: total.sqrt() / base, low: centre - reach, high: centre + reach, df, n })
}

/// The largest share that could still have yielded none in `n` draws with chance `alpha` (Clopper & Pearson 1934): about
/// 3 / n at 5 %. 1 without draws.
#[must_use]
pub fn share_never_seen(n: u64, alpha: f64) -> f64 {
    if n == 0 { 1.0 } else { -(alpha.ln() / n as f64).exp_m1() }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::stats::draws::normals;

    #[test]
    fn the_ratio_interval_misses_as_often_as_promised_though_single_values_are_near_zero() {
        let mut rng = Rng::with_seed(31);
        let mut draw = |centre: f64, spread: f64, n: usize| -> Vec<f64> {
            normals(&mut rng, n).iter().map(|x| centre + spread * x).collect()
        };
        let missed = (0..10_000)
            .filter(|_| {
                let found = ratio_interval(&draw(0.2, 0.15, 10), &draw(1.0, 0.25, 14), 0.05).expect("far from zero");
                !found.contains(0.2)
            })
            .count();
        let rate = missed as f64 / 10_000.0;
        assert!((rate - 0.05).abs() < 0.009, "{rate}");
    }

    #[test]
    fn exact_counts_have_exact_ratios() {
        let found = ratio_interval(&[3.0; 3], &[30.0; 3], 0.001).expect("two groups");
        assert_eq!((found.low, found.mean, found.high), (0.1, 0.1, 0.1));
        let none = ratio_interval(&[0.0; 3], &[2.0, 3.0, 2.5], 0.05).expect("two groups");
        assert_eq!((none.low, none.high), (0.0, 0.0));
    }

    #[test]
    fn a_ratio_to_what_may_be_zero_has_no_interval() {
        assert_eq!(ratio_interval(&[1.0, 2.0], &[-1.0, 1.5], 0.05), None);
        assert_eq!(ratio_interval(&[1.0, 2.0], &[0.0, 0.0], 0.05), None);
        assert_eq!(ratio_interval(&[1.0], &[1.0, 1.1], 0.05), None);
        assert_eq!(ratio_interval(&[1.0, f64::NAN], &[1.0, 1.1], 0.05), None);
    }

    #[test]
    fn what_was_never_seen_may_still_be_there() {
        assert!((share_never_seen(100, 0.05) - 0.029_513).abs() < 1e-6);
        assert!((share_never_seen(1, 0.01) - 0.99).abs() < 1e-12);
        assert_eq!(share_never_seen(0, 0.01), 1.0);
        let mut rng = Rng::with_seed(5);
        let bound = share_never_seen(50, 0.05);
        let unseen = (0..20_000).filter(|_| (0..50).all(|_| rng.f64() >= bound)).count();
        assert!((unseen as f64 / 20_000.0 - 0.05).abs() < 0.006, "{unseen}");
    }

    #[test]
    fn the_mean_interval_reaches_students_t_times_the_standard_error() {
        // 0.82 - 2.262157 * 0.249800: the t of `student`'s table for nine degrees of freedom.
        let found = mean_interval(&[1.2, -0.4, 0.9, 2.2, 0.3, 1.1, -0.1, 0.8, 1.7, 0.5], 0.05).expect("ten values");
        assert!((found.mean - 0.82).abs() < 1e-12 && (found.low - 0.254_913).abs() < 1e-5, "{found:?}");
        assert_eq!(mean_interval(&[1.0], 0.05), None);
        assert_eq!(mean_interval(&[4.0; 3], 0.05).map(|e| (e.low, e.high)), Some((4.0, 4.0)));
    }
}
