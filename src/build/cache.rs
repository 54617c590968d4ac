//! The cache of what was built: one entry per source tree and way to build, found by all that went into it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use git2::{ObjectType, Oid};
use serde::{Deserialize, Serialize};

use crate::samples::{Metric, Training, VariantName};

/// What a build cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// From its start to its end; builds side by side lengthen each other's.
    pub elapsed: Duration,
    /// CPU time of cargo and all that it ran.
    pub cpu: Duration,
    /// Crates that were compiled.
    pub compiled: usize,
    /// Crates that it is made of.
    pub crates: usize,
}

impl Cost {
    /// As metrics, nanoseconds. A build that found some of its crates compiled does not tell what the whole costs.
    pub fn metrics(&self) -> impl Iterator<Item = (Metric, f64)> {
        let metrics = [("build.wall", self.elapsed), ("build.cpu", self.cpu)].into_iter().filter(|_| self.is_whole());
        metrics.filter_map(|(name, time)| Some((name.parse().ok()?, time.as_nanos() as f64)))
    }

    /// Whether all crates were compiled.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.crates > 0 && self.compiled == self.crates
    }

    /// One build after another, as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            elapsed: self.elapsed + other.elapsed,
            cpu: self.cpu + other.cpu,
            compiled: self.compiled + other.compiled,
            crates: self.crates + other.crates,
        }
    }
}

/// What is kept of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) workload: String,
    /// The content address of the file.
    pub(super) content: String,
    pub(super) code: String,
    pub(super) sizes: BTreeMap<Metric, f64>,
    /// Why it can't be linked in other orders, where that is known.
    pub(super) no_layout: Option<String>,
}

/// What one build made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What the variant was called when it was built.
    pub(super) variant: VariantName,
    pub(super) programs: Vec<Kept>,
    /// Files beside the sources that the compiler read, by content.
    pub(super) others: BTreeMap<PathBuf, String>,
    /// The environment variables that the build read, with their values; `None` where one was not set.
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Option<String>>,
    /// The source tree, where the programs name it: elsewhere they would read this tree's files.
    pub(super) bound_to: Option<PathBuf>,
    pub(super) training: Option<Training>,
    pub(super) cost: Cost,
}

/// What a build read beside the sources that its key names.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Files, by content.
    pub(super) others: BTreeMap<PathBuf, String>,
    /// Environment variables, with their values.
    pub(super) variables: BTreeMap<String, Option<String>>,
}

/// The values of these variables now.
pub(super) fn values(names: impl IntoIterator<Item = String>) -> BTreeMap<String, Option<String>> {
    let value = |name: &String| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    names.into_iter().map(|name| (name.clone(), value(&name))).collect()
}

/// The name of an entry: all that decides what a build makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key of this recipe.
    pub(super) fn of(recipe: &impl Serialize) -> Result<Self> {
        Ok(Self(digest(recipe)?))
    }
}

/// A name beside `name` that nobody else uses, in this process or another: what is written there is renamed when it is whole.
pub(super) fn temporary(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(".{name}.{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The content address of a value's JSON.
pub(super) fn digest(value: &impl Serialize) -> Result<String> {
    Ok(Oid::hash_object(ObjectType::Blob, &serde_json::to_vec(value)?)?.to_string())
}

/// The folder of entries.
#[derive(Clone, Debug)]
pub(super) struct Cache(PathBuf);

impl Cache {
    /// The cache in the tool's own folder.
    pub(super) fn at(own: &Path) -> Self {
        Self(own.join("cache"))
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.0.join(format!("{}.json", key.0))
    }

    /// The entry of this key. One that can't be read is none: it is made again.
    pub(super) fn find(&self, key: &Key) -> Option<Entry> {
        let path = self.path(key);
        let entry = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        // What is used last is thrown away last.
        let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(entry)
    }

    /// Keeps an entry: whoever finds it finds all of it.
    pub(super) fn keep(&self, key: &Key, entry: &Entry) -> Result<()> {
        let write = || {
            fs::create_dir_all(&self.0)?;
            let temporary = self.0.join(temporary(&key.0));
            fs::write(&temporary, serde_json::to_vec(entry)?)?;
            fs::rename(&temporary, self.path(key))
        };
        write().with_context(|| format!("keeping a build in {}", self.0.display()))
    }

    /// All entries with the time of their last use and their file, the one that was used first in front.
    pub(super) fn entries(&self) -> Result<Vec<(SystemTime, PathBuf, Entry)>> {
        let files = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.with_context(|| format!("reading {}", self.0.display()))?,
        };
        let mut entries: Vec<(SystemTime, PathBuf, Entry)> =
            files.filter_map(|file| entry_of(&file.ok()?.path())).collect();
        entries.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(entries)
    }
}

fn entry_of(path: &Path) -> Option<(SystemTime, PathBuf, Entry)> {
    let entry = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some((path.metadata().ok()?.modified().ok()?, path.to_owned(), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(crates: usize) -> Entry {
        let cost = Cost { crates, ..Cost::default() };
        let variant = "v".parse().unwrap();
        Entry {
            variant,
            programs: Vec::new(),
            others: BTreeMap::new(),
            variables: BTreeMap::new(),
            bound_to: None,
            training: None,
            cost,
        }
    }

    #[test]
    fn an_entry_is_found_by_its_recipe_and_a_damaged_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let (one, two) = (Key::of(&("a", 1)).unwrap(), Key::of(&("a", 2)).unwrap());
        assert_eq!(cache.find(&one), None);
        cache.keep(&one, &entry(1)).unwrap();
        assert_eq!((cache.find(&one), cache.find(&two)), (Some(entry(1)), None));
        fs::write(cache.path(&one), "{").unwrap();
        assert_eq!(cache.find(&one), None);
        assert!(cache.entries().unwrap().is_empty());
    }

    #[test]
    fn what_was_used_last_comes_last() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let keys: Vec<Key> = (0..3).map(|n| Key::of(&n).unwrap()).collect();
        for (n, key) in keys.iter().enumerate() {
            cache.keep(key, &entry(n)).unwrap();
            let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(n as u64);
            File::options().append(true).open(cache.path(key)).unwrap().set_modified(long_ago).unwrap();
        }
        assert!(cache.find(&keys[0]).is_some());
        let order: Vec<usize> = cache.entries().unwrap().iter().map(|(_, _, entry)| entry.cost.crates).collect();
        assert_eq!(order, [1, 2, 0]);
    }
}
