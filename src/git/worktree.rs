//! A commit's files in a folder of their own, beside the user's work tree.
//!
//! `<folder>.lock` lies beside the folder. It is made first, so that what a crash left behind is known to be ours, and it
//! is held: alone while files change, shared while somebody builds from them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::command::Place;
use super::{CommitId, Repository};
use crate::process::{self, FileLock, Interrupted};

/// How long another process may keep the folder at another commit.
const PATIENCE: Duration = Duration::from_secs(600);

/// Beside git's own files on a worktree: the commit, once all its files are there.
const READY: &str = "perfplan-ready";

/// A folder that holds exactly the files of a commit. While this value lives, no other process changes it.
#[derive(Debug)]
pub struct Worktree {
    path: PathBuf,
    commit: CommitId,
    /// Held shared.
    _lock: FileLock,
}

impl Worktree {
    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The commit whose files it holds.
    #[must_use]
    pub fn commit(&self) -> CommitId {
        self.commit
    }
}

impl Repository {
    /// Brings a folder to a commit, as `git worktree add --detach` does. What is there already is reused, so that files
    /// which don't differ keep their times; what is broken is made anew. Files that the commit does not have are deleted,
    /// ignored ones too. The user's work tree, index and hooks are left alone; submodules stay empty.
    ///
    /// # Errors
    /// Where the folder holds something that this function did not put there, another process keeps it at another commit
    /// for ten minutes, or git can't check the commit out.
    pub fn worktree(&self, commit: CommitId, path: &Path) -> Result<Worktree> {
        self.worktree_within(PATIENCE, commit, path)
    }

    fn worktree_within(&self, patience: Duration, commit: CommitId, path: &Path) -> Result<Worktree> {
        let path = std::path::absolute(path)?;
        let lock = open_lock(&path)?;
        let began = Instant::now();
        loop {
            if lock.try_alone()? {
                self.bring(commit, &path)?;
            }
            // Between the two locks, somebody may have brought the folder elsewhere: look again.
            if lock.try_shared()? && self.admin(&path).is_some_and(|place| is_ready(&place, commit)) {
                return Ok(Worktree { path, commit, _lock: lock });
            }
            lock.free()?;
            if began.elapsed() > patience {
                bail!("{} is in use at another commit by another process: wait for it, or end it", path.display());
            }
            process::wait_a_moment()?;
        }
    }

    /// With the lock held alone.
    fn bring(&self, commit: CommitId, path: &Path) -> Result<()> {
        match self.admin(path).map(|place| check_out(&place, commit)) {
            Some(Err(error)) if error.is::<Interrupted>() => return Err(error),
            Some(Ok(())) => return Ok(()),
            // Broken, or not there: made anew.
            _ => {}
        }
        if path.exists() {
            fs::remove_dir_all(path).with_context(|| format!("clearing {}", path.display()))?;
        }
        let add = ["worktree", "add", "--force", "--force", "--detach", "--no-checkout"].map(Into::into);
        let what = format!("making a worktree at {}", path.display());
        self.place().tell(&what, add.into_iter().chain([path.as_os_str().to_owned(), commit.to_string().into()]))?;
        let place = self.admin(path).with_context(|| format!("git made no worktree at {}", path.display()))?;
        check_out(&place, commit)
    }

    /// Where git keeps the index and HEAD of the worktree at a path: `None` unless both sides point at each other. (They
    /// don't after a project was moved or copied, or the folder was deleted by hand.)
    fn admin(&self, path: &Path) -> Option<Place> {
        let link = fs::read_to_string(path.join(".git")).ok()?;
        let git_dir = fs::canonicalize(path.join(link.strip_prefix("gitdir: ")?.trim_end())).ok()?;
        let ours = fs::canonicalize(self.inner.commondir().join("worktrees")).ok()?;
        let back = fs::read_to_string(git_dir.join("gitdir")).ok()?;
        let back = fs::canonicalize(git_dir.join(back.trim_end())).ok()?;
        let mutual = git_dir.starts_with(ours) && back == fs::canonicalize(path.join(".git")).ok()?;
        mutual.then(|| Place { git_dir, work_tree: Some(path.to_owned()) })
    }
}

/// Whether the checkout of this commit was finished. HEAD says so too early: git writes it before the files.
fn is_ready(place: &Place, commit: CommitId) -> bool {
    fs::read_to_string(place.git_dir.join(READY)).is_ok_and(|ready| ready == commit.to_string())
}

/// With the lock held alone: whoever left a lock of git's own behind is gone.
fn check_out(place: &Place, commit: CommitId) -> Result<()> {
    for stale in [READY, "index.lock", "HEAD.lock"] {
        match fs::remove_file(place.git_dir.join(stale)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {stale}"));
            }
            _ => {}
        }
    }
    let what = format!("checking {commit} out");
    place.tell(&what, ["update-ref", "--no-deref", "HEAD", &commit.to_string()])?;
    // A sparse checkout of the user's would be inherited, and leave files out.
    let reset = ["-c", "core.sparseCheckout=false", "reset", "--hard", "--quiet", "--no-recurse-submodules"];
    place.tell(&what, reset.into_iter().chain([commit.to_string().as_str()]))?;
    place.tell(&what, ["clean", "-ffdxq"])?;
    fs::write(place.git_dir.join(READY), commit.to_string()).context(what)
}

/// The lock beside the folder. A folder with content and no such file is somebody else's, and never touched.
fn open_lock(path: &Path) -> Result<FileLock> {
    let parent = path.parent().with_context(|| format!("{} can't be a worktree", path.display()))?;
    let mut name = path.file_name().with_context(|| format!("{} has no name", path.display()))?.to_owned();
    name.push(".lock");
    let lock = parent.join(name);
    let occupied = fs::read_dir(path).map_or(path.exists(), |mut files| files.next().is_some());
    if occupied && !lock.exists() {
        bail!("{} was not made by this tool and is left alone: move it away", path.display());
    }
    FileLock::open(&lock)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::git::fixture::{Sandbox, git};

    fn content(worktree: &Worktree) -> String {
        fs::read_to_string(worktree.path().join("a.txt")).unwrap()
    }

    #[test]
    fn a_commit_is_checked_out_beside_the_work_tree_which_stays_as_it_is() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        fs::write(path.join("a.txt"), "half done").unwrap();
        git(&path, &["add", "a.txt"]);
        let index = fs::read(path.join(".git/index")).unwrap();
        let repository = Repository::around(&path).unwrap();
        let worktree = repository.worktree(repository.resolve("HEAD~1").unwrap(), &path.join("target/w/x")).unwrap();
        assert_eq!(content(&worktree), "one");
        assert_eq!(fs::read_to_string(path.join("a.txt")).unwrap(), "half done");
        assert_eq!(fs::read(path.join(".git/index")).unwrap(), index);
        assert_eq!(git(&path, &["rev-parse", "--abbrev-ref", "HEAD"]), "main");
    }

    #[test]
    fn a_worktree_is_reused_for_another_commit_and_holds_nothing_else() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let repository = Repository::around(&path).unwrap();
        let (new, old) = (repository.resolve("HEAD").unwrap(), repository.resolve("HEAD~1").unwrap());
        let place = sandbox.path("w");
        let worktree = repository.worktree(new, &place).unwrap();
        fs::write(worktree.path().join("stray.rs"), "").unwrap();
        fs::create_dir(worktree.path().join("target")).unwrap();
        fs::write(worktree.path().join("a.txt"), "edited").unwrap();
        drop(worktree);
        let worktree = repository.worktree(old, &place).unwrap();
        assert_eq!((content(&worktree).as_str(), worktree.commit()), ("one", old));
        let mut names: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".git", ".gitignore", "a.txt"]);
        assert_eq!(git(&path, &["worktree", "list"]).lines().count(), 2);
    }

    #[test]
    fn whatever_a_crash_leaves_behind_is_made_good() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let repository = Repository::around(&path).unwrap();
        let head = repository.resolve("HEAD").unwrap();
        let place = sandbox.path("w");
        let admin = path.join(".git/worktrees/w");
        let damages: [(&str, &dyn Fn()); 7] = [
            ("deleted by hand", &|| fs::remove_dir_all(&place).unwrap()),
            ("its link is gone", &|| fs::remove_file(place.join(".git")).unwrap()),
            ("its link leads nowhere", &|| fs::write(place.join(".git"), "gitdir: /nowhere\n").unwrap()),
            ("git's side is gone", &|| fs::remove_dir_all(&admin).unwrap()),
            ("git was killed while it wrote", &|| fs::write(admin.join("index.lock"), "").unwrap()),
            ("git was killed while it added", &|| {
                fs::write(admin.join("locked"), "initializing").unwrap();
                fs::remove_dir_all(&place).unwrap();
            }),
            ("the index is damaged", &|| fs::write(admin.join("index"), "junk").unwrap()),
        ];
        for (what, damage) in damages {
            drop(repository.worktree(head, &place).expect(what));
            damage();
            assert_eq!(content(&repository.worktree(head, &place).expect(what)), "two", "{what}");
        }
    }

    #[test]
    fn a_copied_project_does_not_reach_into_the_original() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let original = Repository::around(&path).unwrap();
        let head = original.resolve("HEAD").unwrap();
        let theirs = original.worktree(head, &path.join("target/w")).unwrap();
        let copy = sandbox.path("copy");
        process_copy(&path, &copy);
        let repository = Repository::around(&copy).unwrap();
        let ours = repository.worktree(repository.resolve("HEAD~1").unwrap(), &copy.join("target/w")).unwrap();
        assert_eq!((content(&ours), content(&theirs)), ("one".to_owned(), "two".to_owned()));
        let linked = fs::read_to_string(ours.path().join(".git")).unwrap();
        assert!(linked.contains("copy/.git/worktrees"), "{linked}");
    }

    fn process_copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let goal = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                process_copy(&entry.path(), &goal);
            } else {
                fs::copy(entry.path(), goal).unwrap();
            }
        }
    }

    #[test]
    fn a_folder_of_somebody_elses_is_left_alone() {
        let sandbox = Sandbox::new();
        let repository = Repository::around(&sandbox.project("p")).unwrap();
        let head = repository.resolve("HEAD").unwrap();
        let precious = sandbox.path("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("thesis.tex"), "years of work").unwrap();
        let error = repository.worktree(head, &precious).unwrap_err().to_string();
        assert!(error.contains("not made by this tool"), "{error}");
        assert!(repository.worktree(head, &sandbox.path("p")).is_err(), "the work tree itself was accepted");
        assert_eq!(fs::read_to_string(precious.join("thesis.tex")).unwrap(), "years of work");
    }

    #[test]
    fn a_worktree_in_use_is_not_brought_elsewhere() {
        let sandbox = Sandbox::new();
        let repository = Repository::around(&sandbox.project("p")).unwrap();
        let (new, old) = (repository.resolve("HEAD").unwrap(), repository.resolve("HEAD~1").unwrap());
        let place = sandbox.path("w");
        let worktree = repository.worktree(new, &place).unwrap();
        let said = repository.worktree_within(Duration::from_millis(120), old, &place).unwrap_err().to_string();
        assert!(said.contains("in use at another commit"), "{said}");
        assert_eq!(content(&worktree), "two");
        drop(worktree);
        assert_eq!(content(&repository.worktree(old, &place).unwrap()), "one");
    }

    #[test]
    fn two_users_share_a_commit_and_hooks_do_not_run() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let hook = path.join(".git/hooks/post-checkout");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", sandbox.path("ran").display())).unwrap();
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let made = thread::scope(|scope| {
            let work = || {
                let repository = Repository::around(&path).unwrap();
                repository.worktree(repository.resolve("HEAD").unwrap(), &sandbox.path("w")).unwrap()
            };
            let both = [scope.spawn(work), scope.spawn(work)];
            both.map(|thread| content(&thread.join().unwrap()))
        });
        assert_eq!(made, ["two", "two"]);
        assert!(!sandbox.path("ran").exists());
    }
}
