//! What was measured, as a grid: cells (what differs from the baseline's build) by cases.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare;
use crate::samples::{Arm, CaseId, Measurement, Metric, Run, Shard, VariantName};
use crate::stats;
use crate::verdict::{Basis, Judgement, Row};

use super::covariance::{Covariances, covariances};
use super::known::{ERROR, Known};

/// What tells a build from the baseline's: `lto` is `fat`. Empty for the baseline itself.
pub type Settings = BTreeMap<String, String>;

/// The value of a knob that the baseline sets and a cell leaves alone.
pub const UNSET: &str = "unset";

/// What a build costs beside the time that it is tuned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// CPU time of the build.
    BuildCpu,
    /// Size of the program's file.
    BinaryFile,
    /// Size of its machine code.
    BinaryText,
    /// Peak of resident memory, per process.
    RssPeak,
}

impl Cost {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::BuildCpu, Self::BinaryFile, Self::BinaryText, Self::RssPeak];

    fn metric(self) -> &'static str {
        match self {
            Self::BuildCpu => "build.cpu",
            Self::BinaryFile => "binary.file",
            Self::BinaryText => "binary.text",
            Self::RssPeak => "rss.peak",
        }
    }
}

/// One cell of one case.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) change: Known,
    /// Where it was measured: the part of a merged run, and the arms.
    pub(super) part: Option<Shard>,
    pub(super) pair: (usize, usize),
    /// The logs of the ratios to the baseline's; what was not measured is not there.
    pub(super) costs: BTreeMap<Cost, f64>,
    /// Whether the build is guided by a profile of this very case; `None` for builds that no profile guides.
    pub(super) trained: Option<bool>,
    /// Whether a profile of this very case guides the build or the baseline's.
    pub(super) learnt: bool,
}

/// One case.
#[derive(Clone, Debug)]
pub(super) struct CaseRow {
    pub(super) case: CaseId,
    /// By the grid's cells; `None` where a cell was not measured for this case.
    pub(super) cells: Vec<Option<Seen>>,
    covariances: Covariances,
}

impl CaseRow {
    /// How much of the variance of two cells' changes is the same; `None` where the rounds don't tell.
    pub(super) fn covariance(&self, one: usize, other: usize) -> Option<f64> {
        self.covariances.get(&(one.min(other), one.max(other))).copied()
    }
}

/// One way to build that differs from the baseline's.
#[derive(Clone, Debug)]
pub(super) struct CellHead {
    pub(super) settings: Settings,
    pub(super) variant: VariantName,
}

/// All cells by all cases, in the order measured.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) cells: Vec<CellHead>,
    pub(super) cases: Vec<CaseRow>,
}

impl Grid {
    /// The rows of `metric` whose two arms differ in their build alone: not in their revision, and not by a drill. Of a cell
    /// that several parts of a merged run measured for one case, the first counts.
    pub(super) fn of(run: &Run, judgement: &Judgement, metric: &Metric) -> Self {
        let mut grid = Self { cells: Vec::new(), cases: Vec::new() };
        let mut rows: Vec<&Row> = judgement.rows.iter().filter(|row| is_cell(row, metric)).collect();
        for row in &rows {
            grid.case(&row.case);
        }
        // Arms stand in the plan's order; rows of the same code behind all others.
        rows.sort_by_key(|row| row.pair);
        for row in rows {
            let Some(seen) = seen(run, row) else { continue };
            let settings = differing(&row.candidate, &row.baseline);
            let (cell, case) = (grid.cell(settings, &row.candidate.variant), grid.case(&row.case));
            let cells = &mut grid.cases[case].cells;
            cells.resize(cells.len().max(cell + 1), None);
            cells[cell].get_or_insert(seen);
        }
        let cells = grid.cells.len();
        grid.cases.iter_mut().for_each(|case| case.cells.resize(cells, None));
        grid.cases.retain(|case| case.cells.iter().any(Option::is_some));
        grid.cases.iter_mut().for_each(|case| case.covariances = covariances(run, metric, case));
        grid
    }

    fn cell(&mut self, settings: Settings, variant: &VariantName) -> usize {
        let known = self.cells.iter().position(|cell| cell.settings == settings);
        known.unwrap_or_else(|| {
            self.cells.push(CellHead { settings, variant: variant.clone() });
            self.cells.len() - 1
        })
    }

    fn case(&mut self, case: &CaseId) -> usize {
        let known = self.cases.iter().position(|row| row.case == *case);
        known.unwrap_or_else(|| {
            self.cases.push(CaseRow { case: case.clone(), cells: Vec::new(), covariances: Covariances::new() });
            self.cases.len() - 1
        })
    }

    /// The values that each knob was given, besides the baseline's own, in the order in which they were measured.
    pub(super) fn knobs(&self) -> Vec<(String, Vec<String>)> {
        let mut knobs: Vec<(String, Vec<String>)> = Vec::new();
        for (knob, value) in self.cells.iter().flat_map(|cell| &cell.settings) {
            match knobs.iter_mut().find(|(known, _)| known == knob) {
                Some((_, values)) if values.contains(value) => {}
                Some((_, values)) => values.push(value.clone()),
                None => knobs.push((knob.clone(), vec![value.clone()])),
            }
        }
        knobs
    }

    /// The workloads, in the order measured.
    pub(super) fn workloads(&self) -> Vec<String> {
        let mut workloads: Vec<String> = Vec::new();
        for row in &self.cases {
            if !workloads.iter().any(|known| known == row.case.workload()) {
                workloads.push(row.case.workload().to_owned());
            }
        }
        workloads
    }

    /// Whether a build with these settings, or the baseline's that it is compared with, was guided by a profile of this case:
    /// what a profile that is given up was worth is no better known on its own cases than what a new one brings.
    pub(super) fn learnt(&self, case: usize, has: impl Fn(&Settings) -> bool) -> bool {
        let cells = self.cells.iter().zip(&self.cases[case].cells).filter(|(head, _)| has(&head.settings));
        cells.into_iter().any(|(_, seen)| seen.as_ref().is_some_and(|seen| seen.learnt))
    }
}

fn is_cell(row: &Row, metric: &Metric) -> bool {
    let (new, old) = (&row.candidate, &row.baseline);
    // The same code is the same in every metric; such rows name one for all.
    let about = row.metric == *metric || row.basis == Basis::SameCode;
    about
        && row.basis != Basis::Stored
        && new.revision == old.revision
        && new.handicap == old.handicap
        && new.knobs != old.knobs
}

/// What is said of a knob that the baseline sets and the candidate leaves alone.
fn unset(knob: &str) -> &'static str {
    if matches!(knob, "pgo" | "bolt") { "false" } else { UNSET }
}

fn differing(candidate: &Arm, baseline: &Arm) -> Settings {
    let changed = candidate.knobs.iter().filter(|(knob, value)| baseline.knobs.get(*knob) != Some(value));
    let dropped = baseline.knobs.keys().filter(|knob| !candidate.knobs.contains_key(*knob));
    let changed = changed.map(|(knob, value)| (knob.clone(), value.clone()));
    changed.chain(dropped.map(|knob| (knob.clone(), unset(knob).to_owned()))).collect()
}

fn seen(run: &Run, row: &Row) -> Option<Seen> {
    let change =
        if row.basis == Basis::SameCode { Known::NOTHING } else { from_rounds(run, row).or_else(|| from_row(row))? };
    let costs = |cost: &Cost| Some((*cost, ratio(run, row, *cost)?));
    let trained = |arm: &Arm| arm.training.as_ref().map(|training| training.cases.contains(&row.case));
    Some(Seen {
        change,
        part: row.part,
        pair: row.pair,
        costs: Cost::ALL.iter().filter_map(costs).collect(),
        trained: trained(&row.candidate),
        learnt: [&row.candidate, &row.baseline].into_iter().any(|arm| trained(arm) == Some(true)),
    })
    .filter(|seen| seen.change.log.is_finite() && seen.change.se.is_finite())
}

/// What the rounds say of a row's change. A row itself has an interval at its share of the error over all rows: of many rows
/// after few rounds there is none at that error, and still the mean over many cases tells what a knob does.
fn from_rounds(run: &Run, row: &Row) -> Option<Known> {
    let change = compare::within(run.measurement_in(&row.case, row.part)?, row.pair, &row.metric)?;
    let estimate = change.estimate(change.rounds(), ERROR)?;
    Some(Known { log: estimate.mean, se: stats::standard_error(estimate.low, estimate.high, ERROR) })
}

fn from_row(row: &Row) -> Option<Known> {
    let change = row.change?;
    let [log, low, high] = [change.estimate, change.low, change.high].map(f64::ln_1p);
    Some(Known { log, se: stats::standard_error(low, high, row.level) })
}

/// ln(candidate's / baseline's) of a cost.
fn ratio(run: &Run, row: &Row, cost: Cost) -> Option<f64> {
    let sizes = |arm: &Arm| arm.sizes.iter().find(|(metric, _)| metric.as_str() == cost.metric()).map(|(_, v)| *v);
    let (new, old) = match cost {
        Cost::RssPeak => {
            let measurement = run.measurement_in(&row.case, row.part)?;
            (per_process(measurement, row.pair.0, cost)?, per_process(measurement, row.pair.1, cost)?)
        }
        _ => (sizes(&row.candidate)?, sizes(&row.baseline)?),
    };
    Some((new / old).ln()).filter(|log| log.is_finite())
}

/// The mean over the processes of an arm.
fn per_process(measurement: &Measurement, arm: usize, cost: Cost) -> Option<f64> {
    let parts = measurement.rounds.iter().flat_map(|round| &round.arms).filter(|part| part.arm == arm);
    let of = |metrics: &BTreeMap<Metric, f64>| {
        metrics.iter().find(|(metric, _)| metric.as_str() == cost.metric()).map(|(_, value)| *value)
    };
    let values: Vec<f64> = parts.filter_map(|part| of(&part.process)).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
