//! Why a row changed: the functions whose time differs between its two sides, and the counters side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::row::{Row, Verdict};
use crate::compare;
use crate::samples::{CaseId, FunctionShare, Measurement, Metric, Profile, Run, Shard};
use crate::stats;

/// The error of an interval here: it describes, and no gate depends on it.
const LEVEL: f64 = 0.05;
/// Functions whose time differs by less than this share of the whole change are not worth a line.
const LEAST: f64 = 0.02;
/// The share of a change that is nearly all of it.
const NEARLY_ALL: f64 = 0.85;
/// More functions than this explain nothing.
const MOST: usize = 10;
/// Counts that differ by less than this are the same work: start-up and hash seeds move them by so much.
const SAME_WORK: f64 = 0.002;

/// Why a row changed, as far as sampling and counting tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Blame {
    /// Which case.
    pub case: CaseId,
    /// The part of a merged run that it was measured in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// Candidate and baseline, as indices into the measurement's arms.
    pub pair: (usize, usize),
    /// The change of wall time per iteration, nanoseconds.
    pub change_ns: f64,
    /// How the stacks were taken, for each side, the baseline first.
    pub sampled: Vec<Sampled>,
    /// The innermost function that has nearly all of the change in itself and what it calls; `None` where there is none.
    pub within: Option<Blamed>,
    /// The functions whose own time differs, the largest difference first.
    pub functions: Vec<Blamed>,
    /// What was counted on both sides.
    pub counters: Vec<Beside>,
    /// What the counters say of the change.
    pub work: Work,
}

/// How the stacks of one side were taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sampled {
    /// What triggered the samples.
    pub event: String,
    /// How they were unwound.
    pub method: String,
    /// How many there are.
    pub samples: u64,
    /// How many of them reach the thread's root.
    pub rooted: u64,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// A function on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Blamed {
    /// The demangled name.
    pub name: String,
    /// Its own share of the samples, baseline and candidate, 0 to 1.
    pub own: (f64, f64),
    /// Its share with what it called.
    pub total: (f64, f64),
    /// How much more time per iteration the candidate spends in it, nanoseconds, with a 95 % interval over sampling rounds.
    pub change_ns: f64,
    /// Lower end.
    pub low_ns: f64,
    /// Upper end.
    pub high_ns: f64,
}

/// A metric on both sides, per iteration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// Which metric.
    pub metric: Metric,
    /// The baseline's value.
    pub before: f64,
    /// The candidate's value.
    pub after: f64,
}

/// What the counters say of a change in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Nothing was counted that would tell.
    Unknown,
    /// The program does the same work in another time: its layout or the host, not its code.
    Same,
    /// It does other work.
    Differs,
}

/// Why the changed rows changed, where their cases were sampled or counted.
pub(super) fn blames(run: &Run, rows: &[Row]) -> Vec<Blame> {
    let mut seen = BTreeSet::new();
    let changed = rows.iter().filter(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Improved));
    let once = changed.filter(|row| seen.insert((row.case.clone(), row.part, row.pair)));
    once.filter_map(|row| blame(run.measurement_in(&row.case, row.part)?, row)).collect()
}

fn blame(measurement: &Measurement, row: &Row) -> Option<Blame> {
    let (new, old) = row.pair;
    let profile = |arm| measurement.profiles.iter().find(|profile| profile.arm == arm);
    let (before, after) = (profile(old)?, profile(new)?);
    let wall = compare::within(measurement, row.pair, &Metric::wall())?;
    let walls = (wall.baseline, wall.candidate);
    let (counters, listed) = (counters(measurement, row.pair), listed(before, after));
    Some(Blame {
        case: row.case.clone(),
        part: row.part,
        pair: row.pair,
        change_ns: walls.1 - walls.0,
        sampled: [before, after].map(sampled).to_vec(),
        within: within(&listed, walls),
        functions: functions(&listed, walls),
        work: work(&counters),
        counters,
    })
}

fn sampled(profile: &Profile) -> Sampled {
    let Profile { event, method, samples, rooted, notes, .. } = profile.clone();
    Sampled { event, method, samples, rooted, notes }
}

/// A function as both sides list it: where one never saw it, its shares are zero.
type Both<'p> = (&'p FunctionShare, &'p FunctionShare);
/// A function's own shares, or those with what it called.
type Which = fn(&FunctionShare) -> &[f64];

/// The functions that both sides list.
fn listed<'p>(before: &'p Profile, after: &'p Profile) -> Vec<Both<'p>> {
    let after: BTreeMap<&str, &FunctionShare> = after.functions.iter().map(|one| (one.name.as_str(), one)).collect();
    before.functions.iter().filter_map(|one| Some((one, *after.get(one.name.as_str())?))).collect()
}

/// Of the functions with nearly all of the change below them, the one with the least beside it.
fn within(listed: &[Both<'_>], walls: (f64, f64)) -> Option<Blamed> {
    let all = listed.iter().filter_map(|both| blamed(*both, walls, |function| &function.total));
    let nearly_all = all.filter(|function| function.change_ns / (walls.1 - walls.0) > NEARLY_ALL);
    nearly_all.min_by(|a, b| a.total.0.max(a.total.1).total_cmp(&b.total.0.max(b.total.1)))
}

fn functions(listed: &[Both<'_>], walls: (f64, f64)) -> Vec<Blamed> {
    let all = listed.iter().filter_map(|both| blamed(*both, walls, |function| &function.own));
    let mut all: Vec<Blamed> = all.filter(|f| f.change_ns.abs() >= LEAST * (walls.1 - walls.0).abs()).collect();
    all.sort_by(|a, b| b.change_ns.abs().total_cmp(&a.change_ns.abs()));
    all.truncate(MOST);
    all
}

/// A function with the change of its own or of its total time.
fn blamed((before, after): Both<'_>, walls: (f64, f64), which: Which) -> Option<Blamed> {
    let times = |shares: &[f64], wall: f64| shares.iter().map(|share| share * wall).collect::<Vec<_>>();
    let change = stats::welch_interval(&times(which(after), walls.1), &times(which(before), walls.0), LEVEL, 0.0)?;
    let means = |which: Which| (stats::mean(which(before)), stats::mean(which(after)));
    Some(Blamed {
        name: before.name.clone(),
        own: means(|function| &function.own),
        total: means(|function| &function.total),
        change_ns: change.mean,
        low_ns: change.low,
        high_ns: change.high,
    })
}

/// What was counted on both sides, in timed rounds or in rounds of its own.
fn counters(measurement: &Measurement, (new, old): (usize, usize)) -> Vec<Beside> {
    let counted = |arm: usize| measurement.counted.get(arm);
    let both = counted(old).into_iter().flatten().filter_map(|(metric, before)| {
        let after = counted(new)?.get(metric)?;
        (!before.is_empty() && !after.is_empty()).then(|| Beside {
            metric: metric.clone(),
            before: stats::mean(before),
            after: stats::mean(after),
        })
    });
    let timed: BTreeSet<&Metric> =
        measurement.rounds.iter().flat_map(|round| &round.arms).flat_map(|arm| arm.batches.keys()).collect();
    let timed = timed.into_iter().filter_map(|metric| {
        let change = compare::within(measurement, (new, old), metric)?;
        Some(Beside { metric: metric.clone(), before: change.baseline, after: change.candidate })
    });
    timed.chain(both).collect()
}

/// Instructions tell, whoever counted them.
fn work(counters: &[Beside]) -> Work {
    let told = |word: &str| counters.iter().find(|beside| beside.metric.as_str() == word && beside.before > 0.0);
    match told("instructions").or_else(|| told("callgrind.instructions")) {
        None => Work::Unknown,
        Some(Beside { before, after, .. }) if (after / before - 1.0).abs() < SAME_WORK => Work::Same,
        Some(_) => Work::Differs,
    }
}
