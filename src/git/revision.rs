//! Revisions: what the user writes (`main`, `v1.2`, `HEAD~1`, `origin/main`) to the one commit that it means.

use anyhow::{Context, Result, anyhow, bail};
use git2::ErrorCode;

use super::{CommitId, Repository};

/// How many near misses are shown.
const SUGGESTED: usize = 3;

impl Repository {
    /// The commit that a revision means: a branch, a tag, an id or the beginning of one, with `~`, `^`, `@{..}` behind it.
    ///
    /// # Errors
    /// Where nothing has that name (with names that come near), it is ambiguous, a range or no commit, or a shallow clone
    /// lacks it (with the command that fetches it).
    pub fn resolve(&self, revision: &str) -> Result<CommitId> {
        match self.inner.revparse_single(revision) {
            Ok(object) => {
                let commit = object.peel_to_commit();
                Ok(CommitId(commit.with_context(|| format!("{revision:?} names something, but no commit"))?.id()))
            }
            Err(error) => Err(self.unresolved(revision, &error)),
        }
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
