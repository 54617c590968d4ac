//! Why it changed: the largest changes of a run are looked into, when all rounds are done.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, bail};

use super::evidence::had;
use super::exact;
use super::pictures::{Pictures, Titled, safe};
use super::sampling::{self, Course, Stacks};
use crate::measure::{Bench, Subject, counted_iterations};
use crate::plan::claim::Need;
use crate::profile::folded::{Counted, Folded};
use crate::report;
use crate::samples::{Arm, CaseId, Measurement, Metric, Record, WORKING_TREE};
use crate::verdict::{Judgement, Row, Verdict, lacking};

/// Per arm, what was counted of each metric.
type Counts = Vec<BTreeMap<Metric, Vec<f64>>>;

/// More changes than this are not looked into: each takes some ten seconds.
const MOST: usize = 3;

/// The metric in which a change is worth a look.
fn is_time(row: &Row) -> bool {
    matches!(row.metric.as_str(), "wall" | "cpu")
}

/// The rows to look into, those of a gate first, then the largest changes; each case once.
pub(super) fn worth_a_look(judgement: &Judgement) -> Vec<(CaseId, (usize, usize))> {
    let changed = |row: &&Row| is_time(row) && matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
    // Who does more of the same on purpose has no function to blame.
    let real = |row: &&Row| row.candidate.handicap == row.baseline.handicap;
    let mut rows: Vec<&Row> = judgement.rows.iter().filter(changed).filter(real).collect();
    let size = |row: &Row| row.change.map_or(0.0, |change| change.estimate.abs());
    let order = |a: &&Row, b: &&Row| -> Ordering { b.is_gated().cmp(&a.is_gated()).then(size(b).total_cmp(&size(a))) };
    rows.sort_by(order);
    let mut seen = BTreeSet::new();
    let once = rows.into_iter().filter(|row| seen.insert(&row.case));
    once.take(MOST).map(|row| (row.case.clone(), row.pair)).collect()
}

/// Samples both sides of a change, and counts their instructions where callgrind is there. Why one of the two can't be had is
/// recorded; it is an error where neither can.
pub(super) fn explain(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    (new, old): (usize, usize),
    folder: &Path,
) -> Result<(Vec<Record>, Vec<Stacks>)> {
    let arms = [old, new];
    let sampled = sampling::sample(bench, subject, measurement, &arms, &Course::usual());
    let mut absent = measurement.absent.clone();
    let stacks = had(sampled, Need::Profile, &mut absent)?;
    let counted = instructions(bench, subject, measurement, arms, folder);
    let counted = had(counted, Need::Instructions, &mut absent)?.flatten();
    if let (None, None, Some(why)) = (&stacks, &counted, absent.get(lacking(Need::Profile))) {
        bail!("{why}");
    }
    let case = || subject.case.clone();
    let stacks = stacks.unwrap_or_default();
    let profiles = sampling::profiles(&stacks);
    let observed = measurement.observed.clone();
    let counted = counted.unwrap_or_else(|| measurement.counted.clone());
    let records =
        [Record::Profiled { case: case(), profiles }, Record::Counted { case: case(), counted, observed, absent }];
    Ok((records.to_vec(), stacks))
}

/// What both sides were counted to, with their instructions; `None` where the machine counts them in the timed rounds.
fn instructions(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    arms: [usize; 2],
    folder: &Path,
) -> Result<Option<Counts>> {
    if measurement.has_hardware_instructions() || measurement.counted.len() != subject.arms.len() {
        return Ok(None);
    }
    let mut counted = measurement.counted.clone();
    let n = counted_iterations(measurement);
    for arm in arms {
        let found = exact::instructions(bench, subject, arm, n, folder)?;
        counted[arm].insert(exact::metric()?, vec![found.per_iteration(n)]);
    }
    Ok(Some(counted))
}

/// The files of stacks that were sampled in a run.
pub(super) fn draw(subject: &Subject, measurement: &Measurement, stacks: &[Stacks], folder: &Path) -> Result<()> {
    let pictures = Pictures { folder, case: subject.case.to_string(), counted: Counted::Samples };
    let all: Vec<Folded> = stacks.iter().map(Stacks::folded).collect();
    let titled = stacks.iter().zip(&all).map(|(one, folded)| {
        let arm = &measurement.arms[one.arm];
        Titled { title: title(arm), stem: safe(&format!("{}.{}", subject.case, title(arm))), stacks: folded }
    });
    pictures.write(&titled.collect::<Vec<_>>()).map(drop)
}

/// What an arm is called: what it runs where that is another case, how and from which source it was built.
pub(super) fn title(arm: &Arm) -> String {
    let case = arm.case.as_ref().map_or_else(String::new, |case| format!("{case} "));
    let committed = (arm.revision != WORKING_TREE).then(|| format!(" of {}", report::revision(&arm.revision)));
    let drill = if arm.handicap > 0.0 { " handicapped" } else { "" };
    format!("{case}{}{}{drill}", arm.variant, committed.unwrap_or_default())
}
