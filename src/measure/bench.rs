//! The bench on which cases are measured: it calibrates a case, draws layouts, and runs series of rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fastrand::Rng;
use perfplan_harness::protocol::Description;

use super::commands;
use super::commands::Executor;
use super::lockstep::{self, Broken, Place, Task};
use super::pace::{self, Costs, Target};
use super::ready::{Around, Ready};
use super::subject::{Program, Subject};
use super::worker::{Seat, Starter, list};
use crate::build::Layouts;
use crate::process::Interrupted;
use crate::samples::{ArmRound, Failure, Measurement, Record, Round};
use crate::stats;

/// Where and how to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// CPUs that workers may use; a case without threads of its own gets the first.
    pub cpus: Vec<usize>,
    /// How long a worker may take to answer.
    pub timeout: Duration,
    /// How long batches and rounds are to be.
    pub target: Target,
    /// The most layouts that are linked per program.
    pub most_layouts: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Settings {
    pub(super) fn seat<'s>(&self, program: &'s Path, env: &'s [(String, String)], cpus: &'s [usize]) -> Seat<'s> {
        Seat { program, wrapper: &[], env, padding: 0, cpus, timeout: self.timeout }
    }
}

/// Rounds of one case that follow each other.
#[derive(Clone, Debug)]
pub struct Series {
    /// The arms that take part, by index.
    pub arms: Vec<usize>,
    /// How many rounds.
    pub rounds: usize,
    /// The variances that the rounds so far showed, of a block and between rounds; `None` before enough is known.
    pub variances: Option<stats::Components>,
}

/// Starts that are timed to know what one costs: the first reads the program from disk.
const STARTS: usize = 3;

/// One round in so many draws the layout of the round before again: that tells the spread between layouts from the spread
/// between processes, and hardly costs any layouts.
const REPEATS: u32 = 8;
/// The first rounds all draw fresh ones: early looks have few observations as it is.
const FRESH: usize = 20;

/// A process warms up for a batch divided by this: caches fill in a fraction of a millisecond, and a first batch that is slow
/// all the same is one of those that don't count.
const WARM_UP: u64 = 4;

/// The bench.
pub struct Bench<'a> {
    pub(super) starter: &'a mut dyn Starter,
    pub(super) programs: Vec<Program>,
    pub(super) settings: Settings,
    pub(super) rng: Rng,
    stolen: Box<dyn FnMut() -> u64 + 'a>,
    /// The layout of the round before, within the series under way: another case's programs may not have it.
    last_layout: Option<usize>,
}

impl<'a> Bench<'a> {
    /// A bench for these programs. `stolen` tells how much time the host took from the measuring CPUs so far.
    pub fn new(
        starter: &'a mut dyn Starter,
        programs: Vec<Program>,
        settings: Settings,
        stolen: Box<dyn FnMut() -> u64 + 'a>,
    ) -> Self {
        let rng = Rng::with_seed(settings.seed);
        Self { starter, programs, settings, rng, stolen, last_layout: None }
    }

    /// Draws everything anew from here on, layouts too.
    pub fn renew(&mut self, seed: u64) {
        self.settings.seed = seed;
        self.rng = Rng::with_seed(seed);
        self.programs.iter_mut().filter_map(|program| program.layouts.as_mut()).for_each(Layouts::clear);
    }

    /// The cases of a program, as it says.
    ///
    /// # Errors
    /// Where the program can't be started or speaks another protocol.
    pub fn cases(&mut self, program: usize) -> Result<Vec<Description>> {
        let file = self.programs[program].file.clone();
        let cpus = self.cpus(1);
        let mut worker = self.starter.start(&self.settings.seat(&file, &[], &cpus))?;
        let cases = list(worker.as_mut())?;
        worker.end()?;
        Ok(cases)
    }

    /// The CPUs for a case with so many threads.
    pub(super) fn cpus(&self, threads: usize) -> Vec<usize> {
        self.settings.cpus.iter().copied().take(threads.max(1)).collect()
    }

    /// Finds out what iterations and starting cost on the baseline, and how long batches have to be.
    ///
    /// # Errors
    /// Where the baseline can't be set up or run.
    pub fn calibrate(&mut self, subject: &Subject) -> Result<(Measurement, Costs)> {
        let costs = self.costs(subject)?;
        let (iterations, warm_up) = if subject.is_command() {
            // One execution is one batch of one iteration, and nothing is warm.
            (1, 0)
        } else {
            let iterations = pace::iterations(costs, self.settings.target, &subject.handicaps());
            let iterations = iterations.with_context(|| too_long(costs))?;
            (iterations, iterations.div_ceil(WARM_UP))
        };
        let measurement = Measurement {
            case: subject.case.clone(),
            part: None,
            arms: subject.arms.iter().map(|seating| seating.arm.clone()).collect(),
            iterations,
            warm_up,
            threads: subject.threads,
            rounds: Vec::new(),
            counted: Vec::new(),
            observed: Vec::new(),
            absent: BTreeMap::new(),
            profiles: Vec::new(),
        };
        let overhead_ns = costs.overhead_ns + costs.iteration_ns * warm_up as f64;
        Ok((measurement, Costs { overhead_ns, ..costs }))
    }

    /// What iterations and starting cost: on the baseline, and where the arms run different cases, on each of them.
    fn costs(&mut self, subject: &Subject) -> Result<Costs> {
        let differ = subject.arms.iter().any(|seating| seating.arm.case.is_some());
        let arms = if differ { subject.arms.len() } else { 1 };
        let costs = (0..arms).map(|arm| self.costs_of(subject, arm)).collect::<Result<Vec<_>>>()?;
        Ok(pace::together(&costs))
    }

    fn costs_of(&mut self, subject: &Subject, arm: usize) -> Result<Costs> {
        if subject.is_command() {
            let iteration_ns = commands::cost(subject, arm, &self.settings.cpus)?;
            return Ok(Costs { iteration_ns, overhead_ns: 0.0, handing_ns: 0.0 });
        }
        let (mut worker, overhead_ns) = self.started(subject, arm)?;
        let mut overheads = vec![overhead_ns];
        for _ in 1..STARTS {
            let (again, started_ns) = self.started(subject, arm)?;
            let ending = Instant::now();
            again.end()?;
            overheads.push(started_ns + ending.elapsed().as_nanos() as f64);
        }
        let aim = self.settings.target.batch.as_nanos() as f64;
        // The least of several: one that was interrupted says nothing of what handing over costs.
        let (mut n, mut handing_ns) = (1, f64::INFINITY);
        let iteration_ns = loop {
            let begun = Instant::now();
            let yielded = worker.batch(n)?;
            let took = yielded.value("wall").or_else(|| yielded.value("batch")).context("a batch without a time")?;
            handing_ns = handing_ns.min((begun.elapsed().as_nanos() as f64 - took).max(0.0));
            if took >= aim || n >= 1 << 40 {
                break took / n as f64;
            }
            n *= 2;
        };
        worker.end()?;
        Ok(Costs { iteration_ns: iteration_ns.max(0.1), overhead_ns: stats::median(&overheads), handing_ns })
    }

    /// A worker of an arm with its case set up, and how long that took in nanoseconds.
    fn started(&mut self, subject: &Subject, arm: usize) -> Result<(Ready, f64)> {
        let begun = Instant::now();
        let worker = self.ready(subject, arm, 0, &Around::default())?;
        Ok((worker, begun.elapsed().as_nanos() as f64))
    }

    /// Measures a series of rounds, handing each to `keep` as it ends. An arm that breaks leaves the case, with those that are
    /// compared with it alone, and the rest goes on.
    ///
    /// # Errors
    /// Where a record can't be kept, or the run is interrupted.
    pub fn rounds(
        &mut self,
        subject: &Subject,
        measurement: &Measurement,
        costs: Costs,
        series: Series,
        keep: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        let Series { mut arms, rounds: count, variances } = series;
        if !subject.is_command() {
            self.link_layouts(subject, &arms, measurement.rounds.len() + count)?;
        }
        let blocks = if subject.is_command() {
            pace::executions(costs, self.settings.target)
        } else {
            pace::blocks(costs, self.settings.target, measurement.iterations, variances)
        };
        self.last_layout = None;
        let cpus = self.settings.cpus.clone();
        let mut executor = subject.is_command().then(|| Executor::new(subject, &cpus));
        let mut done = 0;
        while done < count && !arms.is_empty() {
            let round = match &mut executor {
                Some(executor) => executor.round(&arms, blocks, &mut self.rng),
                None => self.round(subject, measurement, &arms, blocks, measurement.rounds.len() + done),
            };
            match round {
                Ok(round) => {
                    for (arm, why) in differing_results(subject, &round) {
                        arms = subject.without(&arms, arm);
                        keep(Record::Failure(failure(subject, arm, &why)))?;
                    }
                    keep(Record::Round { case: subject.case.clone(), round })?;
                    done += 1;
                }
                Err(broken) if broken.why.is::<Interrupted>() => return Err(broken.why),
                Err(broken) => {
                    arms = subject.without(&arms, broken.arm);
                    keep(Record::Failure(failure(subject, broken.arm, &format!("{:#}", broken.why))))?;
                }
            }
        }
        Ok(())
    }

    /// Links as many layouts as the rounds so far and the next ones can draw.
    fn link_layouts(&mut self, subject: &Subject, arms: &[usize], rounds: usize) -> Result<()> {
        let count = rounds.min(self.settings.most_layouts);
        for arm in arms {
            let program = &mut self.programs[subject.arms[*arm].program];
            let seeds: Vec<u64> = (0..count).map(|at| seed(self.settings.seed, program.stream, at)).collect();
            if let Some(layouts) = &mut program.layouts {
                // Linking is done before the rounds, never beside them, so all CPUs are free for it.
                layouts.ensure(&seeds, self.settings.cpus.len() + 1)?;
            }
        }
        Ok(())
    }

    fn draw_layout(&mut self, round: usize) -> usize {
        let fresh = round % self.settings.most_layouts.max(1);
        let repeats = round >= FRESH && self.rng.u32(..REPEATS) == 0;
        let drawn = self.last_layout.filter(|_| repeats).unwrap_or(fresh);
        self.last_layout = Some(drawn);
        drawn
    }

    fn round(
        &mut self,
        subject: &Subject,
        measurement: &Measurement,
        arms: &[usize],
        blocks: usize,
        round: usize,
    ) -> Result<Round, Broken> {
        let at = self.draw_layout(round);
        let cpus = self.cpus(subject.threads);
        let places = arms.iter().map(|arm| self.place(subject, *arm, at)).collect();
        let task = Task {
            size: &subject.size,
            places,
            cpus: &cpus,
            timeout: subject.timeout,
            warm_up: measurement.warm_up,
            iterations: measurement.iterations,
            blocks,
            preemption_disturbs: subject.threads <= 1,
        };
        lockstep::round(&task, self.starter, &mut self.rng, &mut self.stolen)
    }

    fn place<'s>(&self, subject: &'s Subject, arm: usize, layout: usize) -> Place<'s> {
        let seating = &subject.arms[arm];
        let program = &self.programs[seating.program];
        let (file, layout): (PathBuf, _) = match &program.layouts {
            Some(layouts) => {
                let seed = seed(self.settings.seed, program.stream, layout);
                (layouts.path(seed), Some(seed))
            }
            None => (program.file.clone(), None),
        };
        Place {
            arm,
            case: subject.case_of(arm).case(),
            program: file,
            layout,
            env: &seating.env,
            handicap: seating.arm.handicap,
        }
    }
}

fn too_long(costs: Costs) -> String {
    let ms = costs.iteration_ns / 1e6;
    format!(
        "an iteration takes {ms:.0} ms, too long for so small a handicap: it has to be whole iterations of every batch"
    )
}

/// The seed of the layout number `at` in a stream (SplitMix64's finaliser over all three).
fn seed(run: u64, stream: u64, at: usize) -> u64 {
    let mut z = run ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The arms whose results differ from their baseline's and should not, and what to say of it.
fn differing_results(subject: &Subject, round: &Round) -> Vec<(usize, String)> {
    let sum = |arm: usize| round.arms.iter().find(|part| part.arm == arm).map(|part| part.checksum.as_str());
    let differing = |part: &ArmRound| {
        let arm = &subject.arms[part.arm].arm;
        let baseline = sum(arm.against?)?;
        (part.checksum != baseline && !arm.other_results).then(|| (part.arm, other_results(&part.checksum, baseline)))
    };
    round.arms.iter().filter_map(differing).collect()
}

fn other_results(candidate: &str, baseline: &str) -> String {
    format!(
        "its results differ from the baseline's (checksum {candidate} against {baseline}): one of the two is wrong, or the \
         optimiser removed work. Where other results are meant, say `same-results = false` in the variant"
    )
}

fn failure(subject: &Subject, arm: usize, why: &str) -> Failure {
    let broken = &subject.arms[arm].arm;
    let drill = if broken.handicap > 0.0 { ", handicapped" } else { "" };
    Failure {
        what: format!("{}, variant {} of {}{drill}", subject.case, broken.variant, broken.revision),
        why: why.to_owned(),
        command: Some(subject.again(arm)),
        case: Some(subject.case.clone()),
        arm: Some(arm),
        part: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Starter for Nobody {
        fn start(&mut self, _: &Seat<'_>) -> Result<Box<dyn super::super::Worker>> {
            anyhow::bail!("nobody works here")
        }
    }

    #[test]
    fn a_series_repeats_only_layouts_that_it_drew_itself() {
        let target = Target { batch: Duration::from_millis(1), round: Duration::from_millis(30), duty: 0.9 };
        let settings = Settings { cpus: vec![0], timeout: Duration::from_secs(1), target, most_layouts: 640, seed: 5 };
        let mut nobody = Nobody;
        let mut bench = Bench::new(&mut nobody, Vec::new(), settings, Box::new(|| 0));
        let mut repeats = 0;
        for (from, to) in [(0, 160), (40, 80), (20, 40)] {
            bench.last_layout = None; // As `rounds` does at the start of a series.
            for round in from..to {
                let drawn = bench.draw_layout(round);
                assert!((from..to).contains(&drawn), "round {round} of {from}..{to} drew {drawn}");
                repeats += usize::from(drawn != round);
            }
        }
        assert!((5..60).contains(&repeats), "{repeats} repeats");
    }
}
