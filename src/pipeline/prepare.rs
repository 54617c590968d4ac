//! Everything before the first round: plan, machine, builds, cases, and the run's record.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::asked::{Asked, usage};
use super::request::{Request, Resume, Usage};
use super::seats::{self, Choice, Chosen, Itself};
use super::stage::{self, Placed, Stage};
use super::{divided, lint};
use crate::build::LayoutFolder;
use crate::measure::{Bench, Program, Settings, Starter, Target};
use crate::process::{Disturbance, Machine};
use crate::progress::{Event, Listener};
use crate::samples::{Environment, FORMAT, Failure, Run, RunId, Step};
use crate::store::{Journal, Runs};
use crate::{doctor, git, units};

/// The share of a round that is spent inside batches at least.
const DUTY: f64 = 0.87;
/// The same in a quick run, which wants many rounds in little time.
const QUICK_DUTY: f64 = 0.6;

/// Everything that stands before the first round.
pub(super) struct Prepared<'r> {
    pub(super) asked: Asked<'r>,
    stage: Stage,
    machine: Machine,
    environment: Environment,
    runs: Runs,
    id: RunId,
    /// Where layouts are linked; `None` where none are drawn.
    layouts: Option<LayoutFolder>,
    /// How long may be measured.
    pub(super) budget: Duration,
}

impl Prepared<'_> {
    /// What could not be built.
    pub(super) fn failures(&self) -> &[Failure] {
        &self.stage.failures
    }

    /// Where the files of a profile go.
    pub(super) fn profiles(&self) -> PathBuf {
        self.asked.workspace.own().join("profiles").join(self.id.as_str())
    }
}

/// Reads the plan, looks at the machine, and builds.
pub(super) fn prepare<'r>(
    request: &'r Request,
    starter: &mut dyn Starter,
    listener: &mut dyn Listener,
) -> Result<Prepared<'r>> {
    let asked = Asked::of(request)?;
    // Measured by itself, a recommended build is no answer to what was asked: `latest` is the run that led to it.
    let kept = if request.these.is_empty() { "runs" } else { "confirmations" };
    let runs = Runs::at(asked.workspace.own().join(kept));
    let id = match &request.resume {
        None => new_id()?,
        Some(Resume::Latest) => {
            runs.latest_incomplete()?.ok_or_else(|| usage("no run was broken off: there is nothing to resume"))?
        }
        Some(Resume::Run(id)) => id.parse().map_err(usage)?,
    };
    // Before the builds, not after them: what can't be written is found out at once.
    runs.ensure_writable()?;
    let stage = stage::build(&asked.demand(), &asked.workloads, starter, listener)?;
    let environment = doctor::environment(&asked.workspace.root);
    lint(&asked, &environment, listener)?;
    let measure = &asked.plan.measure;
    let budget = request.budget.unwrap_or(measure.budget);
    let folder = asked.workspace.own().join("layouts");
    let layouts = measure.shuffle_layouts.then(|| LayoutFolder::new(&folder, id.as_str())).transpose()?;
    Ok(Prepared { asked, stage, machine: Machine::this()?, environment, runs, id, layouts, budget })
}

/// Says what makes this run's numbers worse than they could be, a line each.
fn lint(asked: &Asked<'_>, environment: &Environment, listener: &mut dyn Listener) -> Result<()> {
    let mut findings = doctor::findings(environment);
    let builds = lint::of_variants(&asked.workspace.root, &asked.host, &asked.variants, &asked.plan.baseline)?;
    findings.extend(doctor::build_findings(&builds));
    doctor::brief(&findings).iter().for_each(|line| listener.event(&Event::Finding(line)));
    Ok(())
}

/// Time of day and three random letters: runs sort by age, and two that start together differ.
pub(super) fn new_id() -> Result<RunId> {
    let letters: String = std::iter::repeat_with(fastrand::lowercase).take(3).collect();
    format!("{}-{letters}", stamp(now())).parse().map_err(anyhow::Error::msg)
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `20261121-093607`, UTC.
fn stamp(seconds: u64) -> String {
    let (day, rest) = (units::day(seconds).replace('-', ""), seconds % 86_400);
    format!("{day}-{:02}{:02}{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// The bench with the programs of the stage on it, and which program is whose. `twins` are for self-tests.
pub(super) fn bench<'b>(
    prepared: &Prepared<'_>,
    starter: &'b mut dyn Starter,
    twins: bool,
) -> Result<(Bench<'b>, Placed)> {
    prepared.machine.pin_controller()?;
    let programs = prepared.stage.programs(prepared.layouts.as_ref().map(LayoutFolder::path), twins);
    Ok((on_bench(prepared, starter, programs.list), programs.placed))
}

fn on_bench<'b>(prepared: &Prepared<'_>, starter: &'b mut dyn Starter, programs: Vec<Program>) -> Bench<'b> {
    let (measure, quick) = (&prepared.asked.plan.measure, prepared.asked.request.quick);
    let settings = Settings {
        cpus: prepared.machine.measuring.clone(),
        timeout: measure.timeout,
        target: Target { batch: measure.batch, round: measure.round, duty: if quick { QUICK_DUTY } else { DUTY } },
        most_layouts: measure.layouts,
        seed: seed(&prepared.id),
    };
    let mut disturbance = Disturbance::of(&prepared.machine.measuring);
    Bench::new(starter, programs, settings, Box::new(move || disturbance.read().stolen()))
}

/// A run draws from its name: resumed, it draws the same layouts.
pub(super) fn seed(id: &RunId) -> u64 {
    id.as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Asks the programs for their cases and seats the arms of those that are chosen.
pub(super) fn subjects(
    prepared: &Prepared<'_>,
    bench: &mut Bench<'_>,
    placed: &Placed,
    itself: Option<Itself>,
) -> Result<Chosen> {
    let size = prepared.asked.plan.measure.size.as_str();
    let timeout = prepared.asked.plan.measure.timeout;
    let shard = prepared.asked.division.as_ref().and_then(|division| division.cases);
    let (filters, drills) = (&prepared.asked.filters, &prepared.asked.drills);
    // A self-test asks of the machine, not of the plan.
    let steps: &[Step] = if itself.is_some() { &[] } else { &prepared.asked.steps };
    let claims_only = prepared.asked.request.claims_only;
    let claimed_size = prepared.asked.claimed_size.as_str();
    let unfit = &prepared.asked.skipped;
    let choice = Choice { filters, shard, drills, steps, unfit, claims_only, claimed_size, size, itself, timeout };
    let chosen = seats::subjects(&prepared.stage, bench, placed, &choice)?;
    // What did not build has cases that nobody knows: a filter may mean one of them.
    if prepared.stage.failures.is_empty() && chosen.failures.is_empty() {
        prepared.asked.filters.check(&chosen.known).map_err(usage)?;
        prepared.asked.drills.iter().try_for_each(|drill| drill.cases.check(&chosen.known)).map_err(usage)?;
        // A shard may be left without a case: the others have them all.
        if chosen.subjects.is_empty() && chosen.missing.is_empty() && chosen.elsewhere == 0 {
            return Err(Usage(format!("the filters leave none of {} cases", chosen.known.len())).into());
        }
    }
    Ok(chosen)
}

/// Begins the run's journal, or takes up the one that was broken off.
pub(super) fn begin(prepared: &Prepared<'_>, chosen: &Chosen) -> Result<Journal> {
    let run = new_run(prepared, chosen)?;
    if prepared.asked.request.resume.is_none() {
        return prepared.runs.begin(&run);
    }
    let (begun, journal) = prepared.runs.resume(&prepared.id)?;
    if begun.asked != run.asked {
        let why = "other cases, variants, revisions or settings, or the programs have changed";
        return Err(Usage(format!("run {} asked for something else ({why}): start a new run", begun.id)).into());
    }
    Ok(journal)
}

/// The record of one pass of a self-test: a run of its own, kept apart from the others.
pub(super) fn trial(prepared: &Prepared<'_>, chosen: &Chosen) -> Result<Run> {
    Ok(Run { id: new_id()?, ..new_run(prepared, chosen)? })
}

/// Begins the journal of a self-test's pass.
pub(super) fn begin_trial(prepared: &Prepared<'_>, run: &Run) -> Result<Journal> {
    Runs::at(prepared.asked.workspace.own().join("selftests")).begin(run)
}

fn new_run(prepared: &Prepared<'_>, chosen: &Chosen) -> Result<Run> {
    let mut cases: Vec<_> = chosen.subjects.iter().map(|subject| subject.case.clone()).collect();
    let against = match (&prepared.asked.request.base, &prepared.asked.base) {
        (Some(name), Some(_)) => format!("revision {name}"),
        _ => format!("variant {}", prepared.asked.plan.baseline),
    };
    // All that decides what is measured: two runs are the same question when this is equal.
    let arms: Vec<_> =
        chosen.subjects.iter().map(|subject| (&subject.case, &subject.size, subject.recorded())).collect();
    let asked = git::content_id(&serde_json::to_vec(&(arms, &chosen.steps, &prepared.asked.plan.gate))?)?;
    cases.extend(chosen.missing.iter().cloned());
    Ok(Run {
        format: FORMAT,
        id: prepared.id.clone(),
        started: now(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        commit: head(&prepared.asked.workspace.root),
        against,
        asked,
        environment: prepared.environment.clone(),
        gate: prepared.asked.plan.gate.clone(),
        review: prepared.asked.review.clone(),
        cases,
        steps: chosen.steps.clone(),
        measurements: Vec::new(),
        failures: prepared.stage.failures.iter().chain(&chosen.failures).cloned().collect(),
        skipped: prepared.asked.skipped.iter().chain(&chosen.skipped).cloned().collect(),
        divided: divided::divided(&prepared.asked, chosen)?,
        complete: false,
    })
}

/// The commit of the working tree, with `+` where it has changes. A folder without a repository has none.
pub(super) fn head(root: &Path) -> Option<String> {
    let state = git::Repository::around(root).ok()?.state().ok()?;
    Some(format!("{}{}", state.commit?, if state.dirty { "+" } else { "" }))
}
