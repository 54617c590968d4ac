//! What every run must satisfy before anybody computes with it: files come from other machines and from pull requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::samples::{
    Arm, ArmRound, CaseId, Divided, FORMAT, Failure, Gate, Measurement, Metric, Profile, Record, Round, Run, Shard,
    Step, Training, Unit,
};

/// The most comparisons that shards may have elsewhere: more than any matrix has, and few enough to compute with.
const MOST_ELSEWHERE: usize = 1 << 20;
/// The most rounds of a case, planned or measured; a plan can't ask for more. An interval takes memory by their square.
const MOST_ROUNDS: usize = 4_096;
/// The most arms of a case.
const MOST_ARMS: usize = 1_024;
/// The most cases, and the most measurements.
const MOST_CASES: usize = 1 << 16;
/// As many as there are kinds of knobs.
const MOST_KNOBS: usize = 15;
/// The longest name or value of a knob, in bytes: every row has a copy of its arms.
const LONGEST_KNOB: usize = 4_096;
/// The most metrics that are judged: each pair of arms has a row in each.
const MOST_METRICS: usize = 32;
/// Tolerances that arithmetic can do something with, beside 0.
const TOLERANCES: RangeInclusive<f64> = 1e-9..=1e3;
/// More functions than any program has, and few enough to add up.
const MOST_FUNCTIONS: u64 = 1 << 40;
/// The most functions whose shares are kept.
const MOST_PROFILED: usize = 1_000;
/// The most that anything is counted to: beyond, the numbers that are computed with have gaps.
const MOST_COUNTED: u64 = 1 << 53;
/// The longest time of a round, in nanoseconds: thirteen days. As many as a case may have can be added up.
const LONGEST_ROUND: u64 = 1 << 50;
/// The largest value of any metric, on both sides of zero: thirty years in nanoseconds, an exabyte.
const LARGEST_VALUE: f64 = 1e18;
/// The most threads of a workload.
const MOST_THREADS: usize = 1 << 16;
/// The last second of the year 9999, since 1970: days are written with four digits for the year.
const LAST_SECOND: u64 = 253_402_300_799;
/// The most failures.
const MOST_FAILURES: usize = 1 << 16;
/// The most draws of one distribution; telling two apart takes time by their number.
const MOST_DRAWS: usize = 1 << 20;
/// The most steps of a plan, and the most claims of one.
const MOST_STEPS: usize = 200;
const MOST_CLAIMS: usize = 50;

/// The cases that each part was asked for; in a run that was measured in one piece, `None` is all of it.
type Asked<'r> = BTreeMap<Option<Shard>, BTreeSet<&'r CaseId>>;

/// Checks that a run makes sense as a whole: a known format, finite numbers, indexes that lead somewhere, batches of one
/// length over the arms of a round, and nothing in numbers that no honest run has and that computing would choke on.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn validate(run: &Run) -> Result<(), String> {
    format_is_known(run.format)?;
    at_most("seconds since 1970", starts(run), LAST_SECOND)?;
    at_most("failures", run.failures.len(), MOST_FAILURES)?;
    gate(&run.gate).map_err(|wrong| format!("gate: {wrong}"))?;
    run.divided.as_ref().map_or(Ok(()), division)?;
    steps(run)?;
    at_most("measurements", run.measurements.len(), MOST_CASES)?;
    let (asked, mut seen) = (asked(run)?, BTreeSet::new());
    for measured in &run.measurements {
        if !seen.insert((&measured.case, measured.part)) {
            return Err(format!("{} is there twice", measured.case));
        }
        part(run, measured.part).map_err(|wrong| format!("{}: {wrong}", measured.case))?;
        if !asked.get(&measured.part).is_some_and(|cases| cases.contains(&measured.case)) {
            return Err(unasked(&measured.case));
        }
        measurement(measured)?;
    }
    failures(run)
}

/// The time at which the latest of its parts began.
fn starts(run: &Run) -> u64 {
    run.parts().iter().map(|part| part.started).fold(run.started, u64::max)
}

/// Checks what one record adds to `run`, before it is taken in: cheaper than checking all of the run again.
pub(super) fn fits(run: &Run, record: &Record) -> Result<(), String> {
    let of = |case| run.measurement(case).ok_or_else(|| format!("a record of {case}, which never began"));
    match record {
        Record::Begin(_) => Err("a run begins once".to_owned()),
        Record::Case(measured) => {
            part(run, measured.part)?;
            if !run.cases.contains(&measured.case) {
                return Err(unasked(&measured.case));
            }
            measurement(measured)?;
            let about =
                |failure: &&Failure| failure.case.as_ref() == Some(&measured.case) && failure.part == measured.part;
            run.failures.iter().filter(about).try_for_each(|known| failure(known, Some(measured.arms.len())))
        }
        Record::Round { case, round: new } => {
            let known = of(case)?;
            at_most("rounds", known.rounds.len() + 1, MOST_ROUNDS).map_err(|wrong| format!("{case}: {wrong}"))?;
            round(new, known.arms.len()).map_err(|wrong| format!("{case}, round {}: {wrong}", known.rounds.len()))
        }
        Record::Counted { case, counted: new, observed: draws, .. } => {
            let arms = of(case)?.arms.len();
            let both = counted(new, arms).and_then(|()| observed(draws, arms));
            both.map_err(|wrong| format!("{case}: {wrong}"))
        }
        Record::Profiled { case, profiles: new } => {
            profiles(new, of(case)?.arms.len()).map_err(|wrong| format!("{case}: {wrong}"))
        }
        Record::Failure(new) => {
            let measured = new.case.as_ref().and_then(|case| run.measurement_in(case, new.part));
            failure(new, measured.map(|measured| measured.arms.len()))
        }
        Record::End => Ok(()),
    }
}

/// Refuses formats that this version of the tool does not know.
pub(super) fn format_is_known(format: u32) -> Result<(), String> {
    match format {
        0 => Err("format 0 never existed".to_owned()),
        known if known <= FORMAT => Ok(()),
        newer => {
            Err(format!("format {newer} is newer than {FORMAT}, the newest that this version knows: update the tool"))
        }
    }
}

/// A divided run is one shard, or has parts: different shards of one count, in their order.
fn division(divided: &Divided) -> Result<(), String> {
    if divided.shard.is_some() != divided.parts.is_empty() {
        return Err("a divided run is either a shard or made of shards".to_owned());
    }
    if let Some(pair) = divided.parts.windows(2).find(|pair| pair[0].shard >= pair[1].shard) {
        return Err(format!("part {} comes behind part {}", pair[1].shard, pair[0].shard));
    }
    if let Some(other) = divided.parts.iter().find(|part| part.shard.count() != divided.parts[0].shard.count()) {
        return Err(format!("part {} is no part of {}", other.shard, divided.parts[0].shard.count()));
    }
    let elsewhere = divided.parts.iter().map(|part| part.elsewhere).chain([divided.elsewhere]).max();
    at_most("comparisons elsewhere", elsewhere.unwrap_or(0), MOST_ELSEWHERE)
}

fn at_most<N: PartialOrd + Display>(what: &str, many: N, most: N) -> Result<(), String> {
    if many > most { Err(format!("{many} {what} are more than {most}")) } else { Ok(()) }
}

/// What was asked for: each case once, and by a part nothing that the whole run was not asked for.
fn asked(run: &Run) -> Result<Asked<'_>, String> {
    let whole = distinct(&run.cases)?;
    let mut asked = Asked::new();
    for part in run.parts() {
        let located = |wrong: String| format!("part {}: {wrong}", part.shard);
        let own = distinct(&part.cases).map_err(located)?;
        if let Some(stray) = own.difference(&whole).next() {
            return Err(located(unasked(stray)));
        }
        asked.insert(Some(part.shard), own);
    }
    if run.parts().is_empty() {
        asked.insert(None, whole);
    }
    Ok(asked)
}

fn unasked(case: &CaseId) -> String {
    format!("{case} is none of the cases that were asked for")
}

fn distinct(cases: &[CaseId]) -> Result<BTreeSet<&CaseId>, String> {
    at_most("cases", cases.len(), MOST_CASES)?;
    let mut seen = BTreeSet::new();
    match cases.iter().find(|case| !seen.insert(*case)) {
        Some(twice) => Err(format!("the case {twice} is asked for twice")),
        None => Ok(seen),
    }
}

/// What a merged run holds is from one of its parts, what others hold is from none.
fn part(run: &Run, part: Option<Shard>) -> Result<(), String> {
    let parts = run.parts();
    match part {
        None if parts.is_empty() => Ok(()),
        Some(own) if parts.iter().any(|part| part.shard == own) => Ok(()),
        None => Err("it does not say which part it is from".to_owned()),
        Some(other) => Err(format!("the run has no part {other}")),
    }
}

fn gate(gate: &Gate) -> Result<(), String> {
    if !(gate.family_error > 0.0 && gate.family_error < 1.0) {
        return Err(format!("family_error is {}, not between 0 and 1", gate.family_error));
    }
    let tolerances = gate.tolerances.iter().map(|(metric, tolerance)| (metric.as_str(), *tolerance));
    for (what, tolerance) in tolerances.chain([("all metrics", gate.tolerance)]) {
        if tolerance != 0.0 && !TOLERANCES.contains(&tolerance) {
            return Err(format!("the tolerance of {what} is {tolerance}"));
        }
    }
    at_most("rounds", gate.most_rounds, MOST_ROUNDS)?;
    at_most("metrics", gate.metrics.len(), MOST_METRICS)?;
    let mut seen = BTreeSet::new();
    match gate.metrics.iter().find(|metric| !seen.insert(*metric)) {
        Some(twice) => Err(format!("the metric {twice} is there twice")),
        None => Ok(()),
    }
}

fn measurement(measured: &Measurement) -> Result<(), String> {
    let check = || {
        if measured.arms.is_empty() {
            return Err("there are no arms".to_owned());
        }
        if measured.iterations == 0 {
            return Err("a batch has 0 iterations".to_owned());
        }
        at_most("iterations", measured.iterations.max(measured.warm_up), MOST_COUNTED)?;
        at_most("threads", measured.threads, MOST_THREADS)?;
        at_most("arms", measured.arms.len(), MOST_ARMS)?;
        at_most("rounds", measured.rounds.len(), MOST_ROUNDS)?;
        for (at, one) in measured.arms.iter().enumerate() {
            arm(one, at, measured.arms.len()).map_err(|wrong| format!("arm {at}: {wrong}"))?;
        }
        comparisons_end(&measured.arms)?;
        for (at, one) in measured.rounds.iter().enumerate() {
            round(one, measured.arms.len()).map_err(|wrong| format!("round {at}: {wrong}"))?;
        }
        counted(&measured.counted, measured.arms.len())?;
        observed(&measured.observed, measured.arms.len())?;
        profiles(&measured.profiles, measured.arms.len())
    };
    check().map_err(|wrong| format!("{}: {wrong}", measured.case))
}

fn arm(arm: &Arm, at: usize, arms: usize) -> Result<(), String> {
    if let Some(against) = arm.against.filter(|against| *against >= arms || *against == at) {
        return Err(format!("it is compared with arm {against} of {arms} (counted from 0)"));
    }
    if !(arm.handicap.is_finite() && arm.handicap > -1.0) {
        return Err(format!("the handicap is {}", arm.handicap));
    }
    at_most("operations", arm.operations, MOST_COUNTED)?;
    knobs(&arm.knobs)?;
    arm.training.as_ref().map_or(Ok(()), training)?;
    arm.sizes.iter().try_for_each(|(metric, size)| values(metric, &[*size]))
}

/// What an arm is compared with, and what that is compared with, comes to an end: nothing is a baseline of itself.
fn comparisons_end(arms: &[Arm]) -> Result<(), String> {
    for (at, arm) in arms.iter().enumerate() {
        let (mut baseline, mut steps) = (arm.against, 0);
        while let Some(next) = baseline {
            // As many steps as there are arms lead round and round.
            if steps == arms.len() {
                return Err(format!("arm {at} is compared in a circle"));
            }
            (baseline, steps) = (arms.get(next).and_then(|arm| arm.against), steps + 1);
        }
    }
    Ok(())
}

fn knobs(knobs: &BTreeMap<String, String>) -> Result<(), String> {
    at_most("knobs", knobs.len(), MOST_KNOBS)?;
    let longest = knobs.iter().flat_map(|(name, value)| [name.len(), value.len()]).max();
    at_most("bytes in a knob's name or value", longest.unwrap_or(0), LONGEST_KNOB)
}

fn training(training: &Training) -> Result<(), String> {
    at_most("cases of training", training.cases.len(), MOST_CASES)?;
    let Training { functions, ran, mismatched, lost, .. } = training;
    let counts = [("in all", functions), ("that ran", ran), ("that mismatched", mismatched), ("that were lost", lost)];
    counts.into_iter().try_for_each(|(which, many)| at_most(&format!("functions {which}"), *many, MOST_FUNCTIONS))
}

/// Failures are of parts that there are, and of arms that their measurements have.
fn failures(run: &Run) -> Result<(), String> {
    let measured = run.measurements.iter().map(|measured| ((&measured.case, measured.part), measured.arms.len()));
    let arms: BTreeMap<_, _> = measured.collect();
    for one in &run.failures {
        // A failure of no part is one of the merged run itself.
        let known = one.part.map_or(Ok(()), |own| part(run, Some(own)));
        known.map_err(|wrong| format!("the failure {:?}: {wrong}", one.what))?;
        failure(one, one.case.as_ref().and_then(|case| arms.get(&(case, one.part)).copied()))?;
    }
    Ok(())
}

/// The arm that failed exists, if its case was measured at all: with how many arms, says `arms`.
fn failure(failure: &Failure, arms: Option<usize>) -> Result<(), String> {
    match (failure.arm, arms) {
        (Some(arm), Some(arms)) if arm >= arms => {
            Err(format!("the failure {:?} is of arm {arm} of {arms} (counted from 0)", failure.what))
        }
        _ => Ok(()),
    }
}

fn round(round: &Round, arms: usize) -> Result<(), String> {
    at_most("nanoseconds", round.elapsed_ns.max(round.inside_ns), LONGEST_ROUND)?;
    let mut taking_part = BTreeSet::new();
    let mut lengths: BTreeMap<&Metric, usize> = BTreeMap::new();
    for one in &round.arms {
        if one.arm >= arms {
            return Err(format!("arm {} of {arms} (counted from 0)", one.arm));
        }
        if !taking_part.insert(one.arm) {
            return Err(format!("arm {} is there twice", one.arm));
        }
        arm_round(one, &mut lengths).map_err(|wrong| format!("arm {}: {wrong}", one.arm))?;
    }
    Ok(())
}

fn arm_round<'r>(arm: &'r ArmRound, lengths: &mut BTreeMap<&'r Metric, usize>) -> Result<(), String> {
    for (metric, batches) in &arm.batches {
        values(metric, batches)?;
        let expected = *lengths.entry(metric).or_insert(batches.len());
        if batches.len() != expected {
            return Err(format!("{metric} has {} batches where another arm has {expected}", batches.len()));
        }
    }
    arm.process.iter().try_for_each(|(metric, value)| values(metric, &[*value]))
}

fn counted(counted: &[BTreeMap<Metric, Vec<f64>>], arms: usize) -> Result<(), String> {
    if !counted.is_empty() && counted.len() != arms {
        return Err(format!("counted has {} entries for {arms} arms", counted.len()));
    }
    counted.iter().flatten().try_for_each(|(metric, each)| values(metric, each))
}

fn observed(observed: &[BTreeMap<String, Vec<f64>>], arms: usize) -> Result<(), String> {
    if !observed.is_empty() && observed.len() != arms {
        return Err(format!("observed has {} entries for {arms} arms", observed.len()));
    }
    for (name, draws) in observed.iter().flatten() {
        at_most("bytes in the name of a distribution", name.len(), LONGEST_KNOB)?;
        at_most("draws of a distribution", draws.len(), MOST_DRAWS)?;
        sound(name, draws)?;
    }
    Ok(())
}

fn profiles(profiles: &[Profile], arms: usize) -> Result<(), String> {
    let mut sampled = BTreeSet::new();
    for profile in profiles {
        if profile.arm >= arms || !sampled.insert(profile.arm) {
            return Err(format!("a profile of arm {} of {arms} (counted from 0), or a second one", profile.arm));
        }
        at_most("samples", profile.samples.max(profile.rooted).max(profile.lost), MOST_COUNTED)?;
        at_most("functions in a profile", profile.functions.len(), MOST_PROFILED)?;
        for function in &profile.functions {
            at_most("bytes in a function's name", function.name.len(), LONGEST_KNOB)?;
            at_most("sampling rounds", function.own.len(), MOST_ROUNDS)?;
            if function.own.len() != function.total.len() {
                return Err(format!("{:?} has other rounds by itself than with what it called", function.name));
            }
            [&function.own, &function.total].into_iter().try_for_each(|each| shares(each))?;
        }
    }
    Ok(())
}

/// Steps of different names among the cases that were asked for, with claims that somebody can read.
fn steps(run: &Run) -> Result<(), String> {
    at_most("steps", run.steps.len(), MOST_STEPS)?;
    let mut seen = BTreeSet::new();
    for step in &run.steps {
        if step.case.workload() != Step::WORKLOAD || !seen.insert(&step.case) || !run.cases.contains(&step.case) {
            return Err(format!("the step {} is there twice, or is none that was asked for", step.case));
        }
        at_most("claims", step.claims.len(), MOST_CLAIMS)?;
        let texts = step.claims.iter().chain([&step.title, &step.source, &step.expect]);
        at_most("bytes in a step's text", texts.map(String::len).max().unwrap_or(0), LONGEST_KNOB)?;
    }
    Ok(())
}

/// Values of a metric that can be computed with; none is a time before it began.
fn values(metric: &Metric, values: &[f64]) -> Result<(), String> {
    sound(metric, values)?;
    match values.iter().find(|value| metric.unit() == Unit::Nanoseconds && **value < 0.0) {
        Some(negative) => Err(format!("a value of {metric} is {negative}, a time below zero")),
        None => Ok(()),
    }
}

/// Parts of a whole. The last digits of a sum of them may be beyond it.
fn shares(shares: &[f64]) -> Result<(), String> {
    match shares.iter().find(|share| !(0.0..=1.0 + 1e-9).contains(*share)) {
        Some(share) => Err(format!("a function's share is {share}")),
        None => Ok(()),
    }
}

/// Numbers that are some, and whose sums and products are some, too.
fn sound(what: impl Display, values: &[f64]) -> Result<(), String> {
    // What is no number is not within either.
    match values.iter().position(|value| !(-LARGEST_VALUE..=LARGEST_VALUE).contains(value)) {
        Some(at) => Err(format!("value {at} of {what} is {}", values[at])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{case, complete, round};

    /// A way to spoil a run, and what must be said about it.
    type Spoiled = (fn(&mut Run), &'static str);

    const SPOILED: [Spoiled; 50] = [
        (|run| run.format = FORMAT + 1, "format 2 is newer"),
        (|run| run.format = 0, "format 0"),
        (|run| run.gate.family_error = f64::NAN, "family_error"),
        (|run| run.gate.tolerance = -0.1, "tolerance of all metrics"),
        (|run| run.gate.tolerances.extend([(Metric::wall(), f64::INFINITY)]), "tolerance of wall"),
        (|run| run.gate.tolerance = 1e-10, "tolerance of all metrics is 0.0000000001"),
        (|run| run.gate.tolerance = 1001.0, "tolerance of all metrics is 1001"),
        (|run| run.gate.most_rounds = 4_097, "gate: 4097 rounds are more than 4096"),
        (|run| run.gate.metrics.push(Metric::wall()), "gate: the metric wall is there twice"),
        (|run| run.gate.metrics = (0..33).map(|n| format!("m{n}").parse().unwrap()).collect(), "33 metrics are more"),
        (|run| run.cases.push(case()), "the case generator::redb/cached is asked for twice"),
        (|run| run.cases.clear(), "none of the cases that were asked for"),
        (|run| run.cases = (0..65_537).map(numbered).collect(), "65537 cases are more than 65536"),
        (|run| run.measurements = vec![run.measurements[0].clone(); 65_537], "65537 measurements are more"),
        (|run| run.measurements[0].arms = vec![arm(run).clone(); 1_025], "1025 arms are more than 1024"),
        (|run| run.measurements[0].rounds = vec![round(0); 4_097], "4097 rounds are more than 4096"),
        (|run| arm(run).knobs = (0..16).map(|n| (n.to_string(), String::new())).collect(), "arm 1: 16 knobs are more"),
        (
            |run| drop(arm(run).knobs.insert("env".to_owned(), "x".repeat(4_097))),
            "4097 bytes in a knob's name or value",
        ),
        (|run| drop(arm(run).knobs.insert("x".repeat(4_097), String::new())), "4097 bytes in a knob's name or value"),
        (|run| training_of(run).cases = vec![case(); 65_537], "65537 cases of training"),
        (
            |run| training_of(run).mismatched = u64::MAX,
            "arm 1: 18446744073709551615 functions that mismatched are more",
        ),
        (|run| training_of(run).lost = (1 << 40) + 1, "1099511627777 functions that were lost are more"),
        (|run| run.measurements.push(run.measurements[0].clone()), "twice"),
        (|run| run.measurements[0].arms.clear(), "no arms"),
        (|run| run.measurements[0].iterations = 0, "0 iterations"),
        (|run| run.measurements[0].arms[1].handicap = f64::NAN, "arm 1: the handicap"),
        (|run| *run.measurements[0].arms[0].sizes.values_mut().next().unwrap() = f64::NAN, "binary.text"),
        (|run| run.measurements[0].arms[1].against = Some(1), "arm 1: it is compared with arm 1"),
        (|run| run.measurements[0].arms[0].against = Some(2), "arm 0: it is compared with arm 2 of 2"),
        (|run| run.failures[0].arm = Some(2), "is of arm 2 of 2"),
        (|run| run.measurements[0].rounds[2].arms[0].arm = 2, "round 2: arm 2 of 2"),
        (|run| run.measurements[0].rounds[1].arms[0].arm = 0, "round 1: arm 0 is there twice"),
        (|run| wall(run).truncate(3), "round 3: arm 0: wall has 3 batches where another arm has 5"),
        (|run| wall(run)[4] = f64::NEG_INFINITY, "round 3: arm 0: value 4 of wall is -inf"),
        (|run| run.measurements[0].counted.truncate(1), "counted has 1 entries for 2 arms"),
        (|run| run.measurements[0].counted[1].values_mut().next().unwrap()[1] = f64::NAN, "alloc.count"),
        (|run| run.started = 253_402_300_800, "253402300800 seconds since 1970 are more"),
        (|run| run.failures = vec![run.failures[0].clone(); 65_537], "65537 failures are more"),
        (|run| run.measurements[0].iterations = (1 << 53) + 1, "9007199254740993 iterations are more"),
        (|run| run.measurements[0].warm_up = u64::MAX, "iterations are more"),
        (|run| run.measurements[0].threads = 65_537, "65537 threads are more"),
        (|run| arm(run).operations = u64::MAX, "operations are more"),
        (|run| run.measurements[0].arms[0].against = Some(1), "arm 0 is compared in a circle"),
        (|run| run.measurements[0].rounds[1].inside_ns = u64::MAX, "round 1: 18446744073709551615 nanoseconds are"),
        (|run| run.measurements[0].rounds[1].elapsed_ns = (1 << 50) + 1, "nanoseconds are more"),
        (|run| wall(run)[2] = -1.0, "a value of wall is -1, a time below zero"),
        (|run| wall(run)[2] = 1.1e18, "value 2 of wall is 1100000000000000000"),
        (|run| run.measurements[0].profiles = vec![profile(1.1, 9)], "a function's share is 1.1"),
        (|run| run.measurements[0].profiles = vec![profile(-0.1, 9)], "a function's share is -0.1"),
        (|run| run.measurements[0].profiles = vec![profile(0.1, u64::MAX)], "samples are more"),
    ];

    fn wall(run: &mut Run) -> &mut Vec<f64> {
        run.measurements[0].rounds[3].arms[1].batches.get_mut(&Metric::wall()).unwrap()
    }

    fn arm(run: &mut Run) -> &mut Arm {
        &mut run.measurements[0].arms[1]
    }

    fn training_of(run: &mut Run) -> &mut Training {
        arm(run).training.as_mut().unwrap()
    }

    fn profile(share: f64, samples: u64) -> Profile {
        serde_json::from_value(serde_json::json!({
            "arm": 0, "event": "cycles", "method": "dwarf", "samples": samples, "rooted": 1, "lost": 0,
            "functions": [{"name": "f", "own": [share], "total": [0.5]}],
        }))
        .unwrap()
    }

    fn numbered(number: usize) -> CaseId {
        CaseId::new("generator", &number.to_string()).unwrap()
    }

    #[test]
    fn a_good_run_passes() {
        validate(&complete("r")).unwrap();
        validate(&serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap()).unwrap();
    }

    #[test]
    fn as_many_as_are_allowed_pass() {
        let mut run = complete("r");
        run.gate.most_rounds = 4_096;
        (run.gate.tolerance, run.gate.family_error) = (0.0, 0.5);
        run.gate.tolerances.extend([(Metric::wall(), 1e-9), ("cpu".parse().unwrap(), 1e3)]);
        run.cases.extend((1..65_536).map(numbered));
        run.measurements[0].rounds = vec![round(0); 4_096];
        arm(&mut run).knobs = (0..15).map(|n| (format!("k{n}"), "x".repeat(4_096))).collect();
        training_of(&mut run).lost = 1 << 40;
        (run.started, run.measurements[0].iterations) = (LAST_SECOND, 1 << 53);
        arm(&mut run).operations = 1 << 53;
        run.measurements[0].profiles = vec![profile(1.0, 1 << 53)];
        run.measurements[0].rounds[0].elapsed_ns = 1 << 50;
        run.measurements[0].counted[1].values_mut().next().unwrap()[1] = -1e18;
        run.failures = vec![run.failures[0].clone(); 65_536];
        validate(&run).unwrap();
    }

    #[test]
    fn whatever_is_wrong_is_found_and_located() {
        for (spoil, expected) in SPOILED {
            let mut run = complete("r");
            spoil(&mut run);
            let said = validate(&run).expect_err(expected);
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
    }

    /// The same run as the second of three shards, merged with none.
    fn merged() -> Run {
        let divided: Divided = serde_json::from_value(serde_json::json!({
            "plan": {}, "command": "cargo perfplan run", "shard": "2/3", "elsewhere": 4,
        }))
        .unwrap();
        crate::samples::merge(vec![Run { divided: Some(divided), ..complete("r") }]).unwrap()
    }

    fn divided(run: &mut Run) -> &mut Divided {
        run.divided.as_mut().unwrap()
    }

    const MISPUT: [Spoiled; 11] = [
        (|run| divided(run).shard = Some("1/3".parse().unwrap()), "either a shard or made of shards"),
        (|run| divided(run).parts.clear(), "either a shard or made of shards"),
        (|run| divided(run).parts.extend_from_within(..), "part 2/3 comes behind part 2/3"),
        (|run| divided(run).parts[0].elsewhere = usize::MAX, "comparisons elsewhere"),
        (
            |run| divided(run).parts[0].cases.push(case()),
            "part 2/3: the case generator::redb/cached is asked for twice",
        ),
        (|run| divided(run).parts[0].cases.push(numbered(1)), "part 2/3: generator::1 is none of the cases"),
        (|run| divided(run).parts[0].cases.clear(), "redb/cached is none of the cases that were asked for"),
        (|run| run.measurements[0].part = None, "it does not say which part"),
        (|run| run.measurements[0].part = Some("1/3".parse().unwrap()), "the run has no part 1/3"),
        (|run| run.failures[0].part = Some("2/4".parse().unwrap()), "the run has no part 2/4"),
        (|run| run.failures[0].arm = Some(2), "is of arm 2 of 2"),
    ];

    #[test]
    fn parts_that_do_not_fit_together_are_found() {
        validate(&merged()).unwrap();
        for (spoil, expected) in MISPUT {
            let mut run = merged();
            spoil(&mut run);
            let said = validate(&run).expect_err(expected);
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
        let mut other_count = merged();
        let mut part = divided(&mut other_count).parts[0].clone();
        part.shard = "1/4".parse().unwrap();
        divided(&mut other_count).parts.push(part);
        assert!(validate(&other_count).unwrap_err().contains("part 1/4 is no part of 3"));
        let stray = Run { divided: None, ..merged() };
        assert!(validate(&stray).unwrap_err().contains("the run has no part 2/3"));
    }

    #[test]
    fn a_record_is_checked_before_it_is_taken_in() {
        let run = complete("r");
        let mut bad = round(9);
        bad.arms[0].arm = 7;
        assert!(fits(&run, &Record::Round { case: case(), round: bad }).unwrap_err().contains("round 4: arm 7 of 2"));
        let stranger = crate::samples::CaseId::new("no", "such").unwrap();
        assert!(fits(&run, &Record::Round { case: stranger, round: round(9) }).unwrap_err().contains("never began"));
        assert!(fits(&run, &Record::Begin(Box::new(complete("r")))).is_err());
        let unasked = Measurement { case: numbered(1), ..run.measurements[0].clone() };
        assert!(fits(&run, &Record::Case(Box::new(unasked))).unwrap_err().contains("none of the cases"));
        let mut full = run;
        full.measurements[0].rounds = vec![round(0); 4_096];
        assert!(fits(&full, &Record::Round { case: case(), round: round(9) }).unwrap_err().contains("4097 rounds"));
    }
}
