//! What is counted and sampled beside the timed rounds: the evidence for claims, and for why something changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::exact;
use super::sampling::{self, Course, Stacks};
use super::wants::{JUDGED, Wants};
use crate::measure::{Around, Bench, Counted, Subject, counted_iterations};
use crate::plan::claim::Need;
use crate::process::Interrupted;
use crate::profile::symbols::tells_inlined;
use crate::samples::{Measurement, Metric, Record};
use crate::verdict::lacking;

/// Processes whose system calls or instructions are counted: what is counted exactly hardly differs between processes.
const EXACT: usize = 3;
/// How long a case draws from its distributions, and how often at most: the worker keeps no more.
const DRAWING: Duration = Duration::from_millis(300);
const MOST_DRAWS: u64 = 20_000;

/// Why something could not be had, by the word for it.
pub(super) type Absent = BTreeMap<String, String>;

/// What can't be had is no failure: it is absent, and the reason is told.
pub(super) fn had<T>(result: Result<T>, need: Need, absent: &mut Absent) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is::<Interrupted>() => Err(error),
        Err(error) => {
            absent.insert(lacking(need).to_owned(), format!("{error:#}"));
            Ok(None)
        }
    }
}

/// A case on the bench, and what was collected of it so far.
pub(super) struct Evidence<'e, 'b> {
    bench: &'e mut Bench<'b>,
    subject: &'e Subject,
    measurement: &'e Measurement,
    /// Where files of tools may lie meanwhile.
    scratch: &'e Path,
    arms: Vec<Counted>,
    /// Sampled stacks, where claims asked for functions.
    stacks: Vec<Stacks>,
}

impl<'e, 'b> Evidence<'e, 'b> {
    /// Nothing collected yet.
    pub(super) fn of(
        bench: &'e mut Bench<'b>,
        subject: &'e Subject,
        measurement: &'e Measurement,
        scratch: &'e Path,
    ) -> Self {
        let arms = vec![Counted::default(); subject.arms.len()];
        Self { bench, subject, measurement, scratch, arms, stacks: Vec::new() }
    }

    /// Collects what is wanted, and says what goes into the run, and which stacks there are to draw.
    pub(super) fn collect(mut self, wants: &Wants) -> Result<(Vec<Record>, Vec<Stacks>)> {
        let mut absent = Absent::new();
        if !self.subject.is_command() {
            self.arms = self.bench.count(self.subject, self.measurement, wants.counts)?;
        }
        if let Some(why) = self.arms.iter().find_map(|arm| arm.why.clone()) {
            absent.insert(lacking(Need::Counting).to_owned(), why);
        }
        if wants.distribution {
            had(self.draws(), Need::Distribution, &mut absent)?;
        }
        if wants.syscalls {
            had(self.syscalls(), Need::Syscalls, &mut absent)?;
        }
        if wants.instructions && !self.measurement.has_hardware_instructions() {
            had(self.instructions(), Need::Instructions, &mut absent)?;
        }
        if wants.hotpath {
            had(self.hotpath(), Need::Hotpath, &mut absent)?;
        }
        if !wants.functions.is_empty() {
            had(self.functions(wants), Need::Profile, &mut absent)?;
        }
        Ok(self.records(absent))
    }

    fn keep(&mut self, arm: usize, values: impl IntoIterator<Item = (Metric, f64)>) {
        for (metric, value) in values {
            self.arms[arm].values.entry(metric).or_default().push(value);
        }
    }

    /// Draws of distributions from one long count: more processes would draw the same again.
    fn draws(&mut self) -> Result<()> {
        let affordable = DRAWING.as_nanos() as f64 / self.measurement.iteration_ns().unwrap_or(f64::INFINITY);
        let n = (affordable as u64).clamp(counted_iterations(self.measurement), MOST_DRAWS);
        for arm in 0..self.arms.len() {
            let mut ready = self.bench.ready(self.subject, arm, 0, &Around::default())?;
            self.arms[arm].observed = ready.count(n)?.observed;
            ready.end()?;
        }
        Ok(())
    }

    fn syscalls(&mut self) -> Result<()> {
        let n = counted_iterations(self.measurement);
        for arm in 0..self.arms.len() {
            let round = |_| exact::syscalls(self.bench, self.subject, arm, n);
            let rounds = (0..EXACT).map(round).collect::<Result<_>>()?;
            rounds_of_all(rounds).into_iter().for_each(|round| self.keep(arm, round));
        }
        Ok(())
    }

    fn instructions(&mut self) -> Result<()> {
        let n = counted_iterations(self.measurement);
        for arm in 0..self.arms.len() {
            for _ in 0..EXACT {
                let counted = exact::instructions(self.bench, self.subject, arm, n, self.scratch)?;
                self.keep(arm, [(exact::metric()?, counted.per_iteration(n))]);
            }
        }
        Ok(())
    }

    fn hotpath(&mut self) -> Result<()> {
        let n = counted_iterations(self.measurement);
        for arm in 0..self.arms.len() {
            for _ in 0..JUDGED {
                let found = exact::hotpath(self.bench, self.subject, arm, n, self.scratch)?;
                self.keep(arm, found);
            }
        }
        Ok(())
    }

    fn functions(&mut self, wants: &Wants) -> Result<()> {
        let arms: Vec<usize> = (0..self.arms.len()).collect();
        let dumb =
            arms.iter().filter_map(|arm| self.bench.program(self.subject, *arm)).find(|file| !tells_inlined(file));
        ensure!(dumb.is_none(), "{}", sampling::NAMELESS);
        self.stacks = sampling::sample(self.bench, self.subject, self.measurement, &arms, &Course::usual())?;
        for (arm, metric, values) in sampling::asked_of(&self.stacks, &wants.functions)? {
            self.arms[arm].values.insert(metric, values);
        }
        Ok(())
    }

    /// Shares come before the counts that they belong to: a run that is broken off between the two counts again.
    fn records(self, absent: Absent) -> (Vec<Record>, Vec<Stacks>) {
        let (counted, observed): (Vec<_>, Vec<_>) = self.arms.into_iter().map(|arm| (arm.values, arm.observed)).unzip();
        let observed = if observed.iter().all(BTreeMap::is_empty) { Vec::new() } else { observed };
        let case = || self.subject.case.clone();
        let profiles = sampling::profiles(&self.stacks);
        let profiled = (!profiles.is_empty()).then(|| Record::Profiled { case: case(), profiles });
        let counted = Record::Counted { case: case(), counted, observed, absent };
        (profiled.into_iter().chain([counted]).collect(), self.stacks)
    }
}

/// Rounds in which every metric has a value: a system call that one of them never made is counted as none there.
fn rounds_of_all(rounds: Vec<BTreeMap<Metric, f64>>) -> Vec<BTreeMap<Metric, f64>> {
    let names: BTreeSet<Metric> = rounds.iter().flat_map(|round| round.keys().cloned()).collect();
    let of = |round: BTreeMap<Metric, f64>| {
        names.iter().map(|name| (name.clone(), round.get(name).copied().unwrap_or(0.0))).collect()
    };
    rounds.into_iter().map(of).collect()
}
