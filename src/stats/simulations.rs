//! What the intervals and tests promise, checked on simulated data.
//!
//! Seeds are fixed, so a test either always passes or always fails. Bounds leave three to four standard deviations of
//! the simulation itself.

use fastrand::Rng;

use super::draws::{normals, skewed};
use super::*;

/// The share of `trials` in which the interval misses zero.
fn miss_rate(trials: usize, mut interval: impl FnMut() -> Option<Estimate>) -> f64 {
    let misses = (0..trials).filter(|_| !interval().expect("finite values").contains(0.0)).count();
    misses as f64 / trials as f64
}

/// `rounds` values with a share `alike` of their variance from the layout that each draws from a pool of `pool`, and
/// the layouts drawn.
fn layouts(rng: &mut Rng, rounds: usize, pool: usize, alike: f64) -> (Vec<f64>, Vec<u64>) {
    let effects = normals(rng, pool);
    let drawn: Vec<u64> = (0..rounds).map(|_| rng.u64(..pool as u64)).collect();
    let noise = normals(rng, rounds);
    let value = |(&layout, e): (&u64, &f64)| alike.sqrt() * effects[layout as usize] + (1.0 - alike).sqrt() * e;
    (drawn.iter().zip(&noise).map(value).collect(), drawn)
}

#[test]
fn the_mean_interval_of_normal_values_misses_as_often_as_promised() {
    let mut rng = Rng::with_seed(101);
    for n in [3, 10, 50] {
        let rate = miss_rate(10_000, || mean_interval(&normals(&mut rng, n), 0.05));
        assert!((rate - 0.05).abs() < 0.008, "{n} values: {rate}");
    }
}

#[test]
fn the_mean_interval_of_differences_of_skewed_values_errs_on_the_safe_side() {
    // What a comparison sees: both arms skewed alike, so that their log ratio is symmetric with heavy tails.
    let mut rng = Rng::with_seed(102);
    for n in [10, 40] {
        let rate = miss_rate(10_000, || {
            let (a, b) = (skewed(&mut rng, n), skewed(&mut rng, n));
            mean_interval(&a.iter().zip(&b).map(|(a, b)| a - b).collect::<Vec<_>>(), 0.05)
        });
        assert!((0.03..0.055).contains(&rate), "{n} values: {rate}");
    }
}

#[test]
fn bca_misses_less_often_than_t_on_one_sided_skewness() {
    let mut rng = Rng::with_seed(103);
    let samples: Vec<Vec<f64>> = (0..1_200).map(|_| skewed(&mut rng, 25)).collect();
    let (mut plain, mut resampled) = (samples.iter(), samples.iter().enumerate());
    let t = miss_rate(1_200, || mean_interval(plain.next().expect("one per trial"), 0.05));
    let bca = miss_rate(1_200, || {
        let (seed, values) = resampled.next().expect("one per trial");
        // A sample so skewed that too few resamples reach an end is judged by t, as a caller would.
        bca_interval(values, 0.05, 3_000, seed as u64).or_else(|| mean_interval(values, 0.05))
    });
    assert!(bca < t && bca < 0.075, "BCa {bca}, t {t}");
}

#[test]
fn the_welch_interval_of_groups_with_unlike_spreads_misses_as_often_as_promised() {
    let mut rng = Rng::with_seed(104);
    let rate = miss_rate(10_000, || {
        let candidate: Vec<f64> = normals(&mut rng, 8).iter().map(|x| 3.0 * x).collect();
        welch_interval(&candidate, &normals(&mut rng, 30), 0.05, 0.0)
    });
    assert!((rate - 0.05).abs() < 0.009, "{rate}");
    // Between two runs the level moves by sd 1; an interval that knows it keeps its promise, one that does not fails.
    let mut stored = |extra: f64| {
        miss_rate(5_000, || {
            let level = normals(&mut rng, 1)[0];
            let candidate: Vec<f64> = normals(&mut rng, 30).iter().map(|x| x + level).collect();
            welch_interval(&candidate, &normals(&mut rng, 30), 0.05, extra)
        })
    };
    let (known, ignored) = (stored(1.0), stored(0.0));
    assert!((known - 0.05).abs() < 0.012 && ignored > 0.5, "{known} {ignored}");
}

#[test]
fn the_clustered_interval_holds_where_the_plain_one_fails() {
    let mut rng = Rng::with_seed(105);
    for (pool, alike) in [(6, 0.3), (12, 0.5), (30, 0.8)] {
        let plain = miss_rate(2_000, || mean_interval(&layouts(&mut rng, 80, pool, alike).0, 0.05));
        let robust = miss_rate(3_000, || {
            let (values, drawn) = layouts(&mut rng, 80, pool, alike);
            clustered_interval(&values, &drawn, 0.05)
        });
        assert!(plain > 0.15, "pool {pool}: plain {plain}");
        assert!((0.02..0.065).contains(&robust), "pool {pool}: clustered {robust}");
    }
}

#[test]
fn the_clustered_interval_of_unrelated_values_is_not_too_short() {
    let mut rng = Rng::with_seed(106);
    let rate = miss_rate(4_000, || {
        let (values, drawn) = layouts(&mut rng, 60, 15, 0.0);
        clustered_interval(&values, &drawn, 0.05)
    });
    assert!((0.01..0.05).contains(&rate), "{rate}");
}

#[test]
fn the_two_way_interval_holds_when_both_arms_draw_layouts() {
    let mut rng = Rng::with_seed(107);
    for (pool, alike) in [(10, 0.5), (25, 0.7), (10, 0.0)] {
        let mut one_way = 0;
        let rate = miss_rate(3_000, || {
            let (candidate, a) = layouts(&mut rng, 100, pool, alike);
            let (baseline, b) = layouts(&mut rng, 100, pool, alike);
            let values: Vec<f64> = candidate.iter().zip(&baseline).map(|(c, b)| c - b).collect();
            let by_a = clustered_interval(&values, &a, 0.05).expect("clusters");
            one_way += usize::from(!by_a.contains(0.0));
            two_way_clustered_interval(&values, &a, &b, 0.05)
        });
        assert!(rate < 0.065, "pool {pool}, alike {alike}: two-way {rate}");
        assert!(alike == 0.0 || one_way > 240, "pool {pool}: one-way misses {one_way} of 3000");
    }
}

#[test]
fn the_sign_flip_test_rejects_heavy_tailed_noise_as_often_as_promised() {
    let mut rng = Rng::with_seed(108);
    let rejected = (0..4_000).filter(|&seed| {
        let cauchy: Vec<f64> = normals(&mut rng, 60).chunks(2).map(|pair| pair[0] / pair[1]).collect();
        sign_flip_p(&cauchy, 999, seed) <= 0.05
    });
    let rate = rejected.count() as f64 / 4_000.0;
    assert!((rate - 0.05).abs() < 0.012, "{rate}");
}

#[test]
fn holm_makes_a_false_rejection_in_at_most_the_promised_share_of_families() {
    let mut rng = Rng::with_seed(109);
    for real in [0, 5, 15] {
        let false_alarm = (0..10_000).filter(|_| {
            // `real` of twenty rows have an effect that is nearly always found; the others have none.
            let ps: Vec<f64> = (0..20).map(|row| if row < real { 1e-6 * rng.f64() } else { rng.f64() }).collect();
            holm(&ps, 0.05)[real..].contains(&true)
        });
        let rate = false_alarm.count() as f64 / 10_000.0;
        assert!((0.04..0.057).contains(&rate), "{real} real effects: {rate}");
    }
}

const MAX_ROUNDS: usize = 640;

/// The t test's p-value at each look at `values`.
fn ps_at_looks(values: &[f64], looks: &[usize]) -> Vec<f64> {
    looks.iter().map(|&n| mean_interval(&values[..n], 0.05).expect("finite values").p()).collect()
}

/// The first look at which `spending` rejects.
fn first_rejection(ps: &[f64], looks: &[usize], spending: Spending, alpha: f64) -> Option<usize> {
    (0..ps.len()).find(|&look| ps[look] <= spending.level_at(look, looks, MAX_ROUNDS, alpha))
}

#[test]
fn looking_seven_times_keeps_the_promised_rate_of_false_alarms_but_not_wastefully_less() {
    let (mut rng, looks) = (Rng::with_seed(110), looks(MAX_ROUNDS));
    let null: Vec<Vec<f64>> = (0..10_000).map(|_| ps_at_looks(&normals(&mut rng, MAX_ROUNDS), &looks)).collect();
    for spending in [Spending::Power(1.0), Spending::Power(2.0), Spending::Power(3.0), Spending::ObrienFleming] {
        let alarms = null.iter().filter(|ps| first_rejection(ps, &looks, spending, 0.05).is_some()).count();
        let rate = alarms as f64 / 10_000.0;
        assert!((0.035..0.0535).contains(&rate), "{spending:?}: {rate}");
        let by_p = null.iter().filter(|ps| spending.sequential_p(ps, &looks, MAX_ROUNDS) <= 0.05).count();
        assert_eq!(alarms, by_p, "{spending:?}: the sequential p and the levels disagree");
    }
    let naive = null.iter().filter(|ps| ps.iter().any(|&p| p <= 0.05)).count();
    assert!(naive > 1_500, "without spending, {naive} of 10000 would be false alarms");
}

#[test]
fn the_shapes_of_spending_find_and_save_what_their_documentation_says() {
    // (effect in standard errors at the maximum, shape, share found, mean number of values): the table at `Spending`.
    let table = [
        (3.0, Spending::Power(0.5), 0.180, 630.0),
        (3.0, Spending::ObrienFleming, 0.264, 640.0),
        (5.0, Spending::Power(1.0), 0.886, 528.0),
        (5.0, Spending::Power(3.0), 0.909, 555.0),
        (5.0, Spending::ObrienFleming, 0.914, 628.0),
        (8.0, Spending::Power(2.0), 1.0, 284.0),
        (8.0, Spending::Power(3.0), 1.0, 306.0),
        (8.0, Spending::ObrienFleming, 1.0, 442.0),
    ];
    let (mut rng, looks) = (Rng::with_seed(111), looks(MAX_ROUNDS));
    for (effect, spending, expected, values) in table {
        let shift = effect / (MAX_ROUNDS as f64).sqrt();
        let (mut found, mut measured) = (0_usize, 0_usize);
        for _ in 0..1_500 {
            let sample: Vec<f64> = normals(&mut rng, MAX_ROUNDS).iter().map(|x| x + shift).collect();
            let stop = first_rejection(&ps_at_looks(&sample, &looks), &looks, spending, 3e-4);
            found += usize::from(stop.is_some());
            measured += stop.map_or(MAX_ROUNDS, |look| looks[look]);
        }
        let (found, measured) = (found as f64 / 1_500.0, measured as f64 / 1_500.0);
        assert!((found - expected).abs() < 0.04, "{effect}, {spending:?}: found {found}");
        assert!((measured / values - 1.0).abs() < 0.05, "{effect}, {spending:?}: {measured} values");
    }
}
