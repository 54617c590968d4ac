//! The sign-flip test: exact for symmetric values of any distribution.

use fastrand::Rng;

use super::summary::all_finite;

/// How many values one table covers: one byte of a random number picks their signs.
const CHUNK: usize = 8;

/// Sums that differ by less than this share of the sum of all magnitudes are equal but for rounding.
const ROUNDING: f64 = 1e-12;

/// The two-sided p-value of "the values are symmetric round zero": how often random signs give a sum at least as far
/// from zero as the one that is there (Fisher 1935; one number per round, its sign the order of the two arms).
///
/// All 2^n choices are counted when they are at most `flips`, else `flips` random ones are drawn and
/// p = (1 + hits) / (1 + `flips`), which never claims more than that many draws can show (Phipson & Smyth 2010). The
/// smallest p is therefore about 1 / `flips`, and with few values 2 / 2^n: levels below that can't be reached.
/// Without values, or when one is not finite, there is no evidence and p is 1.
pub fn sign_flip_p(values: &[f64], flips: usize, seed: u64) -> f64 {
    if values.is_empty() || !all_finite(values) {
        return 1.0;
    }
    let magnitude: f64 = values.iter().map(|x| x.abs()).sum();
    let threshold = values.iter().sum::<f64>().abs() - ROUNDING * magnitude;
    if values.len() < 63 && 1_u64 << values.len() <= flips as u64 {
        return exact_p(values, threshold);
    }
    let hits = drawn_hits(values, threshold, flips, seed);
    (1.0 + hits as f64) / (1.0 + flips as f64)
}

/// The share of all choices of signs whose sum is at least `threshold` away from zero.
fn exact_p(values: &[f64], threshold: f64) -> f64 {
    let mut magnitudes: Vec<f64> = values.iter().map(|x| x.abs()).collect();
    // The largest first: the rest then soon can't change on which side of the threshold a sum ends.
    magnitudes.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut rests = vec![0.0; magnitudes.len() + 1];
    for i in (0..magnitudes.len()).rev() {
        rests[i] = rests[i + 1] + magnitudes[i];
    }
    exact_hits(&magnitudes, &rests, 0.0, threshold) as f64 / (1_u64 << values.len()) as f64
}

/// How many choices of signs for `magnitudes` take `sum` at least `threshold` away from zero. `rests[i]` is the sum
/// of `magnitudes[i..]`.
fn exact_hits(magnitudes: &[f64], rests: &[f64], sum: f64, threshold: f64) -> u64 {
    if sum.abs() + rests[0] < threshold {
        return 0;
    }
    match magnitudes {
        _ if sum.abs() - rests[0] >= threshold => 1 << magnitudes.len(),
        [] => 0, // unreachable: one of the two bounds decides when nothing is left
        [first, others @ ..] => {
            exact_hits(others, &rests[1..], sum + first, threshold)
                + exact_hits(others, &rests[1..], sum - first, threshold)
        }
    }
}

/// How many of `flips` random choices of signs give a sum at least `threshold` away from zero. Eight values cost one
/// look into a table instead of eight additions.
fn drawn_hits(values: &[f64], threshold: f64, flips: usize, seed: u64) -> usize {
    let tables: Vec<[f64; 1 << CHUNK]> = values.chunks(CHUNK).map(signed_sums).collect();
    let mut rng = Rng::with_seed(seed);
    (0..flips).filter(|_| drawn_sum(&tables, &mut rng).abs() >= threshold).count()
}

/// The sum of all values with random signs. One random number serves as many tables as it has bytes.
fn drawn_sum(tables: &[[f64; 1 << CHUNK]], rng: &mut Rng) -> f64 {
    let mut sum = 0.0;
    for group in tables.chunks(size_of::<u64>()) {
        for (table, signs) in group.iter().zip(rng.u64(..).to_le_bytes()) {
            sum += table[usize::from(signs)];
        }
    }
    sum
}

/// The sum of up to eight values for each choice of signs: bit i of the index set means value i counts as negative.
fn signed_sums(values: &[f64]) -> [f64; 1 << CHUNK] {
    let mut sums = [0.0; 1 << CHUNK];
    for (signs, sum) in sums.iter_mut().enumerate() {
        *sum = values.iter().enumerate().map(|(i, x)| if signs >> i & 1 == 1 { -x } else { *x }).sum();
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::normals;
    use crate::stats::mean_interval;

    const VALUES: [f64; 8] = [0.4, 1.1, -0.3, 0.9, 0.6, 1.4, 0.2, -0.1];

    #[test]
    fn the_exact_p_matches_scipy() {
        // scipy.stats.permutation_test(..., permutation_type="samples", n_resamples=inf): 14 of 256
        assert_eq!(sign_flip_p(&VALUES, 256, 0), 14.0 / 256.0);
        assert_eq!(sign_flip_p(&[1.0; 5], 1_000, 0), 2.0 / 32.0);
    }

    #[test]
    fn drawn_flips_agree_with_all_flips() {
        let mut rng = fastrand::Rng::with_seed(6);
        for seed in 0..20 {
            let values: Vec<f64> = normals(&mut rng, 12).iter().map(|x| x + 0.4).collect();
            let exact = sign_flip_p(&values, 1 << 12, seed);
            let drawn = sign_flip_p(&values, (1 << 12) - 1, seed);
            assert!((exact - drawn).abs() < 5.0 * (exact * (1.0 - exact) / 4095.0).sqrt() + 1e-3, "{exact} {drawn}");
        }
    }

    #[test]
    fn p_does_not_change_when_all_signs_flip_or_all_values_stretch() {
        let mut rng = fastrand::Rng::with_seed(7);
        for n in [1, 3, 9, 40, 129] {
            let values: Vec<f64> = normals(&mut rng, n).iter().map(|x| x + 0.1).collect();
            let mirrored: Vec<f64> = values.iter().map(|x| -x).collect();
            let stretched: Vec<f64> = values.iter().map(|x| 4.0 * x).collect();
            let p = sign_flip_p(&values, 2_000, 11);
            assert_eq!(p, sign_flip_p(&mirrored, 2_000, 11));
            assert_eq!(p, sign_flip_p(&stretched, 2_000, 11));
        }
    }

    #[test]
    fn p_is_close_to_the_t_test_for_normal_values() {
        let mut rng = fastrand::Rng::with_seed(8);
        for seed in 0..20 {
            let values: Vec<f64> = normals(&mut rng, 100).iter().map(|x| x + 0.2).collect();
            let t = mean_interval(&values, 0.05).expect("finite values").p();
            assert!((sign_flip_p(&values, 10_000, seed) - t).abs() < 0.02 + 0.1 * t);
        }
    }

    #[test]
    fn a_strong_effect_gets_the_smallest_p_that_the_draws_can_show() {
        let values: Vec<f64> = (0..50).map(|i| 1.0 + 0.01 * f64::from(i)).collect();
        assert_eq!(sign_flip_p(&values, 999, 1), 0.001);
    }

    #[test]
    fn without_evidence_p_is_one() {
        assert_eq!(sign_flip_p(&[], 1_000, 0), 1.0);
        assert_eq!(sign_flip_p(&[0.0; 40], 1_000, 0), 1.0);
        assert_eq!(sign_flip_p(&[0.0; 4], 1_000, 0), 1.0);
        assert_eq!(sign_flip_p(&[1.0, f64::NAN], 1_000, 0), 1.0);
        assert_eq!(sign_flip_p(&[0.1, -0.1, 0.3, -0.3], 16, 0), 1.0);
    }
}
