//! What a build is made from: the files of the packages that it compiles, the lock file and cargo's configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, PackageId};
use serde::Serialize;

use super::cache::digest;
use super::config::configurations;
use super::record::content_of;

/// Git's own (a file in a worktree), and the tool's. A program that reads the latter has it in its dep-info.
const NO_SOURCES: [&str; 2] = [".git", "perfplan.toml"];

/// The files of one source tree that its builds depend on, by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Sources {
    #[serde(skip)]
    root: PathBuf,
    /// Content addresses. Paths below the root are relative to it: two trees of equal content are equal.
    files: BTreeMap<PathBuf, String>,
    /// Cargo's configuration files in the order in which they apply, by content.
    configuration: Vec<String>,
}

impl Sources {
    /// The sources of `packages` in the workspace at `root`: their own files, and those of all packages by path that they need.
    /// Dependencies from registries are named by the lock file.
    ///
    /// # Errors
    /// Where cargo can't resolve the workspace, or a file can't be read.
    pub(super) fn of(root: &Path, packages: &[&str], host: &str) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .other_options(["--filter-platform".to_owned(), host.to_owned()])
            .exec()
            .with_context(|| format!("cargo can't resolve the workspace at {}", root.display()))?;
        let mut paths = BTreeSet::new();
        for folder in local_packages(&metadata, packages) {
            collect(&folder, metadata.target_directory.as_std_path(), &mut paths)?;
        }
        paths
            .extend(["Cargo.toml", "Cargo.lock"].map(|name| root.join(name)).into_iter().filter(|path| path.is_file()));
        let mut sources = Self { root: root.to_owned(), files: BTreeMap::new(), configuration: Vec::new() };
        for path in paths {
            sources.files.insert(sources.name(&path), content_of(&path)?);
        }
        for path in configurations(root).into_iter().filter(|path| path.is_file()) {
            let content = content_of(&path)?;
            // A worktree inside the user's tree finds the same configuration twice.
            if !sources.configuration.contains(&content) {
                sources.configuration.push(content);
            }
        }
        Ok(sources)
    }

    /// The files that a build depends on and that are not what they were: of all files, those that its compilers read, the
    /// manifests and the lock file. (A log that is being written beside them is nobody's source.)
    pub(super) fn changed(&self, read: &BTreeSet<PathBuf>) -> Vec<&Path> {
        let counts = |name: &Path| name.ends_with("Cargo.toml") || name.ends_with("Cargo.lock");
        let same = |(name, content): &(&PathBuf, &String)| {
            let path = self.root.join(name);
            !(counts(name) || read.contains(&path)) || content_of(&path).is_ok_and(|now| now == **content)
        };
        self.files.iter().filter(|file| !same(file)).map(|(name, _)| name.as_path()).collect()
    }

    /// Of the files that a compiler says it read, those that are not among these: `include_str!` reaches anywhere.
    ///
    /// What cargo itself makes in its target folders (`made`) follows from the rest.
    pub(super) fn others(&self, read: &BTreeSet<PathBuf>, made: &Path) -> Result<BTreeMap<PathBuf, String>> {
        let known =
            |path: &PathBuf| self.files.contains_key(&self.name(path)) || path.starts_with(made) || !path.exists();
        let others = read.iter().filter(|path| !known(path));
        others.map(|path| Ok((self.name(path), content_of_tree(path)?))).collect()
    }

    /// Whether these files, by their names, have this content.
    pub(super) fn hold(&self, files: &BTreeMap<PathBuf, String>) -> bool {
        files.iter().all(|(name, content)| content_of_tree(&self.root.join(name)).is_ok_and(|now| now == *content))
    }

    fn name(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

/// The content address of a file, or of all files below a folder: build scripts may name a whole folder as their input.
fn content_of_tree(path: &Path) -> Result<String> {
    if !path.is_dir() {
        return content_of(path);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    let each =
        entries.iter().filter(|path| !path.is_symlink()).map(|path| Ok((path.file_name(), content_of_tree(path)?)));
    digest(
        &each
            .map(|entry| entry.map(|(name, content)| (name.map(|n| n.to_string_lossy().into_owned()), content)))
            .collect::<Result<Vec<_>>>()?,
    )
}

/// The folders of the packages by path that these packages are made of, themselves included.
fn local_packages(metadata: &Metadata, names: &[&str]) -> Vec<PathBuf> {
    let nodes = metadata.resolve.as_ref().map(|resolve| &*resolve.nodes).unwrap_or_default();
    let members = metadata.workspace_packages().into_iter();
    let mut open: Vec<&PackageId> =
        members.filter(|package| names.contains(&package.name.as_str())).map(|package| &package.id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let node = nodes.iter().find(|node| node.id == *id);
            open.extend(node.into_iter().flat_map(|node| &node.dependencies));
        }
    }
    let local = metadata.packages.iter().filter(|package| package.source.is_none() && seen.contains(&package.id));
    local.filter_map(|package| Some(package.manifest_path.parent()?.as_std_path().to_owned())).collect()
}

/// The files below `folder`, without cargo's target folder, and packages that lie inside but are others.
fn collect(folder: &Path, target: &Path, paths: &mut BTreeSet<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if NO_SOURCES.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            let foreign = path == target || path.join("Cargo.toml").is_file();
            if !foreign {
                collect(&path, target, paths)?;
            }
        } else if path.is_file() {
            paths.insert(path);
        }
    }
    Ok(())
}

/// The files that cargo's dep-info beside a program names as its inputs (Make's syntax, blanks escaped).
pub(super) fn inputs_of(program: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let Some((_, list)) = text.lines().next().and_then(|line| line.split_once(": ")) else { return Vec::new() };
    let list = list.replace("\\ ", "\0");
    list.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace('\0', " ").into()).collect()
}

/// The environment variables that compilers and build scripts of a program say they read, those that cargo sets left out.
pub(super) fn variables_of(program: &Path) -> BTreeSet<String> {
    let folder = |name: &str| {
        fs::read_dir(program.with_file_name(name)).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let infos = folder("deps").filter(|path| path.extension().is_some_and(|extension| extension == "d"));
    let outputs = folder("build").map(|path| path.join("output"));
    let texts = infos.chain(outputs).filter_map(|path| fs::read_to_string(path).ok());
    let mut names = BTreeSet::new();
    for text in texts {
        names.extend(text.lines().filter_map(variable).map(str::to_owned));
    }
    names.retain(|name| !name.starts_with("CARGO") && name != "OUT_DIR");
    names
}

/// The variable of a line of rustc's dep-info (`# env-dep:NAME=VALUE`) or of what a build script printed.
fn variable(line: &str) -> Option<&str> {
    let dependency = line.strip_prefix("# env-dep:").map(|rest| rest.split('=').next().unwrap_or(rest));
    let told = || line.strip_prefix("cargo::").or(line.strip_prefix("cargo:"))?.strip_prefix("rerun-if-env-changed=");
    dependency.or_else(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace of an application, a library that it needs, and one that it does not.
    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"app\", \"needed\", \"other\"]\nresolver = \"3\"\n");
        for (name, needs) in [("app", "needed = { path = \"../needed\" }"), ("needed", ""), ("other", "")] {
            write(
                &format!("{name}/Cargo.toml"),
                &format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\n{needs}\n"),
            );
            write(&format!("{name}/src/lib.rs"), "");
        }
        folder
    }

    fn sources(folder: &Path) -> Sources {
        Sources::of(folder, &["app"], "x86_64-unknown-linux-gnu").unwrap()
    }

    #[test]
    fn what_an_application_needs_counts_and_its_neighbours_do_not() {
        let folder = workspace();
        let before = sources(folder.path());
        fs::write(folder.path().join("other/src/lib.rs"), "// changed").unwrap();
        assert_eq!(before, sources(folder.path()));
        let read = BTreeSet::from([folder.path().join("needed/src/lib.rs")]);
        assert!(before.changed(&read).is_empty());
        fs::write(folder.path().join("needed/src/lib.rs"), "// changed").unwrap();
        assert_ne!(before, sources(folder.path()));
        assert_eq!(before.changed(&read), [Path::new("needed/src/lib.rs")]);
        assert!(before.changed(&BTreeSet::new()).is_empty(), "nobody read it");
    }

    #[test]
    fn the_lock_file_and_cargos_configuration_count() {
        let folder = workspace();
        let before = sources(folder.path());
        fs::create_dir(folder.path().join(".cargo")).unwrap();
        fs::write(folder.path().join(".cargo/config.toml"), "[build]\nrustflags = []\n").unwrap();
        assert_ne!(before, sources(folder.path()));
        fs::write(folder.path().join("Cargo.lock"), "# another\n").unwrap();
        assert_eq!(before.changed(&BTreeSet::new()), [Path::new("Cargo.lock")]);
    }

    #[test]
    fn variables_that_compilers_and_build_scripts_read_are_found() {
        assert_eq!(variable("# env-dep:GIT_SHA=abc"), Some("GIT_SHA"));
        assert_eq!(variable("# env-dep:GIT_SHA"), Some("GIT_SHA"));
        assert_eq!(variable("cargo::rerun-if-env-changed=PROTOC"), Some("PROTOC"));
        assert_eq!(variable("cargo:rerun-if-env-changed=PROTOC"), Some("PROTOC"));
        assert_eq!(variable("cargo:rustc-link-lib=z"), None);
    }

    #[test]
    fn two_trees_of_equal_content_are_made_from_the_same() {
        let (one, two) = (workspace(), workspace());
        let told = |folder: &tempfile::TempDir| serde_json::to_string(&sources(folder.path())).unwrap();
        assert_eq!(told(&one), told(&two));
    }

    #[test]
    fn files_that_are_included_from_elsewhere_are_found_in_the_dep_info() {
        let folder = workspace();
        let sources = sources(folder.path());
        let outside = folder.path().join("other/data file.txt");
        fs::write(&outside, "1").unwrap();
        let program = folder.path().join("target/app");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let inside = folder.path().join("app/src/lib.rs");
        let line = format!(
            "{}: {} {}\n",
            program.display(),
            inside.display(),
            outside.display().to_string().replace(' ', "\\ ")
        );
        fs::write(program.with_extension("d"), line).unwrap();
        let read = inputs_of(&program).into_iter().collect();
        let others = sources.others(&read, &folder.path().join("target")).unwrap();
        assert_eq!(others.keys().collect::<Vec<_>>(), [Path::new("other/data file.txt")]);
        assert!(sources.hold(&others));
        fs::write(&outside, "2").unwrap();
        assert!(!sources.hold(&others));
    }
}
