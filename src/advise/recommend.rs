//! What to take, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::choice::{Bid, Fate, fate};
use super::contrast::Contrast;
use super::effects::{Interaction, Main};
use super::grid::{Cost, Grid, Settings};
use super::known::{Mean, Taste};
use super::model::{Level, Model};
use crate::samples::{CaseId, VariantName};
use crate::verdict::{Relative, Verdict};

/// The settings to take, and what is to be expected of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The knobs to change from the baseline's build; empty where nothing pays.
    pub settings: Settings,
    /// What they change together; `None` where nothing is taken, or no case was measured for all of them.
    pub expected: Option<Expected>,
    /// Per knob value why it is taken (these first, the largest gain first) or left.
    pub why: Vec<Reason>,
}

/// What a whole build changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// The change with its 95 % interval.
    pub change: Mean,
    /// The variant that is this very build, where the run measured it; else the change is the sum of what the knobs changed.
    pub measured: Option<VariantName>,
    /// Ratios to the baseline; what was not measured is not there.
    pub costs: BTreeMap<Cost, f64>,
}

/// Why one value of one knob is taken or left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Which knob.
    pub knob: String,
    /// Which value.
    pub value: String,
    /// Whether it is recommended.
    pub taken: bool,
    /// The change that this rests on: of guided builds, over the cases that they were not trained on.
    pub change: Option<Mean>,
    /// What counts for or against it, what decides first.
    pub grounds: Vec<Ground>,
}

/// What counts for or against a knob value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "ground")]
pub enum Ground {
    /// It improves: the interval excludes zero and the estimate is beyond the tolerance.
    Pays,
    /// The change lies within the tolerance.
    WithinTolerance,
    /// It can't be told whether it improves.
    Undecided,
    /// It makes things worse.
    Regresses,
    /// No case was measured in all the cells that it takes.
    NotMeasured,
    /// Another value of the knob brings more.
    Beaten {
        /// That value.
        by: String,
    },
    /// Another value can't be told from this one and is not better by more than the tolerance, and this one builds faster by
    /// a tenth or more.
    BuildsFaster {
        /// The other value.
        than: String,
    },
    /// Another value can't be told from this one and is not worse by more than the tolerance, and builds faster by a tenth or
    /// more.
    BuildsSlower {
        /// The other value.
        than: String,
    },
    /// A case regresses by no less than the others gain together.
    Hurts {
        /// The case that regresses most.
        case: CaseId,
        /// By how much, at its share of the error over all cases.
        change: Relative,
    },
    /// A case regresses, by less than the others gain together.
    HurtsLess {
        /// The case that regresses most.
        case: CaseId,
        /// By how much, at its share of the error over all cases.
        change: Relative,
    },
    /// Beside what is taken already, too little is left of it.
    Overlaps {
        /// The knob and value that do the same work.
        with: (String, String),
        /// What it still changes.
        left: Option<Relative>,
    },
    /// Cases that the build was trained on were left out of account.
    TrainedLeftOut {
        /// How many.
        cases: usize,
    },
    /// All its cases were trained on: what it does for others is not known.
    TrainedOnAll,
    /// The program may not run on other processors.
    NotPortable,
}

/// Takes every knob value that improves by more than the tolerance with its whole 95 % interval, one value per knob, unless a
/// case regresses by as much as all gain together, or what is taken already leaves nothing of it. The intervals are those of
/// each value by itself: of a hundred values that do nothing five look as if they did something, and hardly one of these by
/// more than a tolerance that is several standard errors wide.
pub(super) fn recommend(grid: &Grid, taste: Taste, mains: &[Main], interactions: &[Interaction]) -> Recommendation {
    let bids: Vec<Bid<'_>> = mains.iter().filter_map(|main| Bid::of(grid, taste, main)).collect();
    let combining = Combining { grid, taste, mains, interactions };
    let mut fates: Vec<(&Bid<'_>, Fate)> = bids.iter().map(|bid| (bid, fate(grid, taste, &bids, bid))).collect();
    fates.sort_by(|(a, _), (b, _)| b.gain(taste).total_cmp(&a.gain(taste)));
    let mut settings = Settings::new();
    for (bid, fate) in fates.iter_mut().filter(|(_, fate)| fate.taken) {
        let (knob, value) = bid.main.level.clone();
        match combining.overlap(&settings, &bid.main.level) {
            Some(overlap) => *fate = Fate { taken: false, grounds: vec![overlap] },
            None => drop(settings.insert(knob, value)),
        }
    }
    let (taken, left): (Vec<_>, Vec<_>) = fates.into_iter().partition(|(_, fate)| fate.taken);
    let mut why: Vec<Reason> = taken.into_iter().map(|(bid, fate)| reason(bid.main, Some(bid.mean), fate)).collect();
    why.extend(mains.iter().filter_map(|main| {
        let known = left.iter().find(|(bid, _)| bid.main.level == main.level);
        let unmeasured = !bids.iter().any(|bid| bid.main.level == main.level);
        let unknown = unmeasured.then(|| Fate { taken: false, grounds: vec![Ground::NotMeasured] });
        known
            .map(|(bid, fate)| reason(main, Some(bid.mean), fate.clone()))
            .or(unknown.map(|fate| reason(main, None, fate)))
    }));
    Recommendation { expected: combining.expected(&settings), settings, why }
}

fn reason(main: &Main, change: Option<Mean>, fate: Fate) -> Reason {
    let (knob, value) = main.level.clone();
    let mut grounds = fate.grounds;
    match main.trained_on {
        0 => {}
        cases if main.held_out() => grounds.push(Ground::TrainedLeftOut { cases }),
        _ => grounds.push(Ground::TrainedOnAll),
    }
    if fate.taken && knob == "target-cpu" && value == "native" {
        grounds.push(Ground::NotPortable);
    }
    Reason { knob, value, taken: fate.taken, change, grounds }
}

/// What several knobs do together.
#[derive(Clone, Copy, Debug)]
struct Combining<'a> {
    grid: &'a Grid,
    taste: Taste,
    mains: &'a [Main],
    interactions: &'a [Interaction],
}

impl Combining<'_> {
    /// That a value no longer pays beside what is taken already, where interactions that matter say so.
    fn overlap(&self, taken: &Settings, level: &Level) -> Option<Ground> {
        let has = |other: &Level| taken.get(&other.0) == Some(&other.1);
        let partner = |interaction: &Interaction| match interaction {
            Interaction { one, other, .. } if one == level && has(other) => Some(other.clone()),
            Interaction { one, other, .. } if other == level && has(one) => Some(one.clone()),
            _ => None,
        };
        let harmful = self.interactions.iter().filter(|i| self.taste.loss(i.change.estimate) > 0.0);
        let with = harmful.filter_map(partner).next()?;
        let mut both = taken.clone();
        both.insert(level.0.clone(), level.1.clone());
        let left = self.predicted(&both).plus(&self.predicted(taken), -1.0).mean(self.grid).map(|mean| mean.change);
        let pays = left.is_some_and(|left| self.taste.judge(left) == Verdict::Improved);
        (!pays).then_some(Ground::Overlaps { with, left })
    }

    fn expected(&self, settings: &Settings) -> Option<Expected> {
        let contrast = self.predicted(settings);
        let change = contrast.mean(self.grid).filter(|_| !settings.is_empty())?;
        let measured = self.cell(settings).map(|cell| self.grid.cells[cell].variant.clone());
        Some(Expected { change, measured, costs: contrast.costs(self.grid) })
    }

    fn cell(&self, settings: &Settings) -> Option<usize> {
        self.grid.cells.iter().position(|cell| cell.settings == *settings)
    }

    /// The change of a whole build, over the cases that the choice of its knobs rests on: its own cell where there is one, else
    /// the sum of its knobs and pairs, else of its knobs alone.
    fn predicted(&self, settings: &Settings) -> Contrast {
        let parts = || self.mains.iter().filter(|main| settings.get(&main.level.0) == Some(&main.level.1));
        let model = Model::of(self.grid, true);
        let summed = || model.contrasts(&[model.whole(settings)]).into_iter().next().flatten();
        let measured = self.cell(settings).map(|cell| Contrast::cell(self.grid, Some(cell)));
        let nothing = Contrast::cell(self.grid, None);
        let added = || parts().fold(nothing, |sum, main| sum.plus(&main.all, 1.0));
        let contrast = measured.or_else(summed).unwrap_or_else(added);
        contrast.only(|case| parts().all(|main| !main.held_out() || main.deciding.has(case)))
    }
}
