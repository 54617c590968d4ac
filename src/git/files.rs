//! The files of a tree as a flat map from path to content.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use git2::{Index, IndexEntry, IndexTime, ObjectType, Oid};

/// The mode of a plain file in a tree.
const PLAIN: u32 = 0o100_644;
/// The largest file that is read, in bytes: what comes from a remote may be anything.
const LARGEST: usize = 512 << 20;

/// Files by path (`a/b.json`). Content is read when asked for, and stored at once when written.
pub struct Files<'r> {
    repository: &'r git2::Repository,
    ids: BTreeMap<String, Oid>,
}

impl<'r> Files<'r> {
    pub(super) fn none(repository: &'r git2::Repository) -> Self {
        Self { repository, ids: BTreeMap::new() }
    }

    pub(super) fn of(repository: &'r git2::Repository, commit: Oid) -> Result<Self> {
        let mut index = Index::new()?;
        index.read_tree(&repository.find_commit(commit)?.tree()?)?;
        let path = |entry: IndexEntry| String::from_utf8(entry.path).context("a path that is not UTF-8");
        let ids = index.iter().map(|entry| Ok((entry.id, path(entry)?))).map(|pair| pair.map(|(id, path)| (path, id)));
        Ok(Self { repository, ids: ids.collect::<Result<_>>().with_context(|| format!("reading {commit}"))? })
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }

    /// The content of a file; `None` where there is none.
    ///
    /// # Errors
    /// Where the content is missing from the repository, is no file, or is larger than 512 MiB.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(id) = self.ids.get(path) else { return Ok(None) };
        let (size, kind) = self.repository.odb()?.read_header(*id).with_context(|| format!("reading {path}"))?;
        if kind != ObjectType::Blob || size > LARGEST {
            bail!("{path} in git is no file of at most 512 MiB ({kind}, {size} bytes)");
        }
        let blob = self.repository.find_blob(*id).with_context(|| format!("reading {path}"))?;
        Ok(Some(blob.content().to_vec()))
    }

    /// Writes a file.
    ///
    /// # Errors
    /// Where the repository can't be written to.
    pub fn write(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let id = self.repository.blob(content).with_context(|| format!("writing {path} into git"))?;
        self.ids.insert(path.to_owned(), id);
        Ok(())
    }

    /// Removes a file, and says whether there was one.
    pub fn remove(&mut self, path: &str) -> bool {
        self.ids.remove(path).is_some()
    }

    /// The tree of these files.
    pub(super) fn tree(&self) -> Result<Oid> {
        let mut index = Index::new()?;
        for (path, id) in &self.ids {
            // libgit2 checks the rest, but takes a slash at the beginning.
            if path.split('/').any(str::is_empty) {
                bail!("git can't keep a file at {path:?}");
            }
            index.add(&entry(path, *id)).with_context(|| format!("git can't keep a file at {path:?}"))?;
        }
        if index.len() != self.ids.len() {
            bail!("a path is both a file and a folder");
        }
        Ok(index.write_tree_to(self.repository)?)
    }

    /// Takes in what `other` has and these files don't. Where both have a path with different content, `settle` is asked
    /// with ours and theirs.
    pub(super) fn unite(
        &mut self,
        other: &Self,
        mut settle: impl FnMut(&str, &[u8], &[u8]) -> Result<Vec<u8>>,
    ) -> Result<()> {
        for (path, theirs) in &other.ids {
            match self.ids.get(path) {
                Some(ours) if ours == theirs => {}
                None => {
                    self.ids.insert(path.clone(), *theirs);
                }
                Some(_) => {
                    let both = (self.read(path)?.unwrap_or_default(), other.read(path)?.unwrap_or_default());
                    let settled = settle(path, &both.0, &both.1)?;
                    self.write(path, &settled)?;
                }
            }
        }
        Ok(())
    }
}

fn entry(path: &str, id: Oid) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode: PLAIN,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
