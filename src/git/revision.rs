//! Revisions: what the user writes (`main`, `v1.2`, `HEAD~1`, `origin/main`) to the one commit that it means.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use git2::ErrorCode;

use super::{CommitId, Repository};

/// How many near misses are shown.
const SUGGESTED: usize = 3;
/// The largest file that is read as text, in bytes.
const LARGEST_TEXT: usize = 1 << 20;

impl Repository {
    /// The commit that a revision means: a branch, a tag, an id or the beginning of one, with `~`, `^`, `@{..}` behind it; or,
    /// with three dots behind it, the commit at which the work tree's branch left it.
    ///
    /// # Errors
    /// Where nothing has that name (with names that come near), it is ambiguous, a range or no commit, or a shallow clone
    /// lacks it (with the command that fetches it).
    pub fn resolve(&self, revision: &str) -> Result<CommitId> {
        if let Some(other) = revision.strip_suffix("...").filter(|other| !other.is_empty()) {
            return self.parting(self.resolve(other)?, other);
        }
        match self.inner.revparse_single(revision) {
            Ok(object) => {
                let commit = object.peel_to_commit();
                Ok(CommitId(commit.with_context(|| format!("{revision:?} names something, but no commit"))?.id()))
            }
            Err(error) => Err(self.unresolved(revision, &error)),
        }
    }

    /// The commit at which HEAD and another one parted.
    fn parting(&self, other: CommitId, name: &str) -> Result<CommitId> {
        let head = self.resolve("HEAD")?;
        let base = self.inner.merge_base(head.0, other.0);
        base.map(CommitId).map_err(|_| anyhow!("HEAD and {name:?} have no commit in common{}", self.shallow_hint()))
    }

    /// Whether a commit is among those that `head` has and `base` has not; `id` may be the beginning of its id.
    #[must_use]
    pub fn is_between(&self, id: &str, base: CommitId, head: CommitId) -> bool {
        let Ok(commit) = self.inner.find_commit_by_prefix(id) else { return false };
        let has = |tip: CommitId| {
            tip.0 == commit.id() || self.inner.graph_descendant_of(tip.0, commit.id()).unwrap_or_default()
        };
        has(head) && !has(base)
    }

    /// The text of a file at a commit; `None` where it has none there. `path` is relative to the topmost folder.
    ///
    /// # Errors
    /// Where it is no file, larger than 1 MiB, or not UTF-8.
    pub fn text_at(&self, commit: CommitId, path: &Path) -> Result<Option<String>> {
        let tree = self.inner.find_commit(commit.0)?.tree()?;
        let entry = match tree.get_path(path) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {} at {commit}", path.display())),
        };
        let blob = self.inner.find_blob(entry.id()).with_context(|| format!("{} is no file", path.display()))?;
        ensure!(blob.size() <= LARGEST_TEXT, "{} at {commit} is larger than 1 MiB", path.display());
        let text = std::str::from_utf8(blob.content());
        Ok(Some(text.with_context(|| format!("{} at {commit} is not UTF-8", path.display()))?.to_owned()))
    }

    fn unresolved(&self, revision: &str, error: &git2::Error) -> anyhow::Error {
        match error.code() {
            ErrorCode::Ambiguous => anyhow!("{revision:?} is ambiguous: {}; give more digits", error.message()),
            ErrorCode::InvalidSpec => anyhow!("{revision:?} is not one revision: give a branch, a tag or a commit"),
            _ => anyhow!("{}{}", self.unknown(revision), self.shallow_hint()),
        }
    }

    fn unknown(&self, revision: &str) -> String {
        if matches!(self.inner.head(), Err(error) if error.code() == ErrorCode::UnbornBranch) {
            return format!("unknown revision {revision:?}: the repository has no commit yet");
        }
        let base = &revision[..revision.find(['~', '^', '@', ':']).unwrap_or(revision.len())];
        if base != revision && !base.is_empty() && self.inner.revparse_single(base).is_ok() {
            return format!("{base:?} is known, but {revision:?} leads nowhere from there");
        }
        match self.near(base).as_slice() {
            [] => format!("unknown revision {revision:?}; `git branch --all` and `git tag` list what there is"),
            near => format!("unknown revision {revision:?}; did you mean {}?", near.join(" or ")),
        }
    }

    fn shallow_hint(&self) -> &'static str {
        if !self.is_shallow() {
            return "";
        }
        "\nThis is a shallow clone, which lacks older commits and other branches: run `git fetch --unshallow` or \
         `git fetch --depth=100 origin REVISION` (with actions/checkout: `fetch-depth: 0`)"
    }

    /// Names of branches and tags that come near, best first.
    fn near(&self, name: &str) -> Vec<String> {
        let mut found: Vec<(usize, String)> = self
            .names()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|known| Some((distance(name, &known)?, known)))
            .collect();
        found.sort();
        found.dedup();
        found.into_iter().take(SUGGESTED).map(|(_, known)| known).collect()
    }

    fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for reference in self.inner.references()? {
            let reference = reference?;
            if reference.is_branch() || reference.is_tag() || reference.is_remote() {
                names.push(String::from_utf8_lossy(reference.shorthand_bytes()).into_owned());
            }
        }
        Ok(names)
    }

    /// The commit of this full id, if the repository has it.
    ///
    /// # Errors
    /// Where it is not there: with the command that fetches it.
    pub fn commit(&self, id: &str) -> Result<CommitId> {
        let id: CommitId = id.parse().map_err(anyhow::Error::msg)?;
        if self.inner.find_commit(id.0).is_err() {
            bail!("the commit {id} is not in this repository: run `git fetch origin {id}`{}", self.shallow_hint());
        }
        Ok(id)
    }
}

/// How far two names are apart in edits; `None` where that is too far to mean the same. A name that lacks its remote or
/// its folder is as near as can be.
fn distance(asked: &str, known: &str) -> Option<usize> {
    if known.ends_with(&format!("/{asked}")) {
        return Some(0);
    }
    let edits = edits(asked.as_bytes(), known.as_bytes());
    (edits <= asked.len().div_ceil(3)).then_some(edits)
}

/// Levenshtein's distance, by the two-row method.
fn edits(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::{Sandbox, git};

    fn failure(repository: &Repository, revision: &str) -> String {
        format!("{:#}", repository.resolve(revision).expect_err(revision))
    }

    #[test]
    fn branches_tags_ids_and_steps_back_resolve() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        git(&path, &["tag", "--annotate", "--message=x", "v1.0"]);
        git(&path, &["update-ref", "refs/remotes/origin/next", "HEAD~1"]);
        let repository = Repository::around(&path).unwrap();
        let (head, before) = (git(&path, &["rev-parse", "HEAD"]), git(&path, &["rev-parse", "HEAD~1"]));
        for revision in ["HEAD", "main", "v1.0", "refs/heads/main", &head, &head[..8]] {
            assert_eq!(repository.resolve(revision).unwrap().to_string(), head, "{revision}");
        }
        for revision in ["HEAD~1", "main^", "v1.0~1", "origin/next"] {
            assert_eq!(repository.resolve(revision).unwrap().to_string(), before, "{revision}");
        }
        assert_eq!(repository.commit(&head).unwrap().to_string(), head);
    }

    #[test]
    fn three_dots_mean_where_the_branch_was_left() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let base = git(&path, &["rev-parse", "HEAD"]);
        git(&path, &["checkout", "--quiet", "-b", "topic"]);
        git(&path, &["commit", "--quiet", "--allow-empty", "--message=topic"]);
        git(&path, &["checkout", "--quiet", "main"]);
        git(&path, &["commit", "--quiet", "--allow-empty", "--message=main"]);
        git(&path, &["checkout", "--quiet", "topic"]);
        git(&path, &["checkout", "--quiet", "--orphan", "other"]);
        git(&path, &["commit", "--quiet", "--allow-empty", "--message=other"]);
        git(&path, &["checkout", "--quiet", "topic"]);
        let repository = Repository::around(&path).unwrap();
        assert_eq!(repository.resolve("main...").unwrap().to_string(), base);
        assert!(failure(&repository, "other...").contains("no commit in common"));
        assert!(failure(&repository, "mian...").contains("did you mean main?"));
        assert!(failure(&repository, "...").contains("not one revision"));
    }

    #[test]
    fn a_commit_is_between_where_only_the_head_has_it() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let repository = Repository::around(&path).unwrap();
        let (base, head) = (repository.resolve("HEAD~1").unwrap(), repository.resolve("HEAD").unwrap());
        let between = |id: &str| repository.is_between(id, base, head);
        assert!(between(&head.to_string()) && between(&head.to_string()[..8]));
        assert!(!between(&base.to_string()) && !between(&"a".repeat(40)) && !between("not an id"));
        assert!(!repository.is_between(&head.to_string(), head, head));
    }

    #[test]
    fn a_file_is_read_as_it_was_at_a_commit() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let repository = Repository::around(&path).unwrap();
        let text = |revision: &str, path: &str| {
            repository.text_at(repository.resolve(revision).unwrap(), Path::new(path)).unwrap()
        };
        assert_eq!(text("HEAD~1", "a.txt").as_deref(), Some("one"));
        assert_ne!(text("HEAD", "a.txt").as_deref(), Some("one"));
        assert_eq!(text("HEAD", "b/c.txt"), None);
    }

    #[test]
    fn an_unknown_revision_is_answered_with_near_misses() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        git(&path, &["update-ref", "refs/remotes/origin/next", "HEAD"]);
        let repository = Repository::around(&path).unwrap();
        assert!(failure(&repository, "mian").contains("did you mean main?"));
        assert!(failure(&repository, "next~2").contains("did you mean origin/next?"));
        assert!(failure(&repository, "HEAD~7").contains("\"HEAD\" is known, but \"HEAD~7\" leads nowhere"));
        assert!(failure(&repository, "something-else").contains("git branch --all"));
        assert!(failure(&repository, "HEAD~1..HEAD").contains("not one revision"));
        assert!(failure(&repository, "HEAD:a.txt").contains("no commit"));
        assert!(!failure(&repository, "mian").contains("shallow"));
        let absent = repository.commit(&"a".repeat(40)).unwrap_err().to_string();
        assert!(absent.contains("git fetch origin aaaa"), "{absent}");
    }

    #[test]
    fn a_shallow_clone_says_how_to_get_the_rest() {
        let sandbox = Sandbox::new();
        let origin = format!("file://{}", sandbox.project("p").display());
        git(&sandbox.path(""), &["clone", "--quiet", "--depth=1", &origin, "shallow"]);
        let repository = Repository::around(&sandbox.path("shallow")).unwrap();
        assert!(repository.is_shallow());
        assert!(repository.resolve("HEAD").is_ok());
        let said = failure(&repository, "HEAD~1");
        assert!(said.contains("git fetch --unshallow") && said.contains("--depth"), "{said}");
    }

    #[test]
    fn a_repository_without_commits_says_so() {
        let sandbox = Sandbox::new();
        git(&sandbox.path(""), &["init", "--quiet", "empty"]);
        let repository = Repository::around(&sandbox.path("empty")).unwrap();
        assert!(failure(&repository, "main").contains("no commit yet"));
    }

    #[test]
    fn a_partial_clone_works_and_one_of_an_older_git_is_refused_with_the_command_that_makes_it_good() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        git(&path, &["config", "uploadpack.allowFilter", "true"]);
        let origin = format!("file://{}", path.display());
        git(&sandbox.path(""), &["clone", "--quiet", "--filter=blob:none", "--no-checkout", &origin, "partial"]);
        let clone = sandbox.path("partial");
        git(&clone, &["config", "core.repositoryFormatVersion", "1"]);
        git(&clone, &["config", "extensions.partialClone", "origin"]);
        let said = Repository::around(&clone).err().unwrap().to_string();
        assert!(said.contains("`git config --unset extensions.partialClone`"), "{said}");
        git(&clone, &["config", "--unset", "extensions.partialClone"]);
        let repository = Repository::around(&clone).unwrap();
        let worktree = repository.worktree(repository.resolve("HEAD~1").unwrap(), &sandbox.path("w")).unwrap();
        assert_eq!(std::fs::read_to_string(worktree.path().join("a.txt")).unwrap(), "one");
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, apart) in [("main", "main", 0), ("mian", "main", 2), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(edits(one.as_bytes(), other.as_bytes()), apart, "{one} {other}");
        }
    }

    #[test]
    fn a_missing_remote_is_a_near_miss_and_another_word_is_none() {
        assert_eq!(distance("main", "origin/main"), Some(0));
        assert_eq!(distance("v1.2", "v1.3"), Some(1));
        assert_eq!(distance("main", "release"), None);
    }
}
