//! A worker outside the lockstep: for counting and sampling, which would disturb timing.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail};
use perfplan_harness::protocol::{self, Reply, Sample, Site};

use super::bench::Bench;
use super::commands;
use super::subject::Subject;
use super::worker::{Seat, Worker, sample, set_up};
use crate::process::Spec;
use crate::samples::Metric;

/// How much longer than usual a worker may take that something watches.
const PATIENCE: u32 = 50;

/// What one counting round yields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Count {
    /// Allocations per iteration, and the metrics that the case reports itself.
    pub values: BTreeMap<Metric, f64>,
    /// Draws of the distributions that the case reports.
    pub observed: BTreeMap<String, Vec<f64>>,
}

/// What is put around a program beside what a measured run has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Words before the program: of a tool that runs it and watches.
    pub wrapper: Vec<OsString>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
}

/// A worker with its case set up and warm.
pub struct Ready {
    worker: Box<dyn Worker>,
}

impl Bench<'_> {
    /// A worker of an arm, set up and warmed up for `warm_up` iterations.
    ///
    /// # Errors
    /// Where it can't be started or set up, or the run is interrupted.
    pub fn ready(&mut self, subject: &Subject, arm: usize, warm_up: u64, around: &Around) -> Result<Ready> {
        let seating = &subject.arms[arm];
        let file = self.programs[seating.program].file.clone();
        let cpus = self.cpus(subject.threads);
        let Around { wrapper, env } = around;
        let timeout = if wrapper.is_empty() { subject.timeout } else { subject.timeout * PATIENCE };
        let env: Vec<(String, String)> = seating.env.iter().chain(env).cloned().collect();
        let seat = Seat { timeout, wrapper, ..self.settings.seat(&file, &env, &cpus) };
        let mut worker = self.starter.start(&seat)?;
        set_up(worker.as_mut(), subject.case_of(arm).case(), &subject.size, 0.0)?;
        if warm_up > 0 {
            sample(worker.as_mut(), &protocol::Command::Batch(warm_up))?;
        }
        Ok(Ready { worker })
    }

    /// The program of an arm as it was built, without a drawn link order; for an arm that is a command, its file.
    #[must_use]
    pub fn program(&self, subject: &Subject, arm: usize) -> Option<&std::path::Path> {
        let seating = &subject.arms[arm];
        seating.command.is_none().then(|| self.programs[seating.program].file.as_path())
    }

    /// The command line of an arm that is a command, as it is run when it is measured.
    ///
    /// # Errors
    /// Where the arm is no command.
    pub fn command(&self, subject: &Subject, arm: usize) -> Result<Spec> {
        commands::spec(subject, arm, &self.settings.cpus)
    }
}

impl Ready {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.worker.pid()
    }

    /// Runs so many iterations as they are run when they are timed.
    ///
    /// # Errors
    /// As [`Worker::receive`].
    pub fn batch(&mut self, iterations: u64) -> Result<Sample> {
        sample(self.worker.as_mut(), &protocol::Command::Batch(iterations))
    }

    /// Runs so many iterations between two fences, for whoever follows the process from outside.
    ///
    /// # Errors
    /// As [`Worker::receive`]; a worker of an older harness does not know how.
    pub fn trace(&mut self, iterations: u64) -> Result<()> {
        sample(self.worker.as_mut(), &protocol::Command::Trace(iterations)).map(drop)
    }

    /// Runs so many iterations with allocations counted, and the metrics of the case recorded.
    ///
    /// # Errors
    /// As [`Worker::receive`].
    pub fn count(&mut self, iterations: u64) -> Result<Count> {
        self.worker.send(&protocol::Command::Count(iterations))?;
        let mut observed = BTreeMap::new();
        loop {
            match self.worker.receive()? {
                Reply::Observed { name, values } => drop(observed.insert(name, values)),
                Reply::Sample(sample) => {
                    let values = sample.values.into_iter();
                    let values = values.filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect();
                    return Ok(Count { values, observed });
                }
                other => bail!("the worker answered {other:?} to a count"),
            }
        }
    }

    /// Runs so many iterations with every allocation attributed to its call stack.
    ///
    /// # Errors
    /// As [`Worker::receive`]; a worker of an older harness does not know how.
    pub fn sites(&mut self, iterations: u64) -> Result<Vec<Site>> {
        self.worker.send(&protocol::Command::Sites(iterations))?;
        let mut sites = Vec::new();
        loop {
            match self.worker.receive()? {
                Reply::Site(site) => sites.push(site),
                Reply::Sample(_) => return Ok(sites),
                other => bail!("the worker answered {other:?} where its allocations were due"),
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where it does not end.
    pub fn end(self) -> Result<()> {
        self.worker.end().map(drop)
    }
}
