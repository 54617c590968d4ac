//! Walking lists whose nodes lie scattered in memory, plainly or with the next lists' first nodes on their way already.

use perfplan_harness::{Size, Suite, amount};

use crate::tape::Random;

/// From one iteration's first list to the next one's.
const STEP: usize = 1_000;

const LISTS: usize = amount(STEP);

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
        .about("walks 1000 lists of orders scattered over 16 MB");
    suite
        .case("prefetch/prefetching/large", |size| walk(prefetching, Scene::large(size)))
        .about("walks 1000 lists of orders scattered over 16 MB, prefetching 8 lists ahead");
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
    /// Equal tables, so that a result depends on its index alone, while the memory walked does not: each batch begins with
    /// another table, and goes on to the next when it has walked all lists. A single one would be found cached.
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

    /// Four tables of 4 MB at the default size; at the full one 64, more than the last-level caches of today.
    fn large(size: Size) -> Self {
        Self::scatter(size.pick(2, 4, 64), size.pick(2_048, 65_536, 65_536))
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

fn walk(way: impl Fn(&[Node], &[u32]) -> u64, scene: Scene) -> impl FnMut(u64) -> u64 {
    let mut batch = 0;
    move |index| {
        if index == 0 {
            batch += 1;
        }
        let (laps, window) = scene.window(index);
        way(&scene.replicas[(batch + laps) % scene.replicas.len()], window)
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
