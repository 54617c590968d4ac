//! Finding an `llvm-profdata` that reads what the toolchain's programs write.
//!
//! The format of raw profiles changes between major versions of LLVM, and rustc ignores a profile that it can't read
//! (rust-lang/rust#103229). So only a tool of the toolchain's own major version will do.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::cargo::rustc;
use crate::process::{self, Spec};

/// The tool's name.
const NAME: &str = "llvm-profdata";

/// An `llvm-profdata` that fits the toolchain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profdata {
    /// The program.
    pub program: PathBuf,
    /// Its version, which is LLVM's: `22.1.8`.
    pub version: String,
}

/// Where the toolchain and the tool are looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// The folder whose toolchain counts: rustup minds its `rust-toolchain.toml`.
    pub root: PathBuf,
    /// The compiler; a name without a slash is looked up in `path`.
    pub rustc: OsString,
    /// The folders of programs, as in `PATH`.
    pub path: OsString,
    /// The folder that distributions install LLVM below, as `llvm-22/bin`.
    pub packages: PathBuf,
}

impl Search {
    /// Looks where the tool's own environment says, for the workspace in `root`.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            rustc: rustc(),
            path: env::var_os("PATH").unwrap_or_default(),
            packages: "/usr/lib".into(),
        }
    }

    /// The first that fits of: the toolchain's own component, `llvm-profdata-22` in `PATH`, the distribution's package,
    /// `llvm-profdata` in `PATH`.
    ///
    /// # Errors
    /// Where rustc can't be asked, or no tool fits: says which were refused, and the commands that install one.
    pub fn find(&self) -> Result<Profdata> {
        let toolchain = self.toolchain()?;
        let remedy = Remedy {
            toolchain: self.program("rustup").and_then(|_| rustup_name(&toolchain.sysroot)),
            apt: self.program("apt-get").is_some(),
        };
        choose(&toolchain.llvm, self.places(&toolchain)?.into_iter().map(probed), &remedy)
    }

    fn toolchain(&self) -> Result<Toolchain> {
        let about = self.ask_rustc(&["-vV"])?;
        let sysroot = self.ask_rustc(&["--print", "sysroot"])?;
        let line = |key: &str| about.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        Ok(Toolchain {
            llvm: line("LLVM version: ").with_context(|| format!("rustc -vV names no LLVM version: {about:?}"))?,
            host: line("host: ").with_context(|| format!("rustc -vV names no host: {about:?}"))?,
            sysroot: sysroot.trim_end().into(),
        })
    }

    fn ask_rustc(&self, question: &[&str]) -> Result<String> {
        let spec = Spec::new(&self.rustc).args(question).current_dir(&self.root).env("PATH", &self.path);
        let output = process::run(&spec)?.check("asking rustc about its toolchain")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Where a tool lies that may fit, the best place first.
    fn places(&self, toolchain: &Toolchain) -> Result<Vec<PathBuf>> {
        let major = major(&toolchain.llvm)
            .with_context(|| format!("rustc -vV names LLVM version {:?}, which is none", toolchain.llvm))?;
        let component = toolchain.sysroot.join("lib/rustlib").join(&toolchain.host).join("bin").join(NAME);
        let package = self.packages.join(format!("llvm-{major}/bin")).join(NAME);
        let places = [
            component.is_file().then_some(component),
            self.program(&format!("{NAME}-{major}")),
            package.is_file().then_some(package),
            self.program(NAME),
        ];
        Ok(places.into_iter().flatten().collect())
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

/// What of a toolchain tells which tool fits.
#[derive(Debug)]
struct Toolchain {
    llvm: String,
    host: String,
    sysroot: PathBuf,
}

/// A tool, and its version or why it can't tell.
#[derive(Debug)]
struct Candidate {
    program: PathBuf,
    version: Result<String>,
}

/// What can be done where no tool fits.
#[derive(Debug, Default)]
struct Remedy {
    /// The toolchain's name, where rustup manages it.
    toolchain: Option<String>,
    /// Whether there is Debian's package manager.
    apt: bool,
}

fn probed(program: PathBuf) -> Candidate {
    // Without a subcommand, old versions know no `--version`.
    let asked = process::run(&Spec::new(&program).args(["merge", "--version"]))
        .and_then(|output| output.check("asking for the version"));
    let version = asked.and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        version_told(&text).with_context(|| format!("it tells no version: {text:?}"))
    });
    Candidate { program, version }
}

/// `22.1.8` from `Debian LLVM version 22.1.8`, `22.1.2-rust-1.95.0-stable` from the toolchain's own.
pub(in crate::build) fn version_told(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("LLVM version ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn major(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The name by which rustup knows the toolchain in `sysroot`, unless somebody else put it there.
fn rustup_name(sysroot: &Path) -> Option<String> {
    (sysroot.parent()?.file_name()? == "toolchains").then(|| sysroot.file_name()?.to_str().map(str::to_owned))?
}

/// The first candidate of the same major version as `llvm`. Later ones are not looked at.
fn choose(llvm: &str, candidates: impl IntoIterator<Item = Candidate>, remedy: &Remedy) -> Result<Profdata> {
    let mut refused = String::new();
    for Candidate { program, version } in candidates {
        let why = match version {
            Ok(version) if major(&version).is_some_and(|found| Some(found) == major(llvm)) => {
                return Ok(Profdata { program, version });
            }
            Ok(version) => format!("it is of LLVM {version}, and the toolchain of LLVM {llvm}"),
            Err(error) => format!("{error:#}"),
        };
        // Writing into a String does not fail.
        let _ = write!(refused, "\n{} does not fit: {why}", program.display());
    }
    bail!("no {NAME} reads profiles of LLVM {llvm}, the toolchain's{refused}\n{}", remedy.text(llvm))
}

impl Remedy {
    fn text(&self, llvm: &str) -> String {
        let major = major(llvm).unwrap_or_default();
        let rustup = self.toolchain.as_ref().map(|name| format!("rustup component add llvm-tools --toolchain {name}"));
        let apt = self.apt.then(|| format!("apt-get install llvm-{major}   # or with https://apt.llvm.org"));
        let commands: Vec<String> = rustup.into_iter().chain(apt).collect();
        if commands.is_empty() {
            return format!("install LLVM {major}, and see to it that {NAME}-{major} is found in PATH");
        }
        format!("install one:\n  {}", commands.join("\nor:\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(program: &str, version: &str) -> Candidate {
        Candidate { program: program.into(), version: Ok(version.to_owned()) }
    }

    #[test]
    fn the_first_tool_of_the_same_major_version_is_taken_and_no_later_one_is_probed() {
        let unlooked = std::iter::from_fn(|| panic!("this one must not be probed"));
        let candidates = [candidate("/old", "21.1.8"), candidate("/own", "22.1.2-rust-1.95.0-stable")];
        let tool = choose("22.1.2", candidates.into_iter().chain(unlooked), &Remedy::default()).unwrap();
        assert_eq!(tool, Profdata { program: "/own".into(), version: "22.1.2-rust-1.95.0-stable".to_owned() });
    }

    #[test]
    fn a_tool_of_another_major_version_is_refused_with_both_versions_and_the_commands() {
        let remedy = Remedy { toolchain: Some("stable-x86_64".to_owned()), apt: true };
        let broken = Candidate { program: "/broken".into(), version: Err(anyhow::anyhow!("no such library")) };
        let error = choose("22.1.2", [candidate("/usr/bin/llvm-profdata", "14.0.6"), broken], &remedy).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no llvm-profdata reads profiles of LLVM 22.1.2, the toolchain's\n\
             /usr/bin/llvm-profdata does not fit: it is of LLVM 14.0.6, and the toolchain of LLVM 22.1.2\n\
             /broken does not fit: no such library\n\
             install one:\n  rustup component add llvm-tools --toolchain stable-x86_64\n\
             or:\n  apt-get install llvm-22   # or with https://apt.llvm.org"
        );
    }

    #[test]
    fn a_machine_without_package_managers_is_told_what_to_look_for() {
        let error = choose("22.1.2", [], &Remedy::default()).unwrap_err().to_string();
        assert!(error.ends_with("\ninstall LLVM 22, and see to it that llvm-profdata-22 is found in PATH"), "{error}");
    }

    #[test]
    fn versions_are_read_as_the_tools_tell_them() {
        let debian = "Debian LLVM version 22.1.8\n  Optimized build.\n";
        assert_eq!(version_told(debian).as_deref(), Some("22.1.8"));
        let own = "LLVM (http://llvm.org/):\n  LLVM version 20.1.1-rust-1.87.0-stable\n  Optimized build.\n";
        assert_eq!(version_told(own).as_deref(), Some("20.1.1-rust-1.87.0-stable"));
        assert_eq!(version_told("OVERVIEW: LLVM profile data\n"), None);
        assert_eq!((major("22.1.8"), major("9"), major("git")), (Some(22), Some(9), None));
    }

    #[test]
    fn only_a_toolchain_of_rustups_has_a_name_there() {
        assert_eq!(rustup_name(Path::new("/h/.rustup/toolchains/1.95.0-x86_64")).as_deref(), Some("1.95.0-x86_64"));
        assert_eq!(rustup_name(Path::new("/usr/local")), None);
    }
}
