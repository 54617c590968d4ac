//! Building one variant of a source tree: one or several calls of cargo, and what they made and cost.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::artifact::{Artifact, Made, Tree};
use super::cache::{Cost, Key};
use super::cargo;
use super::flags::flags;
use super::profiling::Profiling;
use super::sources::inputs_of;
use crate::plan::Variant;
use crate::process::Jobs;
use crate::samples::Training;

/// Builds one variant of a tree.
#[derive(Debug)]
pub struct Builder<'a> {
    tree: &'a Tree,
    jobs: &'a Jobs,
    spent: Cell<Cost>,
    /// What compilers said they read.
    read: RefCell<BTreeSet<PathBuf>>,
}

impl<'a> Builder<'a> {
    /// A builder of this tree that takes its turns at the CPUs.
    #[must_use]
    pub fn new(tree: &'a Tree, jobs: &'a Jobs) -> Self {
        Self { tree, jobs, spent: Cell::default(), read: RefCell::default() }
    }

    /// The source tree.
    #[must_use]
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Builds all that the tree is for, as `variant` and `profiling` say, in one call of cargo.
    ///
    /// # Errors
    /// Where a feature is missing, or the build fails: with cargo's own words and the command.
    pub fn build(
        &self,
        variant: &Variant,
        profiling: &Profiling,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<Artifact>> {
        let wanted = self.tree.wanted()?;
        let mut flags = flags(variant);
        flags.rustflags.extend(profiling.rustflags());
        let spec = cargo::command(&self.tree.site, &flags, &wanted)?.sharing(self.jobs);
        let turn = self.jobs.take()?;
        let built = cargo::build(&spec, &format!("build of variant {}", variant.name), progress)?;
        drop(turn);
        self.spent.set(self.spent.get().and(built.cost));
        let artifacts = self.tree.orders().iter().zip(&wanted).map(|(order, (_, program, _))| {
            let made = built.programs.iter().find(|(name, _)| name == program);
            let (_, path) = made.with_context(|| format!("cargo made no program {program:?}"))?;
            self.read.borrow_mut().extend(inputs_of(path));
            self.tree.adopt(&order.workload, &variant.name, path)
        });
        artifacts.collect()
    }

    /// Puts what was built into the cache. A build during which the sources changed is refused: nobody knows what it is made of.
    ///
    /// # Errors
    /// Where a file of the sources changed meanwhile, or the cache can't be written.
    pub fn finish(self, key: &Key, artifacts: Vec<Artifact>, training: Option<Training>) -> Result<Made> {
        if let Some(name) = self.tree.sources.changed().first() {
            bail!(
                "{} changed while this was built, so it may not be made of the same sources as the other variants: run again",
                name.display()
            );
        }
        let read: Vec<PathBuf> = self.read.into_inner().into_iter().collect();
        let others: BTreeMap<_, _> = self.tree.sources.others(&read, &self.tree.own)?;
        let cost = self.spent.get();
        self.tree.remember(key, &artifacts, others, training.as_ref(), cost)?;
        Ok(Made { artifacts, training, cost, cached: false })
    }
}
