//! Each knob value judged by itself and against the other values of its knob.

use super::effects::Main;
use super::grid::{Cost, Grid};
use super::known::{ERROR, Known, Mean, Taste};
use super::recommend::Ground;
use crate::samples::CaseId;
use crate::stats;
use crate::verdict::{Relative, Verdict};

/// From which ratio of CPU time on a build is faster enough to be taken for that alone: less is the noise of building.
const CHEAPER: f64 = 0.9;

/// A knob value that was measured.
#[derive(Debug)]
pub(super) struct Bid<'a> {
    pub(super) main: &'a Main,
    /// What the choice rests on.
    pub(super) mean: Mean,
    known: Known,
    hurt: Option<Hurt>,
}

/// The case that a knob value makes worse by most.
#[derive(Debug)]
struct Hurt {
    case: CaseId,
    log: f64,
    change: Relative,
}

/// Whether a knob value is to be taken, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fate {
    pub(super) taken: bool,
    pub(super) grounds: Vec<Ground>,
}

impl Fate {
    fn left(ground: Ground) -> Self {
        Self { taken: false, grounds: vec![ground] }
    }
}

impl<'a> Bid<'a> {
    /// `None` where no case can tell.
    pub(super) fn of(grid: &Grid, taste: Taste, main: &'a Main) -> Option<Self> {
        let (known, cases) = main.deciding.known(grid)?;
        let mean = Mean { change: known.relative(ERROR), cases };
        Some(Self { main, mean, known, hurt: hurt(grid, taste, main) })
    }

    /// On the log scale, where a gain and a loss that cancel are of the same size.
    pub(super) fn gain(&self, taste: Taste) -> f64 {
        -taste.loss(self.known.log)
    }

    /// Whether it improves, and not at the price of a case that loses as much.
    fn stands(&self, taste: Taste) -> bool {
        let tolerable = self.hurt.as_ref().is_none_or(|hurt| self.gain(taste) > taste.loss(hurt.log));
        tolerable && taste.judge(self.mean.change) == Verdict::Improved
    }

    /// The ratio of the build's CPU time to the baseline's.
    fn build(&self, grid: &Grid) -> Option<f64> {
        self.main.all.cost(grid, Cost::BuildCpu)
    }

    /// Whether it does for another value and builds faster by enough.
    fn replaces(&self, other: &Self, grid: &Grid, taste: Taste) -> bool {
        let builds = self.build(grid).zip(other.build(grid));
        builds.is_some_and(|(own, others)| own <= CHEAPER * others) && self.is_as_fast(other, grid, taste)
    }

    /// Whether it can't be told from another value, and is shown to lose no more than the tolerance: a wide interval alone
    /// would call any two values alike.
    fn is_as_fast(&self, other: &Self, grid: &Grid, taste: Taste) -> bool {
        let difference = self.main.deciding.plus(&other.main.deciding, -1.0).mean(grid);
        difference.is_some_and(|Mean { change: Relative { low, high, .. }, .. }| {
            low <= 0.0 && high >= 0.0 && taste.loss(low).max(taste.loss(high)) <= taste.tolerance
        })
    }
}

/// Of the cases that regress beyond the tolerance, by Holm's step-down over all cases, the one that regresses most: without
/// that, one case in forty would seem to regress under any knob.
fn hurt(grid: &Grid, taste: Taste, main: &Main) -> Option<Hurt> {
    let told = |case: usize| Some((case, main.all.of_case(grid, case)?));
    let known: Vec<(usize, Known)> = (0..grid.cases.len()).filter_map(told).collect();
    let ps: Vec<f64> = known.iter().map(|(_, known)| known.p()).collect();
    let levels = stats::holm_levels(&ps, ERROR);
    let hurts = known.into_iter().zip(ps.iter().zip(levels)).filter_map(|((case, known), (p, level))| {
        let change = known.relative(level);
        let beyond = *p <= level && taste.loss(known.log) > 0.0 && change.estimate.abs() > taste.tolerance;
        beyond.then(|| Hurt { case: grid.cases[case].case.clone(), log: known.log, change })
    });
    hurts.max_by(|a, b| taste.loss(a.log).total_cmp(&taste.loss(b.log)))
}

/// What becomes of a knob value before it is known what else is taken.
pub(super) fn fate(grid: &Grid, taste: Taste, bids: &[Bid<'_>], bid: &Bid<'_>) -> Fate {
    match (taste.judge(bid.mean.change), &bid.hurt) {
        (Verdict::Unchanged, _) => Fate::left(Ground::WithinTolerance),
        (Verdict::Undecided, _) => Fate::left(Ground::Undecided),
        (Verdict::Regressed, _) => Fate::left(Ground::Regresses),
        (Verdict::Improved, Some(hurt)) if !bid.stands(taste) => {
            Fate::left(Ground::Hurts { case: hurt.case.clone(), change: hurt.change })
        }
        (Verdict::Improved, _) => contest(grid, taste, bids, bid),
    }
}

/// One value per knob: the best, or of those that are as fast the one that builds fastest.
fn contest(grid: &Grid, taste: Taste, bids: &[Bid<'_>], bid: &Bid<'_>) -> Fate {
    let rivals = bids.iter().filter(|rival| rival.main.level.0 == bid.main.level.0 && rival.stands(taste));
    let rivals: Vec<&Bid<'_>> = rivals.collect();
    let best = rivals.iter().copied().max_by(|a, b| a.gain(taste).total_cmp(&b.gain(taste))).unwrap_or(bid);
    let build = |bid: &Bid<'_>| bid.build(grid).unwrap_or(f64::INFINITY);
    let quickest =
        rivals.iter().filter(|rival| rival.replaces(best, grid, taste)).min_by(|a, b| build(a).total_cmp(&build(b)));
    let winner = quickest.copied().unwrap_or(best);
    let same = |a: &Bid<'_>, b: &Bid<'_>| a.main.level == b.main.level;
    let value = |bid: &Bid<'_>| bid.main.level.1.clone();
    if !same(bid, winner) {
        let (than, alike) = (value(winner), winner.replaces(bid, grid, taste));
        return Fate::left(if alike { Ground::BuildsSlower { than } } else { Ground::Beaten { by: than } });
    }
    let mut grounds = vec![Ground::Pays];
    grounds.extend((!same(winner, best)).then(|| Ground::BuildsFaster { than: value(best) }));
    let hurt = bid.hurt.as_ref();
    grounds.extend(hurt.map(|hurt| Ground::HurtsLess { case: hurt.case.clone(), change: hurt.change }));
    Fate { taken: true, grounds }
}
