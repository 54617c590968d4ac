//! Artifacts: programs that stand ready to be measured, kept by content, and built only where no cache holds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::bolt;
use super::cache::{Beside, Cache, Cost, Entry, Kept, Key, temporary, values};
use super::cargo::{self, Site, Wanted};
use super::flags::flags;
use super::identity::makeup;
use super::recipe::Recipe;
use super::record::{Link, content_of};
use super::sources::Sources;
use super::workspace::Workspace;
use crate::plan::Variant;
use crate::samples::{Metric, Training, VariantName};

/// A program to build: which package, which of its programs, with which features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The workload's name.
    pub workload: String,
    /// The package.
    pub package: String,
    /// The program; the package's default one where it is `None`.
    pub program: Option<String>,
    /// Features of the workload's own.
    pub features: Vec<String>,
}

/// A program that stands ready.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The workload that it is a build of.
    pub workload: String,
    /// How it was built.
    pub variant: VariantName,
    /// The program's file, which no later build touches.
    pub program: PathBuf,
    /// Identity of the machine code.
    pub code: String,
    /// Sizes of its parts, bytes.
    pub sizes: BTreeMap<Metric, f64>,
    /// The link that made it, or why it can't be done again in other orders.
    pub link: Result<Link, String>,
    /// Whether it names the source tree that it was built in, and would look for files there.
    pub names_tree: bool,
}

/// What a build made, or the cache held.
#[derive(Clone, Debug)]
pub struct Made {
    /// One artifact per order.
    pub artifacts: Vec<Artifact>,
    /// What it was trained on, where it was.
    pub training: Option<Training>,
    /// What building it cost, whenever that was.
    pub cost: Cost,
    /// Whether it was in the cache.
    pub cached: bool,
}

impl Made {
    /// What is made where nothing is asked for.
    #[must_use]
    pub fn nothing() -> Self {
        Self { artifacts: Vec::new(), training: None, cost: Cost::default(), cached: true }
    }
}

/// A source tree with what is to be built of it, and the place of all that was built.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) site: Site,
    pub(super) own: PathBuf,
    pub(super) sources: Sources,
    pub(super) cache: Cache,
    workspace: Workspace,
    orders: Vec<Order>,
    toolchain: String,
}

impl Tree {
    /// The workspace in `root`, of which `orders` are built. What they make is kept below `own`; `slot` keeps source trees apart
    /// that share `own`: cargo tells files apart by their times, and would take one tree's objects for the other's.
    ///
    /// # Errors
    /// Where a package is missing, cargo or rustc can't be asked, or a folder can't be written.
    pub fn new(root: &Path, own: &Path, slot: &str, orders: Vec<Order>) -> Result<Self> {
        let workspace = Workspace::of(root)?;
        let (toolchain, host) = cargo::toolchain(root)?;
        let packages: Vec<&str> = orders.iter().map(|order| order.package.as_str()).collect();
        let site = Site {
            root: workspace.root.clone(),
            targets: own.join("build").join(slot),
            records: own.join("links"),
            wrapper: cargo::install_wrapper(&own.join("tools"))?,
            host,
        };
        let sources = Sources::of(&site.root, &packages, &site.host)?;
        let tree = Self { site, own: own.to_owned(), sources, cache: Cache::at(own), workspace, orders, toolchain };
        distinct(&tree.wanted()?)?;
        Ok(tree)
    }

    /// The folder of the workspace.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.site.root
    }

    /// What is built.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// The name of what building `variant` makes. `guided` is all that a profile depends on beside the sources, where the build
    /// is guided by one.
    ///
    /// # Errors
    /// Where a package lacks a feature that the variant needs.
    pub fn key(&self, variant: &Variant, guided: Option<&str>) -> Result<Key> {
        let flags = flags(variant);
        let wanted = self.wanted()?;
        let features = cargo::features(&flags, &wanted)?;
        Recipe {
            toolchain: &self.toolchain,
            linkers: self.site.linkers(variant.linker.as_deref()),
            sources: &self.sources,
            programs: self
                .orders
                .iter()
                .zip(&wanted)
                .map(|(order, (_, program, _))| (&*order.workload, &*order.package, *program))
                .collect(),
            flags: &flags,
            features,
            bolt: variant.bolt,
            guided,
        }
        .key()
    }

    /// The folder that cargo builds this variant in. Variants that share it share their dependencies, and are built one after
    /// another.
    ///
    /// # Errors
    /// Never in practice: flags are text.
    pub fn target(&self, variant: &Variant) -> Result<PathBuf> {
        self.site.target(&flags(variant))
    }

    /// What the cache holds under this key, as the variant's.
    ///
    /// # Errors
    /// Where a recorded link is damaged.
    pub fn find(&self, key: &Key, variant: &Variant) -> Result<Option<Made>> {
        let Some(entry) = self.cache.find(key) else { return Ok(None) };
        let here = entry.bound_to.as_ref().is_none_or(|root| *root == self.site.root);
        let whole = entry.programs.iter().all(|kept| self.place(&kept.content, &kept.workload).is_file());
        let same = values(entry.variables.keys().cloned()) == entry.variables;
        if !here || !whole || !same || !self.sources.hold(&entry.others) {
            return Ok(None);
        }
        let bound = entry.bound_to.is_some();
        let artifacts = entry.programs.into_iter().map(|kept| self.artifact(kept, &variant.name, bound));
        Ok(Some(Made {
            artifacts: artifacts.collect::<Result<_>>()?,
            training: entry.training,
            cost: entry.cost,
            cached: true,
        }))
    }

    /// What building a variant of this name has cost the last time, of whatever sources; a build of all its crates rather than
    /// one that found some of them compiled.
    ///
    /// # Errors
    /// Where the cache can't be read.
    pub fn last_cost(&self, variant: &VariantName) -> Result<Option<Cost>> {
        let entries = self.cache.entries()?;
        let costs =
            || entries.iter().rev().filter(|(_, _, entry)| entry.variant == *variant).map(|(_, _, entry)| entry.cost);
        Ok(costs().find(Cost::is_whole).or_else(|| costs().next()))
    }

    pub(super) fn wanted(&self) -> Result<Vec<Wanted<'_>>> {
        self.orders.iter().map(|order| wanted(&self.workspace, order)).collect()
    }

    fn place(&self, content: &str, workload: &str) -> PathBuf {
        self.own.join("artifacts").join(content).join(workload)
    }

    /// Copies a program to where no later build touches it.
    ///
    /// # Errors
    /// Where it can't be read or copied, or is no program.
    pub fn adopt(&self, workload: &str, variant: &VariantName, built: &Path) -> Result<Artifact> {
        let content = content_of(built)?;
        let program = self.place(&content, workload);
        if !program.exists() {
            let folder = self.own.join("artifacts").join(&content);
            fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
            let temporary = folder.join(temporary(workload));
            fs::copy(built, &temporary).with_context(|| format!("copying {}", built.display()))?;
            fs::rename(&temporary, &program)?;
        }
        let makeup = makeup(&program, &self.site.root)?;
        let kept =
            Kept { workload: workload.to_owned(), content, code: makeup.code, sizes: makeup.sizes, no_layout: None };
        self.artifact(kept, variant, makeup.names_tree)
    }

    fn artifact(&self, kept: Kept, variant: &VariantName, names_tree: bool) -> Result<Artifact> {
        let program = self.place(&kept.content, &kept.workload);
        let link = match kept.no_layout {
            Some(why) => Err(why),
            None => Link::of(&self.site.records, &kept.content)?.ok_or("its link was not recorded".to_owned()),
        };
        let Kept { workload, code, sizes, .. } = kept;
        Ok(Artifact { workload, variant: variant.clone(), program, code, sizes, link, names_tree })
    }

    /// Removes the programs that were found built and have no record of their link from cargo's target folder. Whether there were
    /// any.
    pub(super) fn unlink_unrecorded(&self, built: &cargo::Built) -> Result<bool> {
        let mut any = false;
        for (_, program) in built.found.then_some(&built.programs).into_iter().flatten() {
            if Link::of(&self.site.records, &content_of(program)?)?.is_none() {
                cargo::forget(program)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Keeps what was built under its key.
    pub(super) fn remember(
        &self,
        key: &Key,
        artifacts: &[Artifact],
        beside: Beside,
        training: Option<&Training>,
        cost: Cost,
    ) -> Result<()> {
        let variant = artifacts.first().context("nothing was built")?.variant.clone();
        let Beside { others, variables } = beside;
        let bound = artifacts.iter().any(|artifact| artifact.names_tree);
        let programs = artifacts.iter().map(kept).collect::<Result<_>>()?;
        let bound_to = bound.then(|| self.site.root.clone());
        self.cache
            .keep(key, &Entry { variant, programs, others, variables, bound_to, training: training.cloned(), cost })
    }
}

fn kept(artifact: &Artifact) -> Result<Kept> {
    let folder = artifact.program.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    Ok(Kept {
        workload: artifact.workload.clone(),
        content: folder.context("an artifact lies outside the folder of artifacts")?.to_owned(),
        code: artifact.code.clone(),
        sizes: artifact.sizes.clone(),
        // That no link is recorded may change; that BOLT has ordered the code does not.
        no_layout: artifact.link.as_ref().err().filter(|why| *why == bolt::NO_LAYOUT).cloned(),
    })
}

/// Cargo puts programs of one name into one file, and switches features on for a package as a whole.
fn distinct(wanted: &[Wanted<'_>]) -> Result<()> {
    for (at, (package, program, features)) in wanted.iter().enumerate() {
        for (other, name, others) in &wanted[..at] {
            if package.name != other.name && program == name {
                bail!(
                    "packages {} and {} both have a program {program:?}: measure them in two plans",
                    other.name,
                    package.name
                );
            }
            if package.name == other.name && features != others {
                bail!("two workloads build package {} with other features: measure them in two plans", package.name);
            }
        }
    }
    Ok(())
}

fn wanted<'a>(workspace: &'a Workspace, order: &'a Order) -> Result<Wanted<'a>> {
    let package = workspace.package(&order.package).with_context(|| {
        let known: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
        format!(
            "{} has no package {:?} with a program that links perfplan-harness; it has: {}",
            workspace.root.display(),
            order.package,
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        )
    })?;
    let program = match &order.program {
        None => &package.programs[0], // A measurable package has at least one.
        Some(name) => package.programs.iter().find(|program| *program == name).with_context(|| {
            format!("package {} has no program {name:?}; it has {}", package.name, package.programs.join(", "))
        })?,
    };
    Ok((package, program, &order.features))
}
