//! A concurrent cache with times to live: read-mostly, sharded, one reader-writer lock per shard.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{PoisonError, RwLock};

use perfplan_harness::{Size, Suite, amount};

use crate::hasher::Plain;
use crate::tape::{Random, Tape};

const OPERATIONS: usize = amount(200);

/// More than threads that read at a time, so that two seldom meet at one lock.
const SHARDS: usize = 16;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("ultra_low_latency/cache_get_operation", get)
        .about("an iteration is 200 operations: look-ups in a sharded cache, of which 1 in 8 finds nothing or an expired value")
        .operations(OPERATIONS as u64);
}

/// Values by key, each until its time.
pub(crate) struct Cache {
    shards: [Shard; SHARDS],
}

/// A part of the keys, on cache lines of its own: a reader writes to the lock, and would slow the readers of a neighbour
/// down. Two lines, since x86-64 fetches them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Shard(RwLock<HashMap<u64, Entry, Plain>>);

/// A value that holds until `expires`, a tick of the engine's clock.
struct Entry {
    value: u64,
    expires: u64,
}

impl Cache {
    pub(crate) fn empty() -> Self {
        Self { shards: std::array::from_fn(|_| Shard::default()) }
    }

    /// The shard by the hash's middle bits; the map inside uses the lowest and the highest.
    fn shard(&self, key: u64) -> &RwLock<HashMap<u64, Entry, Plain>> {
        &self.shards[(Plain::default().hash_one(key) >> 32) as usize % SHARDS].0
    }

    pub(crate) fn insert(&self, key: u64, value: u64, expires: u64) {
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(key, Entry { value, expires });
    }

    /// The value, unless it has expired at tick `now`.
    #[inline]
    pub(crate) fn get(&self, key: u64, now: u64) -> Option<u64> {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&key).filter(|entry| entry.expires > now).map(|entry| entry.value)
    }
}

/// The tick at which the cases read.
pub(crate) const NOW: u64 = 1_000;

/// A cache of `count` values, 1 in 16 of them expired at [`NOW`], and keys to ask for, 1 in 16 of them in no cache.
pub(crate) fn filled(count: u32, seed: u64) -> (Cache, Tape<u64>) {
    let mut random = Random::seeded(seed);
    let cache = Cache::empty();
    let keys: Vec<u64> = (0..count).map(|_| random.word()).collect();
    for &key in &keys {
        let expires = if random.below(16) == 0 { NOW } else { NOW + 1 };
        cache.insert(key, random.word(), expires);
    }
    let asked = Tape::record(16_384, seed + 1, |random| match random.below(16) {
        0 => random.word(),
        _ => keys[random.below(count) as usize],
    });
    (cache, asked)
}

fn get(size: Size) -> impl FnMut(u64) -> u64 {
    let (cache, asked) = filled(size.pick(256, 4_096, 1_000_000), 11);
    move |index| {
        let mut sum = 0_u64;
        for &key in asked.window(index, OPERATIONS) {
            sum = sum.rotate_left(1).wrapping_add(cache.get(key, NOW).unwrap_or(1));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn a_value_is_found_until_it_expires_and_replaced_by_a_newer_one() {
        let cache = Cache::empty();
        cache.insert(7, 70, 100);
        assert_eq!(cache.get(7, 99), Some(70));
        assert_eq!(cache.get(7, 100), None);
        assert_eq!(cache.get(8, 0), None);
        cache.insert(7, 71, 200);
        assert_eq!(cache.get(7, 100), Some(71));
    }

    #[test]
    fn keys_spread_evenly_over_the_shards() {
        let (cache, _) = filled(16_000, 1);
        for shard in &cache.shards {
            let held = shard.0.read().unwrap().len();
            assert!((800..1_200).contains(&held), "a shard holds {held} of 16000");
        }
    }

    #[test]
    fn about_one_look_up_in_eight_finds_nothing() {
        let (cache, asked) = filled(4_096, 2);
        let missed = asked.window(0, 16_384).filter(|&&key| cache.get(key, NOW).is_none()).count();
        assert!((1_600..2_400).contains(&missed), "{missed} of 16384");
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(get);
    }
}
