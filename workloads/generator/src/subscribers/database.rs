//! The database: a redb file with the history of every number.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Error, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use super::invent::history;
use super::numbering::Numbering;
use super::snapshot::{self, SubscriberSnapshotNumeric};

/// The history under each number, as [`snapshot::encode`] has it.
const SNAPSHOTS: TableDefinition<u64, &[u8]> = TableDefinition::new("snapshots");
/// What the file is, under [`FORMAT`], [`COUNT`] and [`SEED`].
const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");

const FORMAT: &str = "format";
const COUNT: &str = "subscribers";
const SEED: &str = "seed";

/// Raised whenever a file made by an earlier build would no longer be the one that this build makes.
pub(crate) const VERSION: u64 = 1;

/// What redb may keep in memory of a file, bytes.
const CACHE: usize = 64 << 20;

/// The snapshots of one number, shared between those who look at them.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotCache {
    pub(crate) msisdn: u64,
    /// Sorted by `valid_from`.
    pub(crate) snapshots: Arc<Vec<SubscriberSnapshotNumeric>>,
}

/// The database, open for reading. Any number of processes may read a file at once.
pub(crate) struct SubscriberDbRedb {
    database: ReadOnlyDatabase,
}

impl fmt::Debug for SubscriberDbRedb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberDbRedb").finish_non_exhaustive()
    }
}

impl SubscriberDbRedb {
    /// Makes a new file at `path` for the subscribers of `numbering`, with the histories that `seed` gives them.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub(crate) fn write(path: &Path, numbering: &Numbering, seed: u64) -> Result<(), Error> {
        let database = Builder::new().set_cache_size(CACHE).create(path)?;
        let transaction = database.begin_write()?;
        {
            let mut snapshots = transaction.open_table(SNAPSHOTS)?;
            for subscriber in 0..numbering.subscribers() {
                let value = snapshot::encode(&history(seed, subscriber));
                snapshots.insert(numbering.msisdn(subscriber), value.as_slice())?;
            }
            let mut about = transaction.open_table(ABOUT)?;
            for (name, value) in [(FORMAT, VERSION), (COUNT, numbering.subscribers()), (SEED, seed)] {
                about.insert(name, value)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Opens the file at `path`, which must be the one that [`write`](Self::write) makes of `numbering` and `seed`.
    ///
    /// # Errors
    /// Where there is no such file, where it is not redb's, and where it is another one.
    pub(crate) fn open(path: &Path, numbering: &Numbering, seed: u64) -> Result<Self, Error> {
        let database = Self { database: Builder::new().set_cache_size(CACHE).open_read_only(path)? };
        database.check(numbering, seed)?;
        Ok(database)
    }

    fn check(&self, numbering: &Numbering, seed: u64) -> Result<(), Error> {
        let about = self.database.begin_read()?.open_table(ABOUT)?;
        for (name, expected) in [(FORMAT, VERSION), (COUNT, numbering.subscribers()), (SEED, seed)] {
            let stands = about.get(name)?.map(|value| value.value());
            if stands != Some(expected) {
                return Err(Error::Corrupted(format!("its {name} is {stands:?}, not {expected}")));
            }
        }
        let numbers = self.table()?.len()?;
        if numbers != numbering.subscribers() {
            return Err(Error::Corrupted(format!("it has {numbers} numbers, not {}", numbering.subscribers())));
        }
        Ok(())
    }

    fn table(&self) -> Result<ReadOnlyTable<u64, &'static [u8]>, Error> {
        Ok(self.database.begin_read()?.open_table(SNAPSHOTS)?)
    }

    /// Before: who had `msisdn` at `time`, by a transaction, a table and a vector of the number's whole history of their
    /// own. `None` where nobody had it.
    ///
    /// # Errors
    /// Where the file can't be read or is corrupted.
    pub(crate) fn get_subscriber_at(&self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error> {
        let transaction = self.database.begin_read()?;
        let table = transaction.open_table(SNAPSHOTS)?;
        let Some(value) = table.get(msisdn)? else { return Ok(None) };
        let snapshots = decoded(msisdn, value.value())?;
        Ok(snapshots.into_iter().find(|snapshot| snapshot.holds_at(time)))
    }

    /// After: the histories of all numbers in `range`, in one transaction.
    ///
    /// # Errors
    /// Where the file can't be read or is corrupted.
    pub(crate) fn load_chunk(&self, range: &RangeInclusive<u64>) -> Result<Vec<SnapshotCache>, Error> {
        let mut chunk = Vec::new();
        for entry in self.table()?.range(range.clone())? {
            let (key, value) = entry?;
            let msisdn = key.value();
            let mut snapshots = decoded(msisdn, value.value())?;
            snapshots.sort_by_key(|snapshot| snapshot.valid_from);
            chunk.push(SnapshotCache { msisdn, snapshots: Arc::new(snapshots) });
        }
        Ok(chunk)
    }
}

fn decoded(msisdn: u64, value: &[u8]) -> Result<Vec<SubscriberSnapshotNumeric>, Error> {
    let broken = || Error::Corrupted(format!("{} bytes under number {msisdn} are no snapshots", value.len()));
    snapshot::decode(value).ok_or_else(broken)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::config::Config;
    use crate::subscribers::invent::DAY;
    use crate::subscribers::snapshot::find_at;

    const SUBSCRIBERS: u64 = 600;

    fn numbering() -> Numbering {
        Numbering::new(&Config::load(), SUBSCRIBERS)
    }

    /// A database in a folder that lives as long.
    fn database() -> (TempDir, SubscriberDbRedb) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        SubscriberDbRedb::write(&path, &numbering(), 3).unwrap();
        let database = SubscriberDbRedb::open(&path, &numbering(), 3).unwrap();
        (folder, database)
    }

    /// A database with `value` under the number 7.
    fn with_value(value: &[u8]) -> (TempDir, SubscriberDbRedb) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        let database = Builder::new().create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(SNAPSHOTS).unwrap().insert(7, value).unwrap();
        transaction.commit().unwrap();
        drop(database);
        (folder, SubscriberDbRedb { database: ReadOnlyDatabase::open(path).unwrap() })
    }

    /// The times at which something may go wrong: a number's first and last seconds with each owner, and one further.
    fn edges(history: &[SubscriberSnapshotNumeric]) -> impl Iterator<Item = u64> {
        history.iter().flat_map(|snapshot| [snapshot.valid_from, snapshot.valid_to]).flat_map(|at| [at - 1, at])
    }

    #[test]
    fn both_ways_find_at_every_edge_of_every_history_who_the_history_says() {
        let (_folder, database) = database();
        let chunk = database.load_chunk(&numbering().keys(&(0..SUBSCRIBERS))).unwrap();
        assert_eq!(chunk.len() as u64, SUBSCRIBERS);
        for (subscriber, cached) in chunk.iter().enumerate() {
            let history = history(3, subscriber as u64);
            assert_eq!((cached.msisdn, &*cached.snapshots), (numbering().msisdn(subscriber as u64), &history));
            for time in edges(&history).chain([0, DAY]) {
                let expected = history.iter().find(|snapshot| snapshot.holds_at(time)).copied();
                assert_eq!(database.get_subscriber_at(cached.msisdn, time).unwrap(), expected, "at {time}");
                assert_eq!(find_at(&cached.snapshots, time), expected, "at {time}");
            }
        }
    }

    #[test]
    fn a_chunk_holds_its_first_and_its_last_number_and_no_other() {
        let (_folder, database) = database();
        let chunk = database.load_chunk(&numbering().keys(&(100..250))).unwrap();
        let numbers: Vec<u64> = chunk.iter().map(|cached| cached.msisdn).collect();
        assert_eq!(numbers, (100..250).map(|subscriber| numbering().msisdn(subscriber)).collect::<Vec<_>>());
    }

    #[test]
    fn a_number_that_was_never_given_out_belongs_to_nobody() {
        let (_folder, database) = database();
        assert_eq!(database.get_subscriber_at(1, DAY).unwrap(), None);
        assert!(database.load_chunk(&(1..=2)).unwrap().is_empty());
    }

    #[test]
    fn a_value_that_is_no_history_is_reported_with_its_number() {
        let (_folder, database) = with_value(&[0; 50]);
        let says = "50 bytes under number 7 are no snapshots";
        assert!(database.get_subscriber_at(7, DAY).unwrap_err().to_string().contains(says));
        assert!(database.load_chunk(&(0..=9)).unwrap_err().to_string().contains(says));
    }

    #[test]
    fn a_history_written_in_another_order_is_sorted_when_it_is_loaded() {
        let mut turned = history(3, 7);
        assert!(turned.len() > 1);
        turned.reverse();
        let (_folder, database) = with_value(&snapshot::encode(&turned));
        let chunk = database.load_chunk(&(7..=7)).unwrap();
        assert_eq!(*chunk[0].snapshots, history(3, 7));
    }

    #[test]
    fn a_file_of_another_seed_or_size_is_not_taken_for_this_one() {
        let (folder, _database) = database();
        let open = |subscribers, seed| {
            let numbering = Numbering::new(&Config::load(), subscribers);
            SubscriberDbRedb::open(&folder.path().join("test.redb"), &numbering, seed).unwrap_err().to_string()
        };
        assert!(open(SUBSCRIBERS, 4).contains("its seed is Some(3), not 4"));
        assert!(open(601, 3).contains("its subscribers is Some(600), not 601"));
    }
}
