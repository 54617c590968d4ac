//! Building one variant of a source tree: one or several calls of cargo, and what they made and cost.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::artifact::{Artifact, Made, Tree};
use super::cache::{Beside, Cost, Key, values};
use super::cargo;
use super::flags::flags;
use super::profiling::Profiling;
use super::sources::{inputs_of, variables_of};
use crate::plan::Variant;
use crate::process::{Jobs, Spec};
use crate::samples::Training;

/// Builds one variant of a tree.
#[derive(Debug)]
pub struct Builder<'a> {
    tree: &'a Tree,
    jobs: &'a Jobs,
    spent: Cell<Cost>,
    /// What compilers said they read.
    read: RefCell<BTreeSet<PathBuf>>,
    /// The environment variables that they and build scripts said they read.
    variables: RefCell<BTreeSet<String>>,
}

impl<'a> Builder<'a> {
    /// A builder of this tree that takes its turns at the CPUs.
    #[must_use]
    pub fn new(tree: &'a Tree, jobs: &'a Jobs) -> Self {
        Self { tree, jobs, spent: Cell::default(), read: RefCell::default(), variables: RefCell::default() }
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
        let what = format!("build of variant {}", variant.name);
        let mut built = self.call(&spec, &what, progress)?;
        if self.tree.unlink_unrecorded(&built)? {
            // Cargo found a program whose link nobody has recorded, or whose record was thrown away: linked again, it is.
            built = self.call(&spec, &what, progress)?;
        }
        let artifacts = self.tree.orders().iter().zip(&wanted).map(|(order, (_, program, _))| {
            let made = built.programs.iter().find(|(name, _)| name == program);
            let (_, path) = made.with_context(|| format!("cargo made no program {program:?}"))?;
            self.read.borrow_mut().extend(inputs_of(path));
            self.variables.borrow_mut().extend(variables_of(path));
            self.tree.adopt(&order.workload, &variant.name, path)
        });
        artifacts.collect()
    }

    fn call(&self, spec: &Spec, what: &str, progress: &mut dyn FnMut(&str)) -> Result<cargo::Built> {
        let turn = self.jobs.take()?;
        let built = cargo::build(spec, what, progress)?;
        drop(turn);
        self.spent.set(self.spent.get().and(built.cost));
        Ok(built)
    }

    /// Puts what was built into the cache. A build during which the sources changed is refused: nobody knows what it is made of.
    ///
    /// # Errors
    /// Where a file of the sources changed meanwhile, or the cache can't be written.
    pub fn finish(self, key: &Key, artifacts: Vec<Artifact>, training: Option<Training>) -> Result<Made> {
        if let Some(name) = self.tree.sources.changed(&self.read.borrow()).first() {
            bail!(
                "{} changed while this was built, so it may not be made of the same sources as the other variants: run again",
                name.display()
            );
        }
        let others = self.tree.sources.others(&self.read.borrow(), &self.tree.site.targets)?;
        let beside = Beside { others, variables: values(self.variables.take()) };
        let cost = self.spent.get();
        self.tree.remember(key, &artifacts, beside, training.as_ref(), cost)?;
        Ok(Made { artifacts, training, cost, cached: false })
    }
}
