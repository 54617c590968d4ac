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
use crate::profile::sampling::Options;
use crate::profile::symbols::{Symbols, tells_inlined};
use crate::samples::{Measurement, Metric, Record};
use crate::verdict::lacking;

/// Processes whose system calls or instructions are counted: what is counted exactly hardly differs between processes.
const EXACT: usize = 3;
/// How long a case draws from its distributions, and how often at most: the worker keeps no more.
const DRAWING: Duration = Duration::from_millis(300);
const MOST_DRAWS: u64 = 20_000;
/// How long each side is sampled for a claim, or to explain a change.
pub(super) const SAMPLED: Duration = Duration::from_secs(3);

/// Everything that was collected of a case, before it is recorded.
pub(super) struct Evidence {
    arms: Vec<Counted>,
    /// What could not be had, and why.
    absent: BTreeMap<String, String>,
    /// Sampled stacks, where claims asked for functions.
    stacks: Vec<Stacks>,
}

impl Evidence {
    /// Collects what is wanted of a case. What the machine does not permit is absent with the reason.
    pub(super) fn collect(
        bench: &mut Bench<'_>,
        subject: &Subject,
        measurement: &Measurement,
        wants: &Wants,
        scratch: &Path,
    ) -> Result<Self> {
        let arms = if subject.is_command() {
            vec![Counted::default(); subject.arms.len()]
        } else {
            bench.count(subject, measurement, wants.counts)?
        };
        let lost = arms.iter().find_map(|arm| arm.why.clone());
        let mut evidence = Self { arms, absent: BTreeMap::new(), stacks: Vec::new() };
        if let Some(why) = lost {
            evidence.absent.insert(lacking(Need::Counting).to_owned(), why);
        }
        if wants.distribution {
            let result = evidence.draws(bench, subject, measurement);
            evidence.noted(Need::Distribution, result)?;
        }
        if wants.syscalls {
            let result = evidence.syscalls(bench, subject, measurement);
            evidence.noted(Need::Syscalls, result)?;
        }
        if wants.instructions && !measurement.has_hardware_instructions() {
            let result = evidence.instructions(bench, subject, measurement, scratch);
            evidence.noted(Need::Instructions, result)?;
        }
        if wants.hotpath {
            let result = evidence.hotpath(bench, subject, measurement, scratch);
            evidence.noted(Need::Hotpath, result)?;
        }
        if !wants.functions.is_empty() {
            let result = evidence.functions(bench, subject, measurement, wants);
            evidence.noted(Need::Profile, result)?;
        }
        Ok(evidence)
    }

    /// What can't be had is no failure: it is absent, and the reason is told.
    fn noted(&mut self, need: Need, result: Result<()>) -> Result<()> {
        match result {
            Err(error) if error.is::<Interrupted>() => Err(error),
            Err(error) => {
                self.absent.insert(lacking(need).to_owned(), format!("{error:#}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn keep(&mut self, arm: usize, values: impl IntoIterator<Item = (Metric, f64)>) {
        for (metric, value) in values {
            self.arms[arm].values.entry(metric).or_default().push(value);
        }
    }

    /// Draws of distributions from one long count: more processes would draw the same again.
    fn draws(&mut self, bench: &mut Bench<'_>, subject: &Subject, measurement: &Measurement) -> Result<()> {
        let affordable = DRAWING.as_nanos() as f64 / measurement.iteration_ns().unwrap_or(f64::INFINITY);
        let n = (affordable as u64).clamp(counted_iterations(measurement), MOST_DRAWS);
        for arm in 0..subject.arms.len() {
            let mut ready = bench.ready(subject, arm, 0, &Around::default())?;
            self.arms[arm].observed = ready.count(n)?.observed;
            ready.end()?;
        }
        Ok(())
    }

    fn syscalls(&mut self, bench: &mut Bench<'_>, subject: &Subject, measurement: &Measurement) -> Result<()> {
        let n = counted_iterations(measurement);
        for arm in 0..subject.arms.len() {
            let rounds = (0..EXACT).map(|_| exact::syscalls(bench, subject, arm, n)).collect::<Result<_>>()?;
            rounds_of_all(rounds).into_iter().for_each(|round| self.keep(arm, round));
        }
        Ok(())
    }

    fn instructions(
        &mut self,
        bench: &mut Bench<'_>,
        subject: &Subject,
        measurement: &Measurement,
        scratch: &Path,
    ) -> Result<()> {
        let n = counted_iterations(measurement);
        for arm in 0..subject.arms.len() {
            for _ in 0..EXACT {
                let counted = exact::instructions(bench, subject, arm, n, scratch)?;
                let metric = exact::INSTRUCTIONS.parse().map_err(anyhow::Error::msg)?;
                self.keep(arm, [(metric, counted.total as f64 / n as f64)]);
            }
        }
        Ok(())
    }

    fn hotpath(
        &mut self,
        bench: &mut Bench<'_>,
        subject: &Subject,
        measurement: &Measurement,
        scratch: &Path,
    ) -> Result<()> {
        for arm in 0..subject.arms.len() {
            for _ in 0..JUDGED {
                let found = exact::hotpath(bench, subject, arm, counted_iterations(measurement), scratch)?;
                self.keep(arm, found);
            }
        }
        Ok(())
    }

    fn functions(
        &mut self,
        bench: &mut Bench<'_>,
        subject: &Subject,
        measurement: &Measurement,
        wants: &Wants,
    ) -> Result<()> {
        let arms: Vec<usize> = (0..subject.arms.len()).collect();
        let dumb = arms.iter().filter_map(|arm| bench.program(subject, *arm)).find(|file| !tells_inlined(file));
        ensure!(dumb.is_none(), "{}", sampling::NAMELESS);
        let course = Course::of(SAMPLED, Options::default());
        self.stacks = sampling::sample(bench, subject, measurement, &arms, &course, &mut Symbols::default())?;
        for (arm, metric, values) in sampling::asked_of(&self.stacks, &wants.functions)? {
            self.arms[arm].values.insert(metric, values);
        }
        Ok(())
    }

    /// What goes into the run, and the stacks to draw. Shares come before the counts that they belong to: a run that is broken
    /// off between the two counts again.
    pub(super) fn records(self, subject: &Subject) -> (Vec<Record>, Vec<Stacks>) {
        let (counted, observed): (Vec<_>, Vec<_>) = self.arms.into_iter().map(|arm| (arm.values, arm.observed)).unzip();
        let observed = if observed.iter().all(BTreeMap::is_empty) { Vec::new() } else { observed };
        let case = || subject.case.clone();
        let profiles = sampling::profiles(&self.stacks);
        let profiled = (!profiles.is_empty()).then(|| Record::Profiled { case: case(), profiles });
        let counted = Record::Counted { case: case(), counted, observed, absent: self.absent };
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
