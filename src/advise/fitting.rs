//! Whether a build that a profile guides is fast where it was trained alone.

use serde::Serialize;

use super::contrast::Contrast;
use super::grid::{Grid, Settings};
use super::known::{ERROR, Mean};
use crate::samples::VariantName;
use crate::verdict::Relative;

/// A guided build on the cases that it was trained on and on the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitting {
    /// The variant's name.
    pub variant: VariantName,
    /// What tells it from the baseline.
    pub settings: Settings,
    /// Its change on the cases that it was trained on.
    pub trained: Option<Mean>,
    /// Its change on the others.
    pub others: Option<Mean>,
    /// How much more the time of the first changed than that of the others, with its 95 % interval: below zero, training
    /// brought its own cases more. The two are different cases, which may differ in this for other reasons as well.
    pub difference: Option<Relative>,
}

/// All guided builds of a grid.
pub(super) fn fittings(grid: &Grid) -> Vec<Fitting> {
    (0..grid.cells.len()).filter_map(|cell| fitting(grid, cell)).collect()
}

fn fitting(grid: &Grid, cell: usize) -> Option<Fitting> {
    let trained = |case: usize| grid.cases[case].cells[cell].as_ref().and_then(|seen| seen.trained);
    if (0..grid.cases.len()).all(|case| trained(case).is_none()) {
        return None;
    }
    let all = Contrast::cell(grid, Some(cell));
    let [own, others] = [true, false].map(|learnt| all.only(|case| trained(case) == Some(learnt)));
    let difference = own.known(grid).zip(others.known(grid)).map(|((own, _), (others, _))| own.less(others));
    Some(Fitting {
        variant: grid.cells[cell].variant.clone(),
        settings: grid.cells[cell].settings.clone(),
        trained: own.mean(grid),
        others: others.mean(grid),
        difference: difference.map(|difference| difference.relative(ERROR)),
    })
}
