//! Running a program's cases for what it counts, not for time: the training of a profile-guided build.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use perfplan_harness::protocol::Command;

use super::worker::{Seat, Starter, list, sample, set_up};
use crate::process::Interrupted;
use crate::samples::CaseId;

/// How long a case trains: long enough that its loops outweigh its set-up.
const ENOUGH: Duration = Duration::from_millis(200);
/// A batch that takes no time at all is not made longer for ever.
const MOST: u64 = 1 << 24;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The program.
    pub program: &'a Path,
    /// The workload that it is.
    pub workload: &'a str,
    /// Environment variables that it runs with.
    pub env: &'a [(String, String)],
    /// How large the cases are set up.
    pub size: &'a str,
    /// How long a worker may take to answer.
    pub timeout: Duration,
}

/// Runs the cases that are `wanted`, each in a process of its own, so that one that breaks spoils no other. Returns those that
/// ran, and a sentence for each that did not.
///
/// # Errors
/// Where the program can't say its cases, or the run is interrupted.
pub fn train(
    starter: &mut dyn Starter,
    course: &Course<'_>,
    wanted: &dyn Fn(&CaseId) -> bool,
) -> Result<(Vec<CaseId>, Vec<String>)> {
    let mut worker = starter.start(&course.seat())?;
    let cases = list(worker.as_mut())?;
    worker.end()?;
    let (mut ran, mut warnings) = (Vec::new(), Vec::new());
    for case in cases {
        let id = CaseId::new(course.workload, &case.name).map_err(anyhow::Error::msg)?;
        if !wanted(&id) {
            continue;
        }
        match exercise(starter, course, &case.name) {
            Ok(()) => ran.push(id),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => warnings.push(format!("{id} did not train: {error:#}")),
        }
    }
    Ok((ran, warnings))
}

impl Course<'_> {
    fn seat(&self) -> Seat<'_> {
        Seat { program: self.program, wrapper: &[], env: self.env, padding: 0, cpus: &[], timeout: self.timeout }
    }
}

fn exercise(starter: &mut dyn Starter, course: &Course<'_>, case: &str) -> Result<()> {
    let mut worker = starter.start(&course.seat())?;
    set_up(worker.as_mut(), case, course.size, 0.0)?;
    let (mut spent, mut n) = (0.0, 1);
    while spent < ENOUGH.as_nanos() as f64 && n < MOST {
        let yielded = sample(worker.as_mut(), &Command::Batch(n))?;
        spent += yielded.value("wall").or_else(|| yielded.value("batch")).context("a batch without a time")?;
        n *= 2;
    }
    worker.end().map(drop)
}
