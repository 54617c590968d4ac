//! Weighted sums of the cells of each case, and their means over cases and workloads.
//!
//! A round measures all arms of a case, so that the changes of two candidates share the baseline's noise. With s_i the
//! standard error of the change of cell i and c_ij the covariance of two of them, the variance of a sum with weights w_i is
//!
//! ```text
//! sum w_i^2 s_i^2 + sum w_i w_j c_ij over all i != j
//! ```
//!
//! The rounds tell c_ij: see `covariance.rs`. Where there are too few of them, it is taken for the baseline's noise alone, which
//! is somewhere between nothing and the smallest s_i^2 of the sum, and of the two ends the one that gives the wider interval:
//! for the sum of two, as a recommendation needs it, twice the noise of the baseline; for a difference, none shared.
//!
//! The c_ij are told pair by pair, so that together they need not be a possible covariance, and a sum could come out as known
//! exactly: its variance is never taken for less than a small share of what it is with nothing shared.

use std::collections::BTreeMap;

use super::grid::{CaseRow, Cost, Grid, Seen};
use super::known::{ERROR, Known, Mean};

/// That share.
const LEAST_LEFT: f64 = 0.01;

/// What one case weighs its cells with: cell and weight. The baseline's cell is 0 and needs no weight.
type Weights = Vec<(usize, f64)>;

/// One quantity, by cases: how each weighs its cells; `None` where a case can't tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contrast(pub(super) Vec<Option<Weights>>);

impl Contrast {
    /// The change of one cell, or of the baseline from itself.
    pub(super) fn cell(grid: &Grid, cell: Option<usize>) -> Self {
        let of = |case: &CaseRow| match cell {
            None => Some(Vec::new()),
            Some(cell) => case.cells[cell].as_ref().map(|_| vec![(cell, 1.0)]),
        };
        Self(grid.cases.iter().map(of).collect())
    }

    /// The sum with a multiple of another; cases that can't tell one of them can't tell the sum.
    pub(super) fn plus(&self, other: &Self, times: f64) -> Self {
        let sum = |(a, b): (&Option<Weights>, &Option<Weights>)| {
            let mut sum: BTreeMap<usize, f64> = a.as_ref()?.iter().copied().collect();
            b.as_ref()?.iter().for_each(|(cell, weight)| *sum.entry(*cell).or_insert(0.0) += times * weight);
            Some(sum.into_iter().filter(|(_, weight)| weight.abs() > 1e-12).collect())
        };
        Self(self.0.iter().zip(&other.0).map(sum).collect())
    }

    /// The same over some of the cases alone.
    pub(super) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        Self(self.0.iter().enumerate().map(|(case, weights)| weights.clone().filter(|_| keep(case))).collect())
    }

    /// Whether a case can tell it.
    pub(super) fn has(&self, case: usize) -> bool {
        self.0[case].is_some()
    }

    /// Whether the same cases can tell both.
    pub(super) fn covers_like(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a.is_some() == b.is_some())
    }

    /// Whether no case can tell it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What one case says.
    pub(super) fn of_case(&self, grid: &Grid, case: usize) -> Option<Known> {
        let row = &grid.cases[case];
        let part = |(cell, weight): &(usize, f64)| Some((*cell, row.cells[*cell].as_ref()?.change, *weight));
        self.0[case].as_ref()?.iter().map(part).collect::<Option<Vec<_>>>().map(|parts| sum(row, &parts))
    }

    /// The mean over workloads of the means over their cases, on the log scale: every workload weighs the same, however many
    /// cases it has. With it, the number of cases. `None` where no case can tell.
    pub(super) fn known(&self, grid: &Grid) -> Option<(Known, usize)> {
        let told = |case: usize| Some((grid.cases[case].case.workload(), self.of_case(grid, case)?));
        let told: Vec<(&str, Known)> = (0..grid.cases.len()).filter_map(told).collect();
        let mean = mean(&told)?;
        Some((mean, told.len()))
    }

    /// The same as a relative change with its 95 % interval.
    pub(super) fn mean(&self, grid: &Grid) -> Option<Mean> {
        self.known(grid).map(|(known, cases)| Mean { change: known.relative(ERROR), cases })
    }

    /// The ratio of a cost to the baseline's: the same mean, over the cases for which it was measured.
    pub(super) fn cost(&self, grid: &Grid, cost: Cost) -> Option<f64> {
        let of = |seen: &Option<Seen>| seen.as_ref()?.costs.get(&cost).copied();
        let told = |(row, weights): (&CaseRow, &Option<Weights>)| {
            let parts = weights.as_ref()?.iter().map(|(cell, weight)| Some(weight * of(&row.cells[*cell])?));
            Some((row.case.workload().to_owned(), parts.sum::<Option<f64>>()?))
        };
        let told: Vec<(String, f64)> = grid.cases.iter().zip(&self.0).filter_map(told).collect();
        let known: Vec<(&str, Known)> =
            told.iter().map(|(workload, log)| (workload.as_str(), Known { log: *log, se: 0.0 })).collect();
        mean(&known).map(|known| known.log.exp())
    }

    /// All costs that were measured.
    pub(super) fn costs(&self, grid: &Grid) -> BTreeMap<Cost, f64> {
        Cost::ALL.into_iter().filter_map(|cost| Some((cost, self.cost(grid, cost)?))).collect()
    }
}

/// The weighted sum of the changes of several cells of one case: see the head of this file.
fn sum(row: &CaseRow, parts: &[(usize, Known, f64)]) -> Known {
    let log = parts.iter().map(|(_, known, weight)| weight * known.log).sum();
    // A cell of the baseline's own code is 0 by definition and shares no noise with the others.
    let noisy: Vec<_> = parts.iter().filter(|(_, known, _)| known.se > 0.0).collect();
    let squares: f64 = noisy.iter().map(|(_, known, weight)| (weight * known.se).powi(2)).sum();
    let pairs = noisy.iter().enumerate().flat_map(|(at, one)| noisy[at + 1..].iter().map(move |other| (one, other)));
    let shared = pairs.map(|((one, _, a), (other, _, b))| Some(2.0 * a * b * row.covariance(*one, *other)?));
    let variance = squares + shared.sum::<Option<f64>>().unwrap_or_else(|| most_shared(&noisy));
    Known { log, se: variance.max(LEAST_LEFT * squares).sqrt() }
}

/// The most that the noise of the baseline can add to two changes or more, where its size is not known.
fn most_shared(noisy: &[&(usize, Known, f64)]) -> f64 {
    let shared = noisy.iter().map(|(_, known, _)| known.se.powi(2)).fold(f64::INFINITY, f64::min);
    let (weights, squares) = noisy.iter().fold((0.0, 0.0), |(sum, squares), (_, _, w)| (sum + w, squares + w * w));
    shared * (weights * weights - squares).max(0.0)
}

fn mean(told: &[(&str, Known)]) -> Option<Known> {
    let mut workloads = BTreeMap::<&str, Vec<Known>>::new();
    told.iter().for_each(|(workload, known)| workloads.entry(workload).or_default().push(*known));
    let each = workloads.values().map(|cases| independent_mean(cases));
    let each: Vec<Known> = each.collect();
    (!each.is_empty()).then(|| independent_mean(&each))
}

/// Cases are measured one after the other: they share no noise.
fn independent_mean(parts: &[Known]) -> Known {
    let n = parts.len() as f64;
    let squares: f64 = parts.iter().map(|known| known.se.powi(2)).sum();
    Known { log: parts.iter().map(|known| known.log).sum::<f64>() / n, se: squares.sqrt() / n }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Study;
    use crate::samples::Metric;

    use super::*;

    #[test]
    fn what_is_told_pair_by_pair_never_makes_a_sum_exact() {
        // Every candidate has the baseline's noise and none of its own: of their differences nothing would be left.
        let mut rng = fastrand::Rng::with_seed(6);
        let cells = ["a=1", "b=1", "c=1"];
        let study = Study::measured(&["w::x"], &cells, 40, |arm, _| if arm == 0 { 0.01 * rng.f64() } else { 0.0 });
        let grid = Grid::of(&study.run, &study.judgement, &Metric::wall());
        let cell = |at: usize| Contrast::cell(&grid, Some(at));
        let one = cell(0).of_case(&grid, 0).unwrap();
        let difference = cell(0).plus(&cell(1), -1.0).of_case(&grid, 0).unwrap();
        assert!(one.se > 0.0, "{one:?}");
        assert!((difference.se / one.se - (2.0 * LEAST_LEFT).sqrt()).abs() < 1e-9, "{difference:?} of {one:?}");
    }
}
