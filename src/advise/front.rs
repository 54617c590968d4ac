//! All cells with what they bring and cost, and which of them nothing else beats in both.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::contrast::Contrast;
use super::grid::{Cost, Grid, Settings};
use super::known::{ERROR, Mean, Taste};
use crate::samples::VariantName;

/// One build.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The variant's name; `None` for the baseline.
    pub variant: Option<VariantName>,
    /// What tells it from the baseline.
    pub settings: Settings,
    /// The change from the baseline over all cases that it was measured for. `None` where there are none.
    pub overall: Option<Mean>,
    /// Ratios to the baseline; what was not measured is not there.
    pub costs: BTreeMap<Cost, f64>,
    /// The costs for which it is on the Pareto front: no other cell is as good in change and in this cost, and better in one.
    /// A change counts as better only when the interval of the difference excludes zero.
    pub front: BTreeSet<Cost>,
}

/// The baseline and all cells, in the order measured, with their fronts for CPU time of the build and for size of the file.
pub(super) fn cells(grid: &Grid, taste: Taste) -> Vec<Cell> {
    let places: Vec<Option<usize>> = std::iter::once(None).chain((0..grid.cells.len()).map(Some)).collect();
    let contrasts: Vec<Contrast> = places.iter().map(|cell| Contrast::cell(grid, *cell)).collect();
    let mut cells: Vec<Cell> =
        places.iter().zip(&contrasts).map(|(place, contrast)| cell(grid, *place, contrast)).collect();
    let measured: BTreeSet<Cost> = cells[1..].iter().flat_map(|cell| cell.costs.keys().copied()).collect();
    cells[0].costs.retain(|cost, _| measured.contains(cost));
    for cost in [Cost::BuildCpu, Cost::BinaryFile] {
        let measured = contrasts.iter().enumerate().filter(|(at, _)| cells[*at].costs.contains_key(&cost));
        let rivals: Vec<Rival<'_>> =
            measured.filter_map(|(at, contrast)| Rival::of(grid, cost, at, contrast)).collect();
        for rival in &rivals {
            if !rivals.iter().any(|by| by.at != rival.at && by.dominates(rival, grid, taste, cost)) {
                cells[rival.at].front.insert(cost);
            }
        }
    }
    cells
}

fn cell(grid: &Grid, place: Option<usize>, contrast: &Contrast) -> Cell {
    let head = place.map(|cell| &grid.cells[cell]);
    Cell {
        variant: head.map(|head| head.variant.clone()),
        settings: head.map_or_else(Settings::new, |head| head.settings.clone()),
        overall: contrast.mean(grid),
        costs: contrast.costs(grid),
        front: BTreeSet::new(),
    }
}

/// A cell that has both a change and this cost.
struct Rival<'a> {
    at: usize,
    contrast: &'a Contrast,
    log: f64,
    ratio: f64,
}

impl<'a> Rival<'a> {
    fn of(grid: &Grid, cost: Cost, at: usize, contrast: &'a Contrast) -> Option<Self> {
        let (known, _) = contrast.known(grid)?;
        Some(Self { at, contrast, log: known.log, ratio: contrast.cost(grid, cost)? })
    }

    /// Whether it is no worse in change and cost, over the cases that both were measured for, and better in one.
    fn dominates(&self, other: &Self, grid: &Grid, taste: Taste, cost: Cost) -> bool {
        let worse = taste.loss(self.log - other.log) > 0.0 || self.ratio > other.ratio;
        if worse && self.contrast.covers_like(other.contrast) {
            return false; // Most pairs end here: of hundreds of cells there are many.
        }
        let difference = self.contrast.plus(other.contrast, -1.0);
        let (change, ratio) = (difference.known(grid), difference.cost(grid, cost));
        let Some(((change, _), ratio)) = change.zip(ratio) else { return false };
        let interval = change.relative(ERROR);
        let clearly = taste.loss(change.log) < 0.0 && (interval.low > 0.0 || interval.high < 0.0);
        taste.loss(change.log) <= 0.0 && ratio <= 1.0 && (clearly || ratio < 1.0)
    }
}
