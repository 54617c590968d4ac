//! What the intervals and tests promise, checked on simulated data.
//!
//! Seeds are fixed, so a test either always passes or always fails. Bounds leave three to four standard deviations of
//! the simulation itself.

use fastrand::Rng;

use super::draws::{normals, t_interval};
use super::*;

/// The share of `trials` in which the interval misses zero.
fn miss_rate(trials: usize, mut interval: impl FnMut() -> Option<Estimate>) -> f64 {
    let misses = (0..trials).filter(|_| !interval().expect("finite values").contains(0.0)).count();
    misses as f64 / trials as f64
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
fn holm_makes_a_false_rejection_in_at_most_the_promised_share_of_families() {
    let mut rng = Rng::with_seed(109);
    for real in [0, 5, 15] {
        let false_alarm = (0..10_000).filter(|_| {
            // `real` of twenty rows have an effect that is nearly always found; the others have none.
            let ps: Vec<f64> = (0..20).map(|row| if row < real { 1e-6 * rng.f64() } else { rng.f64() }).collect();
            let levels = holm_levels(&ps, 0.05);
            (real..20).any(|row| ps[row] <= levels[row])
        });
        let rate = false_alarm.count() as f64 / 10_000.0;
        assert!((0.04..0.057).contains(&rate), "{real} real effects: {rate}");
    }
}

const MAX_ROUNDS: usize = 640;

/// The t test's p-value at each look at `values`.
fn ps_at_looks(values: &[f64], looks: &[usize]) -> Vec<f64> {
    looks.iter().map(|&n| t_interval(&values[..n], 0.05).p()).collect()
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
