//! The manifests and configurations of a workspace: what a recommendation is written into.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::asked::Asked;
use crate::advise::patch::{Edit, File, Host, Manifests, Package};
use crate::build;
use crate::plan::WorkloadSource;

/// Reads all that a patch has to know.
pub(super) fn read(asked: &Asked<'_>) -> Result<Manifests> {
    let root = &asked.workspace.root;
    let (triple, cfg) = build::target(root)?;
    let (own, outer): (Vec<PathBuf>, Vec<PathBuf>) =
        build::configurations(root).into_iter().filter(|path| path.is_file()).partition(|path| path.starts_with(root));
    let measured: BTreeSet<&str> = asked.workloads.iter().filter_map(|workload| package(&workload.source)).collect();
    let packages = measured.into_iter().filter_map(|name| asked.workspace.package(name));
    Ok(Manifests {
        root: file(root, &root.join("Cargo.toml"))?,
        config: own.first().map(|path| file(root, path)).transpose()?,
        outer: outer.iter().map(|path| file(root, path)).collect::<Result<_>>()?,
        packages: packages
            .map(|package| Ok(Package { name: package.name.clone(), manifest: file(root, &package.manifest)? }))
            .collect::<Result<_>>()?,
        host: Host { triple, cfg },
    })
}

fn package(source: &WorkloadSource) -> Option<&str> {
    match source {
        WorkloadSource::Package { package, .. } => Some(package),
        WorkloadSource::Command { .. } => None,
    }
}

fn file(root: &Path, path: &Path) -> Result<File> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(File { path: path.strip_prefix(root).unwrap_or(path).display().to_string(), text })
}

/// Writes edits below `root`: all of them, or none where a file is no longer what its edit was made for.
///
/// # Errors
/// Where a file has changed meanwhile, or can't be written.
pub fn apply(root: &Path, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        let path = root.join(&edit.path);
        let now = fs::read_to_string(&path).ok();
        anyhow::ensure!(now == edit.old, "{} has changed meanwhile, and nothing is written: run again", path.display());
    }
    edits.iter().try_for_each(|edit| write(&root.join(&edit.path), &edit.new))
}

fn write(path: &Path, text: &str) -> Result<()> {
    // A link stays one: what it leads to is written.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = path.with_extension("perfplan-new");
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&temporary, text)?;
        if let Ok(data) = path.metadata() {
            fs::set_permissions(&temporary, data.permissions())?;
        }
        // Whoever reads the file sees the old text or the new one, never a part.
        fs::rename(&temporary, &path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}
