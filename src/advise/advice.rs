//! All that is said of a run of build variants.

use serde::Serialize;

use super::effects::{self, Effect, Interaction};
use super::fitting::{Fitting, fittings};
use super::front::{Cell, cells};
use super::grid::{Grid, Settings};
use super::known::Taste;
use super::recommend::{Recommendation, recommend};
use crate::samples::{Metric, Run};
use crate::verdict::{Basis, Judgement};

/// What each knob of the build bought. Changes are shares (0.02 is 2 % more than the baseline), costs are ratios.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// What was compared: the first gated metric that has rows.
    pub metric: Metric,
    /// The relative change of it that the team does not care about.
    pub tolerance: f64,
    /// The knobs of the baseline, in the plan's words.
    pub baseline: Settings,
    /// How many cases were measured in at least one cell.
    pub cases: usize,
    /// How many of them were measured in every cell.
    pub complete: usize,
    /// Their workloads, in the order measured.
    pub workloads: Vec<String>,
    /// What each knob value changed, knob by knob, in the order measured.
    pub effects: Vec<Effect>,
    /// The pairs of knob values that differ from the sum of both by more than the tolerance, the largest first.
    pub interactions: Vec<Interaction>,
    /// How many pairs there were cells enough to look at.
    pub pairs: usize,
    /// The baseline, and every build that was measured against it.
    pub cells: Vec<Cell>,
    /// Guided builds on what they were trained on, and on the rest.
    pub fittings: Vec<Fitting>,
    /// What to take.
    pub recommendation: Recommendation,
}

/// Says what each knob bought, from the rows whose two arms differ in their build alone.
#[must_use]
pub fn advise(run: &Run, judgement: &Judgement) -> Advice {
    let metric = metric(run, judgement);
    let grid = Grid::of(run, judgement, &metric);
    let taste = Taste::of(&metric, run.gate.tolerance(&metric));
    let mains = effects::mains(&grid);
    let (interactions, pairs) = effects::interactions(&grid, taste);
    let baseline = judgement.rows.first().map(|row| row.baseline.knobs.clone()).unwrap_or_default();
    let effect = |main: &effects::Main| main.effect(&grid, baseline.get(&main.level.0).cloned(), taste);
    let complete = grid.cases.iter().filter(|case| case.cells.iter().all(Option::is_some)).count();
    Advice {
        tolerance: taste.tolerance,
        cases: grid.cases.len(),
        complete,
        workloads: grid.workloads(),
        effects: mains.iter().map(effect).collect(),
        cells: cells(&grid, taste),
        fittings: fittings(&grid),
        recommendation: recommend(&grid, taste, &mains, &interactions),
        baseline,
        interactions,
        pairs,
        metric,
    }
}

/// The first gated metric that anything was measured in.
fn metric(run: &Run, judgement: &Judgement) -> Metric {
    let measured =
        |metric: &&Metric| judgement.rows.iter().any(|row| row.metric == **metric && row.basis != Basis::Stored);
    run.gate.metrics.iter().find(measured).cloned().unwrap_or_else(Metric::wall)
}
