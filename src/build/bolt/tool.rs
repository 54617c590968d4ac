//! Finding an `llvm-bolt` that can do its work here.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::pgo::version_told;
use crate::process::{self, Spec};

/// The tool's name.
const NAME: &str = "llvm-bolt";
/// What a program that counts is linked with.
const RUNTIME: &str = "libbolt_rt_instr.a";

/// An `llvm-bolt` with the library that its instrumented programs need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bolt {
    /// The program, without symbolic links on the way: it looks for its libraries beside the path that it was started by.
    pub program: PathBuf,
    /// Its version, which is LLVM's: `19.1.7`. It need not be the toolchain's, for BOLT reads machine code.
    pub version: String,
    /// The better way to put functions in order, where this version has it.
    pub(super) cache_directed: bool,
    /// Whether a counting program can be told where it lies.
    pub(super) binpath: bool,
}

/// Where the tool is looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// The folders of programs, as in `PATH`.
    pub path: OsString,
    /// The folder that distributions install LLVM below, as `llvm-19/bin`.
    pub packages: PathBuf,
}

impl Search {
    /// Looks where the tool's own environment says.
    #[must_use]
    pub fn here() -> Self {
        Self { path: env::var_os("PATH").unwrap_or_default(), packages: "/usr/lib".into() }
    }

    /// The first that can be used of: `llvm-bolt` in `PATH`, `llvm-bolt-NN` there, the distribution's packages; of several
    /// versions the newest.
    ///
    /// # Errors
    /// Where there is none, or what there is lacks its runtime library: says which were refused, and the command that installs
    /// one.
    pub fn find(&self) -> Result<Bolt> {
        let mut refused = String::new();
        for program in self.places() {
            match probed(&program) {
                Ok(bolt) => return Ok(bolt),
                // Writing into a String does not fail.
                Err(why) => drop(write!(refused, "\n{} can't be used: {why:#}", program.display())),
            }
        }
        bail!("no {NAME} can be used{refused}\n{}", self.remedy())
    }

    /// Where a tool lies, the best place first, each once.
    fn places(&self) -> Vec<PathBuf> {
        let folders: Vec<PathBuf> = env::split_paths(&self.path).collect();
        let plain = folders.iter().map(|folder| folder.join(NAME));
        let versions = newest_first(folders.iter().flat_map(|folder| numbered(folder, "llvm-bolt-")));
        let packages = newest_first(numbered(&self.packages, "llvm-")).map(|folder| folder.join("bin").join(NAME));
        let mut places: Vec<PathBuf> = Vec::new();
        for place in plain.chain(versions).chain(packages).filter(|place| place.is_file()) {
            let place = fs::canonicalize(&place).unwrap_or(place);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// What can be done where there is none.
    fn remedy(&self) -> String {
        let program = |name: &str| env::split_paths(&self.path).map(|folder| folder.join(name)).find(|p| p.is_file());
        if program("apt-get").is_none() {
            return format!("install LLVM's BOLT, and see to it that {NAME} is found in PATH");
        }
        match program("apt-cache").and_then(|apt| newest_package(&apt)) {
            Some(package) => format!("install it:\n  apt-get install {package}"),
            None => {
                "install it:\n  apt-get install bolt-19   # or another version, with https://apt.llvm.org".to_owned()
            }
        }
    }
}

/// The entries of a folder that are called `prefix` and a number, with the number.
fn numbered(folder: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok();
    let paths = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter_map(|path| Some((number(&path)?, path))).collect()
}

fn newest_first(found: impl IntoIterator<Item = (u32, PathBuf)>) -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = found.into_iter().collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, path)| path)
}

/// The newest of the packages that Debian's `apt-cache search` knows.
fn newest_package(apt_cache: &Path) -> Option<String> {
    let search = Spec::new(apt_cache).args(["search", "--names-only", "^bolt-[0-9]+$"]);
    let output = process::run(&search).ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let packages = text.lines().filter_map(|line| line.split_whitespace().next());
    let number = |package: &str| package.strip_prefix("bolt-")?.parse::<u32>().ok();
    packages.filter(|package| number(package).is_some()).max_by_key(|package| number(package)).map(str::to_owned)
}

/// The tool, if it says its version and has its library.
fn probed(program: &Path) -> Result<Bolt> {
    let version = ask(program, "--version")?;
    let version = version_told(&version).with_context(|| format!("it tells no version: {version:?}"))?;
    let installation = program.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    if !["lib", "lib64"].iter().any(|folder| installation.join(folder).join(RUNTIME).is_file()) {
        bail!("its runtime library {} is missing", installation.join("lib").join(RUNTIME).display());
    }
    let help = ask(program, "--help")?;
    let (cache_directed, binpath) = (help.contains("=cdsort"), help.contains("-instrumentation-binpath"));
    Ok(Bolt { program: program.to_owned(), version, cache_directed, binpath })
}

fn ask(program: &Path, question: &str) -> Result<String> {
    let output = process::run(&Spec::new(program).arg(question))?.check("asking for version and options")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
