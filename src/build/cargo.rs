//! Running cargo: one build of a variant makes all programs that are asked for.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use super::cache::{Cost, digest};
use super::config::user_config;
use super::flags::Flags;
use super::record::{LINKER, RECORDS, WRAPPER};
use super::workspace::Measurable;
use crate::process::{self, Spec};

/// Where builds happen.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The folder whose workspace is built: the working tree, or a revision's worktree.
    pub(super) root: PathBuf,
    /// The folder of its target folders.
    pub(super) targets: PathBuf,
    /// The folder that links are recorded in.
    pub(super) records: PathBuf,
    /// The symbolic link to the tool, under the name that makes it a linker.
    pub(super) wrapper: PathBuf,
    /// The host's target triple.
    pub(super) host: String,
}

impl Site {
    /// Cargo's target folder for these flags. Builds of other profiles or flags share nothing, and cargo lets only one build at a
    /// time into a folder: each kind has its own, so that they can be built side by side.
    pub(super) fn target(&self, flags: &Flags) -> Result<PathBuf> {
        let kind = (&flags.profile, &flags.config, &flags.rustflags);
        Ok(self.targets.join(digest(&kind)?.get(..12).unwrap_or_default()))
    }

    /// The programs that link, for the recipe of a build: path, bytes, and nanoseconds since 1970.
    pub(super) fn linkers(&self, asked: Option<&str>) -> Vec<(String, u64, u64)> {
        let driver = user_config(&self.root, &self.host).linker.unwrap_or_else(|| "cc".to_owned());
        let names = [Some(driver), asked.map(|name| format!("ld.{name}"))];
        names.into_iter().flatten().map(|name| stamp(&name)).collect()
    }
}

/// What tells one version of a program from another without running it; zeroes where it is not found.
fn stamp(name: &str) -> (String, u64, u64) {
    let found = process::find_program(name).and_then(|path| path.canonicalize().ok());
    let known = found.and_then(|path| {
        let data = path.metadata().ok()?;
        let time = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((path.display().to_string(), data.len(), time.as_nanos() as u64))
    });
    known.unwrap_or_else(|| (name.to_owned(), 0, 0))
}

/// A program to build: package, program, features of its own.
pub(super) type Wanted<'a> = (&'a Measurable, &'a str, &'a [String]);

/// The command that builds `wanted` as `flags` say.
pub(super) fn command(site: &Site, flags: &Flags, wanted: &[Wanted<'_>]) -> Result<Spec> {
    let user = user_config(&site.root, &site.host);
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut arguments: Vec<String> =
        ["build", "--message-format=json-render-diagnostics", "--profile", &flags.profile, "--target", &site.host]
            .map(str::to_owned)
            .to_vec();
    for (package, program, _) in wanted {
        arguments.extend(["-p", &package.id, "--bin", program].map(str::to_owned));
    }
    let features = features(flags, wanted)?;
    if !features.is_empty() {
        arguments.extend(["--features".to_owned(), features.join(",")]);
    }
    let linker = format!("target.{}.linker={:?}", site.host, site.wrapper);
    for setting in flags.config.iter().chain([&linker]) {
        arguments.extend(["--config".to_owned(), setting.clone()]);
    }
    // Flags in the environment take the place of all that the configuration has. Where it has some by `cfg`, cargo joins them.
    let rustflags: Vec<String> = if user.joined && !flags.rustflags.is_empty() {
        let list = serde_json::to_string(&flags.rustflags)?; // Strings in TOML are those of JSON.
        arguments.extend(["--config".to_owned(), format!("target.{}.rustflags={list}", site.host)]);
        Vec::new()
    } else if user.joined {
        Vec::new()
    } else {
        user.rustflags.into_iter().chain(flags.rustflags.clone()).collect()
    };
    let mut spec = Spec::new(cargo)
        .args(arguments)
        .current_dir(&site.root)
        .env("CARGO_TARGET_DIR", site.target(flags)?)
        // A build folder that the user's configuration shares among all would mix variants and source trees.
        .env("CARGO_BUILD_BUILD_DIR", site.target(flags)?)
        .env(RECORDS, &site.records)
        .env(LINKER, user.linker.as_deref().unwrap_or("cc"));
    if !rustflags.is_empty() {
        spec = spec.env("CARGO_ENCODED_RUSTFLAGS", rustflags.join("\x1f"));
    }
    Ok(spec)
}

/// `package/feature` for each, after a look whether the package has it.
pub(super) fn features(flags: &Flags, wanted: &[Wanted<'_>]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for (package, _, own) in wanted {
        for feature in flags.features.iter().chain(*own) {
            if !package.features.contains(feature) {
                bail!(
                    "package {} has no feature {feature:?}; for an allocator add to its Cargo.toml:\n  \
                     [features]\n  {feature} = [\"perfplan-harness/{feature}\"]",
                    package.name
                );
            }
            all.push(format!("{}/{feature}", package.name));
        }
    }
    Ok(all)
}

/// What cargo made.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// Package name and program, in cargo's order.
    pub(super) programs: Vec<(String, PathBuf)>,
    pub(super) cost: Cost,
    /// Whether a program had been built before.
    pub(super) found: bool,
}

/// Removes a program that cargo has built, so that it is linked again: what cargo shows is a hard link to what it keeps.
pub(super) fn forget(program: &Path) -> Result<()> {
    let this = program.metadata()?.ino();
    let kept = program.with_file_name("deps");
    for entry in std::fs::read_dir(&kept).with_context(|| format!("reading {}", kept.display()))?.flatten() {
        if entry.metadata().is_ok_and(|data| data.ino() == this) {
            std::fs::remove_file(entry.path())?;
        }
    }
    std::fs::remove_file(program).with_context(|| format!("removing {}", program.display()))
}

/// Runs the build; `progress` gets every line that cargo says.
pub(super) fn build(spec: &Spec, what: &str, progress: &mut dyn FnMut(&str)) -> Result<Built> {
    let output = process::run_with(spec, progress)?.check(what)?;
    let usage = output.usage;
    let mut built = Built::default();
    built.cost.elapsed = Duration::from_nanos(usage.elapsed_ns);
    built.cost.cpu = Duration::from_nanos(usage.user_ns + usage.system_ns);
    for message in Message::parse_stream(&*output.stdout) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo's messages")? {
            built.cost.crates += 1;
            built.cost.compiled += usize::from(!artifact.fresh);
            if let Some(program) = artifact.executable {
                built.found |= artifact.fresh;
                built.programs.push((artifact.target.name, program.into_std_path_buf()));
            }
        }
    }
    Ok(built)
}

/// Makes the symbolic link under whose name the tool is a linker.
pub(super) fn install_wrapper(folder: &Path) -> Result<PathBuf> {
    let wrapper = folder.join(WRAPPER);
    let tool = tool()?;
    if std::fs::read_link(&wrapper).is_ok_and(|target| target == tool) {
        return Ok(wrapper);
    }
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    // Made beside and renamed: a build that another run has under way never finds no linker.
    let fresh = folder.join(format!("{WRAPPER}.{}", std::process::id()));
    std::os::unix::fs::symlink(&tool, &fresh).with_context(|| format!("creating {}", fresh.display()))?;
    std::fs::rename(&fresh, &wrapper)?;
    Ok(wrapper)
}

/// This program. A test harness is not it; its tests say where it is.
fn tool() -> Result<PathBuf> {
    match std::env::var_os("PERFPLAN_TOOL") {
        Some(path) => Ok(path.into()),
        None => std::env::current_exe().context("finding the tool's own program"),
    }
}

/// The compiler that cargo calls.
pub(super) fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// The host's target triple, and what holds for it: the lines of `rustc --print cfg`.
///
/// # Errors
/// Where rustc can't be asked.
pub fn target(root: &Path) -> Result<(String, Vec<String>)> {
    let (_, host) = toolchain(root)?;
    let spec = Spec::new(rustc()).args(["--print", "cfg"]).current_dir(root);
    let output = process::run(&spec)?.check("asking rustc what holds for its target")?;
    Ok((host, String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()))
}

/// The host's target triple.
///
/// # Errors
/// Where rustc can't be asked.
pub fn host(root: &Path) -> Result<String> {
    toolchain(root).map(|(_, host)| host)
}

/// What `rustc -vV` says of the toolchain, and the host's target triple in it.
pub(super) fn toolchain(root: &Path) -> Result<(String, String)> {
    let output =
        process::run(&Spec::new(rustc()).args(["-vV"]).current_dir(root))?.check("asking rustc for its host")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.map(str::to_owned).with_context(|| format!("rustc -vV names no host: {text:?}"))?;
    Ok((text, host))
}
