//! How the errors of a case's changes go together.
//!
//! A round says ln(candidate) - ln(baseline) of every candidate: the last term is the same for all. The estimates are Hodges
//! and Lehmann's, which weigh a round by its rank; so two of them go together as the ranks do, by Spearman's correlation
//! (their influence functions are the ranks: Hettmansperger & McKean 2011, ch. 1).

use std::collections::BTreeMap;

use super::grid::{CaseRow, Seen};
use crate::compare::{self, Change};
use crate::samples::{Metric, Run, Shard};

/// How two changes go together can't be told from fewer rounds.
const LEAST: usize = 10;

/// By two cells, the smaller first, how much of the variance of their changes is the same (log scale, squared).
pub(super) type Covariances = BTreeMap<(usize, usize), f64>;

/// The change of one cell, round by round.
struct Series {
    cell: usize,
    part: Option<Shard>,
    se: f64,
    rounds: BTreeMap<u64, f64>,
}

/// The covariances of the changes of a case. Pairs with too few rounds in common are not there.
pub(super) fn covariances(run: &Run, metric: &Metric, row: &CaseRow) -> Covariances {
    let series = series(run, metric, row);
    let pairs = series.iter().enumerate().flat_map(|(at, one)| series[at + 1..].iter().map(move |other| (one, other)));
    pairs.filter_map(|(one, other)| Some(((one.cell, other.cell), covariance(one, other)?))).collect()
}

/// Of the cells that have noise: one of the baseline's own code is 0 by definition.
fn series(run: &Run, metric: &Metric, row: &CaseRow) -> Vec<Series> {
    let seen = row.cells.iter().enumerate().filter_map(|(cell, seen)| Some((cell, seen.as_ref()?)));
    let of = |(cell, seen): (usize, &Seen)| {
        let change = compare::within(run.measurement_in(&row.case, seen.part)?, seen.pair, metric)?;
        Some(Series { cell, part: seen.part, se: seen.change.se, rounds: observed(&change) })
    };
    seen.filter(|(_, seen)| seen.change.se > 0.0).filter_map(of).collect()
}

fn covariance(one: &Series, other: &Series) -> Option<f64> {
    if one.part != other.part {
        return Some(0.0); // Measured on two machines.
    }
    let both: Vec<(f64, f64)> =
        one.rounds.iter().filter_map(|(key, log)| Some((*log, *other.rounds.get(key)?))).collect();
    // Rounds that only one of them has go together with nothing.
    let common = both.len() as f64 / (one.rounds.len() as f64 * other.rounds.len() as f64).sqrt();
    (both.len() >= LEAST).then(|| rank_correlation(&both)).flatten().map(|rho| rho * common * one.se * other.se)
}

/// What the interval of a change rests on: one number per link order, or per round where none was drawn.
fn observed(change: &Change) -> BTreeMap<u64, f64> {
    let mut groups = BTreeMap::<u64, (f64, f64)>::new();
    for (log, layout) in change.logs.iter().zip(&change.layouts) {
        let (sum, count) = groups.entry(*layout).or_default();
        (*sum, *count) = (*sum + log, *count + 1.0);
    }
    groups.into_iter().map(|(layout, (sum, count))| (layout, sum / count)).collect()
}

/// Spearman's rho: Pearson's correlation of the ranks, which holds with ties as well (Hollander, Wolfe & Chicken 2013,
/// section 8.5). Counted metrics are the same in most rounds: ranked by their places, equal values would go together for
/// nothing. `None` where one side has no spread.
fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (one, other) = (ranks(pairs.iter().map(|pair| pair.0)), ranks(pairs.iter().map(|pair| pair.1)));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (product(&one, &one) * product(&other, &other)).sqrt();
    (spread > 0.0).then(|| product(&one, &other) / spread)
}

/// The ranks, less their mean; equal values share the mean of theirs.
fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let middle = (order.len() as f64 - 1.0) / 2.0;
    let (mut ranks, mut first) = (vec![0.0; order.len()], 0);
    for ties in order.chunk_by(|a, b| a.1 == b.1) {
        let rank = first as f64 + (ties.len() as f64 - 1.0) / 2.0 - middle;
        ties.iter().for_each(|(at, _)| ranks[*at] = rank);
        first += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_go_together_whatever_the_distances() {
        let of = |other: [f64; 4]| rank_correlation(&[1.0, 2.0, 3.0, 4.0].into_iter().zip(other).collect::<Vec<_>>());
        assert_eq!(of([10.0, 11.0, 12.0, 1e9]), Some(1.0));
        assert_eq!(of([4.0, 3.0, 2.0, -1e9]), Some(-1.0));
        assert!((of([2.0, 1.0, 4.0, 3.0]).unwrap() - 0.6).abs() < 1e-12);
    }

    #[test]
    fn rounds_that_tie_make_nothing_go_together() {
        // Each side jumps in one round of twenty, not in the same: with ranks by place, rho would be near 1.
        let jump = |at: usize, round: usize| if at == round { 1.0 } else { 0.0 };
        let pairs: Vec<(f64, f64)> = (0..20).map(|at| (jump(at, 18), jump(at, 19))).collect();
        assert!((rank_correlation(&pairs).unwrap() + 1.0 / 19.0).abs() < 1e-12);
        // Ranks 1.5, 1.5, 3.5, 3.5, 5 and 1, 2.5, 2.5, 4.5, 4.5.
        let tied = rank_correlation(&[(1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 3.0), (3.0, 3.0)]).unwrap();
        assert!((tied - 29.0 / 36.0).abs() < 1e-12, "{tied}");
        let still: Vec<(f64, f64)> = (0..16).map(|at| (at as f64, 7.0)).collect();
        assert_eq!(rank_correlation(&still), None);
    }

    #[test]
    fn rounds_that_one_alone_has_go_together_with_nothing() {
        let series = |part: Option<&str>, rounds: std::ops::Range<u64>| Series {
            cell: 0,
            part: part.map(|part| part.parse().unwrap()),
            se: 0.1,
            rounds: rounds.map(|round| (round, round as f64)).collect(),
        };
        let whole = series(None, 0..40);
        assert!(covariance(&whole, &whole).is_some_and(|all| (all - 0.01).abs() < 1e-12));
        // Of the mean of 40, the 10 in common are a quarter: 10 / sqrt(40 * 10) of the covariance.
        assert!(covariance(&whole, &series(None, 0..10)).is_some_and(|some| (some - 0.005).abs() < 1e-12));
        assert_eq!(covariance(&whole, &series(None, 35..60)), None);
        assert_eq!(covariance(&whole, &series(Some("1/2"), 0..40)), Some(0.0));
    }
}
