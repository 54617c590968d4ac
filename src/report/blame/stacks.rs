//! What is to be known of sampled stacks before their functions are believed.

use crate::report::numbers::counted;
use crate::report::text::clean;
use crate::samples::{Profile, Run};
use crate::units;
use crate::verdict::{Blame, Sampled};

/// The way of taking stacks that needs no remark.
const USUAL: &str = "dwarf";
/// What is said in place of one where all was counted and nothing sampled.
pub(in crate::report) const EXACT: &str = "counted";
/// So many stacks in a hundred have to reach the thread's root.
const ROOTED: u64 = 99;

/// What is odd about the stacks of either side; nothing where all is as it should be.
pub(super) fn notes(run: &Run, blame: &Blame) -> Vec<String> {
    let profiles = run.measurement_in(&blame.case, blame.part).map_or(&[][..], |measured| &measured.profiles);
    let lost = |arm: usize| profiles.iter().find(|profile| profile.arm == arm).map_or(0, |profile| profile.lost);
    let lost = [lost(blame.pair.1), lost(blame.pair.0)];
    let sides: Vec<String> = blame.sampled.iter().zip(lost).map(|(side, lost)| odd(side, lost)).collect();
    match &sides[..] {
        [before, after] if before == after => named("stacks of both sides", before).into_iter().collect(),
        [before, after] => [named("the baseline's stacks", before), named("the candidate's stacks", after)]
            .into_iter()
            .flatten()
            .collect(),
        _ => Vec::new(),
    }
}

fn named(whose: &str, what: &str) -> Option<String> {
    (!what.is_empty()).then(|| format!("{whose}: {what}"))
}

fn odd(side: &Sampled, lost: u64) -> String {
    let mut parts = Vec::new();
    if side.method != USUAL {
        parts.push(format!("{} at every tick of {}", clean(&side.method), clean(&side.event)));
    }
    parts.extend(cut(side.rooted, side.samples));
    if lost > 0 {
        parts.push(format!("{} of {} lost", lost, counted_samples(side.samples + lost)));
    }
    parts.extend(side.notes.iter().map(|note| clean(note)));
    parts.join("; ")
}

/// That stacks are cut, and how many.
fn cut(rooted: u64, samples: u64) -> Option<String> {
    let share = rooted as f64 / samples as f64;
    (rooted * 100 < samples * ROOTED).then(|| format!("only {} reach the thread's root", units::percent(share, 1)))
}

fn counted_samples(samples: u64) -> String {
    counted(usize::try_from(samples).unwrap_or(usize::MAX), "sample")
}

/// How a profile was taken, in one sentence: `4812 samples of cpu-clock, stacks by dwarf, 99.8 % reach the thread's root`.
pub(in crate::report) fn taken(profile: &Profile) -> String {
    let (event, method) = (clean(&profile.event), clean(&profile.method));
    if method == EXACT {
        return format!("{} {event}, counted", profile.samples);
    }
    let rooted = match profile.samples {
        0 => String::new(),
        samples => format!(", {} reach the thread's root", units::percent(profile.rooted as f64 / samples as f64, 1)),
    };
    let lost = if profile.lost > 0 { format!(", {} more lost", profile.lost) } else { String::new() };
    format!("{} of {event}, stacks by {method}{rooted}{lost}", counted_samples(profile.samples))
}
