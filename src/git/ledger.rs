//! Files under a ref of their own: read and written without the work tree, changed by compare-and-swap.
//!
//! Two ledgers merge by union:
//!
//! ```text
//!   only ours   only theirs   both, equal   both, different
//!      keep        keep           keep        Rules::settle
//! ```
//!
//! No common ancestor is asked, so that shallow and unrelated histories merge too, in any order, to the same files. The
//! price: a path that one side removed comes back if the other side still has it. Whoever wants a removal to last writes
//! it down as content, and drops what it leaves behind in [`Rules::tidy`].

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use git2::{ErrorCode, Oid, Reference, Signature};

use super::{Files, Repository};

/// All refs of ours begin so.
const PREFIX: &str = "refs/perfplan";
/// How often a write is tried before somebody else's lock is taken for a dead one.
pub(super) const ATTEMPTS: u32 = 20;

/// How a ledger merges.
pub trait Rules {
    /// The content of a path that differs between the two sides. Swapping the sides must not change the answer.
    ///
    /// # Errors
    /// Where a side can't be understood; the merge is given up and nothing is written.
    fn settle(&self, path: &str, ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>>;

    /// Drops what a union leaves behind.
    ///
    /// # Errors
    /// Where the files can't be understood; the merge is given up and nothing is written.
    fn tidy(&self, files: &mut Files<'_>) -> Result<()>;
}

/// The files under the ref `refs/perfplan/<name>`.
pub struct Ledger<'r> {
    pub(super) repository: &'r Repository,
    pub(super) name: String,
}

impl<'r> Ledger<'r> {
    /// The ledger of this name, which need not exist yet.
    ///
    /// # Errors
    /// Where the name can't be part of a ref.
    pub fn new(repository: &'r Repository, name: &str) -> Result<Self> {
        let ledger = Self { repository, name: name.to_owned() };
        if name.starts_with("remotes/") || !Reference::is_valid_name(&ledger.reference()) {
            bail!("a ledger can't be called {name:?}");
        }
        Ok(ledger)
    }

    /// The full name of the ref.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{PREFIX}/{}", self.name)
    }

    /// The name of the ref that remembers what a remote had.
    pub(super) fn tracking(&self, remote: &str) -> String {
        format!("{PREFIX}/remotes/{remote}/{}", self.name)
    }

    /// The files as they are now. Later changes don't show.
    ///
    /// # Errors
    /// Where the ref or what it points at can't be read.
    pub fn files(&self) -> Result<Files<'r>> {
        self.files_at(self.tip()?)
    }

    /// The content of one file; `None` where there is none.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.files()?.read(path)
    }

    /// All paths, sorted.
    ///
    /// # Errors
    /// Where the ref can't be read.
    pub fn list(&self) -> Result<Vec<String>> {
        Ok(self.files()?.paths().map(str::to_owned).collect())
    }

    /// Changes the files and commits them under this message. Where somebody else commits in between, `change` is called
    /// again on what they left. A change that changes nothing makes no commit.
    ///
    /// # Errors
    /// Where `change` fails, or the repository can't be written to.
    pub fn update<T>(&self, message: &str, mut change: impl FnMut(&mut Files<'r>) -> Result<T>) -> Result<T> {
        self.contended(|| {
            let tip = self.tip()?;
            let mut files = self.files_at(tip)?;
            let answer = change(&mut files)?;
            let tree = files.tree()?;
            if self.tree_of(tip)? == Some(tree) || (tip.is_none() && files.paths().next().is_none()) {
                return Ok(Some(answer));
            }
            let commit = self.commit(message, tree, tip.as_slice())?;
            Ok(self.swap(tip, commit)?.then_some(answer))
        })
    }

    /// Brings `theirs` in, and returns the commit that the ref is at afterwards. Whatever the outcome, it descends from
    /// `theirs`.
    pub(super) fn merge(&self, theirs: Option<Oid>, rules: &dyn Rules) -> Result<Option<Oid>> {
        let Some(theirs) = theirs else { return self.tip() };
        self.contended(|| {
            let tip = self.tip()?;
            let merged = match tip {
                Some(ours) if ours == theirs || self.descends(ours, theirs)? => return Ok(Some(tip)),
                Some(ours) if !self.descends(theirs, ours)? => self.united(ours, theirs, rules)?,
                _ => theirs,
            };
            Ok(self.swap(tip, merged)?.then_some(Some(merged)))
        })
    }

    fn united(&self, ours: Oid, theirs: Oid, rules: &dyn Rules) -> Result<Oid> {
        let mut files = self.files_at(Some(ours))?;
        let other = self.files_at(Some(theirs))?;
        files.unite(&other, |path, ours, theirs| rules.settle(path, ours, theirs))?;
        rules.tidy(&mut files)?;
        self.commit("Merge", files.tree()?, &[ours, theirs])
    }

    fn descends(&self, commit: Oid, ancestor: Oid) -> Result<bool> {
        Ok(self.repository.inner.graph_descendant_of(commit, ancestor)?)
    }

    fn files_at(&self, tip: Option<Oid>) -> Result<Files<'r>> {
        let inner = &self.repository.inner;
        tip.map_or_else(|| Ok(Files::none(inner)), |tip| Files::of(inner, tip))
            .with_context(|| format!("reading {}", self.reference()))
    }

    fn tree_of(&self, tip: Option<Oid>) -> Result<Option<Oid>> {
        Ok(tip.map(|tip| self.repository.inner.find_commit(tip)).transpose()?.map(|commit| commit.tree_id()))
    }

    fn tip(&self) -> Result<Option<Oid>> {
        self.id_of(&self.reference())
    }

    pub(super) fn id_of(&self, reference: &str) -> Result<Option<Oid>> {
        match self.repository.inner.refname_to_id(reference) {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {reference}")),
        }
    }

    fn commit(&self, message: &str, tree: Oid, parents: &[Oid]) -> Result<Oid> {
        let inner = &self.repository.inner;
        let author = inner.signature().or_else(|_| Signature::now("perfplan", "perfplan@localhost"))?;
        let parents = parents.iter().map(|id| inner.find_commit(*id)).collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<_> = parents.iter().collect();
        Ok(inner.commit(None, &author, &author, message, &inner.find_tree(tree)?, &parents)?)
    }

    /// Moves the ref, unless it is no longer at `old`. Says whether it was moved.
    fn swap(&self, old: Option<Oid>, new: Oid) -> Result<bool> {
        let (reference, inner) = (self.reference(), &self.repository.inner);
        // The id of zeros is "no such ref", checked under the ref's lock; without force, creation is not guarded.
        let old = old.unwrap_or(Oid::ZERO_SHA1);
        match inner.reference_matching(&reference, new, true, old, "perfplan") {
            Ok(_) => Ok(true),
            Err(error) => match error.code() {
                ErrorCode::Modified | ErrorCode::Locked | ErrorCode::NotFound | ErrorCode::Exists => Ok(false),
                _ => Err(error).with_context(|| format!("writing {reference}")),
            },
        }
    }

    fn contended<T>(&self, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        for count in 0..ATTEMPTS {
            if let Some(done) = attempt()? {
                return Ok(done);
            }
            pause(count, Duration::from_millis(1));
        }
        let lock = self.repository.inner.commondir().join(format!("{}.lock", self.reference()));
        bail!("{} stayed locked: if no git runs, delete {}", self.reference(), lock.display())
    }
}

/// Waits at random up to `unit`, twice that, four times, ..., at most two seconds: those who collided part.
pub(super) fn pause(count: u32, unit: Duration) {
    let most = unit.saturating_mul(1 << count.min(16)).min(Duration::from_secs(2));
    thread::sleep(most.mul_f64(fastrand::f64()));
}
