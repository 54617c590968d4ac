//! Running the `git` program so that neither the caller's environment nor the user's hooks lead it elsewhere.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::scrub::scrub;
use crate::process::{self, Interrupted, Spec};

/// How long git may take: a big checkout and a slow remote are fine, a password prompt that nobody sees is not.
const PATIENCE: Duration = Duration::from_secs(600);

/// Settings that hold for every call: no hook of the user's runs, nothing stays behind in the background.
const SETTINGS: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// Variables that lead git elsewhere. Inside a hook of git's they are set.
const ELSEWHERE: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
];

/// The repository and the folder that a git command works on.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The git directory: of a linked worktree its own, not the common one.
    pub(super) git_dir: PathBuf,
    /// The work tree; `None` in a bare repository.
    pub(super) work_tree: Option<PathBuf>,
}

/// What a git command said. No credentials are left in it.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) stdout: String,
    /// Why it failed, in git's words.
    pub(super) reason: String,
}

impl Place {
    /// Runs `git` with these arguments, and fails only where it could not be run.
    pub(super) fn ask<A: Into<OsString>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Said> {
        let mut words: Vec<OsString> = SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]).collect();
        words.extend(["--git-dir".into(), self.git_dir.clone().into()]);
        if let Some(work_tree) = &self.work_tree {
            words.extend(["--work-tree".into(), work_tree.clone().into()]);
        }
        words.extend(arguments.into_iter().map(Into::into));
        let spec = Spec::new("git").args(words).current_dir(self.work_tree.as_ref().unwrap_or(&self.git_dir));
        let spec = ELSEWHERE
            .iter()
            .fold(spec, Spec::env_remove)
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .timeout(PATIENCE);
        let output = process::run(&spec).map_err(clean)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let reason = [&output.stderr_tail, &stdout].map(|text| scrub(text.trim())).join("\n").trim().to_owned();
        Ok(Said { success: output.success(), stdout, reason })
    }

    /// Runs `git` with these arguments and returns what it wrote to stdout; `what` says what failed.
    pub(super) fn tell<A: Into<OsString>>(&self, what: &str, arguments: impl IntoIterator<Item = A>) -> Result<String> {
        let said = self.ask(arguments)?;
        if !said.success {
            bail!("{} failed: {}", scrub(what), said.reason);
        }
        Ok(said.stdout)
    }
}

/// The error shows the command, and a remote may be given as a URL with a password. Ctrl-C stays what it is.
fn clean(error: anyhow::Error) -> anyhow::Error {
    if error.is::<Interrupted>() { error } else { anyhow!("{}", scrub(&format!("{error:#}"))) }
}
