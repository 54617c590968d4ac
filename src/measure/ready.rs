//! A worker outside the lockstep: for counting and sampling, which would disturb timing.

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail, ensure};
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

    /// The same behind the words of a tool that runs it and watches, which takes longer.
    ///
    /// # Errors
    /// Where the arm is no command.
    pub fn watched(&self, subject: &Subject, arm: usize, words: &[OsString]) -> Result<Spec> {
        Ok(self.command(subject, arm)?.behind(words).timeout(subject.timeout * PATIENCE))
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
    /// As [`Worker::receive`]; where a value is no finite number, which no run can keep.
    pub fn count(&mut self, iterations: u64) -> Result<Count> {
        self.worker.send(&protocol::Command::Count(iterations))?;
        let mut observed = BTreeMap::new();
        loop {
            match self.worker.receive()? {
                Reply::Observed { name, values } => {
                    values.iter().try_for_each(|value| finite(&name, *value))?;
                    observed.insert(name, values);
                }
                Reply::Sample(sample) => {
                    sample.values.iter().try_for_each(|(name, value)| finite(name, *value))?;
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

fn finite(name: &str, value: f64) -> Result<()> {
    ensure!(value.is_finite(), "the case reports {value} as {name:?}: a metric is a finite number");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::process::Usage;

    /// Answers these, whatever it is asked.
    struct Scripted(VecDeque<Reply>);

    impl Worker for Scripted {
        fn pid(&self) -> u32 {
            0
        }

        fn send(&mut self, _command: &protocol::Command) -> Result<()> {
            Ok(())
        }

        fn receive(&mut self) -> Result<Reply> {
            self.0.pop_front().ok_or_else(|| anyhow::anyhow!("no more replies"))
        }

        fn end(self: Box<Self>) -> Result<Usage> {
            bail!("it was never started")
        }
    }

    fn counted(draw: f64, value: f64) -> Result<Count> {
        let replies = [
            Reply::Observed { name: "delay".to_owned(), values: vec![1.0, draw] },
            Reply::Sample(Sample { checksum: 0, values: vec![("level".to_owned(), value)] }),
        ];
        Ready { worker: Box::new(Scripted(replies.into())) }.count(1)
    }

    #[test]
    fn a_count_has_what_the_worker_reports() {
        let count = counted(2.0, f64::MAX).unwrap();
        assert_eq!(count.observed, BTreeMap::from([("delay".to_owned(), vec![1.0, 2.0])]));
        assert_eq!(count.values, BTreeMap::from([("level".parse().unwrap(), f64::MAX)]));
    }

    #[test]
    fn a_value_that_no_run_can_keep_is_refused_with_its_name() {
        for (draw, value, name) in [(f64::NAN, 1.0, "delay"), (1.0, f64::INFINITY, "level")] {
            let error = counted(draw, value).unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}: a metric is a finite number")), "{error}");
        }
    }
}
