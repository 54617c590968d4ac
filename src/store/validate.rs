//! What every run must satisfy before anybody computes with it: files come from other machines and from pull requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::samples::{Arm, ArmRound, Divided, FORMAT, Failure, Gate, Measurement, Metric, Record, Round, Run, Shard};

/// The most comparisons that shards may have elsewhere: more than any matrix has, and few enough to compute with.
const MOST_ELSEWHERE: usize = 1 << 20;

/// Checks that a run makes sense as a whole: a known format, finite numbers, indexes that lead somewhere, batches of one
/// length over the arms of a round.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn validate(run: &Run) -> Result<(), String> {
    format_is_known(run.format)?;
    gate(&run.gate).map_err(|wrong| format!("gate: {wrong}"))?;
    run.divided.as_ref().map_or(Ok(()), division)?;
    let mut seen = BTreeSet::new();
    for measured in &run.measurements {
        if !seen.insert((&measured.case, measured.part)) {
            return Err(format!("{} is there twice", measured.case));
        }
        part(run, measured.part).map_err(|wrong| format!("{}: {wrong}", measured.case))?;
        measurement(measured)?;
    }
    for one in &run.failures {
        // A failure of no part is one of the merged run itself.
        let known = one.part.map_or(Ok(()), |own| part(run, Some(own)));
        known.map_err(|wrong| format!("the failure {:?}: {wrong}", one.what))?;
    }
    run.failures.iter().try_for_each(|one| failure(one, &run.measurements))
}

/// Checks what one record adds to `run`, before it is taken in: cheaper than checking all of the run again.
pub(super) fn fits(run: &Run, record: &Record) -> Result<(), String> {
    let of = |case| run.measurement(case).ok_or_else(|| format!("a record of {case}, which never began"));
    match record {
        Record::Begin(_) => Err("a run begins once".to_owned()),
        Record::Case(measured) => {
            part(run, measured.part)?;
            measurement(measured)?;
            run.failures.iter().try_for_each(|known| failure(known, std::slice::from_ref(measured)))
        }
        Record::Round { case, round: new } => {
            let known = of(case)?;
            round(new, known.arms.len()).map_err(|wrong| format!("{case}, round {}: {wrong}", known.rounds.len()))
        }
        Record::Counted { case, counted: new } => {
            counted(new, of(case)?.arms.len()).map_err(|wrong| format!("{case}: {wrong}"))
        }
        Record::Failure(new) => failure(new, &run.measurements),
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
    match elsewhere.filter(|elsewhere| *elsewhere > MOST_ELSEWHERE) {
        Some(many) => Err(format!("{many} comparisons elsewhere are more than {MOST_ELSEWHERE}")),
        None => Ok(()),
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
        if !(tolerance.is_finite() && tolerance >= 0.0) {
            return Err(format!("the tolerance of {what} is {tolerance}"));
        }
    }
    Ok(())
}

fn measurement(measured: &Measurement) -> Result<(), String> {
    let check = || {
        if measured.arms.is_empty() {
            return Err("there are no arms".to_owned());
        }
        if measured.iterations == 0 {
            return Err("a batch has 0 iterations".to_owned());
        }
        for (at, one) in measured.arms.iter().enumerate() {
            arm(one, at, measured.arms.len()).map_err(|wrong| format!("arm {at}: {wrong}"))?;
        }
        for (at, one) in measured.rounds.iter().enumerate() {
            round(one, measured.arms.len()).map_err(|wrong| format!("round {at}: {wrong}"))?;
        }
        counted(&measured.counted, measured.arms.len())
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
    arm.sizes.iter().try_for_each(|(metric, size)| finite(metric, &[*size]))
}

/// The arm that failed exists, if its case was measured at all.
fn failure(failure: &Failure, measurements: &[Measurement]) -> Result<(), String> {
    let mut here = measurements.iter().filter(|measured| measured.part == failure.part);
    let measured = here.find(|measured| Some(&measured.case) == failure.case.as_ref());
    match (failure.arm, measured.map(|measured| measured.arms.len())) {
        (Some(arm), Some(arms)) if arm >= arms => {
            Err(format!("the failure {:?} is of arm {arm} of {arms} (counted from 0)", failure.what))
        }
        _ => Ok(()),
    }
}

fn round(round: &Round, arms: usize) -> Result<(), String> {
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
    for (metric, values) in &arm.batches {
        finite(metric, values)?;
        let expected = *lengths.entry(metric).or_insert(values.len());
        if values.len() != expected {
            return Err(format!("{metric} has {} batches where another arm has {expected}", values.len()));
        }
    }
    arm.process.iter().try_for_each(|(metric, value)| finite(metric, &[*value]))
}

fn counted(counted: &[BTreeMap<Metric, Vec<f64>>], arms: usize) -> Result<(), String> {
    if !counted.is_empty() && counted.len() != arms {
        return Err(format!("counted has {} entries for {arms} arms", counted.len()));
    }
    counted.iter().flatten().try_for_each(|(metric, values)| finite(metric, values))
}

fn finite(metric: &Metric, values: &[f64]) -> Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("value {at} of {metric} is {}", values[at])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::{case, complete, round};

    /// A way to spoil a run, and what must be said about it.
    type Spoiled = (fn(&mut Run), &'static str);

    const SPOILED: [Spoiled; 19] = [
        (|run| run.format = FORMAT + 1, "format 2 is newer"),
        (|run| run.format = 0, "format 0"),
        (|run| run.gate.family_error = f64::NAN, "family_error"),
        (|run| run.gate.tolerance = -0.1, "tolerance of all metrics"),
        (|run| run.gate.tolerances.extend([(Metric::wall(), f64::INFINITY)]), "tolerance of wall"),
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
    ];

    fn wall(run: &mut Run) -> &mut Vec<f64> {
        run.measurements[0].rounds[3].arms[1].batches.get_mut(&Metric::wall()).unwrap()
    }

    #[test]
    fn a_good_run_passes() {
        validate(&complete("r")).unwrap();
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

    const MISPUT: [Spoiled; 8] = [
        (|run| divided(run).shard = Some("1/3".parse().unwrap()), "either a shard or made of shards"),
        (|run| divided(run).parts.clear(), "either a shard or made of shards"),
        (|run| divided(run).parts.extend_from_within(..), "part 2/3 comes behind part 2/3"),
        (|run| divided(run).parts[0].elsewhere = usize::MAX, "comparisons elsewhere"),
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
    }
}
