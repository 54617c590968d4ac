//! Small kernels of different character, measured by criterion and by `cargo perfplan` alike.
//!
//! Each call does `amount(n)` equal units of work and little else, so that the feature `one-percent-more` adds one per
//! cent to its time, and takes some 2 to 30 us. Its result depends on its index alone.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};

use perfplan_harness::amount;

/// A kernel that is set up: does iteration `index` and returns a digest of what came out.
pub type Work = Box<dyn FnMut(u64) -> u64>;

/// One piece of work, by the name that it has under both tools.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// A plain word: criterion makes a folder of it.
    pub name: &'static str,
    /// What one iteration does, in a sentence.
    pub about: &'static str,
    /// Makes the inputs, the same in every process; not timed.
    pub setup: fn() -> Work,
}

/// All kernels.
pub const KERNELS: [Kernel; 5] = [
    Kernel {
        name: "arithmetic",
        about: "a chain of 500 multiplications, shifts and divisions",
        setup: || Box::new(arithmetic),
    },
    Kernel {
        name: "allocation",
        about: "100 byte strings of 16 to 79 bytes are allocated, put into a hash map, taken out and freed",
        setup: allocation,
    },
    Kernel { name: "sorting", about: "100 rows of 32 numbers are copied and sorted", setup: sorting },
    Kernel {
        name: "btree",
        about: "100 look-ups in a B-tree of 4096 keys, each reading four entries on",
        setup: btree,
    },
    Kernel { name: "chasing", about: "2000 steps along a random cycle through 64 KiB", setup: chasing },
];

/// The next word of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", figure 16).
fn word(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn words(seed: u64, count: usize) -> Vec<u64> {
    let mut state = seed;
    (0..count).map(|_| word(&mut state)).collect()
}

/// Every step waits for the one before: latency of the multiplier and the divider, no memory.
fn arithmetic(index: u64) -> u64 {
    let mut x = index;
    for divisor in 3..3 + amount(500) as u64 {
        x = word(&mut x) / divisor + x % divisor;
    }
    x
}

/// The hasher of std with fixed keys: the same table in every process.
type Table = HashMap<u64, Vec<u8>, BuildHasherDefault<DefaultHasher>>;

/// The allocator, SipHash and a hash table that never grows.
///
/// A unit puts a string in and takes the one of 16 units ago out. Freeing all of them at the end of an iteration would
/// not be equal units: glibc frees the first few of each size another way than the rest, and 1 % more of them took 1.15 %
/// more instructions.
fn allocation() -> Work {
    const STRINGS: usize = amount(100);
    const KEPT: u64 = 16;
    let mut table = Table::with_capacity_and_hasher(STRINGS, BuildHasherDefault::default());
    Box::new(move |index| {
        let key = |unit: u64| word(&mut ((index << 32) + unit));
        let mut digest = 0_u64;
        for unit in 0..STRINGS as u64 {
            let new = key(unit + KEPT);
            table.insert(new, vec![new as u8; 16 + (new >> 58) as usize]);
            if let Some(bytes) = table.remove(&key(unit)) {
                digest = digest.rotate_left(5) ^ (bytes.len() as u64) ^ u64::from(bytes[0]);
            }
        }
        table.clear();
        digest
    })
}

/// Branches that can't be predicted, on memory that is at hand. Many short rows: sorting one long row of 1 % more numbers
/// would take more than 1 % more time.
fn sorting() -> Work {
    const ROW: usize = 32;
    let numbers = words(1, 64 * 1024);
    let rows = numbers.len() / ROW;
    Box::new(move |index| {
        let mut digest = 0_u64;
        for row in 0..amount(100) {
            // An odd stride, so that every row is a start once.
            let start = (index as usize).wrapping_mul(127).wrapping_add(row) % rows * ROW;
            let mut sorted = [0; ROW];
            sorted.copy_from_slice(&numbers[start..start + ROW]);
            sorted.sort_unstable();
            digest = digest.rotate_left(5) ^ sorted[ROW / 2] ^ sorted[ROW - 1];
        }
        digest
    })
}

/// Walks from node to node, with comparisons in each.
fn btree() -> Work {
    let tree: BTreeMap<u64, u64> = words(2, 4096).into_iter().zip(0..).collect();
    Box::new(move |index| {
        let mut state = index;
        (0..amount(100)).fold(0, |digest: u64, _| {
            let next = tree.range(word(&mut state)..).take(4);
            next.fold(digest, |digest, (key, value)| digest.rotate_left(5) ^ key ^ value)
        })
    })
}

/// One load after the other, out of the second-level cache on most machines: where the pages lie in memory shows.
fn chasing() -> Work {
    let next = cycle(3, 16 * 1024);
    Box::new(move |index| {
        let mut at = word(&mut index.clone()) as usize % next.len();
        for _ in 0..amount(2000) {
            at = next[at] as usize;
        }
        at as u64
    })
}

/// A random permutation that is one cycle: following it visits everything (Sattolo 1986).
fn cycle(seed: u64, count: u32) -> Vec<u32> {
    let mut state = seed;
    let mut next: Vec<u32> = (0..count).collect();
    for last in (1..next.len()).rev() {
        next.swap(last, word(&mut state) as usize % last);
    }
    next
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        for kernel in KERNELS {
            let (mut forth, mut back, mut twice) = ((kernel.setup)(), (kernel.setup)(), (kernel.setup)());
            let expected: Vec<u64> = (0..40).map(&mut forth).collect();
            for (index, &result) in expected.iter().enumerate().rev() {
                let index = index as u64;
                assert_eq!(back(index), result, "{}: iteration {index}, run backwards", kernel.name);
                assert_eq!((twice(index), twice(index)), (result, result), "{}: iteration {index}, twice", kernel.name);
            }
        }
    }

    #[test]
    fn different_indices_give_different_results() {
        for kernel in KERNELS {
            let mut work = (kernel.setup)();
            let results: HashSet<u64> = (0..40).map(&mut work).collect();
            assert!(results.len() > 35, "{}: only {} of 40 results differ", kernel.name, results.len());
        }
    }

    #[test]
    fn a_cycle_visits_everything_before_it_returns() {
        let next = cycle(3, 1000);
        let mut visited = HashSet::new();
        let mut at = 0;
        while visited.insert(at) {
            at = next[at as usize];
        }
        assert_eq!((visited.len(), at), (1000, 0));
    }

    #[test]
    fn one_percent_more_work_fits_into_the_same_hash_table() {
        // Else the table would grow by a factor of two, and the change of code would be more than one per cent.
        let buckets = |strings| Table::with_capacity_and_hasher(strings, BuildHasherDefault::default()).capacity();
        assert_eq!(buckets(100), buckets(101));
    }
}
