//! What cargo knows of the workspace: its root, its target folder, and the packages that can be measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package};

/// The crate that a package depends on when it can be measured in lockstep.
const HARNESS: &str = "perfplan-harness";

/// A workspace as cargo sees it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// The packages with a program that links the harness.
    pub packages: Vec<Measurable>,
}

/// A package that can be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurable {
    /// Its name.
    pub name: String,
    /// What cargo knows it by, wherever another package has its name.
    pub id: String,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Its programs; the default one first.
    pub programs: Vec<String>,
    /// The features that it declares.
    pub features: Vec<String>,
}

impl Workspace {
    /// Asks cargo for the workspace that holds `folder`.
    ///
    /// # Errors
    /// Where there is none, or cargo can't tell: the message is cargo's.
    pub fn of(folder: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(folder)
            .no_deps()
            .exec()
            .with_context(|| format!("cargo can't read the workspace at {}", folder.display()))?;
        let packages = metadata.workspace_packages().into_iter().filter_map(measurable).collect();
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            target: metadata.target_directory.into_std_path_buf(),
            packages,
        })
    }

    /// The tool's own folder below cargo's target folder.
    #[must_use]
    pub fn own(&self) -> PathBuf {
        self.target.join("perfplan")
    }

    /// The package of this name, if it can be measured.
    #[must_use]
    pub fn package(&self, name: &str) -> Option<&Measurable> {
        self.packages.iter().find(|package| package.name == name)
    }
}

fn measurable(package: &Package) -> Option<Measurable> {
    let mut programs: Vec<String> =
        package.targets.iter().filter(|target| target.is_bin()).map(|target| target.name.clone()).collect();
    programs.sort_by_key(|name| Some(name) != package.default_run.as_ref());
    let linked = package.dependencies.iter().any(|dependency| {
        dependency.name == HARNESS && dependency.kind == cargo_metadata::DependencyKind::Normal && speaks(dependency)
    });
    (linked && !programs.is_empty()).then(|| Measurable {
        name: package.name.to_string(),
        id: package.id.repr.clone(),
        manifest: package.manifest_path.clone().into_std_path_buf(),
        programs,
        features: package.features.keys().cloned().collect(),
    })
}

/// Without the worker the harness is only the protocol: what the tool itself links.
fn speaks(dependency: &cargo_metadata::Dependency) -> bool {
    dependency.uses_default_features || dependency.features.iter().any(|feature| feature == "worker")
}
