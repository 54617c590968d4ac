//! Looking more than once without paying for it in false alarms.

use super::student::{normal_point, normal_upper};

/// The first look; each later one comes at twice as many values. Of fewer values a rank test can say nothing at the level of a
/// row: ten that all agree have p = 0.002.
const FIRST_LOOK: usize = 20;

/// Above this overall level an O'Brien-Fleming increment no longer grows with the level, and nobody tests there.
const HIGHEST_LEVEL: f64 = 0.5;

/// The smallest overall level that is told from zero.
const LOWEST_LEVEL: f64 = 1e-300;

/// After how many values to look, out of at most `max`: 20, 40, 80, ... and `max` itself as the last. Empty for 0.
///
/// Doubling keeps the looks few, so that each has error to spend, and yet after the first look never measures more
/// than twice what was needed.
pub fn looks(max: usize) -> Vec<usize> {
    let doublings = std::iter::successors(Some(FIRST_LOOK), |n| n.checked_mul(2));
    let mut looks: Vec<usize> = doublings.take_while(|&n| n < max).collect();
    looks.extend((max > 0).then_some(max));
    looks
}

/// How the chance of a false alarm is spent over the looks: the share of `alpha` that may be used up by the time that
/// a fraction t of the planned values is in (Lan & DeMets 1983).
///
/// Each look gets the increment of the spending function as its own level, so that the levels add up to `alpha`. By
/// the union bound that holds the error under any dependence between looks and for any test that is valid at each
/// look, t tests and permutation tests included. The exact Lan-DeMets bounds use the joint normal distribution of the
/// looks to take back what two looks alarm together. That is little at the small levels of a row in a report, where
/// an alarm at one look says little about the next: by numerical integration for normal values and looks at 20, 40,
/// ... 640, the error really made is this share of `alpha`:
///
/// | `alpha` | rho = 0.5 | 1 | 2 | 3 | O'Brien-Fleming |
/// |---|---|---|---|---|---|
/// | 0.05 | 0.80 | 0.82 | 0.88 | 0.93 | 0.96 |
/// | 0.01 | 0.86 | 0.87 | 0.92 | 0.95 | 0.99 |
/// | 0.0003 | 0.94 | 0.94 | 0.96 | 0.97 | 1.00 |
///
/// What the shapes cost and save: `alpha` = 0.0003 (1 % over some thirty rows), t tests, the same looks, 20,000
/// simulated comparisons per line. Effects are in standard errors at 640 values; "values" is how many were measured
/// on average until a rejection or the end.
///
/// | effect | | one test at the end | rho = 0.5 | 1 | 2 | 3 | O'Brien-Fleming |
/// |---|---|---|---|---|---|---|---|
/// | 3 | found | 0.264 | 0.180 | 0.215 | 0.243 | 0.255 | 0.264 |
/// | | values | 640 | 630 | 629 | 631 | 634 | 640 |
/// | 5 | found | 0.914 | 0.861 | 0.886 | 0.903 | 0.909 | 0.914 |
/// | | values | 640 | 531 | 528 | 539 | 555 | 628 |
/// | 8 | found | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |
/// | | values | 640 | 263 | 266 | 284 | 306 | 442 |
/// | 15 | found | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |
/// | | values | 640 | 88 | 93 | 109 | 124 | 278 |
///
/// So at such levels O'Brien & Fleming's shape hardly ever stops early. rho = 3 saves most of what can be saved for
/// less than a hundredth of the power; rho = 1 saves a little more for up to five hundredths; below 1 power goes for
/// next to nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spending {
    /// The power family alpha * t^rho (Kim & DeMets 1987), `rho` being positive: 1 spends evenly and is near Pocock's
    /// bounds, 3 is near O'Brien & Fleming's, below 1 favours the first looks. With any other number nothing is left
    /// to spend after the start, and no look ever rejects.
    Power(f64),
    /// Lan & DeMets' function that gives O'Brien & Fleming's bounds: next to nothing is spent early.
    ObrienFleming,
}

impl Spending {
    /// How much of the two-sided level `alpha` may be spent when the fraction `t` of the planned values is in. `t` is
    /// taken to lie in [0, 1].
    pub fn spent(&self, t: f64, alpha: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match *self {
            Spending::Power(rho) => alpha * t.powf(rho).min(1.0),
            Spending::ObrienFleming if t == 0.0 || t == 1.0 => alpha * t,
            // Both sides spend alpha / 2 each: 2 * 2 * (1 - Phi(z / sqrt(t))) with z the upper alpha / 4 point.
            Spending::ObrienFleming => 4.0 * normal_upper(normal_point(0.25 * alpha) / t.sqrt()),
        }
    }

    /// The level that the look with index `look` (from 0) may test at, so that all looks together err with chance at
    /// most `alpha`. `looks` has the numbers of values at the looks so far, ascending, and `max` is the number at
    /// which the last look is planned. 0 when there is no such look.
    ///
    /// The looks may be where chance put them, as long as `max` was fixed beforehand; beyond it nothing is left.
    pub fn level_at(&self, look: usize, looks: &[usize], max: usize, alpha: f64) -> f64 {
        let spent = |n: usize| self.spent(n as f64 / max as f64, alpha);
        let Some(&now) = looks.get(look) else { return 0.0 };
        let before = look.checked_sub(1).map_or(0, |before| looks[before]);
        (spent(now) - spent(before)).max(0.0)
    }

    /// One p-value for all looks so far: the smallest overall `alpha` at which some look would have rejected, for its
    /// two-sided p-values `ps`, the numbers of values `looks` and the planned `max` as in
    /// [`level_at`](Self::level_at). 1 without a look; a p-value that is NaN rejects nothing.
    ///
    /// It is valid at whatever look one stops, so that [`holm`](super::holm) over the rows of a report, each with
    /// looks of its own, keeps its promise (Maurer & Bretz 2013). A further look can only lower it.
    pub fn sequential_p(&self, ps: &[f64], looks: &[usize], max: usize) -> f64 {
        let overall = |(look, &p): (usize, &f64)| self.overall_level(p, look, looks, max);
        ps.iter().enumerate().map(overall).fold(1.0, f64::min)
    }

    /// The smallest overall level whose share at this look is at least `p`; 1 when there is none.
    fn overall_level(&self, p: f64, look: usize, looks: &[usize], max: usize) -> f64 {
        let share = |alpha: f64| self.level_at(look, looks, max, alpha);
        let whole = share(1.0);
        match self {
            _ if p.is_nan() || whole.is_nan() || whole <= 0.0 => 1.0,
            Spending::Power(_) => (p / whole).min(1.0),
            Spending::ObrienFleming => smallest_reaching(share, p),
        }
    }
}

/// The smallest level at which the increasing function `share` reaches `p`, to eleven digits by bisecting its
/// logarithm; 1 when that is above [`HIGHEST_LEVEL`].
fn smallest_reaching(share: impl Fn(f64) -> f64, p: f64) -> f64 {
    if share(HIGHEST_LEVEL) < p {
        return 1.0;
    }
    let (mut low, mut high) = (LOWEST_LEVEL.ln(), HIGHEST_LEVEL.ln());
    while high - low > 1e-11 {
        let middle = 0.5 * (low + high);
        if share(middle.exp()) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    high.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Spending; 4] =
        [Spending::Power(0.5), Spending::Power(1.0), Spending::Power(3.0), Spending::ObrienFleming];

    #[test]
    fn looks_double_and_end_with_the_maximum() {
        assert_eq!(looks(640), [20, 40, 80, 160, 320, 640]);
        assert_eq!(looks(100), [20, 40, 80, 100]);
        assert_eq!(looks(20), [20]);
        assert_eq!(looks(7), [7]);
        assert_eq!(looks(0), [0; 0]);
    }

    #[test]
    fn spending_matches_the_published_functions() {
        // scipy: 4 * norm.sf(norm.isf(0.05 / 4) / sqrt(t))
        let spent = [0.25, 0.5, 0.75, 1.0].map(|t| Spending::ObrienFleming.spent(t, 0.05));
        for (found, expected) in spent.into_iter().zip([
            1.473361687173898e-05,
            0.0030506455159778224,
            0.019298649907024068,
            0.049999999999999996,
        ]) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found}, not {expected}");
        }
        assert_eq!(Spending::Power(3.0).spent(0.5, 0.04), 0.005);
    }

    #[test]
    fn spending_starts_at_nothing_never_falls_and_ends_at_alpha() {
        for spending in ALL {
            for alpha in [0.05, 3e-4, 1e-9] {
                assert_eq!((spending.spent(0.0, alpha), spending.spent(1.0, alpha)), (0.0, alpha));
                assert_eq!(spending.spent(2.0, alpha), alpha);
                let path: Vec<f64> = (0..=100).map(|i| spending.spent(f64::from(i) / 100.0, alpha)).collect();
                assert!(path.is_sorted(), "{spending:?} at {alpha}");
            }
        }
    }

    #[test]
    fn the_levels_of_all_looks_add_up_to_alpha() {
        for spending in ALL {
            for max in [7, 25, 100, 640, 650, 5_000] {
                let looks = looks(max);
                let sum: f64 = (0..looks.len()).map(|look| spending.level_at(look, &looks, max, 0.01)).sum();
                assert!((sum - 0.01).abs() < 1e-12, "{spending:?} up to {max}: {sum}");
                assert_eq!(spending.level_at(looks.len(), &looks, max, 0.01), 0.0);
            }
        }
    }

    #[test]
    fn the_sequential_p_is_the_level_at_which_a_look_just_rejects() {
        let (looks, mut rng) = (looks(640), fastrand::Rng::with_seed(11));
        for spending in ALL {
            for _ in 0..50 {
                let ps: Vec<f64> = (0..rng.usize(1..8)).map(|_| rng.f64().powi(12)).collect();
                let overall = spending.sequential_p(&ps, &looks, 640);
                let rejects =
                    |alpha: f64| (0..ps.len()).any(|look| ps[look] <= spending.level_at(look, &looks, 640, alpha));
                assert!(overall == 1.0 || rejects(overall * (1.0 + 1e-9)), "{spending:?}: {ps:?} {overall}");
                assert!(overall > HIGHEST_LEVEL || !rejects(overall * (1.0 - 1e-9)), "{spending:?}: {ps:?} {overall}");
            }
        }
    }

    #[test]
    fn a_further_look_never_raises_the_sequential_p() {
        let (looks, ps) = (looks(160), [0.3, 1e-9, 0.2, 1e-4, 0.8]);
        for spending in ALL {
            let path: Vec<f64> = (0..=5).map(|seen| spending.sequential_p(&ps[..seen], &looks, 160)).collect();
            assert!(path.is_sorted_by(|a, b| a >= b), "{spending:?}: {path:?}");
            assert_eq!(path[0], 1.0);
        }
    }

    #[test]
    fn certain_and_missing_evidence_are_0_and_1() {
        let looks = looks(40);
        for spending in ALL {
            assert!(spending.sequential_p(&[0.0], &looks, 40) <= LOWEST_LEVEL * 1.001);
            assert_eq!(spending.sequential_p(&[f64::NAN], &looks, 40), 1.0);
            assert_eq!(spending.sequential_p(&[1.0, 1.0, 1.0], &looks, 40), 1.0);
            assert_eq!(spending.sequential_p(&[1e-9], &[], 40), 1.0);
        }
        assert_eq!(Spending::Power(3.0).sequential_p(&[0.003], &[30], 30), 0.003);
    }

    #[test]
    fn an_unplanned_look_takes_its_share_from_the_next_and_none_comes_after_the_maximum() {
        let spending = Spending::Power(1.0);
        let level = |look| spending.level_at(look, &[10, 17, 20, 40, 50], 40, 0.04);
        for (look, expected) in [0.01, 0.007, 0.003, 0.02, 0.0].into_iter().enumerate() {
            assert!((level(look) - expected).abs() < 1e-15, "look {look}: {}", level(look));
        }
    }

    #[test]
    fn a_shape_that_is_none_rejects_nothing() {
        for rho in [0.0, -1.0, f64::NAN] {
            let spending = Spending::Power(rho);
            assert_eq!(spending.sequential_p(&[1e-9, 1e-9], &[10, 20], 20), 1.0, "{rho}");
            assert_eq!(spending.level_at(0, &[10, 20], 20, 0.05), 0.0, "{rho}");
        }
    }
}
