//! Intervals for a mean of values that are alike in groups: rounds that drew the same layout.

use super::interval::{Estimate, is_level};
use super::summary::{all_finite, mean, variance};

/// The interval for the mean of `values` when those with the same number in `clusters` are alike and the clusters are
/// independent. Both slices have one entry per value.
///
/// The variance is cluster-robust with Bell & McCaffrey's (2002) small-sample correction, known as CR2: the squared
/// sum of a cluster's residuals is divided by 1 - (share of the values that it holds). The degrees of freedom are
/// theirs too, matched to a chi-square under equal variances. With clusters of one size that is the usual factor G /
/// (G - 1) on G clusters and df = G - 1 (Cameron & Miller 2015, section VI); with unequal ones df is smaller. With
/// every value in its own cluster the result is exactly [`mean_interval`](super::mean_interval)'s.
///
/// Chance can make a clustered variance too small. So the plain variance is used where it is larger, still with the
/// degrees of freedom of the clusters: likeness that few clusters did not show may yet be there.
///
/// `None` below two clusters (nothing tells how far clusters differ), when the slices differ in length, when a value
/// is not finite, or when `alpha` is outside (0, 1).
pub fn clustered_interval(values: &[f64], clusters: &[u64], alpha: f64) -> Option<Estimate> {
    let residuals = residuals(values, alpha)?;
    let grouped = robust(&residuals, clusters)?;
    Some(estimate(values, grouped.variance, grouped.df, alpha))
}

/// Like [`clustered_interval`] with two groupings at once: values are alike when they share a number in `a` **or** in
/// `b`. In a comparison `a` is the layout of the candidate and `b` that of the baseline, each drawn from its own
/// pool.
///
/// The variance is that of Cameron, Gelbach & Miller (2011): by `a`, plus by `b`, minus by both. The difference can
/// come out too small, even negative, so the result is never below the largest of the plain variance and those by `a`
/// and by `b` alone. The degrees of freedom are the smaller of the two groupings'.
///
/// `None` as for [`clustered_interval`], for either grouping.
pub fn two_way_clustered_interval(values: &[f64], a: &[u64], b: &[u64], alpha: f64) -> Option<Estimate> {
    let residuals = residuals(values, alpha)?;
    let (by_a, by_b) = (robust(&residuals, a)?, robust(&residuals, b)?);
    let pairs: Vec<(u64, u64)> = a.iter().copied().zip(b.iter().copied()).collect();
    let by_both = robust(&residuals, &pairs)?;
    let sum = by_a.variance + by_b.variance - by_both.variance;
    let variance = sum.max(by_a.variance).max(by_b.variance);
    Some(estimate(values, variance, by_a.df.min(by_b.df), alpha))
}

/// What each value lies above the mean; `None` for input that has no interval.
fn residuals(values: &[f64], alpha: f64) -> Option<Vec<f64>> {
    if values.len() < 2 || !all_finite(values) || !is_level(alpha) {
        return None;
    }
    let centre = mean(values);
    Some(values.iter().map(|x| x - centre).collect())
}

/// The estimate with the clustered variance of the mean, or the plain one where that is larger.
fn estimate(values: &[f64], clustered: f64, df: f64, alpha: f64) -> Estimate {
    let plain = variance(values) / values.len() as f64;
    Estimate::student(mean(values), plain.max(clustered).sqrt(), df, values.len(), alpha)
}

/// A cluster-robust variance of the mean and its degrees of freedom.
struct Robust {
    variance: f64,
    df: f64,
}

/// The CR2 variance of a mean and its Bell-McCaffrey degrees of freedom, both in closed form: for a mean the
/// correction matrix of a cluster with share s of the values acts on its residual sum as the number 1 / sqrt(1 - s).
///
/// df = tr(B)^2 / tr(B^2) for the G x G matrix B with s(g) / n on the diagonal and -sqrt(w(g) w(h)) / n elsewhere,
/// where w = s^2 / (1 - s): the estimate is a quadratic form with the eigenvalues of B, whose trace is 1 / n.
fn robust<K: Ord>(residuals: &[f64], clusters: &[K]) -> Option<Robust> {
    let n = residuals.len() as f64;
    let groups = sums(residuals, clusters)?;
    if groups.len() < 2 {
        return None;
    }
    let (mut variance, mut diagonal, mut weights, mut squared_weights) = (0.0, 0.0, 0.0, 0.0);
    for (sum, size) in groups {
        let share = size / n;
        let weight = share * share / (1.0 - share);
        variance += sum * sum / (1.0 - share) / (n * n);
        diagonal += share * share;
        weights += weight;
        squared_weights += weight * weight;
    }
    Some(Robust { variance, df: 1.0 / (diagonal + weights * weights - squared_weights) })
}

/// Per cluster the sum of its residuals and how many there are, in the order of the clusters' numbers so that the
/// same input always gives the same last digit. `None` when the lengths differ.
fn sums<K: Ord>(residuals: &[f64], clusters: &[K]) -> Option<Vec<(f64, f64)>> {
    if residuals.len() != clusters.len() {
        return None;
    }
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    order.sort_by_key(|&i| &clusters[i]);
    let groups = order.chunk_by(|&i, &j| clusters[i] == clusters[j]);
    Some(groups.map(|group| (group.iter().map(|&i| residuals[i]).sum(), group.len() as f64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::normals;
    use crate::stats::mean_interval;

    const VALUES: [f64; 12] = [1.2, 0.8, 1.1, -0.4, -0.2, 0.9, 2.2, 1.9, 2.4, 0.3, 0.1, 1.0];
    const A: [u64; 12] = [1, 1, 1, 2, 2, 3, 4, 4, 4, 5, 5, 5];
    const B: [u64; 12] = [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3];

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    #[test]
    fn unequal_clusters_match_the_matrix_formula() {
        // numpy, CR2 and df from the full matrices (A = (I - H)^(-1/2) per cluster)
        let found = clustered_interval(&VALUES, &A, 0.05).expect("five clusters");
        assert!((found.se - 0.44267229).abs() < 1e-8 && close(found.df, 3.5106382978723407), "{found:?}");
        assert!(close(found.mean, 0.9416666666666667), "{found:?}");
    }

    #[test]
    fn equal_clusters_have_one_degree_of_freedom_less_than_their_number() {
        let clusters: Vec<u64> = (0..12).map(|i| i / 3).collect();
        let found = clustered_interval(&VALUES, &clusters, 0.05).expect("four clusters");
        assert!(close(found.df, 3.0), "{found:?}");
        // statsmodels' CR1, which is the same for clusters of one size: sqrt(G / (G - 1) * sum of squared sums) / n
        let centre = VALUES.iter().sum::<f64>() / 12.0;
        let squares: f64 = VALUES.chunks(3).map(|c| c.iter().map(|x| x - centre).sum::<f64>().powi(2)).sum();
        assert!(close(found.se, (4.0 / 3.0 * squares).sqrt() / 12.0), "{found:?}");
    }

    #[test]
    fn clusters_of_one_give_the_plain_interval() {
        let own: Vec<u64> = (0..12).rev().collect();
        let plain = mean_interval(&VALUES, 0.01).expect("twelve values");
        for found in [clustered_interval(&VALUES, &own, 0.01), two_way_clustered_interval(&VALUES, &own, &own, 0.01)] {
            let found = found.expect("twelve clusters");
            assert!(close(found.low, plain.low) && close(found.high, plain.high) && close(found.df, 11.0), "{found:?}");
        }
    }

    #[test]
    fn the_two_way_variance_is_never_below_a_one_way_or_the_plain_one() {
        // By a 0.19596, by b 0.04424, by both 0.06795: the sum 0.17225 is below the first.
        let found = two_way_clustered_interval(&VALUES, &A, &B, 0.05).expect("clusters");
        assert!((found.se.powi(2) - 0.1959587542087542).abs() < 1e-12, "{found:?}");
        // Values that cancel inside their clusters: the clustered variance alone would be zero.
        let alternating = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let pairs = [1, 1, 2, 2, 3, 3];
        let plain = mean_interval(&alternating, 0.05).expect("six values");
        let one = clustered_interval(&alternating, &pairs, 0.05).expect("three clusters");
        let two = two_way_clustered_interval(&alternating, &pairs, &pairs, 0.05).expect("three clusters");
        assert!(close(one.se, plain.se) && close(two.se, plain.se) && close(one.df, 2.0));
    }

    #[test]
    fn crossed_groupings_add_up() {
        let mut rng = fastrand::Rng::with_seed(3);
        let (a, b): (Vec<u64>, Vec<u64>) = (0..400).map(|i| (i / 20, i % 20)).unzip();
        let (of_a, of_b) = (normals(&mut rng, 20), normals(&mut rng, 20));
        let values: Vec<f64> =
            a.iter().zip(&b).map(|(&i, &j)| of_a[i as usize] + of_b[j as usize] + 0.1 * rng.f64()).collect();
        let [one, other] = [&a, &b].map(|c| clustered_interval(&values, c, 0.05).expect("twenty clusters").se);
        let both = two_way_clustered_interval(&values, &a, &b, 0.05).expect("clusters").se;
        // Every pair occurs once, so that the variance by both is the plain one.
        let plain = mean_interval(&values, 0.05).expect("finite values").se;
        let expected = (one * one + other * other - plain * plain).sqrt();
        assert!(close(both, expected) && both > 1.3 * one.min(other), "{both}, not {expected}");
    }

    #[test]
    fn the_names_and_the_order_of_clusters_do_not_matter() {
        let renamed: Vec<u64> = A.iter().map(|c| u64::MAX - 7 * c).collect();
        let plain = clustered_interval(&VALUES, &A, 0.05).expect("five clusters");
        let found = clustered_interval(&VALUES, &renamed, 0.05).expect("five clusters");
        assert!(close(found.se, plain.se) && close(found.df, plain.df));
    }

    #[test]
    fn what_has_no_interval_is_none() {
        assert_eq!(clustered_interval(&VALUES, &[1; 12], 0.05), None);
        assert_eq!(clustered_interval(&VALUES, &A[1..], 0.05), None);
        assert_eq!(clustered_interval(&[1.0, f64::NAN], &[1, 2], 0.05), None);
        assert_eq!(clustered_interval(&VALUES, &A, 1.0), None);
        assert_eq!(two_way_clustered_interval(&VALUES, &A, &[1; 12], 0.05), None);
        assert_eq!(two_way_clustered_interval(&VALUES, &A[1..], &B, 0.05), None);
    }
}
