//! Setting the stage: build every cell.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::request::Usage;
use super::training::School;
use crate::build::{Artifact, Builder, Layouts, Order, Profiling, Workspace};
use crate::git::{Repository, Worktree};
use crate::matrix::{self, Cell, Source};
use crate::measure::{Program, Starter};
use crate::plan::{Plan, TrainingPlan, Variant, Workload, WorkloadSource};
use crate::process::Interrupted;
use crate::progress::{Event, Listener};
use crate::samples::{Failure, Training};

/// What is to be built, for whom.
pub(super) struct Demand<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) variants: &'a [Variant],
    /// The base revision's full commit id.
    pub(super) base: Option<&'a str>,
    /// What builds that are guided by a profile are trained on.
    pub(super) training: &'a TrainingPlan,
    /// How long a worker may take to answer in training.
    pub(super) timeout: Duration,
}

/// Everything built that could be built.
pub(super) struct Stage {
    pub(super) cells: Vec<Cell>,
    /// The workloads, each with one artifact per cell; `None` where it could not be built. Commands have no artifacts.
    pub(super) workloads: Vec<(Workload, Vec<Option<Artifact>>)>,
    /// Per cell the folder of its source tree.
    pub(super) folders: Vec<PathBuf>,
    pub(super) failures: Vec<Failure>,
    /// Per cell what it was trained on, where it was.
    pub(super) trainings: Vec<Option<Training>>,
    /// While it is held, no other process changes the base revision's files.
    _base: Option<Worktree>,
}

/// The workloads of a plan; without any, every package that links the harness.
pub(super) fn workloads(plan: &Plan, workspace: &Workspace) -> Result<Vec<Workload>> {
    if !plan.workloads.is_empty() {
        plan.workloads.iter().try_for_each(|workload| known(workload, workspace))?;
        return Ok(plan.workloads.clone());
    }
    let found: Vec<Workload> = workspace.packages.iter().map(|package| Workload::package(&package.name)).collect();
    if found.is_empty() {
        bail!(
            "nothing to measure: no package of the workspace at {} links perfplan-harness, and the plan names no workload\n  \
             add `perfplan-harness` to a package, or a command to perfplan.toml:\n  \
             [[workload]]\n  name = \"my-program\"\n  command = [\"my-program\", \"--its-argument\"]",
            workspace.root.display()
        );
    }
    Ok(found)
}

fn known(workload: &Workload, workspace: &Workspace) -> Result<()> {
    let WorkloadSource::Package { package, .. } = &workload.source else { return Ok(()) };
    if workspace.package(package).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    let those = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let text = format!(
        "the plan's workload {:?}: the workspace has no package {package:?} with a program that links perfplan-harness; \
         it has: {those}",
        workload.name
    );
    Err(Usage(text).into())
}

/// Builds all cells, one cargo call per cell. A cell that fails is a failure of the run, and the others go on.
pub(super) fn build(
    demand: &Demand<'_>,
    workloads: Vec<Workload>,
    starter: &mut dyn Starter,
    listener: &mut dyn Listener,
) -> Result<Stage> {
    let cells = matrix::cells(demand.variants, demand.base);
    let orders: Vec<Order> = workloads.iter().filter_map(order).collect();
    let base = demand.base.map(|commit| checkout(demand.workspace, commit)).transpose()?;
    let folder = |cell: &Cell| match (&cell.source, &base) {
        (Source::Commit(_), Some((_, folder))) => folder.clone(),
        _ => demand.workspace.root.clone(),
    };
    let folders: Vec<PathBuf> = cells.iter().map(folder).collect();
    let mut failures = Vec::new();
    let (mut made, mut trainings): (Vec<Option<Vec<Artifact>>>, _) = (Vec::new(), Vec::new());
    for (at, (cell, root)) in cells.iter().zip(&folders).enumerate() {
        listener.event(&Event::BuildStarted {
            at,
            of: cells.len(),
            variant: &cell.variant.name,
            source: &cell.source.to_string(),
        });
        let begun = std::time::Instant::now();
        match build_cell(demand, cell, root, &orders, starter, listener) {
            Ok((artifacts, fresh, training)) => {
                listener.event(&Event::BuildFinished { variant: &cell.variant.name, fresh, elapsed: begun.elapsed() });
                made.push(Some(artifacts));
                trainings.push(training);
            }
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                let failure = build_failure(cell, &error);
                listener.event(&Event::Failed(&failure));
                failures.push(failure);
                made.push(None);
                trainings.push(None);
            }
        }
    }
    let of = |workload: &Workload| {
        let artifact =
            |made: &Option<Vec<Artifact>>| made.as_ref()?.iter().find(|a| a.workload == workload.name).cloned();
        made.iter().map(artifact).collect()
    };
    let workloads =
        workloads.into_iter().map(|workload| (of(&workload), workload)).map(|(made, w)| (w, made)).collect();
    Ok(Stage { cells, workloads, folders, failures, trainings, _base: base.map(|(worktree, _)| worktree) })
}

fn order(workload: &Workload) -> Option<Order> {
    match &workload.source {
        WorkloadSource::Package { package, bin, features } => Some(Order {
            workload: workload.name.clone(),
            package: package.clone(),
            program: bin.clone(),
            features: features.clone(),
        }),
        WorkloadSource::Command { .. } => None,
    }
}

fn build_cell(
    demand: &Demand<'_>,
    cell: &Cell,
    root: &Path,
    orders: &[Order],
    starter: &mut dyn Starter,
    listener: &mut dyn Listener,
) -> Result<(Vec<Artifact>, bool, Option<Training>)> {
    if orders.is_empty() {
        return Ok((Vec::new(), true, None));
    }
    let own = demand.workspace.own();
    let slot = if cell.source == Source::WorkingTree { "working-tree" } else { "base" };
    let builder = Builder::new(root, &own, slot)?;
    if cell.variant.pgo {
        let school = School { root, folder: own.join("pgo"), plan: demand.training, timeout: demand.timeout };
        let (made, fresh, training) = school.build(&builder, &cell.variant, orders, starter, listener)?;
        return Ok((made, fresh, Some(training)));
    }
    let mut told = |line: &str| listener.event(&Event::BuildLine(line));
    let (made, fresh) = builder.build(&cell.variant, &Profiling::None, orders, &mut told)?;
    Ok((made, fresh, None))
}

fn build_failure(cell: &Cell, error: &anyhow::Error) -> Failure {
    Failure {
        what: format!("build of variant {} of {}", cell.variant.name, cell.source),
        why: format!("{error:#}"),
        command: None,
        case: None,
        arm: None,
    }
}

/// The base revision's files, and the folder among them that holds the workspace.
fn checkout(workspace: &Workspace, commit: &str) -> Result<(Worktree, PathBuf)> {
    let repository = Repository::around(&workspace.root)?;
    let worktree = repository.worktree(repository.commit(commit)?, &workspace.own().join("worktrees").join("base"))?;
    let inside = workspace.root.strip_prefix(repository.root()?).unwrap_or(Path::new(""));
    let folder = worktree.path().join(inside);
    Ok((worktree, folder))
}

/// All programs, and where those of each workload and cell are.
#[derive(Default)]
pub(super) struct Programs {
    pub(super) list: Vec<Program>,
    pub(super) placed: Placed,
}

/// Which program is whose.
#[derive(Default)]
pub(super) struct Placed {
    /// Per workload and cell the index of its program; `None` where it could not be built.
    pub(super) places: Vec<Vec<Option<usize>>>,
    /// Per program why no layouts can be drawn of it.
    pub(super) reasons: Vec<Option<String>>,
}

impl Stage {
    /// The programs of all cells, each once however many cells it serves. With `twins`, each twice: the second draws link
    /// orders of its own.
    pub(super) fn programs(&self, layouts: Option<&Path>, twins: bool) -> Programs {
        let mut programs = Programs::default();
        for (_, made) in &self.workloads {
            let places =
                made.iter().map(|artifact| artifact.as_ref().map(|a| programs.place(a, layouts, twins))).collect();
            programs.placed.places.push(places);
        }
        programs
    }
}

impl Programs {
    fn place(&mut self, artifact: &Artifact, layouts: Option<&Path>, twins: bool) -> usize {
        if let Some(known) = self.list.iter().position(|program| program.file == artifact.program) {
            return known;
        }
        let place = self.list.len();
        for stream in 0..=u64::from(twins) {
            let drawn = drawn(artifact, layouts, self.list.len());
            self.placed.reasons.push(drawn.as_ref().err().map(reason));
            self.list.push(Program { file: artifact.program.clone(), layouts: drawn.ok(), stream });
        }
        place
    }
}

/// An error in one line: a linker's whole command line would drown the row.
fn reason(error: &anyhow::Error) -> String {
    const MOST: usize = 160;
    let text = format!("{error:#}");
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.chars().take(MOST).collect()
}

/// The layouts of an artifact.
fn drawn(artifact: &Artifact, folder: Option<&Path>, at: usize) -> Result<Layouts> {
    let folder = folder.context("`shuffle-layouts = false` in the plan")?;
    let link = artifact.link.clone().context("its link was not recorded")?;
    Layouts::try_new(link, folder.join(at.to_string()))
}
