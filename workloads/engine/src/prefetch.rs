//! Walking lists whose nodes lie scattered in memory, plainly or with the next lists' first nodes on their way already.

use std::fs;

use perfplan_harness::{Size, Suite, amount};

use crate::tape::Random;

/// From one iteration's first list to the next one's.
const STEP: usize = 1_000;

const LISTS: usize = amount(STEP);

/// Bytes of a table of the large scene: several tables' worth is walked in a batch of a millisecond or so.
const TABLE: usize = 1 << 20;

/// The fewest and the most bytes that the large scene has at the default size.
const LEAST: usize = 64 << 20;
const MOST: usize = 256 << 20;

/// How many lists ahead a first node is asked for: a few hundred nanoseconds, about as long as memory takes.
const AHEAD: usize = 8;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("prefetch/plain/small", |size| walk(plain, Scene::small(size)))
        .about("walks 1000 lists of orders that fit the L1 cache");
    suite
        .case("prefetch/prefetching/small", |size| walk(prefetching, Scene::small(size)))
        .about("walks 1000 lists of orders that fit the L1 cache, prefetching 8 lists ahead");
    suite
        .case("prefetch/plain/large", |size| walk(plain, Scene::large(size)))
        .about("walks 1000 lists of orders scattered over 64 to 256 MB, by the size of the last-level cache");
    suite
        .case("prefetch/prefetching/large", |size| walk(prefetching, Scene::large(size)))
        .about(
            "walks 1000 lists of orders scattered over 64 to 256 MB, by the size of the last-level cache, prefetching 8 lists ahead",
        );
}

/// Bytes of the largest cache of the first CPU, or `None` where the system does not tell, as in many containers.
fn largest_cache() -> Option<usize> {
    let caches = fs::read_dir("/sys/devices/system/cpu/cpu0/cache").ok()?.flatten();
    let sizes = caches.filter_map(|cache| fs::read_to_string(cache.path().join("size")).ok());
    sizes.filter_map(|size| bytes(&size)).max()
}

/// A size as the kernel writes it: `32768K`.
fn bytes(size: &str) -> Option<usize> {
    size.trim().strip_suffix('K')?.parse::<usize>().ok()?.checked_mul(1_024)
}

/// Bytes that such a cache does not hold, as long as [`MOST`] are enough: twice as many, and a power of two.
fn beyond(cache: Option<usize>) -> usize {
    let twice = cache.and_then(|cache| cache.checked_mul(2)?.checked_next_power_of_two());
    // Where twice the size is beyond all numbers, `MOST` is nearest.
    cache.map_or(LEAST, |_| twice.unwrap_or(MOST).clamp(LEAST, MOST))
}

/// Asks for the cache line of `item` to be fetched. Does nothing on targets without a stable prefetch.
#[inline(always)]
fn prefetch<T>(item: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing and changes nothing; SSE is part of x86-64; the address is a reference's.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

/// Looks items up by number, in the order of `route`, with those `AHEAD` places further being fetched meanwhile.
struct Prefetching<'a, T> {
    items: &'a [T],
    route: &'a [u32],
}

impl<'a, T> Iterator for Prefetching<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        if let Some(item) = self.route.get(AHEAD).and_then(|&number| self.items.get(number as usize)) {
            prefetch(item);
        }
        let (&number, rest) = self.route.split_first()?;
        self.route = rest;
        self.items.get(number as usize)
    }
}

/// No next node.
const END: u32 = u32::MAX;

/// An order in the list of its instrument: one cache line.
#[repr(align(64))]
#[derive(Clone)]
struct Node {
    price: u64,
    quantity: u64,
    next: u32,
}

/// Price times quantity of a list, from its first node on.
#[inline]
fn value(nodes: &[Node], first: &Node) -> u64 {
    let rest = |node: &&Node| nodes.get(node.next as usize);
    std::iter::successors(Some(first), rest).fold(0, |sum, node| sum.wrapping_add(node.price * node.quantity))
}

fn plain(nodes: &[Node], route: &[u32]) -> u64 {
    let firsts = route.iter().filter_map(|&number| nodes.get(number as usize));
    firsts.fold(0, |sum, first| sum.rotate_left(1).wrapping_add(value(nodes, first)))
}

fn prefetching(nodes: &[Node], route: &[u32]) -> u64 {
    let firsts = Prefetching { items: nodes, route };
    firsts.fold(0, |sum, first| sum.rotate_left(1).wrapping_add(value(nodes, first)))
}

/// Lists in memory, and the order in which to walk them.
struct Scene {
    /// Equal tables, so that a result depends on its index alone, while the memory walked does not: see [`Tour`]. A single one
    /// would be found cached.
    replicas: Vec<Vec<Node>>,
    /// The first nodes of all lists, and from the beginning again so that every window is in one piece.
    route: Vec<u32>,
    lists: usize,
}

impl Scene {
    /// 16 KB.
    fn small(_: Size) -> Self {
        Self::scatter(1, 256)
    }

    fn large(size: Size) -> Self {
        let (replicas, count) = Self::measures(size, largest_cache());
        Self::scatter(replicas, count)
    }

    /// How many tables the large scene has, and how many nodes each: beyond the last-level cache at the default size, at the full
    /// one as large as it gets.
    fn measures(size: Size, cache: Option<usize>) -> (usize, u32) {
        let full = (TABLE / size_of::<Node>()) as u32;
        (size.pick(2, beyond(cache) / TABLE, MOST / TABLE), size.pick(2_048, full, full))
    }

    /// `count` nodes in lists of one to four, scattered.
    fn scatter(replicas: usize, count: u32) -> Self {
        let mut random = Random::seeded(18);
        let places = random.permutation(count);
        let empty = Node { price: 0, quantity: 0, next: END };
        let (mut nodes, mut route, mut rest) = (vec![empty; count as usize], Vec::new(), places.as_slice());
        while !rest.is_empty() {
            let (list, behind) = rest.split_at(rest.len().min(1 + random.below(4) as usize));
            for (step, &place) in list.iter().enumerate() {
                let next = list.get(step + 1).copied().unwrap_or(END);
                let (price, quantity) = (u64::from(random.below(100_000)), u64::from(random.below(1_000)));
                nodes[place as usize] = Node { price, quantity, next };
            }
            route.push(list[0]);
            rest = behind;
        }
        let lists = route.len();
        let route = route.into_iter().cycle().take(lists + LISTS).collect();
        Self { replicas: vec![nodes; replicas], route, lists }
    }

    /// How many times the lists have been walked through when iteration `index` begins, and the lists that it walks.
    fn window(&self, index: u64) -> (usize, &[u32]) {
        let walked = (index as usize).wrapping_mul(STEP);
        let start = walked % self.lists;
        (walked / self.lists, &self.route[start..start + LISTS])
    }
}

/// Which table is walked: the next one after each lap, and after each batch the one behind its last. So none is walked again
/// before all others were.
#[derive(Default)]
struct Tour {
    /// The first table of this batch.
    first: usize,
    /// The one of the last iteration.
    last: usize,
}

impl Tour {
    fn table(&mut self, index: u64, laps: usize) -> usize {
        if index == 0 {
            self.first = self.last + 1;
        }
        self.last = self.first + laps;
        self.last
    }
}

fn walk(way: impl Fn(&[Node], &[u32]) -> u64, scene: Scene) -> impl FnMut(u64) -> u64 {
    let mut tour = Tour::default();
    move |index| {
        let (laps, window) = scene.window(index);
        way(&scene.replicas[tour.table(index, laps) % scene.replicas.len()], window)
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn the_iterator_yields_what_a_plain_loop_does_at_every_length() {
        let items: Vec<u32> = (100..150).collect();
        let route = Random::seeded(19).permutation(50);
        for length in 0..=50 {
            let walked: Vec<u32> = Prefetching { items: &items, route: &route[..length] }.copied().collect();
            let expected: Vec<u32> = route[..length].iter().map(|&number| items[number as usize]).collect();
            assert_eq!(walked, expected, "{length} items");
        }
    }

    #[test]
    fn a_route_that_leads_beyond_the_items_ends_there() {
        let mut route = vec![0, 1, 5];
        route.extend([u32::MAX; AHEAD]);
        assert_eq!(Prefetching { items: &['a', 'b'], route: &route }.collect::<String>(), "ab");
    }

    #[test]
    fn every_node_is_in_exactly_one_list() {
        let scene = Scene::scatter(1, 1_000);
        let nodes = &scene.replicas[0];
        let mut visits = vec![0; nodes.len()];
        for &first in &scene.route[..scene.lists] {
            let mut number = first;
            while let Some(node) = nodes.get(number as usize) {
                visits[number as usize] += 1;
                number = node.next;
            }
        }
        assert_eq!(visits, vec![1; 1_000]);
        assert!((300..500).contains(&scene.lists), "{} lists of 2.5 on average", scene.lists);
    }

    #[test]
    fn windows_follow_one_another_around_the_route() {
        for scene in [Scene::small(Size::Quick), Scene::large(Size::Quick)] {
            let walked: Vec<u32> = (0..50).flat_map(|index| scene.window(index).1[..STEP].to_vec()).collect();
            let expected: Vec<u32> = scene.route[..scene.lists].iter().copied().cycle().take(walked.len()).collect();
            assert_eq!(walked, expected);
            assert_eq!(scene.window(50).0, walked.len() / scene.lists, "laps");
        }
    }

    #[test]
    fn the_tables_follow_one_another_through_laps_and_batches() {
        let mut tour = Tour::default();
        let batch = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2)];
        let tables: Vec<usize> = batch.iter().cycle().take(12).map(|&(index, laps)| tour.table(index, laps)).collect();
        assert_eq!(tables, [1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7]);
    }

    #[test]
    fn sizes_of_caches_are_read_as_the_kernel_writes_them() {
        assert_eq!(["32K\n", "1024K", "32768K"].map(bytes), [Some(32 << 10), Some(1 << 20), Some(32 << 20)]);
        assert_eq!(["", "K", "32", "32M", "-1K", "18446744073709551615K"].map(bytes), [None; 6]);
    }

    #[test]
    fn the_large_scene_is_at_least_twice_the_cache_between_its_bounds() {
        let mb = |cache: usize| beyond(Some(cache << 10)) >> 20;
        assert_eq!([0, 1_024, 32_768].map(mb), [64; 3]);
        assert_eq!([32_769, 36_608, 65_536].map(mb), [128; 3]);
        assert_eq!([65_537, 98_304, 131_072, 524_288].map(mb), [256; 4]);
        assert_eq!((beyond(None), beyond(Some(usize::MAX))), (64 << 20, 256 << 20));
        let large = |size| {
            let (replicas, count) = Scene::measures(size, Some(40 << 20));
            (replicas * count as usize * size_of::<Node>()) >> 20
        };
        assert_eq!((large(Size::Default), large(Size::Full)), (128, 256));
    }

    #[test]
    fn plain_and_prefetching_give_equal_results() {
        contract::results_are_equal(
            |size| walk(plain, Scene::small(size)),
            |size| walk(prefetching, Scene::small(size)),
        );
        contract::results_are_equal(
            |size| walk(plain, Scene::large(size)),
            |size| walk(prefetching, Scene::large(size)),
        );
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|size| walk(plain, Scene::large(size)));
        contract::results_depend_on_the_index_alone(|size| walk(prefetching, Scene::large(size)));
    }
}
