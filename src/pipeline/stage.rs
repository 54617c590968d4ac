//! Setting the stage: build every cell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::preview::State;
use super::request::Usage;
use super::yard::Yard;
use crate::build::{self, Artifact, Cost, InUse, Layouts, Made, Order, Tree, Workspace};
use crate::git::{Repository, Worktree};
use crate::matrix::{self, Cell, Source};
use crate::measure::{Program, Starter};
use crate::plan::{Plan, TrainingPlan, Variant, Workload, WorkloadSource};
use crate::progress::{Event, Listener};
use crate::samples::Failure;

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
    /// How many may compute at once.
    pub(super) jobs: usize,
    /// How much of what was built may lie on disk, bytes; `None` where nothing is to be thrown away.
    pub(super) disk_limit: Option<u64>,
}

/// Everything built that could be built.
pub(super) struct Stage {
    pub(super) cells: Vec<Cell>,
    /// The workloads, each with one artifact per cell; `None` where it could not be built. Commands have no artifacts.
    pub(super) workloads: Vec<(Workload, Vec<Option<Artifact>>)>,
    /// Per cell the folder of its source tree.
    pub(super) folders: Vec<PathBuf>,
    pub(super) failures: Vec<Failure>,
    /// Per cell what was made; `None` where it could not be built.
    pub(super) made: Vec<Option<Made>>,
    /// While it is held, no other process changes the base revision's files.
    _base: Option<Worktree>,
    /// While it is held, nobody throws away what is built.
    _in_use: InUse,
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

/// Builds all cells that no cache holds. A cell that fails is a failure of the run, and the others go on.
pub(super) fn build(
    demand: &Demand<'_>,
    workloads: &[Workload],
    starter: &mut dyn Starter,
    listener: &mut dyn Listener,
) -> Result<Stage> {
    let ground = Ground::of(demand, workloads)?;
    let (mut failures, mut made) = (Vec::new(), Vec::new());
    for result in ground.build(demand, starter, listener)? {
        made.push(result.map_err(|failure| failures.push(*failure)).ok());
    }
    let of = |workload: &Workload| {
        let artifact =
            |made: &Option<Made>| made.as_ref()?.artifacts.iter().find(|a| a.workload == workload.name).cloned();
        made.iter().map(artifact).collect()
    };
    let workloads = workloads.iter().map(|workload| (workload.clone(), of(workload))).collect();
    let Ground { cells, folders, base, in_use, .. } = ground;
    Ok(Stage { cells, workloads, folders, failures, made, _base: base, _in_use: in_use })
}

/// The source trees, and the cells that are built of them.
pub(super) struct Ground {
    pub(super) cells: Vec<Cell>,
    /// Per cell the folder of its source tree.
    folders: Vec<PathBuf>,
    /// Per distinct folder what is built of it; nothing where all workloads are commands.
    trees: BTreeMap<PathBuf, Tree>,
    /// While it is held, no other process changes the base revision's files.
    base: Option<Worktree>,
    /// While it is held, nobody throws away what is built.
    in_use: InUse,
}

impl Ground {
    pub(super) fn of(demand: &Demand<'_>, workloads: &[Workload]) -> Result<Self> {
        let in_use = InUse::hold(&demand.workspace.own(), demand.disk_limit)?;
        let cells = matrix::cells(demand.variants, demand.base);
        let orders: Vec<Order> = workloads.iter().filter_map(order).collect();
        let base = demand.base.map(|commit| checkout(demand.workspace, commit)).transpose()?;
        let (base, base_folder) = base.unzip();
        let folder = |cell: &Cell| match &cell.source {
            Source::WorkingTree => demand.workspace.root.clone(),
            Source::Commit(_) => base_folder.clone().unwrap_or_default(),
        };
        let folders: Vec<PathBuf> = cells.iter().map(folder).collect();
        let mut trees = BTreeMap::new();
        for (cell, folder) in cells.iter().zip(&folders).filter(|_| !orders.is_empty()) {
            if !trees.contains_key(folder) {
                let slot = if cell.source == Source::WorkingTree { "working-tree" } else { "base" };
                trees.insert(folder.clone(), Tree::new(folder, &demand.workspace.own(), slot, orders.clone())?);
            }
        }
        Ok(Self { cells, folders, trees, base, in_use })
    }

    /// Builds every cell that no cache holds; says of each what was made, or the failure that it is.
    pub(super) fn build(
        &self,
        demand: &Demand<'_>,
        starter: &mut dyn Starter,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Result<Made, Box<Failure>>>> {
        let Some(yard) = self.yard(demand) else {
            return Ok(self.cells.iter().map(|_| Ok(Made::nothing())).collect());
        };
        let made = yard.build(starter, listener)?.into_iter().zip(&self.cells);
        let made: Vec<_> = made.map(|(made, cell)| made.map_err(|error| Box::new(failure(cell, &error)))).collect();
        made.iter().filter_map(|made| made.as_ref().err()).for_each(|failure| listener.event(&Event::Failed(failure)));
        Ok(made)
    }

    /// How far every cell is.
    pub(super) fn states(&self, demand: &Demand<'_>) -> Vec<State> {
        match self.yard(demand) {
            Some(yard) => yard.states(),
            None => self.cells.iter().map(|_| State::Ready(Cost::default())).collect(),
        }
    }

    /// Where the cells are built; `None` where all workloads are commands.
    fn yard<'a>(&'a self, demand: &Demand<'a>) -> Option<Yard<'a>> {
        let trees = self.folders.iter().map(|folder| self.trees.get(folder)).collect::<Option<_>>()?;
        Some(Yard::new(&self.cells, trees, demand))
    }
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

fn failure(cell: &Cell, error: &anyhow::Error) -> Failure {
    let why = format!("{error:#}");
    let full = why.contains("No space left on device");
    let hint = if full { "the disk is full: `cargo perfplan clean` throws away what was built before\n" } else { "" };
    Failure {
        what: format!("build of variant {} of {}", cell.variant.name, cell.source),
        why: format!("{hint}{why}"),
        command: None,
        case: None,
        arm: None,
        part: None,
    }
}

/// The base revision's files, and the folder among them that holds the workspace.
fn checkout(workspace: &Workspace, commit: &str) -> Result<(Worktree, PathBuf)> {
    let repository = Repository::around(&workspace.root)?;
    let worktree =
        repository.worktree(repository.commit(commit)?, &build::worktrees(&workspace.own())?.join("base"))?;
    let inside = workspace.root.strip_prefix(repository.root()?).unwrap_or(Path::new(""));
    let folder = worktree.path().join(inside);
    let lock = "Cargo.lock";
    if !folder.join(lock).exists() && workspace.root.join(lock).exists() {
        // Not kept in git: without it the base would be built with the newest dependencies of the day.
        fs::copy(workspace.root.join(lock), folder.join(lock)).context("copying Cargo.lock to the base revision")?;
    }
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
    let link = artifact.link.clone().map_err(anyhow::Error::msg)?;
    Layouts::try_new(link, folder.join(at.to_string()))
}
