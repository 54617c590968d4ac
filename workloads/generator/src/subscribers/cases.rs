//! The cases: a worker asks for both identities behind each call of its subscribers.

use std::sync::Arc;

use perfplan_harness::{Checksum, Size, Suite, add, amount, gauge};
use rand::RngExt;
use redb::Error;

use super::cache::WorkerCache;
use super::chunks::Chunks;
use super::database::SubscriberDbRedb;
use super::identities::Identities;
use super::invent::DAY;
use super::numbering::Numbering;
use super::snapshot::SubscriberSnapshotNumeric;
use super::store;
use crate::config::Config;
use crate::random;

/// Subscribers of a chunk.
const CHUNK: u64 = amount(100) as u64;
/// Chunks of an iteration, one after another.
const CHUNKS: u64 = 4;
/// Chunks that a worker keeps: the one before, its own and the next, and one more.
pub(crate) const KEPT: usize = 4;
/// Room for the subscribers of an iteration, with `one-percent-more` too: both begin at the same chunks.
const ROOM: u64 = 408;
/// Neighbouring iterations are so many times as many chunks apart, so that a batch sees all parts of the file.
const SPREAD: u64 = 7_919;

const SEED: u64 = 1;

pub(crate) fn register(suite: &mut Suite) {
    let naive_about =
        "both identities of 1600 calls by 400 subscribers: each by a transaction, a table and a vector of its own";
    let cached_about =
        "both identities of 1600 calls by 400 subscribers: from chunks of 100 histories, each loaded at once";
    suite.case("redb/naive", |size| naive(Network::of(size))).about(naive_about);
    suite.case("redb/cached", |size| cached(Network::of(size))).about(cached_about);
    let of_100k = |_| Network::open(100_000, 4);
    let (naive_about, cached_about) = (format!("{naive_about}, of 100,000"), format!("{cached_about}, of 100,000"));
    suite.case("redb/naive/100k", move |size| naive(of_100k(size))).about(&naive_about);
    suite.case("redb/cached/100k", move |size| cached(of_100k(size))).about(&cached_about);
}

/// A network and its database.
struct Network {
    numbering: Numbering,
    database: Arc<SubscriberDbRedb>,
    /// Calls of a subscriber.
    calls_each: u32,
}

impl Network {
    fn of(size: Size) -> Self {
        Self::open(size.pick(1_000, 10_000, 1_000_000), size.pick(1, 4, 4))
    }

    /// # Panics
    /// Where there is no database and none can be made: nothing can be measured then.
    fn open(subscribers: u64, calls_each: u32) -> Self {
        let numbering = Numbering::new(&Config::load(), subscribers);
        match store::open(&numbering, SEED) {
            Ok(database) => Self { numbering, database, calls_each },
            Err(error) => panic!("{error:#}"),
        }
    }

    /// The identities behind the calls of iteration `index`.
    fn calls(&self, index: u64, identities: &mut impl Identities) -> Result<u64, Error> {
        let mut rng = random::of_iteration(index);
        let mut known = Checksum::default();
        let places = self.numbering.subscribers() / ROOM;
        let first = index.wrapping_mul(SPREAD) % places * CHUNKS;
        // The middle of a worker's part, which is large: the chunks before and after are its own too.
        let chunks = Chunks::new(0..self.numbering.subscribers(), CHUNK);
        for nth in first..first + CHUNKS {
            for near in chunks.around(nth) {
                identities.prepare(&self.numbering.keys(&near))?;
            }
            for caller in chunks.nth(nth) {
                for _ in 0..self.calls_each {
                    let time = DAY + rng.random_range(0..86_400);
                    let called = self.numbering.acquaintance(caller, &mut rng);
                    for party in [caller, called] {
                        note(&mut known, identities.identity_at(self.numbering.msisdn(party), time)?);
                    }
                }
            }
        }
        Ok(known.value())
    }
}

#[inline]
fn note(known: &mut Checksum, identity: Option<SubscriberSnapshotNumeric>) {
    let of = identity.map_or([u64::MAX; 3], |found| [found.imsi, found.imei, u64::from(found.mccmnc)]);
    of.into_iter().for_each(|word| known.add(word));
}

/// # Panics
/// Where the database can't be read: nothing can be measured then.
fn read<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("the database of subscribers: {error}"))
}

fn naive(network: Network) -> impl FnMut(u64) -> u64 {
    let mut database = Arc::clone(&network.database);
    move |index| read(network.calls(index, &mut database))
}

fn cached(network: Network) -> impl FnMut(u64) -> u64 {
    move |index| {
        // A worker begins with nothing.
        let mut cache = WorkerCache::new(Arc::clone(&network.database), KEPT);
        let known = read(network.calls(index, &mut cache));
        let lookups = cache.take_lookups();
        gauge("cache.hit-rate", lookups.hit_rate());
        add("cache.fallbacks", lookups.misses);
        known
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|size| naive(Network::of(size)));
        contract::results_depend_on_the_index_alone(|size| cached(Network::of(size)));
    }

    // Not all the iterations that the harness compares: unoptimised, the case before takes its time.
    #[test]
    fn before_and_after_find_the_same_identities() {
        for size in [Size::Quick, Size::Default] {
            let (mut before, mut after) = (naive(Network::of(size)), cached(Network::of(size)));
            for index in 0..12 {
                assert_eq!(before(index), after(index), "iteration {index} at size {size}");
            }
        }
    }

    #[test]
    fn nineteen_of_twenty_called_numbers_are_answered_from_the_cache() {
        let network = Network::of(Size::Default);
        let mut cache = WorkerCache::new(Arc::clone(&network.database), KEPT);
        network.calls(3, &mut cache).unwrap();
        let lookups = cache.take_lookups();
        assert_eq!(lookups.hits + lookups.misses, 2 * CHUNKS * CHUNK * 4);
        // Half of all look-ups are of callers, who are always in it.
        let called = 2.0 * lookups.hit_rate() - 1.0;
        assert!((0.93..0.97).contains(&called), "{called}");
    }

    #[test]
    fn every_iteration_stays_within_every_network_with_one_per_cent_more_too() {
        for subscribers in [1_000, 10_000, 100_000, 1_000_000] {
            assert!(subscribers / ROOM * CHUNKS * 101 <= subscribers, "{subscribers} subscribers");
        }
    }
}
