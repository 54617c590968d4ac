//! After: what a worker keeps of the database, chunk by chunk, and never more than a few chunks.

use std::ops::RangeInclusive;
use std::sync::Arc;

use redb::Error;
use rustc_hash::FxHashMap;

use super::database::{SnapshotCache, SubscriberDbRedb};
use super::snapshot::{SubscriberSnapshotNumeric, find_at};

/// A worker's own: nothing in it is shared between threads but the database.
#[derive(Debug)]
pub(crate) struct WorkerCache {
    database: Arc<SubscriberDbRedb>,
    /// At most `most`, the one that was loaded last in front.
    chunks: Vec<Chunk>,
    most: usize,
    /// Counts the uses of chunks, to know which of them is the longest ago.
    clock: u64,
    lookups: Lookups,
    /// The most snapshots that were held at once.
    most_held: usize,
}

/// Where look-ups found their answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lookups {
    /// In a chunk.
    pub(crate) hits: u64,
    /// In the database.
    pub(crate) misses: u64,
}

impl Lookups {
    /// The share of look-ups that a chunk answered; 1 where there were none.
    pub(crate) fn hit_rate(self) -> f64 {
        let all = self.hits + self.misses;
        if all == 0 { 1.0 } else { self.hits as f64 / all as f64 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
    }
}

/// The numbers of one range.
#[derive(Debug)]
struct Chunk {
    range: RangeInclusive<u64>,
    snapshots: FxHashMap<u64, Arc<Vec<SubscriberSnapshotNumeric>>>,
    /// How many snapshots these are.
    held: usize,
    last_used: u64,
}

impl WorkerCache {
    /// An empty cache that keeps at most `most` chunks, and at least one.
    pub(crate) fn new(database: Arc<SubscriberDbRedb>, most: usize) -> Self {
        Self { database, chunks: Vec::new(), most: most.max(1), clock: 0, lookups: Lookups::default(), most_held: 0 }
    }

    /// Sees to it that the numbers of `range` are answered from memory. Where the cache is full, the chunk goes whose last
    /// use is the longest ago.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub(crate) fn get_or_load_cache(&mut self, range: &RangeInclusive<u64>) -> Result<(), Error> {
        self.clock += 1;
        if let Some(chunk) = self.chunks.iter_mut().find(|chunk| chunk.range == *range) {
            chunk.last_used = self.clock;
            return Ok(());
        }
        if self.chunks.len() == self.most {
            self.evict();
        }
        let loaded = self.database.load_chunk(range)?;
        let held = loaded.iter().map(|cached| cached.snapshots.len()).sum();
        let snapshots = loaded.into_iter().map(|SnapshotCache { msisdn, snapshots }| (msisdn, snapshots)).collect();
        self.chunks.insert(0, Chunk { range: range.clone(), snapshots, held, last_used: self.clock });
        self.most_held = self.most_held.max(self.chunks.iter().map(|chunk| chunk.held).sum());
        Ok(())
    }

    fn evict(&mut self) {
        let oldest = (0..self.chunks.len()).min_by_key(|&at| self.chunks[at].last_used);
        oldest.map(|at| self.chunks.remove(at));
    }

    /// Who had `msisdn` at `time`: from a chunk, or else from the database. `None` where nobody had it.
    ///
    /// # Errors
    /// Where the database can't be read.
    #[inline]
    pub(crate) fn identity_at(&mut self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error> {
        self.clock += 1;
        let Some(chunk) = self.chunks.iter_mut().find(|chunk| chunk.range.contains(&msisdn)) else {
            self.lookups.misses += 1;
            return self.database.get_subscriber_at(msisdn, time);
        };
        self.lookups.hits += 1;
        chunk.last_used = self.clock;
        Ok(chunk.snapshots.get(&msisdn).and_then(|snapshots| find_at(snapshots, time)))
    }

    /// The most snapshots that were ever held at once.
    pub(crate) fn most_held(&self) -> usize {
        self.most_held
    }

    /// Where look-ups since the last call found their answer.
    pub(crate) fn take_lookups(&mut self) -> Lookups {
        std::mem::take(&mut self.lookups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::subscribers::invent::{DAY, history};
    use crate::subscribers::numbering::Numbering;

    const SUBSCRIBERS: u64 = 500;
    const CHUNK: u64 = 50;

    struct Fixture {
        numbering: Numbering,
        cache: WorkerCache,
        _folder: tempfile::TempDir,
    }

    impl Fixture {
        fn new(most: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("test.redb");
            let numbering = Numbering::new(&Config::load(), SUBSCRIBERS);
            SubscriberDbRedb::write(&path, &numbering, 5).unwrap();
            let database = SubscriberDbRedb::open(&path, &numbering, 5).unwrap();
            Self { numbering, cache: WorkerCache::new(Arc::new(database), most), _folder: folder }
        }

        fn load(&mut self, chunk: u64) {
            let keys = self.numbering.keys(&(CHUNK * chunk..CHUNK * (chunk + 1)));
            self.cache.get_or_load_cache(&keys).unwrap();
        }

        /// Whether a chunk answered for this subscriber.
        fn hits(&mut self, subscriber: u64) -> bool {
            let found = self.cache.identity_at(self.numbering.msisdn(subscriber), DAY).unwrap();
            let expected = history(5, subscriber).into_iter().find(|snapshot| snapshot.holds_at(DAY));
            assert_eq!(found, expected, "subscriber {subscriber}");
            self.cache.take_lookups() == Lookups { hits: 1, misses: 0 }
        }

        fn held(&self) -> usize {
            self.cache.chunks.iter().map(|chunk| chunk.snapshots.len()).sum()
        }
    }

    #[test]
    fn a_loaded_chunk_answers_and_the_database_answers_for_all_others() {
        let mut fixture = Fixture::new(2);
        fixture.load(1);
        for subscriber in 0..SUBSCRIBERS {
            assert_eq!(fixture.hits(subscriber), (50..100).contains(&subscriber), "subscriber {subscriber}");
        }
    }

    #[test]
    fn never_more_chunks_are_held_than_allowed() {
        let mut fixture = Fixture::new(3);
        for chunk in 0..10 {
            fixture.load(chunk);
            assert_eq!(fixture.held() as u64, CHUNK * (chunk + 1).min(3), "after chunk {chunk}");
        }
        assert_eq!([349, 350, 499].map(|subscriber| fixture.hits(subscriber)), [false, true, true]);
    }

    #[test]
    fn the_most_that_was_held_is_all_snapshots_of_the_largest_neighbouring_chunks() {
        let mut fixture = Fixture::new(2);
        (0..10).for_each(|chunk| fixture.load(chunk));
        let snapshots = |chunk| (CHUNK * chunk..CHUNK * (chunk + 1)).map(|number| history(5, number).len()).sum();
        let of: Vec<usize> = (0..10).map(snapshots).collect();
        assert_eq!(Some(fixture.cache.most_held()), of.windows(2).map(|pair| pair[0] + pair[1]).max());
    }

    #[test]
    fn the_chunk_goes_whose_last_use_is_the_longest_ago() {
        let mut fixture = Fixture::new(3);
        (0..3).for_each(|chunk| fixture.load(chunk));
        // A look-up is a use, and so is asking for the chunk again.
        assert!(fixture.hits(0));
        fixture.load(1);
        fixture.load(3);
        assert_eq!([0, 50, 100, 150].map(|subscriber| fixture.hits(subscriber)), [true, true, false, true]);
    }

    #[test]
    fn a_chunk_that_is_there_is_not_loaded_again() {
        let mut fixture = Fixture::new(2);
        fixture.load(0);
        let before = fixture.cache.chunks[0].snapshots[&fixture.numbering.msisdn(0)].clone();
        fixture.load(0);
        assert!(Arc::ptr_eq(&before, &fixture.cache.chunks[0].snapshots[&fixture.numbering.msisdn(0)]));
        assert_eq!(fixture.held() as u64, CHUNK);
    }

    #[test]
    fn a_number_within_a_chunk_that_was_never_given_out_belongs_to_nobody() {
        let mut fixture = Fixture::new(1);
        let unused = fixture.numbering.msisdn(0) + SUBSCRIBERS;
        fixture.cache.get_or_load_cache(&(0..=u64::MAX)).unwrap();
        assert_eq!(fixture.cache.identity_at(unused, DAY).unwrap(), None);
        assert_eq!(fixture.cache.take_lookups(), Lookups { hits: 1, misses: 0 });
    }

    #[test]
    fn hit_rates_are_of_all_look_ups() {
        let mut lookups = Lookups { hits: 3, misses: 0 };
        lookups.add(Lookups { hits: 0, misses: 1 });
        assert_eq!((lookups.hit_rate(), Lookups::default().hit_rate()), (0.75, 1.0));
    }
}
