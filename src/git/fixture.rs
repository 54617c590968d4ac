//! Real repositories in temporary folders, for the tests of this room and of those above.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Repository;
use crate::process::{self, Spec};

/// A folder with repositories, deleted at the end.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A repository with two commits on `main`: `a.txt` is "one", then "two"; `target` is ignored.
    pub(crate) fn project(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        git(self.folder.path(), &["init", "--quiet", "--initial-branch=main", name]);
        for text in ["one", "two"] {
            fs::write(path.join("a.txt"), text).unwrap();
            fs::write(path.join(".gitignore"), "target\n").unwrap();
            git(&path, &["add", "."]);
            git(&path, &["commit", "--quiet", "--message", text]);
        }
        path
    }

    /// A bare repository.
    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        git(self.folder.path(), &["init", "--quiet", "--bare", name]);
        self.path(name)
    }

    /// A repository with the remote `origin`.
    pub(crate) fn clone_of(&self, origin: &Path, name: &str) -> Repository {
        git(self.folder.path(), &["init", "--quiet", name]);
        git(&self.path(name), &["remote", "add", "origin", origin.to_str().unwrap()]);
        Repository::around(&self.path(name)).unwrap()
    }
}

/// Runs git, which must succeed, and returns what it wrote.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "protocol.file.allow=always"];
    let words = who.iter().chain(arguments).map(OsString::from);
    let output = process::run(&Spec::new("git").args(words).current_dir(folder)).unwrap();
    assert!(output.success(), "git {arguments:?}: {}", output.stderr_tail);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
