//! What each knob value changed, and which values do not simply add up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contrast::Contrast;
use super::grid::{Cost, Grid};
use super::known::{ERROR, Known, Mean, Taste};
use super::model::{Level, Model, Wanted};
use crate::stats;
use crate::verdict::{Relative, Verdict};

/// What the change of a knob value is a change of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// The baseline with this one knob changed.
    Alone,
    /// The mean over the values of the other knobs, clear of what two knobs do together.
    Average,
    /// The same from too few cells: what two other knobs do together may be mixed in.
    Mixed,
}

/// What one value of one knob changed against the baseline's own value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Which knob, in the plan's words.
    pub knob: String,
    /// Which value.
    pub value: String,
    /// The baseline's own value; `None` where it is what the cargo profile says.
    pub from: Option<String>,
    /// What the change is a change of.
    pub meaning: Meaning,
    /// What is said of the overall change, as rows are judged, but at 95 % for each effect by itself.
    pub verdict: Verdict,
    /// The change: the geometric mean over workloads of the geometric means over their cases. `None` where no case was
    /// measured in all the cells that it takes.
    pub overall: Option<Mean>,
    /// The same per workload.
    pub workloads: BTreeMap<String, Mean>,
    /// Of builds that a profile guides, or that give up the baseline's, the change over the cases that it was not trained on:
    /// what a choice rests on. `None` for other knobs, and where all cases were trained on.
    pub untrained: Option<Mean>,
    /// How many of its cases a profile was trained on.
    pub trained_on: usize,
    /// Ratios to the baseline, as geometric means over the same cases; what was not measured is not there.
    pub costs: BTreeMap<Cost, f64>,
}

/// Two knob values whose combination differs from the sum of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interaction {
    /// One knob and its value.
    pub one: (String, String),
    /// The other.
    pub other: (String, String),
    /// The change beyond the two values' own, with the interval at `level`.
    pub change: Relative,
    /// Its share of the error, by Holm's step-down over all interactions that were looked at.
    pub level: f64,
    /// How many cases it rests on.
    pub cases: usize,
}

/// A knob value, and the sums of cells that tell what it does.
#[derive(Debug)]
pub(super) struct Main {
    pub(super) level: Level,
    pub(super) meaning: Meaning,
    /// Over all cases.
    pub(super) all: Contrast,
    /// Over the cases that a choice rests on: without those that a profile was trained on, unless there are no others.
    pub(super) deciding: Contrast,
    pub(super) trained_on: usize,
}

/// The knob values of a grid, in the order in which they were measured.
pub(super) fn mains(grid: &Grid) -> Vec<Main> {
    let (rich, plain) = (Model::of(grid, true), Model::of(grid, false));
    let levels: Vec<Level> = grid
        .knobs()
        .into_iter()
        .flat_map(|(knob, values)| values.into_iter().map(move |v| (knob.clone(), v)))
        .collect();
    let ask = |model: &Model<'_>, wanted: fn(&Model<'_>, &Level) -> Wanted| {
        model.contrasts(&levels.iter().map(|level| wanted(model, level)).collect::<Vec<_>>())
    };
    let (average, alone) =
        (ask(&rich, |model, level| model.average(level)), ask(&rich, |model, level| model.alone(level)));
    let mixed = ask(&plain, |model, level| model.alone(level));
    let choices = average.into_iter().zip(alone).zip(mixed).zip(&levels);
    let told: Vec<(Level, Meaning, Contrast)> = choices
        .filter_map(|(((average, alone), mixed), level)| {
            let paired = rich.pairs().iter().any(|(one, two)| one == level || two == level);
            let average = average.filter(|_| paired).map(|contrast| (Meaning::Average, contrast));
            let chosen = average.or(alone.map(|contrast| (Meaning::Alone, contrast)));
            let (meaning, contrast) = chosen.or(mixed.map(|contrast| (Meaning::Mixed, contrast)))?;
            Some((level.clone(), meaning, contrast))
        })
        .collect();
    told.iter().map(|(level, meaning, contrast)| main(grid, level, *meaning, &shared(&told, level, contrast))).collect()
}

/// A contrast over the cases that can tell all values of its knob, so that the values are compared on the same cases; where
/// there is no such case, each value stands by its own.
fn shared(told: &[(Level, Meaning, Contrast)], level: &Level, contrast: &Contrast) -> Contrast {
    let values: Vec<&Contrast> = told.iter().filter(|(other, ..)| other.0 == level.0).map(|(_, _, c)| c).collect();
    let shared = contrast.only(|case| values.iter().all(|value| value.has(case)));
    if shared.is_empty() { contrast.clone() } else { shared }
}

fn main(grid: &Grid, level: &Level, meaning: Meaning, all: &Contrast) -> Main {
    let guided = matches!(level.0.as_str(), "pgo" | "bolt");
    let learnt = |case: usize| guided && grid.learnt(case, |settings| settings.get(&level.0) == Some(&level.1));
    let trained_on = (0..grid.cases.len()).filter(|case| all.has(*case) && learnt(*case)).count();
    let untrained = all.only(|case| !learnt(case));
    let deciding = if untrained.is_empty() { all.clone() } else { untrained };
    Main { level: level.clone(), meaning, all: all.clone(), deciding, trained_on }
}

impl Main {
    /// Whether a profile was trained on some of its cases and not on others, so that the choice rests on the others.
    pub(super) fn held_out(&self) -> bool {
        self.deciding != self.all
    }

    pub(super) fn effect(&self, grid: &Grid, from: Option<String>, taste: Taste) -> Effect {
        let overall = self.all.mean(grid);
        let of_workload = |workload: String| {
            let own = self.all.only(|case| grid.cases[case].case.workload() == workload);
            Some((workload, own.mean(grid)?))
        };
        Effect {
            knob: self.level.0.clone(),
            value: self.level.1.clone(),
            from,
            meaning: self.meaning,
            verdict: overall.map_or(Verdict::Undecided, |mean| taste.judge(mean.change)),
            overall,
            workloads: grid.workloads().into_iter().filter_map(of_workload).collect(),
            untrained: self.deciding.mean(grid).filter(|_| self.held_out()),
            trained_on: self.trained_on,
            costs: self.all.costs(grid),
        }
    }
}

/// The interactions that matter (their interval excludes zero at their share of the error, and they are beyond the tolerance),
/// the largest first; and how many were looked at.
pub(super) fn interactions(grid: &Grid, taste: Taste) -> (Vec<Interaction>, usize) {
    let model = Model::of(grid, true);
    let pairs = model.pairs();
    let contrasts = model.contrasts(&pairs.iter().map(|pair| model.pair(pair)).collect::<Vec<_>>());
    let known = |(pair, contrast): (_, Option<Contrast>)| Some((pair, contrast?.known(grid)?));
    let known: Vec<((Level, Level), (Known, usize))> = pairs.into_iter().zip(contrasts).filter_map(known).collect();
    let ps: Vec<f64> = known.iter().map(|(_, (known, _))| known.p()).collect();
    let looked_at = known.len();
    let levels = stats::holm_levels(&ps, ERROR);
    let matters = known.into_iter().zip(ps.iter().zip(levels)).filter_map(|((pair, (known, cases)), (p, level))| {
        let change = known.relative(level);
        let found = *p <= level && change.estimate.abs() > taste.tolerance;
        found.then_some(Interaction { one: pair.0, other: pair.1, change, level, cases })
    });
    let mut matters: Vec<Interaction> = matters.collect();
    matters.sort_by(|a, b| b.change.estimate.abs().total_cmp(&a.change.estimate.abs()));
    (matters, looked_at)
}
