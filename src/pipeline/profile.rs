//! `profile`: one case looked into, of one build or of two.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::asked::usage;
use super::explain::title;
use super::pictures::{Pictures, Titled, safe};
use super::request::{Request, Usage};
use super::sampling::{self, Course};
use super::{exact, prepare};
use crate::measure::{Bench, Starter, Subject, counted_iterations};
use crate::profile::folded::{Counted, Folded};
use crate::profile::functions;
use crate::profile::sampling::Options;
use crate::progress::{Event, Listener};
use crate::samples::{Arm, CaseId, Failure, FunctionShare, Measurement, Profile, Step, WORKING_TREE};

/// What is attributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subjected {
    /// CPU time, by sampling.
    Time,
    /// Allocations, by call site.
    Allocations,
    /// Instructions, counted by callgrind.
    Instructions,
    /// System calls, by name.
    Syscalls,
}

/// What is asked of `profile`.
#[derive(Clone, Debug)]
pub struct Profiling {
    /// The build or builds; its filters are one case's name or a part of it.
    pub request: Request,
    /// Both sides of a comparison.
    pub diff: bool,
    /// What is attributed.
    pub of: Subjected,
    /// How long each side is sampled.
    pub time: Duration,
    /// How stacks are taken.
    pub options: Options,
    /// Where the files go; a folder of its own where it is `None`.
    pub out: Option<PathBuf>,
}

/// One side of what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// What it is called: `release`, `release of 3f2a9c1d7b`.
    pub title: String,
    /// Which build.
    pub arm: Arm,
    /// Shares of functions; `None` for system calls.
    pub profile: Option<Profile>,
    /// What was counted per iteration: `syscalls.openat`, `alloc.count`, `callgrind.instructions`.
    pub counts: Vec<(String, f64)>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Profiled {
    /// Which case.
    pub case: CaseId,
    /// What was attributed.
    pub of: Subjected,
    /// One side, or the baseline and the candidate.
    pub sides: Vec<Side>,
    /// The files, those to look at first.
    pub files: Vec<PathBuf>,
}

/// A case on the bench, and the arms to look into.
struct Look<'l, 'b> {
    asked: &'l Profiling,
    bench: &'l mut Bench<'b>,
    subject: Subject,
    measurement: Measurement,
    arms: Vec<usize>,
    folder: PathBuf,
}

/// Builds what is asked for and looks into one case.
///
/// # Errors
/// Where no case or several are meant, a build fails, or the machine does not permit what is asked.
pub fn profile(asked: &Profiling, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Profiled> {
    let prepared = prepare::prepare(&asked.request, starter, listener)?;
    let (mut bench, placed) = prepare::bench(&prepared, starter, false)?;
    let chosen = prepare::subjects(&prepared, &mut bench, &placed, None)?;
    let failures: Vec<_> = prepared.failures().iter().chain(&chosen.failures).cloned().collect();
    let subject = one(chosen.subjects, &asked.request.filters, &failures)?;
    let arms = arms(asked, &subject)?;
    let folder = asked.out.clone().unwrap_or_else(|| prepared.profiles());
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    listener.event(&Event::Explaining(&subject.case));
    let (measurement, _) = bench.calibrate(&subject)?;
    Look { asked, bench: &mut bench, subject, measurement, arms, folder }.look()
}

/// The case that is meant: the one of that name, or the only one with that part in its name. Steps are meant by their own names
/// alone.
fn one(subjects: Vec<Subject>, filters: &[String], failures: &[Failure]) -> Result<Subject> {
    let named = |subject: &Subject| filters.iter().any(|filter| subject.case.to_string() == *filter);
    let by_step = filters.iter().any(|filter| filter.starts_with(Step::WORKLOAD));
    let (exact, others): (Vec<_>, Vec<_>) = subjects.into_iter().partition(named);
    let plain = |subject: &Subject| by_step || subject.case.workload() != Step::WORKLOAD;
    let candidates: Vec<Subject> = if exact.is_empty() { others.into_iter().filter(plain).collect() } else { exact };
    let names: Vec<String> = candidates.iter().map(|subject| subject.case.to_string()).collect();
    if let (true, Some(failure)) = (candidates.is_empty(), failures.first()) {
        anyhow::bail!("{}: {}", failure.what, failure.why);
    }
    let only: Result<[Subject; 1], _> = candidates.try_into();
    only.map(|[one]| one).map_err(|_| {
        Usage(format!("one case is profiled at a time, and this means several: {}", names.join(", "))).into()
    })
}

/// Which arms: the one asked for; or a candidate and what it is compared with.
fn arms(asked: &Profiling, subject: &Subject) -> Result<Vec<usize>> {
    let variants = &asked.request.variants;
    let of_variant = |arm: &Arm| variants.is_empty() || variants.iter().any(|name| name == arm.variant.as_str());
    let mut all = subject.arms.iter().map(|seating| &seating.arm).enumerate();
    if !asked.diff {
        let found = all.find(|(_, arm)| of_variant(arm) && arm.revision == WORKING_TREE);
        return found.map(|(at, _)| vec![at]).with_context(|| format!("{} has no such build", subject.case));
    }
    let pair = all.find_map(|(at, arm)| arm.against.filter(|_| of_variant(arm)).map(|against| vec![against, at]));
    pair.ok_or_else(|| {
        usage("a difference has two sides: say `--against REV`, `--variant V` other than the baseline, or a step")
            .into()
    })
}

impl Look<'_, '_> {
    fn look(mut self) -> Result<Profiled> {
        let (sides, files) = match self.asked.of {
            Subjected::Time => self.time()?,
            Subjected::Allocations => self.allocations()?,
            Subjected::Instructions => self.instructions()?,
            Subjected::Syscalls => self.syscalls()?,
        };
        Ok(Profiled { case: self.subject.case.clone(), of: self.asked.of, sides, files })
    }

    fn side(&self, arm: usize, profile: Option<Profile>, counts: Vec<(String, f64)>) -> Side {
        let arm = self.measurement.arms[arm].clone();
        Side { title: title(&arm), arm, profile, counts }
    }

    fn write(&self, counted: Counted, stacks: &[(usize, Folded)]) -> Result<Vec<PathBuf>> {
        let titled = stacks.iter().map(|(arm, stacks)| {
            let title = title(&self.measurement.arms[*arm]);
            Titled { stem: safe(&format!("{}.{title}.{}", self.subject.case, counted.word())), title, stacks }
        });
        let case = self.subject.case.to_string();
        Pictures { folder: &self.folder, case, counted }.write(&titled.collect::<Vec<_>>())
    }

    fn time(&mut self) -> Result<(Vec<Side>, Vec<PathBuf>)> {
        let course = Course::of(self.asked.time, self.asked.options.clone());
        let stacks = sampling::sample(self.bench, &self.subject, &self.measurement, &self.arms, &course)?;
        let folded: Vec<(usize, Folded)> = stacks.iter().map(|one| (one.arm, one.folded())).collect();
        let files = self.write(Counted::Samples, &folded)?;
        let profiles = sampling::profiles(&stacks).into_iter();
        Ok((profiles.map(|profile| self.side(profile.arm, Some(profile), Vec::new())).collect(), files))
    }

    fn allocations(&mut self) -> Result<(Vec<Side>, Vec<PathBuf>)> {
        let n = counted_iterations(&self.measurement);
        let (mut sides, mut calls, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for arm in self.arms.clone() {
            let found = exact::allocations(self.bench, &self.subject, arm, n)?;
            let per = |total: u64| total as f64 / n as f64;
            let counts = [("alloc.count", per(found.calls.total())), ("alloc.bytes", per(found.bytes.total()))];
            let functions = functions::top(std::slice::from_ref(&found.calls), sampling::FUNCTIONS);
            let profile = counted(arm, "allocations", found.calls.total(), functions);
            sides.push(self.side(arm, Some(profile), counts.map(|(name, value)| (name.to_owned(), value)).to_vec()));
            calls.push((arm, found.calls));
            bytes.push((arm, found.bytes));
        }
        let mut files = self.write(Counted::Allocations, &calls)?;
        files.extend(self.write(Counted::Bytes, &bytes)?);
        Ok((sides, files))
    }

    fn instructions(&mut self) -> Result<(Vec<Side>, Vec<PathBuf>)> {
        let n = counted_iterations(&self.measurement);
        let (mut sides, mut all) = (Vec::new(), Vec::new());
        for arm in self.arms.clone() {
            let found = exact::instructions(self.bench, &self.subject, arm, n, &self.folder)?;
            let counts = vec![(exact::INSTRUCTIONS.to_owned(), found.per_iteration(n))];
            let profile = counted(arm, "instructions", found.total, found.functions());
            sides.push(self.side(arm, Some(profile), counts));
            all.push((arm, found.folded()));
        }
        let files = self.write(Counted::Instructions, &all)?;
        Ok((sides, files))
    }

    fn syscalls(&mut self) -> Result<(Vec<Side>, Vec<PathBuf>)> {
        let n = counted_iterations(&self.measurement);
        let mut sides = Vec::new();
        for arm in self.arms.clone() {
            let counts = exact::syscalls(self.bench, &self.subject, arm, n)?;
            let counts = counts.into_iter().map(|(metric, value)| (metric.to_string(), value)).collect();
            sides.push(self.side(arm, None, counts));
        }
        Ok((sides, Vec::new()))
    }
}

/// What was counted once and is exact, as a profile.
fn counted(arm: usize, event: &str, total: u64, functions: Vec<FunctionShare>) -> Profile {
    let (event, method, notes) = (event.to_owned(), "counted".to_owned(), Vec::new());
    Profile { arm, event, method, samples: total, rooted: total, lost: 0, notes, functions }
}
