//! The cases: a worker asks for both identities behind each call of its subscribers.

use std::sync::Arc;

use perfplan_harness::{Checksum, Size, Suite, add, amount, gauge};
use rand::RngExt;
use rand::rngs::SmallRng;
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
    pair(suite, "", "", Network::of);
    pair(suite, "/100k", " of 100,000", |_| Network::open(100_000, 4));
    pair(suite, "/1M", " of a million", |size| Network::open(size.pick(100_000, 1_000_000, 1_000_000), 4));
    pair(suite, "/far", " to anybody", Network::far);
}

/// The case before and the case after, with `name` behind theirs; `whose` says what is different about the calls.
fn pair(suite: &mut Suite, name: &str, whose: &str, network: fn(Size) -> Network) {
    let both = "both identities of 1600 calls by 400 subscribers";
    suite
        .case(&format!("redb/naive{name}"), move |size| naive(network(size)))
        .about(&format!("{both}{whose}: each by a transaction, a table and a vector of its own"));
    suite
        .case(&format!("redb/cached{name}"), move |size| cached(network(size)))
        .about(&format!("{both}{whose}: from chunks of 100 histories, each loaded at once"));
}

/// A network and its database.
struct Network {
    numbering: Numbering,
    database: Arc<SubscriberDbRedb>,
    /// Calls of a subscriber.
    calls_each: u32,
    /// Whom a subscriber calls.
    called: fn(&Numbering, u64, &mut SmallRng) -> u64,
}

impl Network {
    fn of(size: Size) -> Self {
        Self::open(size.pick(1_000, 10_000, 1_000_000), size.pick(1, 4, 4))
    }

    /// The same, where anybody may be called.
    fn far(size: Size) -> Self {
        Self { called: Numbering::anybody, ..Self::of(size) }
    }

    /// # Panics
    /// Where there is no database and none can be made: nothing can be measured then.
    fn open(subscribers: u64, calls_each: u32) -> Self {
        let numbering = Numbering::new(&Config::load(), subscribers);
        match store::open(&numbering, SEED) {
            Ok(database) => Self { numbering, database, calls_each, called: Numbering::acquaintance },
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
                    let called = (self.called)(&self.numbering, caller, &mut rng);
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
        gauge("cache.snapshots", cache.most_held() as f64);
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
    fn before_and_after_find_the_same_identities_of_anybody() {
        let (mut before, mut after) = (naive(Network::far(Size::Default)), cached(Network::far(Size::Default)));
        (0..12).for_each(|index| assert_eq!(before(index), after(index), "iteration {index}"));
        assert_ne!(before(0), naive(Network::of(Size::Default))(0), "the same people are called");
    }

    /// The cache after iteration 3.
    fn used(network: &Network) -> WorkerCache {
        let mut cache = WorkerCache::new(Arc::clone(&network.database), KEPT);
        network.calls(3, &mut cache).unwrap();
        cache
    }

    #[test]
    fn where_anybody_is_called_the_cache_answers_for_callers_and_few_others() {
        let rate = used(&Network::far(Size::Default)).take_lookups().hit_rate();
        assert!((0.5..0.54).contains(&rate), "{rate}");
    }

    #[test]
    fn a_cache_holds_as_many_snapshots_of_a_large_network_as_of_a_small_one() {
        let [small, large] = [10_000, 100_000].map(|count| used(&Network::open(count, 1)).most_held() as f64);
        assert!((0.8..1.25).contains(&(large / small)), "{small} and {large}");
        // Four chunks of numbers with some three or four snapshots each.
        assert!((1_200.0..1_700.0).contains(&large), "{large}");
    }

    #[test]
    fn nineteen_of_twenty_called_numbers_are_answered_from_the_cache() {
        let network = Network::of(Size::Default);
        let lookups = used(&network).take_lookups();
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
