//! Command workloads: in every block each arm is run once, from start to end. Short commands have several blocks in a round.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use anyhow::{Context, Result};
use fastrand::Rng;

use super::lockstep::Broken;
use super::subject::{Command, Seating, Subject};
use crate::process::{Repeated, Spec, Usage};
use crate::samples::{ArmRound, Metric, Round};

/// Runs the command of each arm of a case.
pub(super) struct Executor<'s> {
    subject: &'s Subject,
    cpus: &'s [usize],
    /// Per arm its command, made ready when it is run first.
    ready: BTreeMap<usize, Repeated>,
}

impl<'s> Executor<'s> {
    pub(super) fn new(subject: &'s Subject, cpus: &'s [usize]) -> Self {
        Self { subject, cpus, ready: BTreeMap::new() }
    }

    /// Runs each of `arms` `blocks` times, in an order drawn for each block.
    pub(super) fn round(&mut self, arms: &[usize], blocks: usize, rng: &mut Rng) -> Result<Round, Broken> {
        let begun = Instant::now();
        let mut usages: BTreeMap<usize, Vec<Usage>> = BTreeMap::new();
        let mut order = arms.to_vec();
        for _ in 0..blocks {
            rng.shuffle(&mut order);
            for &arm in &order {
                usages.entry(arm).or_default().push(self.run(arm).map_err(|why| Broken { arm, why })?);
            }
        }
        let inside_ns = usages.values().flatten().map(|usage| usage.elapsed_ns).sum();
        let arms = usages.iter().map(|(arm, usages)| part(*arm, usages)).collect();
        Ok(Round { elapsed_ns: begun.elapsed().as_nanos() as u64, inside_ns, dropped: 0, arms })
    }

    fn run(&mut self, arm: usize) -> Result<Usage> {
        match self.ready.entry(arm) {
            Entry::Occupied(ready) => ready.into_mut().run(),
            Entry::Vacant(place) => place.insert(repeated(self.subject, arm, self.cpus)?).run(),
        }
    }
}

fn repeated(subject: &Subject, arm: usize, cpus: &[usize]) -> Result<Repeated> {
    Repeated::new(spec(subject, arm, cpus)?)
}

/// An arm's command as it is run.
pub(super) fn spec(subject: &Subject, arm: usize, cpus: &[usize]) -> Result<Spec> {
    let Seating { command, env, .. } = &subject.arms[arm];
    let Command { argv, folder } = command.as_ref().context("this arm is no command")?;
    let (program, arguments) = argv.split_first().context("a command without a program")?;
    let spec = Spec::new(program).args(arguments).timeout(subject.timeout).cpus(cpus).current_dir(folder);
    Ok(env.iter().fold(spec, |spec, (name, value)| spec.env(name, value)))
}

/// How long an arm's command takes, in nanoseconds: the faster of two, for the first reads files that the second finds
/// in memory.
pub(super) fn cost(subject: &Subject, arm: usize, cpus: &[usize]) -> Result<f64> {
    let mut command = repeated(subject, arm, cpus)?;
    let (first, second) = (command.run()?.elapsed_ns, command.run()?.elapsed_ns);
    Ok(first.min(second).max(1) as f64)
}

fn part(arm: usize, usages: &[Usage]) -> ArmRound {
    let all = |value: fn(&Usage) -> u64| -> Vec<f64> { usages.iter().map(|usage| value(usage) as f64).collect() };
    let mean = |value: fn(&Usage) -> u64| all(value).iter().sum::<f64>() / usages.len() as f64;
    let batches = [("wall", all(|usage| usage.elapsed_ns)), ("cpu", all(|usage| usage.user_ns + usage.system_ns))];
    let process = [
        ("rss.peak", all(|usage| usage.max_rss_bytes).into_iter().fold(0.0, f64::max)),
        ("faults.minor", mean(|usage| usage.minor_faults)),
        ("faults.major", mean(|usage| usage.major_faults)),
    ];
    ArmRound {
        arm,
        layout: None,
        // The output is not compared: commands print times, paths and versions.
        checksum: String::new(),
        batches: named(batches),
        process: named(process),
    }
}

fn named<T, const N: usize>(values: [(&str, T); N]) -> BTreeMap<Metric, T> {
    values.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect()
}
