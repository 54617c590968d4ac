//! Seating: ask the programs for their cases, and put the arms of those that are chosen in their places.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use perfplan_harness::protocol::Description;

use super::request::Usage;
use super::stage::{Placed, Stage};
use super::steps::{self, Home};
use crate::build::{Artifact, Preload};
use crate::matrix::{self, Cell, Drill};
use crate::measure::{Bench, Command, Seating, Subject};
use crate::plan::{Filters, Variant, Workload, WorkloadSource};
use crate::process::Interrupted;
use crate::samples::{Arm, CaseId, Failure, Shard, Skipped, Step};

/// The cases that the filters choose, with their arms seated, and the cases that only one side of a comparison has.
pub(super) fn subjects(stage: &Stage, bench: &mut Bench<'_>, placed: &Placed, choice: &Choice<'_>) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    for ((workload, made), places) in stage.workloads.iter().zip(&placed.places) {
        let seats = Seats { stage, workload, made, places, reasons: &placed.reasons };
        let seated = match &workload.source {
            WorkloadSource::Command { argv } => seats.command(argv, choice, &mut chosen),
            WorkloadSource::Package { .. } => seats.harness(bench, choice, &mut chosen),
        };
        match seated {
            Ok(()) => {}
            Err(error) if error.is::<Interrupted>() || error.is::<Usage>() => return Err(error),
            // A program that can't say its cases is lost; the others are measured all the same.
            Err(error) => chosen.failures.push(unfit(&workload.name, &error)),
        }
    }
    chosen.seat_steps(choice);
    Ok(chosen)
}

fn unfit(what: &str, error: &anyhow::Error) -> Failure {
    Failure { what: what.to_owned(), why: format!("{error:#}"), command: None, case: None, arm: None, part: None }
}

/// What was asked for.
pub(super) struct Choice<'a> {
    /// What a self-test makes of the arms; `None` outside self-tests.
    pub(super) itself: Option<Itself>,
    pub(super) filters: &'a Filters,
    /// The shard whose cases are measured; `None` where cases are not divided.
    pub(super) shard: Option<Shard>,
    pub(super) drills: &'a [Drill],
    /// The steps of the plan that the filters mean.
    pub(super) steps: &'a [Step],
    /// The variants that this machine can't build or run.
    pub(super) unfit: &'a [Skipped],
    /// Whether the steps alone are measured.
    pub(super) claims_only: bool,
    /// How large the cases of steps are set up.
    pub(super) claimed_size: &'a str,
    pub(super) size: &'a str,
    /// How long a worker may take to answer, where the workload does not say.
    pub(super) timeout: Duration,
}

impl Choice<'_> {
    /// Whether a case is to be measured here. Those that another shard measures are counted.
    fn takes(&self, case: &CaseId, chosen: &mut Chosen) -> bool {
        let elsewhere = self.shard.is_some_and(|shard| !shard.has_case(case));
        let wanted = self.filters.matches(case) && !self.claims_only;
        chosen.elsewhere += usize::from(wanted && elsewhere);
        wanted && !elsewhere
    }

    /// The steps that are measured here.
    fn wanted_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| self.shard.is_none_or(|shard| shard.has_case(&step.case)))
    }

    /// Whether a step has to run this case, whatever the filters say.
    fn is_of_a_step(&self, case: &CaseId) -> bool {
        self.wanted_steps().any(|step| step.sides().any(|(side, _)| side == case))
    }
}

/// How the arms of a self-test differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Itself {
    /// The baseline against itself, which really does `handicap` more.
    Same {
        /// The share.
        handicap: f64,
    },
    /// The baseline against itself, with link orders of its own.
    OtherLayouts,
    /// The baseline against the other variant.
    Variant,
}

/// What was chosen.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) subjects: Vec<Subject>,
    /// The steps among them.
    pub(super) steps: Vec<Step>,
    /// The cases that steps run.
    homes: BTreeMap<CaseId, Home>,
    /// Cases that can't be compared, because only one side has them.
    pub(super) missing: Vec<CaseId>,
    /// How many cases other shards measure.
    pub(super) elsewhere: usize,
    /// All cases there are, for saying what a filter could have meant.
    pub(super) known: Vec<CaseId>,
    /// Workloads and cases that can't be used, with the reason.
    pub(super) failures: Vec<Failure>,
    /// Variants that a command can't be run as, with the reason.
    pub(super) skipped: Vec<Skipped>,
}

impl Chosen {
    /// Seats the steps that are wanted, when all cases are known.
    fn seat_steps(&mut self, choice: &Choice<'_>) {
        for step in choice.wanted_steps() {
            self.known.push(step.case.clone());
            self.steps.push(step.clone());
            match steps::subject(step, &self.homes, choice.claimed_size) {
                Ok(subject) => self.subjects.push(subject),
                Err(failure) => {
                    self.missing.push(step.case.clone());
                    // What this machine can't build is no failure of anybody's.
                    let mut unfit = choice.unfit.iter().chain(&self.skipped);
                    if !unfit.any(|skip| step.variant.as_ref() == Some(&skip.variant)) {
                        self.failures.push(*failure);
                    }
                }
            }
        }
    }
}

/// One workload's part.
struct Seats<'a> {
    stage: &'a Stage,
    workload: &'a Workload,
    made: &'a [Option<Artifact>],
    places: &'a [Option<usize>],
    reasons: &'a [Option<String>],
}

impl Seats<'_> {
    fn harness(&self, bench: &mut Bench<'_>, choice: &Choice<'_>, chosen: &mut Chosen) -> Result<()> {
        let mut lists = Vec::new();
        for place in self.places {
            lists.push(place.map(|place| bench.cases(place)).transpose()?);
        }
        // The working tree says what there is; a baseline that lacks a case has nothing to compare it with.
        let Some(newest) = lists.iter().flatten().next_back() else { return Ok(()) };
        let codes: Vec<Option<String>> =
            self.made.iter().map(|made| made.as_ref().map(|made| made.code.clone())).collect();
        for case in newest {
            let id = match CaseId::new(&self.workload.name, &case.name) {
                Ok(id) => id,
                Err(problem) => {
                    let what = format!("a case of {}", self.workload.name);
                    chosen.failures.push(unfit(&what, &anyhow::Error::msg(problem)));
                    continue;
                }
            };
            chosen.known.push(id.clone());
            if choice.is_of_a_step(&id) {
                let arms = self.seated(case, matrix::arms(&id, &self.stage.cells, &codes, &[]));
                self.at_home(&id, &arms, case.threads, choice, chosen);
            }
            if !choice.takes(&id, chosen) {
                continue;
            }
            if lists.iter().flatten().any(|list| !list.iter().any(|other| other.name == case.name)) {
                chosen.missing.push(id);
                continue;
            }
            let arms = matrix::arms(&id, &self.stage.cells, &codes, choice.drills);
            let arms = self.seated(case, arms);
            if arms.is_empty() {
                // Without its baseline's program a case has nothing to be compared with.
                chosen.missing.push(id);
                continue;
            }
            let arms = choice.itself.map_or(arms.clone(), |itself| against_itself(arms, itself));
            chosen.subjects.push(self.subject(id, case.threads, arms, choice));
        }
        Ok(())
    }

    fn subject(&self, case: CaseId, threads: usize, arms: Vec<Seating>, choice: &Choice<'_>) -> Subject {
        let timeout = self.timeout(choice);
        Subject { case, size: choice.size.to_owned(), threads, timeout, arms }
    }

    fn timeout(&self, choice: &Choice<'_>) -> Duration {
        self.workload.timeout.unwrap_or(choice.timeout)
    }

    /// Keeps the arm of a case that steps measure.
    fn at_home(&self, id: &CaseId, arms: &[Seating], threads: usize, choice: &Choice<'_>, chosen: &mut Chosen) {
        if let Some(home) = Home::of(arms, threads, self.timeout(choice)) {
            chosen.homes.insert(id.clone(), home);
        }
    }

    fn seated(&self, case: &Description, arms: Vec<(usize, Arm)>) -> Vec<Seating> {
        let of_case = |arm| Arm { operations: case.operations, ..arm };
        arms.into_iter().filter_map(|(cell, arm)| self.seat(cell, of_case(arm))).collect()
    }

    fn seat(&self, cell: usize, mut arm: Arm) -> Option<Seating> {
        let program = self.places[cell]?;
        arm.sizes = self.made[cell].as_ref()?.sizes.clone();
        if let Some(made) = &self.stage.made[cell] {
            arm.training.clone_from(&made.training);
            arm.sizes.extend(made.cost.metrics());
        }
        arm.no_layout.clone_from(&self.reasons[program]);
        let env = arm.env.clone().into_iter().collect();
        Some(Seating { env, arm, program, twin: program + 1, command: None })
    }

    /// A command is not built here: it has an arm per source tree, and per variant that changes nothing but its environment and
    /// its allocator, which is loaded before it.
    fn command(&self, argv: &[String], choice: &Choice<'_>, chosen: &mut Chosen) -> Result<()> {
        let id = CaseId::new(&self.workload.name, "run").map_err(anyhow::Error::msg)?;
        chosen.known.push(id.clone());
        let (taken, of_a_step) = (choice.takes(&id, chosen), choice.is_of_a_step(&id));
        if !taken && !of_a_step {
            return Ok(());
        }
        if choice.drills.iter().any(|drill| drill.cases.matches(&id)) {
            let text = format!("{id} is a command, and only programs that link perfplan-harness can be handicapped");
            return Err(Usage(text).into());
        }
        let arms = self.commands(&id, argv, chosen);
        if of_a_step {
            self.at_home(&id, &arms, 1, choice, chosen);
        }
        match (taken, arms.is_empty()) {
            (false, _) => {}
            // Without its baseline a command has nothing to be compared with.
            (true, true) => chosen.missing.push(id),
            (true, false) => chosen.subjects.push(self.subject(id, 1, arms, choice)),
        }
        Ok(())
    }

    fn commands(&self, id: &CaseId, argv: &[String], chosen: &mut Chosen) -> Vec<Seating> {
        let envs = self.environments(id, argv, chosen);
        let codes: Vec<Option<String>> = envs.iter().map(|env| env.as_ref().map(|_| String::new())).collect();
        let why = "the program is not built here";
        let seat = |(cell, mut arm): (usize, Arm)| {
            arm.no_layout = Some(why.to_owned());
            arm.env = envs[cell].clone().unwrap_or_default();
            let command = Some(Command { argv: argv.to_vec(), folder: self.stage.folders[cell].clone() });
            Seating { env: arm.env.clone().into_iter().collect(), arm, program: 0, twin: 0, command }
        };
        matrix::arms(id, &self.stage.cells, &codes, &[]).into_iter().map(seat).collect()
    }

    /// Per cell the environment that a command runs in; `None` where the cell is none of a command's, or the command would not
    /// get its allocator.
    fn environments(&self, id: &CaseId, argv: &[String], chosen: &mut Chosen) -> Vec<Option<BTreeMap<String, String>>> {
        let (preload, program) = (Preload::here(), argv.first().map_or("", String::as_str));
        let mut environment = |(cell, folder): (&Cell, &PathBuf)| {
            let Variant { name, env, allocator, only, .. } = &cell.variant;
            let runs = cell.against.is_none() || runs_alike(&cell.variant);
            if !runs || !only.matches(id) {
                return None;
            }
            let skip = |error| Skipped { variant: name.clone(), why: format!("{id}: {error:#}") };
            match preload.environment(program, folder, env, *allocator).map_err(skip) {
                Ok(env) => Some(env),
                Err(skipped) => {
                    // A variant is there once per revision.
                    if !chosen.skipped.contains(&skipped) {
                        chosen.skipped.push(skipped);
                    }
                    None
                }
            }
        };
        self.stage.cells.iter().zip(&self.stage.folders).map(&mut environment).collect()
    }
}

/// Whether the variant makes a difference to programs that are not built here: it sets an environment or an allocator, no more.
fn runs_alike(variant: &Variant) -> bool {
    Variant { allocator: None, ..variant.clone() }.only_env()
}

/// The arms of a self-test. What its variant computes may differ: doing more work has other results.
fn against_itself(arms: Vec<Seating>, itself: Itself) -> Vec<Seating> {
    let Some(baseline) = arms.first().cloned() else { return arms };
    let mut other = baseline.clone();
    match itself {
        Itself::Variant => return arms,
        Itself::Same { handicap } => other.arm.handicap = handicap,
        Itself::OtherLayouts => other.program = baseline.twin,
    }
    other.arm.against = Some(0);
    other.arm.self_test = true;
    vec![baseline, other]
}
