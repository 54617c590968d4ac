//! Shards of one divided run, put beside each other.
//!
//! ```text
//!   runs ──> split: shards, as they were measured ──> one per number ──> assemble: one run with parts
//! ```
//!
//! A merged run is split into its shards again before more are put beside them, so neither order nor grouping matters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{CaseId, Divided, Environment, FORMAT, Failure, Measurement, Part, Run, RunId, Shard, Skipped, Step};

/// Why runs can't be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeError {
    /// There are no runs.
    Nothing,
    /// A run is no shard, nor made of shards.
    NoShard(RunId),
    /// A run has another format than this version writes.
    OtherFormat {
        /// The run.
        run: RunId,
        /// Its format.
        format: u32,
    },
    /// Two runs are not shards of one.
    OtherPlan {
        /// One of the two.
        one: RunId,
        /// The other.
        other: RunId,
        /// In what they differ.
        differences: Vec<String>,
    },
    /// Two runs are divided into different numbers of shards.
    OtherCount {
        /// One of the two.
        one: (RunId, Shard),
        /// The other.
        other: (RunId, Shard),
    },
    /// Two runs measured the same shard.
    SameShard {
        /// Which one.
        shard: Shard,
        /// One of the two.
        one: RunId,
        /// The other.
        other: RunId,
    },
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there are no runs to put together"),
            Self::NoShard(run) => {
                write!(f, "run {run} is no shard: it was measured without --shard, and nothing can be put beside it")
            }
            Self::OtherFormat { run, format } => write!(
                f,
                "run {run} has format {format}, not {FORMAT}: measure all shards with this version of the tool"
            ),
            Self::OtherPlan { one, other, differences } => {
                write!(f, "runs {one} and {other} are not shards of one run; they differ in {}", differences.join("; "))
            }
            Self::OtherCount { one: (one, of_one), other: (other, of_other) } => write!(
                f,
                "run {one} is shard {of_one} and run {other} is shard {of_other}: they are not cut from one run"
            ),
            Self::SameShard { shard, one, other } => {
                write!(f, "runs {one} and {other} are both shard {shard}: leave one of them out")
            }
        }
    }
}

impl std::error::Error for MergeError {}

/// One run of several shards, or of what was merged before. Order and grouping don't matter, and a shard that is given twice
/// counts once (of a run that was broken off and resumed, what it became). Some shards may be missing; [`Run::gaps`] names
/// them.
///
/// # Errors
/// Where the runs are not shards of one divided run, or two of them are the same shard.
pub fn merge(runs: Vec<Run>) -> Result<Run, MergeError> {
    let mut shards: BTreeMap<Shard, Run> = BTreeMap::new();
    for (shard, run) in runs.into_iter().map(split).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        if let Some((known, first)) = shards.first_key_value() {
            fits((*known, first), (shard, &run))?;
        }
        let taken = match shards.remove(&shard) {
            Some(known) => further(shard, known, run)?,
            None => run,
        };
        shards.insert(shard, taken);
    }
    assemble(&shards).ok_or(MergeError::Nothing)
}

/// The shards in a run, each as it was measured.
fn split(run: Run) -> Result<Vec<(Shard, Run)>, MergeError> {
    if run.format != FORMAT {
        return Err(MergeError::OtherFormat { run: run.id, format: run.format });
    }
    if let Some(shard) = run.shard() {
        return Ok(vec![(shard, run)]);
    }
    match &run.divided {
        Some(divided) => Ok(divided.parts.iter().map(|part| (part.shard, alone(&run, divided, part))).collect()),
        None => Err(MergeError::NoShard(run.id)),
    }
}

/// A part of a merged run as the shard that it was.
fn alone(merged: &Run, divided: &Divided, part: &Part) -> Run {
    let own = Some(part.shard);
    let measurements = merged.measurements.iter().filter(|measurement| measurement.part == own);
    let failures = merged.failures.iter().filter(|failure| failure.part == own);
    Run {
        format: merged.format,
        id: part.run.clone(),
        started: part.started,
        tool: merged.tool.clone(),
        commit: merged.commit.clone(),
        against: merged.against.clone(),
        asked: part.asked.clone(),
        environment: part.environment.clone(),
        gate: merged.gate.clone(),
        review: merged.review.clone(),
        cases: part.cases.clone(),
        steps: steps(merged, &part.cases),
        measurements: measurements.map(|one| Measurement { part: None, ..one.clone() }).collect(),
        failures: failures.map(|one| Failure { part: None, ..one.clone() }).collect(),
        skipped: part.skipped.clone(),
        divided: Some(Divided {
            plan: divided.plan.clone(),
            command: part.command.clone(),
            shard: own,
            elsewhere: part.elsewhere,
            parts: Vec::new(),
        }),
        complete: part.complete,
    }
}

/// The steps among these cases.
fn steps(merged: &Run, cases: &[CaseId]) -> Vec<Step> {
    merged.steps.iter().filter(|step| cases.contains(&step.case)).cloned().collect()
}

/// Whether both are shards of one run.
fn fits((of_one, one): (Shard, &Run), (of_other, other): (Shard, &Run)) -> Result<(), MergeError> {
    let differences = differences(one, other);
    if !differences.is_empty() {
        return Err(MergeError::OtherPlan { one: one.id.clone(), other: other.id.clone(), differences });
    }
    if of_one.count() != of_other.count() {
        return Err(MergeError::OtherCount { one: (one.id.clone(), of_one), other: (other.id.clone(), of_other) });
    }
    Ok(())
}

/// In what two runs differ that shards have in common. What can be said in words is said with both values.
fn differences(one: &Run, other: &Run) -> Vec<String> {
    let commit = |run: &Run| run.commit.clone().unwrap_or_else(|| "no commit".to_owned());
    let said = [
        ("the commit", commit(one), commit(other)),
        ("what is compared against", one.against.clone(), other.against.clone()),
        ("the tool", one.tool.clone(), other.tool.clone()),
    ];
    let said = said.into_iter().filter(|(_, one, other)| one != other);
    let said = said.map(|(what, one, other)| format!("{what} ({one} and {other})"));
    let gate = (one.gate != other.gate || one.review != other.review).then(|| "the gate".to_owned());
    let (one, other) = (plan(one), plan(other));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let asked = names.into_iter().filter(|name| one.get(*name) != other.get(*name)).map(|name| format!("the {name}"));
    said.chain(gate).chain(asked).collect()
}

fn plan(run: &Run) -> BTreeMap<String, String> {
    run.divided.as_ref().map(|divided| divided.plan.clone()).unwrap_or_default()
}

/// Of two states of one run, the later one.
fn further(shard: Shard, one: Run, other: Run) -> Result<Run, MergeError> {
    if one.id != other.id {
        let (one, other) = if one.id < other.id { (one.id, other.id) } else { (other.id, one.id) };
        return Err(MergeError::SameShard { shard, one, other });
    }
    if one == other {
        return Ok(one);
    }
    let progress = |run: &Run| {
        let rounds: usize = run.measurements.iter().map(|measurement| measurement.rounds.len()).sum();
        // What came first must not matter, even for states that no honest run could both have been in.
        (run.complete, rounds, run.measurements.len(), format!("{run:?}"))
    };
    Ok(if progress(&other) > progress(&one) { other } else { one })
}

/// The run that the shards make up; `None` without any.
fn assemble(shards: &BTreeMap<Shard, Run>) -> Option<Run> {
    let (first, one) = shards.first_key_value()?;
    let divided = one.divided.as_ref()?;
    let measurements = each(shards, |run| &run.measurements);
    let failures = each(shards, |run| &run.failures);
    Some(Run {
        format: FORMAT,
        id: named(shards)?,
        started: shards.values().map(|run| run.started).min()?,
        tool: one.tool.clone(),
        commit: one.commit.clone(),
        against: one.against.clone(),
        asked: String::new(),
        environment: environment(shards),
        gate: one.gate.clone(),
        review: one.review.clone(),
        cases: distinct::<CaseId>(shards.values().flat_map(|run| &run.cases)),
        steps: distinct::<Step>(shards.values().flat_map(|run| &run.steps)),
        measurements: measurements.map(|(part, one)| Measurement { part, ..one.clone() }).collect(),
        failures: failures.map(|(part, one)| Failure { part, ..one.clone() }).collect(),
        skipped: distinct::<Skipped>(shards.values().flat_map(|run| &run.skipped)),
        divided: Some(Divided {
            plan: divided.plan.clone(),
            command: divided.command.clone(),
            shard: None,
            elsewhere: missing(shards),
            parts: shards.iter().map(|(shard, run)| part(*shard, run)).collect(),
        }),
        complete: shards.len() == first.count() && shards.values().all(|run| run.complete),
    })
}

/// Comparisons that the missing shards make, at most; 0 where none is missing. Each shard knows how many others make, and how
/// many it makes itself where nothing failed: whoever knows of most in all is believed, and what is here comes off.
fn missing(shards: &BTreeMap<Shard, Run>) -> usize {
    if shards.first_key_value().is_none_or(|(shard, _)| shards.len() == shard.count()) {
        return 0;
    }
    let elsewhere = |run: &Run| run.divided.as_ref().map_or(0, |divided| divided.elsewhere);
    let all = shards.values().map(|run| elsewhere(run).saturating_add(comparisons(run))).max().unwrap_or(0);
    shards.values().fold(all, |left, run| left.saturating_sub(comparisons(run)))
}

/// Comparisons that a shard makes itself, in all metrics that it gates. The arms of a drill come on top of what was divided
/// and count nowhere.
fn comparisons(shard: &Run) -> usize {
    let divided =
        |m: &Measurement| m.pairs().filter(|(new, old)| m.arms[*new].handicap == m.arms[*old].handicap).count();
    let plain = shard.measurements.iter().filter(|m| shard.step(&m.case).is_none());
    let pairs: usize = plain.map(divided).sum();
    pairs.saturating_mul(shard.gate.metrics.len())
}

fn part(shard: Shard, run: &Run) -> Part {
    let (command, elsewhere) =
        run.divided.as_ref().map_or_else(Default::default, |divided| (divided.command.clone(), divided.elsewhere));
    Part {
        shard,
        run: run.id.clone(),
        started: run.started,
        asked: run.asked.clone(),
        command,
        elsewhere,
        environment: run.environment.clone(),
        cases: run.cases.clone(),
        skipped: run.skipped.clone(),
        complete: run.complete,
    }
}

/// What all shards have of something, with the shard that it is from.
fn each<'r, T: 'r>(
    shards: &'r BTreeMap<Shard, Run>,
    of: impl Fn(&'r Run) -> &'r Vec<T>,
) -> impl Iterator<Item = (Option<Shard>, &'r T)> {
    shards.iter().flat_map(move |(shard, run)| of(run).iter().map(|one| (Some(*shard), one)))
}

/// Each value once, where it occurs first.
fn distinct<'v, T: Clone + PartialEq + 'v>(values: impl Iterator<Item = &'v T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(value) {
            found.push(value.clone());
        }
    }
    found
}

/// The newest shard's name and a digest of all: it sorts behind the shards, and the same shards have the same name (FNV-1a).
fn named(shards: &BTreeMap<Shard, Run>) -> Option<RunId> {
    let newest = shards.values().map(|run| &run.id).max()?;
    let text: Vec<String> = shards.iter().map(|(shard, run)| format!("{shard} {}\n", run.id)).collect();
    let digest = text
        .concat()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // A name may be as long as names can be already: the digest alone is one, too.
    format!("{newest}-merged-{digest:016x}").parse().or_else(|_| format!("merged-{digest:016x}").parse()).ok()
}

/// The machines of all shards as one. A fact in which they differ says which run has which value, so that it equals no
/// machine's.
fn environment(shards: &BTreeMap<Shard, Run>) -> Environment {
    let facts = |of: fn(&Environment) -> &BTreeMap<String, String>| {
        let all: Vec<_> = shards.values().map(|run| (&run.id, of(&run.environment))).collect();
        let names: BTreeSet<&String> = all.iter().flat_map(|(_, facts)| facts.keys()).collect();
        names.into_iter().map(|name| (name.clone(), fact(name, &all))).collect()
    };
    Environment {
        fingerprint: facts(|environment| &environment.fingerprint),
        circumstances: facts(|environment| &environment.circumstances),
        absent: facts(|environment| &environment.absent),
    }
}

fn fact(name: &String, all: &[(&RunId, &BTreeMap<String, String>)]) -> String {
    let mut runs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (run, facts) in all {
        runs.entry(facts.get(name).map_or("nothing", String::as_str)).or_default().push(run.as_str());
    }
    match runs.first_key_value() {
        Some((value, _)) if runs.len() == 1 => (*value).to_owned(),
        _ => {
            let values: Vec<String> =
                runs.iter().map(|(value, runs)| format!("{value} (run {})", runs.join(", "))).collect();
            format!("differs: {}", values.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::json;

    use super::*;

    /// A shard of a made-up run: it holds a case that all have and one of its own, and something failed in it.
    fn shard(text: &str) -> Run {
        let shard: Shard = text.parse().unwrap();
        let number = shard.index() + 1;
        let measurement = |case: &str| {
            let arm = |name: &str, against: Option<usize>| json!({"variant": name, "revision": "working tree", "against": against, "code": name});
            let arms = [arm("release", None), arm(&format!("v{number}"), Some(0))];
            let round = |ns: u64| json!({"elapsed_ns": ns, "inside_ns": 1, "dropped": 0, "arms": []});
            json!({"case": case, "arms": arms, "iterations": number, "warm_up": 1, "threads": 1,
                   "rounds": [round(1), round(2)]})
        };
        let own = format!("w::own{number}");
        serde_json::from_value(json!({
            "format": FORMAT, "id": format!("2026110{}-{number}", 9 - number), "started": 100 - number, "tool": "0.1.0",
            "commit": "abc", "against": "variant release", "asked": format!("a{number}"),
            "environment": {"fingerprint": {"cpu.model": format!("model {}", number % 2), "kernel": "6.18"},
                            "circumstances": {}, "absent": {}},
            "gate": super::super::Gate::default(), "cases": ["w::shared", own],
            "measurements": [measurement("w::shared"), measurement(&own)],
            "failures": [{"what": "it", "why": "broke", "command": null, "case": "w::shared", "arm": 1}],
            "skipped": [{"variant": "avx", "why": "the machine lacks it"}],
            "divided": {"plan": {"variants": "d1", "filters": "f1"}, "command": format!("cargo perfplan run -j{number}"),
                        "shard": text, "elsewhere": number},
            "complete": true,
        }))
        .unwrap()
    }

    fn bytes(run: &Run) -> String {
        serde_json::to_string(run).unwrap()
    }

    /// Merges in a random order and grouping, some shards several times.
    fn merged_somehow(shards: &[Run], rng: &mut Rng) -> Run {
        let mut heap: Vec<Run> = shards.to_vec();
        heap.extend((0..rng.usize(0..3)).map(|_| shards[rng.usize(..shards.len())].clone()));
        while heap.len() > 1 {
            rng.shuffle(&mut heap);
            let group: Vec<Run> = heap.drain(..rng.usize(1..=heap.len())).collect();
            heap.push(merge(group).unwrap());
        }
        merge(heap).unwrap()
    }

    #[test]
    fn any_order_and_grouping_gives_the_same_bytes() {
        let mut rng = Rng::with_seed(5);
        for _ in 0..100 {
            let count = rng.u16(1..=6);
            let all: Vec<Run> = (1..=count).map(|number| shard(&format!("{number}/{count}"))).collect();
            let some: Vec<Run> = all.iter().filter(|_| rng.u8(0..4) > 0).cloned().collect();
            if some.is_empty() {
                continue;
            }
            let expected = bytes(&merge(some.clone()).unwrap());
            for _ in 0..5 {
                assert_eq!(bytes(&merged_somehow(&some, &mut rng)), expected);
            }
            let read: Run = serde_json::from_str(&expected).unwrap();
            assert_eq!(bytes(&merge(vec![read]).unwrap()), expected, "a merged run survives its file");
        }
    }

    #[test]
    fn shards_come_back_out_of_a_merged_run_as_they_went_in() {
        let all = ["1/3", "2/3", "3/3"].map(shard);
        let merged = merge(all.to_vec()).unwrap();
        let again: Vec<Run> = split(merged).unwrap().into_iter().map(|(_, run)| run).collect();
        assert_eq!(again, all);
    }

    #[test]
    fn measurements_stand_beside_each_other_and_parts_keep_their_machines() {
        let merged = merge(vec![shard("2/3"), shard("1/3")]).unwrap();
        let shared = "w::shared".parse().unwrap();
        let of: Vec<String> = merged.measurements_of(&shared).map(|m| m.part.unwrap().to_string()).collect();
        assert_eq!(of, ["1/3", "2/3"]);
        let second = merged.measurement_in(&shared, Some("2/3".parse().unwrap())).unwrap();
        assert_eq!(second.arms[1].variant.as_str(), "v2");
        assert_eq!(merged.measurement(&shared), None, "no measurement is the only one");
        assert_eq!(merged.cases.iter().map(CaseId::case).collect::<Vec<_>>(), ["shared", "own1", "own2"]);
        assert_eq!((merged.failures.len(), merged.skipped.len()), (2, 1));
        let facts = &merged.environment.fingerprint;
        assert_eq!(facts["kernel"], "6.18");
        assert_eq!(facts["cpu.model"], "differs: model 0 (run 20261107-2); model 1 (run 20261108-1)");
        assert!(merged.parts().iter().all(|part| !part.environment.comparable(&merged.environment)));
        assert!(!merged.complete);
    }

    #[test]
    fn what_missing_shards_compare_keeps_its_share_whatever_is_merged_first() {
        // Three candidates over four cases (one shared by all shards, one of each), in three metrics: a shard has two pairs.
        let share = |text: &str| {
            let mut run = shard(text);
            run.divided.as_mut().unwrap().elsewhere = 12;
            run
        };
        let elsewhere = |of: &[&str]| {
            let merged = merge(of.iter().map(|text| share(text)).collect()).unwrap();
            merged.divided.unwrap().elsewhere
        };
        assert_eq!(elsewhere(&["2/3"]), 12);
        assert_eq!(elsewhere(&["3/3", "1/3"]), 6, "what was found comes off");
        assert_eq!(elsewhere(&["1/3", "2/3", "3/3"]), 0);

        let mut poor = share("1/3");
        poor.measurements.clear();
        assert_eq!(merge(vec![poor, share("2/3")]).unwrap().divided.unwrap().elsewhere, 12, "the one that knows most");
        let mut drilled = share("1/3");
        drilled.measurements.iter_mut().for_each(|measurement| measurement.arms[1].handicap = 0.5);
        assert_eq!(
            merge(vec![drilled, share("2/3")]).unwrap().divided.unwrap().elsewhere,
            12,
            "a drill is none of them"
        );
    }

    #[test]
    fn shards_that_are_missing_or_broken_off_are_named_with_the_command_that_gets_them() {
        let broken = Run { complete: false, ..shard("2/3") };
        let merged = merge(vec![shard("1/3"), broken]).unwrap();
        let gaps: Vec<(String, String)> =
            merged.gaps().into_iter().map(|gap| (gap.what, gap.command.unwrap())).collect();
        let expected = [
            ("shard 2/3 was broken off", "cargo perfplan run -j2 --shard 2/3 --resume=20261107-2"),
            ("shard 3/3 is missing", "cargo perfplan run -j1 --shard 3/3"),
        ];
        assert_eq!(gaps, expected.map(|(what, command)| (what.to_owned(), command.to_owned())));
        let whole = merge(vec![merged, shard("3/3"), shard("2/3")]).unwrap();
        assert!(whole.complete && whole.gaps().is_empty(), "what the broken shard became replaces it");
        assert!(shard("1/3").gaps().is_empty(), "a shard by itself lacks nothing");
    }

    #[test]
    fn what_is_not_of_one_run_is_refused_by_what_differs() {
        let refused = |other: Run| merge(vec![shard("1/3"), other]).unwrap_err().to_string();
        let spoiled = |spoil: fn(&mut Run)| {
            let mut run = shard("2/3");
            spoil(&mut run);
            refused(run)
        };
        for (spoil, expected) in [
            ((|run| run.commit = Some("def".to_owned())) as fn(&mut Run), "the commit (abc and def)"),
            (|run| run.commit = None, "the commit (abc and no commit)"),
            (|run| run.tool = "0.2.0".to_owned(), "the tool (0.1.0 and 0.2.0)"),
            (|run| run.against = "revision main".to_owned(), "what is compared against"),
            (|run| run.gate.tolerance = 0.5, "the gate"),
            (|run| drop(run.divided.as_mut().unwrap().plan.insert("variants".into(), "d2".into())), "the variants"),
            (|run| drop(run.divided.as_mut().unwrap().plan.remove("filters")), "the filters"),
            (|run| run.divided = None, "run 20261107-2 is no shard"),
            (|run| run.format = FORMAT + 1, "has format 2"),
            (|run| run.divided.as_mut().unwrap().shard = Some("2/4".parse().unwrap()), "is shard 2/4"),
            (|run| run.divided.as_mut().unwrap().shard = Some("1/3".parse().unwrap()), "are both shard 1/3"),
        ] {
            let said = spoiled(spoil);
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
        assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
    }
}
