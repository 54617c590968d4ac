//! The repository around a path, and the state of its work tree.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use git2::{ErrorCode, ObjectType, Oid};

use super::command::Place;

/// The full id of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub(super) Oid);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for CommitId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = Oid::from_str(text).ok().filter(|id| id.to_string() == text.to_ascii_lowercase());
        id.map(Self).ok_or_else(|| format!("not the full id of a commit: {text:?}"))
    }
}

/// What is checked out, and whether it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The commit; `None` before the first one.
    pub commit: Option<CommitId>,
    /// The branch; `None` where HEAD is detached.
    pub branch: Option<String>,
    /// Whether files differ from the commit. New files count unless they are ignored: a build may take them in.
    pub dirty: bool,
}

/// A repository on this machine.
pub struct Repository {
    pub(super) inner: git2::Repository,
}

impl Repository {
    /// Opens the repository that a path lies in.
    ///
    /// # Errors
    /// Where the path lies in none, the repository belongs to somebody else, or libgit2 can't read its format.
    pub fn around(path: &Path) -> Result<Self> {
        let inner = git2::Repository::discover(path).map_err(|error| unopened(path, &error))?;
        Ok(Self { inner })
    }

    /// The work tree's topmost folder.
    ///
    /// # Errors
    /// Where the repository is bare.
    pub fn root(&self) -> Result<&Path> {
        let bare = || format!("{} is a bare repository, without files to build", self.inner.path().display());
        self.inner.workdir().with_context(bare)
    }

    /// Whether commits are missing because the repository is a shallow clone.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// What is checked out now. Neither the work tree nor the index is written to.
    ///
    /// # Errors
    /// Where the repository is bare or git can't read it.
    pub fn state(&self) -> Result<State> {
        self.root()?;
        let arguments = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=none"];
        let dirty = !self.place().tell("git status", arguments)?.is_empty();
        let (commit, branch) = match self.inner.head() {
            Ok(head) => {
                let branch = head.is_branch().then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
                (Some(CommitId(head.peel_to_commit()?.id())), branch)
            }
            Err(error) if error.code() == ErrorCode::UnbornBranch => (None, None),
            Err(error) => return Err(error).context("reading HEAD"),
        };
        Ok(State { commit, branch, dirty })
    }

    /// Where the `git` program finds this repository.
    pub(super) fn place(&self) -> Place {
        Place { git_dir: self.inner.path().to_owned(), work_tree: self.inner.workdir().map(PathBuf::from) }
    }
}

/// The content address of some bytes: git's blob id, 40 hexadecimal digits.
///
/// # Errors
/// Where libgit2 can't be used at all.
pub fn content_id(bytes: &[u8]) -> Result<String> {
    Ok(Oid::hash_object(ObjectType::Blob, bytes)?.to_string())
}

fn unopened(path: &Path, error: &git2::Error) -> anyhow::Error {
    let path = path.display();
    match error.code() {
        ErrorCode::NotFound => {
            anyhow!("{path} lies in no git repository: run `git init`, or go to where the project is")
        }
        ErrorCode::Owner => {
            // libgit2 quotes the folder that is meant, which may lie further up.
            let folder = error.message().split('\'').nth(1).map_or(path.to_string(), str::to_owned);
            let folder = folder.trim_end_matches('/');
            anyhow!(
                "the git repository at {folder} belongs to another user: if you trust it, run \
                 `git config --global --add safe.directory {folder}`"
            )
        }
        // Git goes by the remote's `promisor` setting too; only libgit2 minds the extension.
        _ if error.message().contains("partialclone") => anyhow!(
            "the git repository at {path} is a partial clone of a kind that libgit2 refuses: clone it without `--filter`, or run \
             `git config --unset extensions.partialClone` in it (git fetches what is missing all the same)"
        ),
        _ => anyhow!("the git repository at {path} can't be read: {}", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::git::fixture::{Sandbox, git};

    #[test]
    fn a_folder_outside_of_any_repository_is_named() {
        let sandbox = Sandbox::new();
        let error = Repository::around(&sandbox.path("")).err().unwrap().to_string();
        assert!(error.contains("lies in no git repository"), "{error}");
    }

    #[test]
    fn the_state_tells_branch_commit_and_changes_and_leaves_the_index_alone() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        fs::create_dir_all(path.join("target/deep")).unwrap();
        let repository = Repository::around(&path.join("target/deep")).unwrap();
        let state = repository.state().unwrap();
        assert_eq!(state.commit.unwrap().to_string(), git(&path, &["rev-parse", "HEAD"]));
        assert_eq!((state.branch.as_deref(), state.dirty), (Some("main"), false));

        let index = fs::read(path.join(".git/index")).unwrap();
        fs::write(path.join("a.txt"), "changed").unwrap();
        assert!(repository.state().unwrap().dirty);
        assert_eq!(fs::read(path.join(".git/index")).unwrap(), index);
        git(&path, &["checkout", "--quiet", "."]);
        assert!(!repository.state().unwrap().dirty);
        fs::write(path.join("new.rs"), "").unwrap();
        assert!(repository.state().unwrap().dirty, "a new file may be built");
    }

    #[test]
    fn a_detached_head_and_a_repository_without_commits_are_fine() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        git(&path, &["checkout", "--quiet", "--detach", "HEAD~1"]);
        let state = Repository::around(&path).unwrap().state().unwrap();
        assert_eq!(state.branch, None);
        assert_eq!(state.commit.unwrap().to_string(), git(&path, &["rev-parse", "main~1"]));

        git(&sandbox.path(""), &["init", "--quiet", "empty"]);
        let state = Repository::around(&sandbox.path("empty")).unwrap().state().unwrap();
        assert_eq!((state.commit, state.branch), (None, None));
    }

    #[test]
    fn a_bare_repository_has_no_files_to_build() {
        let sandbox = Sandbox::new();
        let repository = Repository::around(&sandbox.bare("b.git")).unwrap();
        assert!(repository.root().unwrap_err().to_string().contains("bare"));
        assert!(repository.state().is_err());
    }

    #[test]
    fn a_commit_id_is_full_or_refused() {
        assert!("f00d".parse::<CommitId>().is_err());
        assert!("g".repeat(40).parse::<CommitId>().is_err());
        let id = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(id.parse::<CommitId>().unwrap().to_string(), id);
    }
}
