//! Sampling rounds: fresh processes of the arms in turn, each sampled for a while.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
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
use crate::samples::{FunctionShare, Measurement, Metric, Profile};
use crate::stats;
use crate::units::percent;

/// Functions of which shares are kept in a run.
pub(super) const FUNCTIONS: usize = 60;
/// The loops of the harness in which cases run: timed batches, and open-loop arrivals, whose case is called by what follows.
const BATCHES: &str = "perfplan_harness::suite::repeated";
const ARRIVALS: &str = "perfplan_harness::latency::OpenLoop::run";
const ARRIVAL: &str = "perfplan_harness::suite::open_loop";
/// The share of CPU time that has to be sampled for shares to stand for all of it.
const COVERED: f64 = 0.8;
/// Why shares of functions mean nothing in some builds.
pub(super) const NAMELESS: &str = "this build does not name inlined functions with their modules, and what was inlined would be counted as gone: set \
     `debug = \"limited\"` in its cargo profile, and no `strip`";
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
    /// What a claim is judged by, and a change explained with.
    pub(super) fn usual() -> Self {
        const SAMPLED: Duration = Duration::from_secs(3);
        Self::of(SAMPLED, Options::default())
    }

    /// So many rounds that shares have an interval.
    pub(super) fn of(time: Duration, options: Options) -> Self {
        const ROUNDS: u32 = 10;
        let each = (time / ROUNDS).max(SHORTEST);
        Self { rounds: ROUNDS as usize, time: each, options }
    }
}

/// What sampling an arm yielded.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    /// Index into the measurement's arms.
    pub(super) arm: usize,
    /// One per round.
    pub(super) rounds: Vec<Folded>,
    /// CPU time per iteration in each round, nanoseconds.
    cpu: Vec<f64>,
    /// Samples that were due for the CPU time that was used, where the event tells.
    due: f64,
    /// All that came beside the stacks, summed up.
    event: String,
    method: String,
    samples: u64,
    rooted: u64,
    lost: u64,
    notes: Vec<String>,
    /// Whether inlined functions are named without their modules.
    nameless: bool,
}

/// Samples these arms, round by round, in an order drawn for each round.
pub(super) fn sample(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    arms: &[usize],
    course: &Course,
) -> Result<Vec<Stacks>> {
    // One for all rounds: what was looked up once is known.
    let symbols = &mut Symbols::new();
    let mut all: Vec<Stacks> = arms.iter().map(|arm| Stacks { arm: *arm, ..Stacks::default() }).collect();
    let mut rng = Rng::with_seed(arms.len() as u64);
    let rounds = if subject.is_command() { executions(measurement, course) } else { course.rounds };
    for _ in 0..rounds {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        rng.shuffle(&mut order);
        for at in order {
            let (sampled, used) = if subject.is_command() {
                executed(bench, subject, arms[at], &course.options, symbols)?
            } else {
                worked(bench, subject, measurement, arms[at], course, symbols)?
            };
            all[at].take(sampled, used, course.options.frequency);
        }
    }
    Ok(all)
}

/// CPU time that was used while sampling was on.
struct Used {
    total_ns: f64,
    iterations: u64,
}

/// How often a command runs: as often as fits the course, and twice at least.
fn executions(measurement: &Measurement, course: &Course) -> usize {
    let time = course.time.as_nanos() as f64 * course.rounds as f64;
    let each = measurement.iteration_ns().unwrap_or(time);
    ((time / each) as usize).clamp(2, course.rounds)
}

/// A worker's batch, long enough for the course.
fn worked(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
    arm: usize,
    course: &Course,
    symbols: &mut Symbols,
) -> Result<(Sampled, Used)> {
    let mut ready = bench.ready(subject, arm, measurement.warm_up, &Around::default())?;
    let usual = ready.batch(measurement.iterations)?;
    let each = took(&usual)? / measurement.iterations as f64;
    let iterations = (course.time.as_nanos() as f64 / each).ceil().max(1.0) as u64;
    let mut sampler = Sampler::attach(ready.pid(), &course.options)?;
    sampler.start()?;
    // What the worker says comes first: of one that died, sampling has nothing better to say.
    let batch = ready.batch(iterations)?;
    sampler.stop()?;
    let sampled = sampler.finish(symbols)?;
    ready.end()?;
    // An open loop's CPU time is no metric of it, but what its samples are a part of.
    let cpu = batch.value("cpu").or_else(|| batch.value("batch.cpu"));
    let total_ns = cpu.map_or_else(|| took(&batch), Ok)?;
    Ok((sampled, Used { total_ns, iterations }))
}

fn took(sample: &Sample) -> Result<f64> {
    sample.value("wall").or_else(|| sample.value("batch")).context("a batch without a time")
}

/// One execution of a command.
fn executed(
    bench: &mut Bench<'_>,
    subject: &Subject,
    arm: usize,
    options: &Options,
    symbols: &mut Symbols,
) -> Result<(Sampled, Used)> {
    let held = process::hold(&bench.command(subject, arm)?)?;
    let mut sampler = Sampler::attach(held.pid(), &Options { on_exec: true, ..options.clone() })?;
    let usage = held.go()?.usage;
    sampler.stop()?;
    let sampled = sampler.finish(symbols)?;
    Ok((sampled, Used { total_ns: (usage.user_ns + usage.system_ns) as f64, iterations: 1 }))
}

impl Stacks {
    fn take(&mut self, sampled: Sampled, used: Used, frequency: u32) {
        let mut folded = Folded::default();
        for (stack, count) in &sampled.stacks {
            // Waiting for an arrival to be due is no work of the case.
            if !(sampled.whole_names && waits(stack)) {
                folded.add(of_the_case(stack), *count);
            }
        }
        self.rounds.push(folded);
        self.cpu.push(used.total_ns / used.iterations as f64);
        // Other events are counted in other units: how many samples are due, time does not tell.
        if sampled.event == "cpu-clock" {
            self.due += used.total_ns / 1e9 * f64::from(frequency);
        }
        (self.event, self.method) = (sampled.event, sampled.method.to_string());
        self.samples += sampled.samples;
        self.rooted += sampled.rooted;
        self.lost += sampled.lost;
        self.nameless |= !sampled.whole_names;
        let new = sampled.notes.into_iter().filter(|note| !self.notes.contains(note)).collect::<Vec<_>>();
        self.notes.extend(new);
    }

    /// The share of the CPU time that was sampled.
    fn covered(&self) -> f64 {
        if self.due > 0.0 { self.samples as f64 / self.due } else { 1.0 }
    }

    /// What is wrong with the shares of all rounds together, if they don't stand for all of the time.
    fn partial(&self) -> Option<String> {
        let share = self.covered();
        (share < COVERED).then(|| {
            format!(
                "only {} of the CPU time was sampled: threads that live less than a sampling period are not seen",
                percent(share, 0)
            )
        })
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

    fn profile(&self, functions: Vec<FunctionShare>) -> Profile {
        Profile {
            arm: self.arm,
            event: self.event.clone(),
            method: self.method.clone(),
            samples: self.samples,
            rooted: self.rooted,
            lost: self.lost,
            notes: self.notes.iter().cloned().chain(self.partial()).collect(),
            functions,
        }
    }
}

/// The frames of a stack from the case's own code on: the way there through the harness is the same in every stack.
pub(super) fn of_the_case(stack: &str) -> impl Iterator<Item = &str> {
    let frames: Vec<&str> = stack.split(';').collect();
    let own = frames.iter().rposition(|frame| [BATCHES, ARRIVALS].contains(frame)).map_or(1, |at| at + 1);
    // A stack that ends in the harness keeps that function.
    let own = own.min(frames.len().saturating_sub(1)).max(1);
    let thread = frames.first().copied();
    thread.into_iter().chain(frames.into_iter().skip(own))
}

/// Whether it is the loop of arrivals itself that runs, and no arrival.
fn waits(stack: &str) -> bool {
    let mut frames = stack.split(';').skip_while(|frame| *frame != ARRIVALS);
    frames.next().is_some() && !frames.any(|frame| frame.starts_with(ARRIVAL))
}

/// What is recorded of arms that were sampled together: of a pair, the functions whose time per iteration differs most; of
/// others, the largest.
pub(super) fn profiles<'s>(stacks: &'s [Stacks]) -> Vec<Profile> {
    match stacks {
        [before, after] => {
            let weighed = |one: &'s Stacks| (one.rounds.as_slice(), stats::mean(&one.cpu));
            let (of_before, of_after) = functions::of_pair(weighed(before), weighed(after), FUNCTIONS);
            vec![before.profile(of_before), after.profile(of_after)]
        }
        all => all.iter().map(|one| one.profile(functions::top(&one.rounds, FUNCTIONS))).collect(),
    }
}

/// The values that claims asked for, per arm.
///
/// # Errors
/// Where shares would not mean what they say: inlined functions are known without their modules or not at all, or part of the
/// time was not sampled.
pub(super) fn asked_of(stacks: &[Stacks], functions: &[Functions]) -> Result<Vec<(usize, Metric, Vec<f64>)>> {
    ensure!(!stacks.iter().any(|one| one.nameless), NAMELESS);
    if let Some(partial) = stacks.iter().find_map(Stacks::partial) {
        bail!("{partial}");
    }
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

    #[test]
    fn waiting_for_an_arrival_is_told_from_serving_it() {
        assert!(waits("app;main;perfplan_harness::latency::OpenLoop::run;std::time::Instant::now"));
        assert!(!waits(
            "app;main;perfplan_harness::latency::OpenLoop::run;perfplan_harness::suite::open_loop::{{closure}};f"
        ));
        assert!(!waits("app;main;f"));
    }
}
