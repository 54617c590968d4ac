//! Where the spread comes from, and how many blocks a round should therefore have.

use super::summary::{all_finite, mean};

/// The two variances of numbers that come in groups, in the squared unit of the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// The variance between the blocks of one round.
    pub within: f64,
    /// The variance between rounds beyond what their blocks explain; 0 where the estimate would be negative.
    pub between: f64,
}

/// The variance components of `groups` (one slice of block values per round, of any sizes): the one-way analysis of
/// variance with random effects (Searle, Casella & McCulloch 1992, section 3.6). Empty groups are passed over.
///
/// `None` below two groups, when no group has two values, or when a value is not finite.
pub fn components(groups: &[Vec<f64>]) -> Option<Components> {
    let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).filter(|group| !group.is_empty()).collect();
    let total: usize = groups.iter().map(|group| group.len()).sum();
    if groups.len() < 2 || total == groups.len() || !groups.iter().all(|group| all_finite(group)) {
        return None;
    }
    let (n, k) = (total as f64, groups.len() as f64);
    let means: Vec<f64> = groups.iter().map(|group| mean(group)).collect();
    let weighted = |f: &dyn Fn(f64, f64) -> f64| groups.iter().zip(&means).map(|(g, &m)| f(g.len() as f64, m)).sum();
    let sum: f64 = weighted(&|size, m| size * m);
    let grand = sum / n;
    let between_squares: f64 = weighted(&|size, m| size * (m - grand).powi(2));
    let sizes_squared: f64 = weighted(&|size, _| size * size);
    let deviations = groups.iter().zip(&means).flat_map(|(group, m)| group.iter().map(move |x| (x - m).powi(2)));
    let within = deviations.sum::<f64>() / (n - k);
    let typical_size = (n - sizes_squared / n) / (k - 1.0);
    let between = ((between_squares / (k - 1.0) - within) / typical_size).max(0.0);
    Some(Components { within, between })
}

/// How many blocks per round give the smallest standard error for a given time (Kalibera & Jones 2013, section 7:
/// sqrt(cost ratio * variance ratio)). Both costs are in one unit: of a new round (start, set-up, warm-up, end), and
/// of one more block.
///
/// At least 1. Infinite when rounds do not differ or blocks cost nothing, for then nothing speaks for another round;
/// the caller has a limit of its own. When blocks do not differ either, 1.
pub fn best_blocks(components: Components, cost_round_ns: f64, cost_block_ns: f64) -> f64 {
    if components.within <= 0.0 || cost_round_ns <= 0.0 {
        return 1.0;
    }
    let ratio = (cost_round_ns / cost_block_ns) * (components.within / components.between);
    ratio.sqrt().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::draws::normals;

    #[test]
    fn balanced_groups_match_the_textbook_formula() {
        // Means 2, 6, 10 with deviations -1, 0, 1 each: MSW = 1, MSB = 3 * 16 = 48.
        let groups = [vec![1.0, 2.0, 3.0], vec![5.0, 6.0, 7.0], vec![9.0, 10.0, 11.0]];
        assert_eq!(components(&groups), Some(Components { within: 1.0, between: 47.0 / 3.0 }));
    }

    #[test]
    fn groups_that_differ_less_than_their_values_have_no_variance_between() {
        let found = components(&[vec![-1.0, 1.0], vec![1.0, -1.0], vec![]]).expect("two groups");
        assert_eq!(found, Components { within: 2.0, between: 0.0 });
    }

    #[test]
    fn the_components_of_unequal_groups_are_found_without_bias() {
        let mut rng = fastrand::Rng::with_seed(9);
        let (mut within, mut between) = (0.0, 0.0);
        for _ in 0..300 {
            let groups: Vec<Vec<f64>> = (0..40)
                .map(|_| {
                    let level = 0.7 * normals(&mut rng, 1)[0];
                    let size = rng.usize(1..9);
                    normals(&mut rng, size).iter().map(|x| level + 1.5 * x).collect()
                })
                .collect();
            let found = components(&groups).expect("forty groups");
            within += found.within / 300.0;
            between += found.between / 300.0;
        }
        assert!((within - 2.25).abs() < 0.05, "{within}");
        assert!((between - 0.49).abs() < 0.06, "{between}");
    }

    #[test]
    fn what_cannot_be_separated_is_none() {
        assert_eq!(components(&[]), None);
        assert_eq!(components(&[vec![1.0, 2.0]]), None);
        assert_eq!(components(&[vec![1.0], vec![2.0]]), None);
        assert_eq!(components(&[vec![1.0, f64::NAN], vec![2.0, 3.0]]), None);
    }

    #[test]
    fn dear_rounds_and_noisy_blocks_ask_for_more_blocks() {
        let even = Components { within: 4.0, between: 1.0 };
        assert_eq!(best_blocks(even, 16e6, 1e6), 8.0);
        assert_eq!(best_blocks(Components { within: 1e-6, between: 1.0 }, 16e6, 1e6), 1.0);
        assert_eq!(best_blocks(Components { within: 4.0, between: 0.0 }, 16e6, 1e6), f64::INFINITY);
        assert_eq!(best_blocks(Components { within: 0.0, between: 0.0 }, 16e6, 1e6), 1.0);
        assert_eq!(best_blocks(even, 0.0, 1e6), 1.0);
    }

    #[test]
    fn no_other_number_of_blocks_has_a_smaller_error_for_the_time() {
        let (parts, round, block) = (Components { within: 9.0, between: 0.5 }, 20.0, 1.5);
        // Variance of the mean times the time it takes, for n blocks per round.
        let price = |n: f64| (parts.between + parts.within / n) * (round + n * block);
        let best = best_blocks(parts, round, block);
        for other in [0.5, 0.9, 1.1, 2.0] {
            assert!(price(best) < price(best * other));
        }
    }
}
