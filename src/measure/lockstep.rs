//! One round: a fresh process per arm, and block after block in which every arm runs one batch. Exactly one process runs at
//! a time, and every order is drawn: starting, set-up, first touch of memory, blocks, ending. A fixed order would favour an
//! arm, because whoever touches its pages first gets other physical pages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use fastrand::Rng;
use perfplan_harness::protocol::{Command, HardwareEvent, Sample};

use super::worker::{Seat, Starter, Worker, sample, set_up};
use crate::process::Usage;
use crate::samples::{ArmRound, Metric, Round};

/// The longest lengthening of the environment block: a page, which moves the stack through all its alignments.
const MOST_PADDING: usize = 4096;

/// One arm's part in a round.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// Index into the measurement's arms.
    pub(super) arm: usize,
    /// What it runs, by its name in the program.
    pub(super) case: &'a str,
    /// The program, in the layout that was drawn.
    pub(super) program: PathBuf,
    /// The layout's seed.
    pub(super) layout: Option<u64>,
    pub(super) env: &'a [(String, String)],
    pub(super) handicap: f64,
}

/// What a round is to do.
#[derive(Clone, Debug)]
pub(super) struct Task<'a> {
    pub(super) size: &'a str,
    pub(super) places: Vec<Place<'a>>,
    pub(super) cpus: &'a [usize],
    pub(super) timeout: Duration,
    pub(super) warm_up: u64,
    pub(super) iterations: u64,
    pub(super) blocks: usize,
    /// Whether a preempted batch is a disturbance: with threads of its own, a case preempts itself.
    pub(super) preemption_disturbs: bool,
}

/// An arm broke: which one, and why.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) arm: usize,
    pub(super) why: Error,
}

/// The processes of a round, and what they yielded so far.
struct Table<'t, 'a> {
    task: &'t Task<'a>,
    rng: &'t mut Rng,
    workers: Vec<Option<Box<dyn Worker>>>,
    /// Per block, one sample per place.
    blocks: Vec<Vec<Sample>>,
    disturbed: Vec<bool>,
    inside_ns: f64,
}

/// Runs a round. `stolen` tells how much time the host has taken from the measuring CPUs so far, in ticks.
pub(super) fn round(
    task: &Task<'_>,
    starter: &mut dyn Starter,
    rng: &mut Rng,
    stolen: &mut dyn FnMut() -> u64,
) -> Result<Round, Broken> {
    let begun = Instant::now();
    let workers = task.places.iter().map(|_| None).collect();
    let mut table = Table { task, rng, workers, blocks: Vec::new(), disturbed: Vec::new(), inside_ns: 0.0 };
    table.start(starter)?;
    table.each(|place, worker| set_up(worker, place.case, task.size, place.handicap).map(drop))?;
    if task.warm_up > 0 {
        table.each(|_, worker| sample(worker, &Command::Batch(task.warm_up)).map(drop))?;
    }
    table.measure(stolen)?;
    let usages = table.end()?;
    Ok(table.round(&usages, begun.elapsed()))
}

impl Table<'_, '_> {
    fn order(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.task.places.len()).collect();
        self.rng.shuffle(&mut order);
        order
    }

    fn broken(&self, at: usize, why: Error) -> Broken {
        Broken { arm: self.task.places[at].arm, why }
    }

    fn start(&mut self, starter: &mut dyn Starter) -> Result<(), Broken> {
        for at in self.order() {
            let place = &self.task.places[at];
            let seat = Seat {
                program: &place.program,
                wrapper: &[],
                env: place.env,
                padding: self.rng.usize(..MOST_PADDING),
                cpus: self.task.cpus,
                timeout: self.task.timeout,
            };
            let worker = starter.start(&seat).map_err(|why| self.broken(at, why))?;
            self.workers[at] = Some(worker);
        }
        Ok(())
    }

    /// Does something with every worker, one after the other, in a fresh order.
    fn each(&mut self, mut act: impl FnMut(&Place<'_>, &mut dyn Worker) -> Result<()>) -> Result<(), Broken> {
        for at in self.order() {
            if let Some(worker) = self.workers[at].as_deref_mut() {
                act(&self.task.places[at], worker).map_err(|why| self.broken(at, why))?;
            }
        }
        Ok(())
    }

    fn measure(&mut self, stolen: &mut dyn FnMut() -> u64) -> Result<(), Broken> {
        let mut before = stolen();
        for _ in 0..self.task.blocks {
            let mut block = vec![Sample::default(); self.task.places.len()];
            for at in self.order() {
                if let Some(worker) = self.workers[at].as_deref_mut() {
                    let yielded = sample(worker, &Command::Batch(self.task.iterations));
                    block[at] = yielded.map_err(|why| self.broken(at, why))?;
                }
            }
            let now = stolen();
            let preempted = |sample: &Sample| sample.value("switches.involuntary").is_some_and(|n| n > 0.0);
            let disturbed = now > before || (self.task.preemption_disturbs && block.iter().any(preempted));
            before = now;
            self.inside_ns += block.iter().map(inside).sum::<f64>();
            self.blocks.push(block);
            self.disturbed.push(disturbed);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Vec<Usage>, Broken> {
        let mut usages = vec![Usage::default(); self.task.places.len()];
        for at in self.order() {
            if let Some(worker) = self.workers[at].take() {
                usages[at] = worker.end().map_err(|why| self.broken(at, why))?;
            }
        }
        Ok(usages)
    }

    fn round(self, usages: &[Usage], elapsed: Duration) -> Round {
        // Where half the blocks are disturbed the disturbance is the normal state of this machine: dropping would only
        // choose. The choice of the level copes, and the wider interval says the rest.
        let dropped = self.disturbed.iter().filter(|disturbed| **disturbed).count();
        let drop = dropped * 2 < self.blocks.len();
        let kept = self.blocks.iter().zip(&self.disturbed).filter(|(_, disturbed)| !(drop && **disturbed));
        let kept: Vec<&Vec<Sample>> = kept.map(|(block, _)| block).collect();
        let arms = self.task.places.iter().enumerate().map(|(at, place)| ArmRound {
            arm: place.arm,
            layout: place.layout,
            checksum: kept.first().map_or_else(String::new, |block| format!("{:016x}", block[at].checksum)),
            batches: per_block(&kept, at),
            process: per_process(&self.blocks, at, usages[at]),
        });
        Round {
            elapsed_ns: elapsed.as_nanos() as u64,
            inside_ns: self.inside_ns as u64,
            dropped: if drop { dropped as u32 } else { 0 },
            arms: arms.collect(),
        }
    }
}

/// Time inside the batch: its wall time, or for a latency case the length of the open loop.
fn inside(sample: &Sample) -> f64 {
    sample.value("wall").or_else(|| sample.value("batch")).unwrap_or(0.0)
}

/// Times, rates, hardware events and percentiles are kept per block; rare events as sums per process.
fn is_per_block(name: &str) -> bool {
    let hardware = || HardwareEvent::ALL.iter().any(|event| event.as_str() == name);
    ["wall", "cpu", "throughput"].contains(&name) || name.starts_with("latency.") || hardware()
}

/// Per metric the values of all blocks that are kept; a metric that one block lacks is absent.
fn per_block(kept: &[&Vec<Sample>], at: usize) -> BTreeMap<Metric, Vec<f64>> {
    let names = kept.first().map(|block| block[at].values.iter().map(|(name, _)| name.clone()));
    let names = names.into_iter().flatten().filter(|name| is_per_block(name));
    let values = |name: &str| kept.iter().map(|block| block[at].value(name)).collect::<Option<Vec<f64>>>();
    names.filter_map(|name| Some((name.parse().ok()?, values(&name)?))).collect()
}

/// Sums of rare events over all blocks, and what the kernel says of the whole process.
fn per_process(blocks: &[Vec<Sample>], at: usize, usage: Usage) -> BTreeMap<Metric, f64> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, value) in blocks.iter().flat_map(|block| &block[at].values) {
        // The length of an open loop and its CPU time say nothing of a process.
        if !is_per_block(name) && !["batch", "batch.cpu"].contains(&name.as_str()) {
            *sums.entry(name).or_default() += value;
        }
    }
    sums.insert("rss.peak", usage.max_rss_bytes as f64);
    sums.insert("faults.minor", usage.minor_faults as f64);
    sums.insert("faults.major", usage.major_faults as f64);
    sums.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect()
}
