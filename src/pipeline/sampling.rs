//! Sampling rounds: fresh processes of the arms in turn, each sampled for a while.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use perfplan_harness::protocol::Sample;

use super::wants::Functions;
use crate::measure::{Around, Bench, Subject};
use crate::plan::claim::ProfileKind;
use crate::process;
use crate::profile::folded::Folded;
use crate::profile::functions;
use crate::profile::sampling::{Options, Sampled, Sampler};
use crate::profile::symbols::Symbols;
use crate::samples::{Measurement, Metric, Profile};

/// Functions of which shares are kept in a run.
pub(super) const FUNCTIONS: usize = 60;
/// The loops of the harness in which cases run: timed batches, and open-loop arrivals.
const LOOPS: [&str; 2] = ["perfplan_harness::suite::repeated", "perfplan_harness::latency::OpenLoop::run"];
/// The least time of a sampling round: shorter ones see too little to be worth a process.
const SHORTEST: Duration = Duration::from_millis(100);

/// How long and how often.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// Rounds per arm.
    pub(super) rounds: usize,
    /// Sampling time of a round.
    pub(super) time: Duration,
    pub(super) options: Options,
}

impl Course {
    /// So many rounds that shares have an interval.
    pub(super) fn of(time: Duration, options: Options) -> Self {
        const ROUNDS: u32 = 10;
        let each = (time / ROUNDS).max(SHORTEST);
        Self { rounds: ROUNDS as usize, time: each, options }
    }
}

/// What sampling an arm yielded.
#[derive(Debug)]
pub(super) struct Stacks {
    /// Index into the measurement's arms.
    pub(super) arm: usize,
    /// One per round.
    pub(super) rounds: Vec<Folded>,
    /// CPU time per iteration in each round, nanoseconds.
    cpu: Vec<f64>,
    /// All that came beside the stacks, summed up.
    event: String,
    method: String,
    samples: u64,
    rooted: u64,
    lost: u64,
    notes: Vec<String>,
    whole_names: bool,
}

/// Samples these arms, round by round, in an order drawn for each round.
pub(super) fn sample(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    arms: &[usize],
    course: &Course,
    symbols: &mut Symbols,
) -> Result<Vec<Stacks>> {
    let mut all: Vec<Stacks> = arms.iter().map(|arm| Stacks::of(*arm)).collect();
    let mut rng = Rng::with_seed(arms.len() as u64);
    for _ in 0..course.rounds {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        rng.shuffle(&mut order);
        for at in order {
            let (sampled, cpu) = if subject.is_command() {
                executed(bench, subject, arms[at], &course.options, symbols)?
            } else {
                worked(bench, subject, measurement, arms[at], course, symbols)?
            };
            all[at].take(sampled, cpu)?;
        }
    }
    Ok(all)
}

/// A worker's batch, long enough for the course; and its CPU time per iteration.
fn worked(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    arm: usize,
    course: &Course,
    symbols: &mut Symbols,
) -> Result<(Sampled, f64)> {
    let mut ready = bench.ready(subject, arm, measurement.warm_up, &Around::default())?;
    let usual = ready.batch(measurement.iterations)?;
    let each = took(&usual)? / measurement.iterations as f64;
    let iterations = (course.time.as_nanos() as f64 / each).ceil().max(1.0) as u64;
    let mut sampler = Sampler::attach(ready.pid(), &course.options)?;
    sampler.start()?;
    let batch = ready.batch(iterations);
    sampler.stop()?;
    let sampled = sampler.finish(symbols)?;
    let batch = batch?;
    ready.end()?;
    let cpu = batch.value("cpu").map_or_else(|| took(&batch), Ok)?;
    Ok((sampled, cpu / iterations as f64))
}

fn took(sample: &Sample) -> Result<f64> {
    sample.value("wall").or_else(|| sample.value("batch")).context("a batch without a time")
}

/// One execution of a command, and its CPU time.
fn executed(
    bench: &mut Bench<'_>,
    subject: &Subject,
    arm: usize,
    options: &Options,
    symbols: &mut Symbols,
) -> Result<(Sampled, f64)> {
    let held = process::hold(&bench.command(subject, arm)?)?;
    let mut sampler = Sampler::attach(held.pid(), &Options { on_exec: true, ..options.clone() })?;
    let output = held.go();
    sampler.stop()?;
    let sampled = sampler.finish(symbols)?;
    let usage = output?.usage;
    Ok((sampled, (usage.user_ns + usage.system_ns) as f64))
}

impl Stacks {
    fn of(arm: usize) -> Self {
        let (event, method) = (String::new(), String::new());
        Self {
            arm,
            rounds: Vec::new(),
            cpu: Vec::new(),
            event,
            method,
            samples: 0,
            rooted: 0,
            lost: 0,
            notes: Vec::new(),
            whole_names: true,
        }
    }

    fn take(&mut self, sampled: Sampled, cpu: f64) -> Result<()> {
        let mut folded = Folded::default();
        for (stack, count) in &sampled.stacks {
            folded.add(of_the_case(stack), *count);
        }
        self.rounds.push(folded);
        self.cpu.push(cpu);
        (self.event, self.method) = (sampled.event, sampled.method.to_string());
        self.samples += sampled.samples;
        self.rooted += sampled.rooted;
        self.lost += sampled.lost;
        self.whole_names &= sampled.whole_names;
        let new = sampled.notes.into_iter().filter(|note| !self.notes.contains(note)).collect::<Vec<_>>();
        self.notes.extend(new);
        Ok(())
    }

    /// All rounds together.
    pub(super) fn folded(&self) -> Folded {
        let mut all = Folded::default();
        self.rounds.iter().for_each(|round| all.merge(round));
        all
    }

    /// Per sampling round what is asked of some functions.
    pub(super) fn of_functions(&self, asked: &Functions) -> Vec<f64> {
        let of = |(round, cpu): (&Folded, &f64)| {
            let shares = functions::share(round, &|name| asked.matches(name))?;
            Some(match asked.kind {
                ProfileKind::Share => shares.total,
                ProfileKind::Own => shares.own,
                ProfileKind::Cpu => shares.total * cpu,
            })
        };
        self.rounds.iter().zip(&self.cpu).filter_map(of).collect()
    }

    fn profile(&self, functions: Vec<crate::samples::FunctionShare>) -> Profile {
        Profile {
            arm: self.arm,
            event: self.event.clone(),
            method: self.method.clone(),
            samples: self.samples,
            rooted: self.rooted,
            lost: self.lost,
            notes: self.notes.clone(),
            functions,
        }
    }
}

/// The frames of a stack from the case's own code on: the way there through the harness is the same in every stack.
fn of_the_case(stack: &str) -> impl Iterator<Item = &str> {
    let frames: Vec<&str> = stack.split(';').collect();
    let own = frames.iter().rposition(|frame| LOOPS.contains(frame)).map_or(1, |at| at + 1);
    // A stack that ends in the harness keeps that function.
    let own = own.min(frames.len().saturating_sub(1)).max(1);
    let thread = frames.first().copied();
    thread.into_iter().chain(frames.into_iter().skip(own))
}

/// What is recorded of arms that were sampled together: of a pair, the functions that differ most; of others, the largest.
pub(super) fn profiles(stacks: &[Stacks]) -> Vec<Profile> {
    match stacks {
        [before, after] => {
            let (of_before, of_after) = functions::of_pair(&before.rounds, &after.rounds, FUNCTIONS);
            vec![before.profile(of_before), after.profile(of_after)]
        }
        all => all.iter().map(|one| one.profile(functions::top(&one.rounds, FUNCTIONS))).collect(),
    }
}

/// The values that claims asked for, per arm.
///
/// # Errors
/// Where functions are asked for by their modules, and inlined ones are known without them: they would be counted as gone.
pub(super) fn asked_of(stacks: &[Stacks], functions: &[Functions]) -> Result<Vec<(usize, Metric, Vec<f64>)>> {
    let by_module =
        functions.iter().any(|asked| asked.patterns.iter().any(|pattern| pattern.to_string().contains("::")));
    ensure!(
        !by_module || stacks.iter().all(|one| one.whole_names),
        "inlined functions are named without their modules in this build: set `debug = \"limited\"` in its cargo profile"
    );
    let of = |one: &Stacks, asked: &Functions| (one.arm, asked.metric.clone(), one.of_functions(asked));
    Ok(stacks.iter().flat_map(|one| functions.iter().map(move |asked| of(one, asked))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_through_the_harness_is_left_out() {
        let own = |stack: &str| of_the_case(stack).collect::<Vec<_>>().join(";");
        assert_eq!(own("engine;main;perfplan_harness::suite::repeated;{closure#1};place"), "engine;{closure#1};place");
        assert_eq!(own("engine;main;perfplan_harness::suite::repeated"), "engine;perfplan_harness::suite::repeated");
        assert_eq!(own("worker-1;clone3;run"), "worker-1;clone3;run");
        assert_eq!(own("lost"), "lost");
    }
}
