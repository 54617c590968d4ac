//! The one number that says what a machine is good for.

/// Two-sided at 1 %, the error of a whole report, here of one row: the normal distribution's upper half per cent.
const LEVEL: f64 = 2.575_829;
/// Found 19 times of 20: the normal distribution's upper five per cent.
const POWER: f64 = 1.644_854;
/// Fewer rounds tell nothing of their spread.
const FEWEST: usize = 10;

/// The smallest change, as a share, that is found 19 times of 20 in `budget` seconds, at an error of 1 % for the one row.
///
/// `rounds` are log ratios of a program against itself, one per round, which took `spent` seconds in all; the standard error
/// falls with the root of the time. Infinite where there are fewer than ten rounds or no time was spent.
///
/// The standard error is that of Hodges and Lehmann's estimate, which verdicts use: half the width of its interval at one
/// standard deviation (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.3), so that a few disturbed rounds
/// count for as little here as there. The formula is the normal one: in a minute rounds are many.
#[must_use]
pub fn visible_in(rounds: &[f64], spent: f64, budget: f64) -> f64 {
    let sensible = |seconds: f64| seconds > 0.0 && seconds.is_finite();
    if rounds.len() < FEWEST || !sensible(spent) || !sensible(budget) || rounds.iter().any(|ratio| !ratio.is_finite()) {
        return f64::INFINITY;
    }
    let error = standard_error(rounds) * (spent / budget).sqrt();
    ((LEVEL + POWER) * error).exp_m1()
}

/// Of the averages of all pairs, half the distance between those that are as far from the middle as one standard deviation
/// of the signed-rank sum.
fn standard_error(rounds: &[f64]) -> f64 {
    let mut averages: Vec<f64> =
        rounds.iter().enumerate().flat_map(|(at, a)| rounds[at..].iter().map(move |b| 0.5 * (a + b))).collect();
    averages.sort_by(f64::total_cmp);
    let n = rounds.len() as f64;
    let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
    let outside = (averages.len() as f64 / 2.0 - deviation).round().max(0.0) as usize;
    let last = averages.len() - 1;
    0.5 * (averages[last - outside.min(last)] - averages[outside.min(last)]).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roughly normal numbers of mean zero: sums of twelve uniform ones have standard deviation 1.
    fn ratios(seed: u64, n: usize, deviation: f64) -> Vec<f64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let normal = |rng: &mut fastrand::Rng| (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        (0..n).map(|_| normal(&mut rng) * deviation).collect()
    }

    #[test]
    fn the_error_is_that_of_the_estimate_over_many_samples() {
        // The estimate's efficiency for normal numbers is 3 / pi.
        let expected = 0.01 * (std::f64::consts::PI / 3.0 / 100.0).sqrt();
        let mean = (0..60).map(|seed| standard_error(&ratios(seed, 100, 0.01))).sum::<f64>() / 60.0;
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean}, not {expected}");
    }

    #[test]
    fn four_times_the_time_sees_half_the_change() {
        let rounds = ratios(5, 80, 0.004);
        let (short, long) = (visible_in(&rounds, 4.0, 15.0), visible_in(&rounds, 4.0, 60.0));
        assert!((short.ln_1p() / long.ln_1p() - 2.0).abs() < 1e-9, "{short} {long}");
        assert!((0.0003..0.001).contains(&long), "{long}");
    }

    #[test]
    fn a_few_disturbed_rounds_count_for_little() {
        let mut rounds = ratios(7, 100, 0.004);
        let plain = visible_in(&rounds, 4.0, 60.0);
        rounds[..3].fill(0.5);
        assert!(visible_in(&rounds, 4.0, 60.0) < 1.3 * plain);
    }

    #[test]
    fn too_little_to_tell_from_sees_nothing() {
        assert_eq!(visible_in(&[0.0; 9], 1.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[0.0; 20], 0.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[f64::NAN; 20], 1.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[0.001; 20], 1.0, 60.0), 0.0);
    }
}
