//! Many rows in one report share one error budget.

/// The level of each row, in the order of `ps`, such that the chance of even one false rejection among all is at most `family`,
/// whatever the dependence between rows: a row is rejected when its p-value is at most its level, and its interval at that
/// level then excludes zero. Holm's step-down (1979): family / (m - rank) for the rejected rows (rank 0 for the smallest p of
/// m), and the level of the first row that was not rejected for all the rest. A NaN is never rejected, but counts as a row.
///
/// The intervals of the rejected rows are not simultaneous confidence intervals: those would have to be the wider
/// ones of the first rank (Strassburger & Bretz 2008).
pub fn holm_levels(ps: &[f64], family: f64) -> Vec<f64> {
    let level = |rank: usize| family / (ps.len() - rank) as f64;
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|&i, &j| sort_key(ps[i]).total_cmp(&sort_key(ps[j])));
    let passed = order.iter().enumerate().take_while(|&(rank, &row)| ps[row] <= level(rank)).count();
    let mut levels = vec![0.0; ps.len()];
    for (rank, &row) in order.iter().enumerate() {
        levels[row] = level(rank.min(passed));
    }
    levels
}

/// NaN of either sign sorts behind every number, where it stops the step-down.
fn sort_key(p: f64) -> f64 {
    if p.is_nan() { f64::INFINITY } else { p }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holm(ps: &[f64], family: f64) -> Vec<bool> {
        ps.iter().zip(holm_levels(ps, family)).map(|(p, level)| *p <= level).collect()
    }

    #[test]
    fn holm_matches_statsmodels() {
        // multipletests([...], 0.05, "holm"): adjusted 0.054, 0.045, 0.054, 0.004
        let ps = [0.027, 0.015, 0.03, 0.001];
        assert_eq!(holm(&ps, 0.05), [false, true, false, true]);
        assert_eq!(holm_levels(&ps, 0.05), [0.025, 0.05 / 3.0, 0.025, 0.0125]);
    }

    #[test]
    fn a_small_p_behind_a_failed_one_does_not_pass() {
        // 0.02 would pass at 0.05 / 2, but the smallest, 0.018, already fails at 0.05 / 3.
        assert_eq!(holm(&[0.018, 0.02, 0.9], 0.05), [false, false, false]);
        assert_eq!(holm_levels(&[0.018, 0.02, 0.9], 0.05), [0.05 / 3.0; 3]);
    }

    #[test]
    fn one_row_has_the_whole_budget_and_no_rows_are_no_trouble() {
        assert_eq!((holm(&[0.01], 0.01), holm_levels(&[0.01], 0.01)), (vec![true], vec![0.01]));
        assert_eq!((holm(&[], 0.01), holm_levels(&[], 0.01)), (vec![], vec![]));
        assert_eq!(holm_levels(&[0.0, 0.0], 0.01), [0.005, 0.01]);
    }

    #[test]
    fn a_row_without_a_p_counts_but_is_never_rejected() {
        for nan in [f64::NAN, -f64::NAN] {
            assert_eq!(holm(&[nan, 0.02], 0.05), [false, true]);
            assert_eq!(holm(&[nan, 0.03], 0.05), [false, false]);
        }
    }

    #[test]
    fn more_budget_never_rejects_less() {
        let mut rng = fastrand::Rng::with_seed(10);
        for _ in 0..500 {
            let ps: Vec<f64> = (0..rng.usize(1..30)).map(|_| rng.f64().powi(6)).collect();
            let (small, large) = (holm(&ps, 0.01), holm(&ps, 0.05));
            for (i, level) in holm_levels(&ps, 0.01).into_iter().enumerate() {
                assert!(level >= 0.01 / ps.len() as f64 && level <= 0.01);
                assert!(large[i] || !small[i]);
            }
        }
    }
}
