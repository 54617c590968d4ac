//! Artifacts: programs that stand ready to be measured, kept by content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cargo::{self, Site, Wanted};
use super::flags::flags;
use super::identity::makeup;
use super::profiling::Profiling;
use super::record::{Link, content_of};
use super::workspace::Workspace;
use crate::plan::Variant;
use crate::samples::{Metric, VariantName};

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
    /// Sizes of its parts.
    pub sizes: BTreeMap<Metric, f64>,
    /// The link that made it, where it was recorded.
    pub link: Option<Link>,
}

/// Builds programs of one source tree.
#[derive(Clone, Debug)]
pub struct Builder {
    site: Site,
    workspace: Workspace,
    artifacts: PathBuf,
}

impl Builder {
    /// Builds the workspace in `root`; what it makes is kept below `own`. `slot` keeps source trees apart that share `own`:
    /// dependencies are compiled once per slot.
    ///
    /// # Errors
    /// Where cargo or rustc can't be asked, or the folder can't be written.
    pub fn new(root: &Path, own: &Path, slot: &str) -> Result<Self> {
        let workspace = Workspace::of(root)?;
        let site = Site {
            root: workspace.root.clone(),
            target: own.join("build").join(slot),
            records: own.join("links"),
            wrapper: cargo::install_wrapper(&own.join("tools"))?,
            host: cargo::host(root)?,
        };
        Ok(Self { site, workspace, artifacts: own.join("artifacts") })
    }

    /// Builds all `orders` as `variant` and `profiling` say, in one call of cargo. The flag says whether cargo had nothing to do.
    ///
    /// # Errors
    /// Where a package or feature is missing, or the build fails: with cargo's own words and the command.
    pub fn build(
        &self,
        variant: &Variant,
        profiling: &Profiling,
        orders: &[Order],
        progress: &mut dyn FnMut(&str),
    ) -> Result<(Vec<Artifact>, bool)> {
        let wanted = orders.iter().map(|order| self.wanted(order)).collect::<Result<Vec<_>>>()?;
        let mut flags = flags(variant);
        flags.rustflags.extend(profiling.rustflags());
        let spec = cargo::command(&self.site, &flags, &wanted)?;
        let built = cargo::build(&spec, &format!("build of variant {}", variant.name), progress)?;
        let artifacts = orders.iter().zip(&wanted).map(|(order, (_, program, _))| {
            let made = built.programs.iter().find(|(name, _)| name == program);
            let (_, path) = made.with_context(|| format!("cargo made no program {program:?}"))?;
            self.keep(order, variant, path)
        });
        Ok((artifacts.collect::<Result<_>>()?, built.fresh))
    }

    fn wanted<'a>(&'a self, order: &'a Order) -> Result<Wanted<'a>> {
        let package = self.workspace.package(&order.package).with_context(|| {
            let known: Vec<&str> = self.workspace.packages.iter().map(|package| package.name.as_str()).collect();
            format!(
                "{} has no package {:?} with a program that links perfplan-harness; it has: {}",
                self.site.root.display(),
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

    /// Copies a program to where no later build touches it.
    fn keep(&self, order: &Order, variant: &Variant, built: &Path) -> Result<Artifact> {
        let content = content_of(built)?;
        let folder = self.artifacts.join(&content);
        let program = folder.join(&order.workload);
        if !program.exists() {
            fs::create_dir_all(&folder)?;
            let temporary = folder.join(format!(".{}.{}", order.workload, std::process::id()));
            fs::copy(built, &temporary).with_context(|| format!("copying {}", built.display()))?;
            fs::rename(&temporary, &program)?;
        }
        let makeup = makeup(&program)?;
        Ok(Artifact {
            workload: order.workload.clone(),
            variant: variant.name.clone(),
            program,
            code: makeup.code,
            sizes: makeup.sizes,
            link: Link::of(&self.site.records, &content)?,
        })
    }
}
