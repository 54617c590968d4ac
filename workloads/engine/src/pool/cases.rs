//! The same traffic on the global allocator and on the pool.

use std::ops::Deref;
use std::rc::Rc;

use perfplan_harness::{Suite, amount, gauge};

use super::blocks::{Block, Pool};
use super::region::HUGE_PAGE;
use crate::tape::{Random, Tape};

const MESSAGES: usize = amount(200);

/// Messages alive at a time. A new one takes the place of a random one, so that blocks don't just bounce off the top.
const ALIVE: usize = 16;

pub(crate) fn register(suite: &mut Suite) {
    for size in [64, 1_024, 4_096] {
        suite
            .case(&format!("pool/global/{size}"), move |_| traffic(Global, alike(size)))
            .about(&format!("200 messages in buffers of {size} bytes from the global allocator, 16 alive at a time"));
        suite.case(&format!("pool/preallocated/{size}"), move |_| traffic(preallocated(), alike(size))).about(
            &format!("200 messages in buffers of {size} bytes from lock-free preallocated pools, 16 alive at a time"),
        );
    }
    suite
        .case("pool/global/mixed", |_| traffic(Global, mixed()))
        .about("200 messages in buffers of 64 bytes to 2 MB from the global allocator, 16 alive at a time");
    suite
        .case("pool/preallocated/mixed", |_| watched(preallocated(), mixed()))
        .about("200 messages in buffers of 64 bytes to 2 MB from lock-free preallocated pools, 16 alive at a time");
}

/// A message as it is written to the start of its buffer.
type Message = [u8; 48];

/// Where buffers come from.
trait Buffers {
    type Buffer<'a>: Deref<Target = [u8]>
    where
        Self: 'a;

    /// A buffer of `size` bytes or more that begins with the message, or `None` where there is none left.
    fn hold(&self, size: usize, message: &Message) -> Option<Self::Buffer<'_>>;
}

/// The program's global allocator.
struct Global;

impl Buffers for Global {
    type Buffer<'a> = Vec<u8>;

    #[inline]
    fn hold(&self, size: usize, message: &Message) -> Option<Vec<u8>> {
        let mut buffer = Vec::with_capacity(size);
        buffer.extend_from_slice(message);
        Some(buffer)
    }
}

impl Buffers for Pool {
    type Buffer<'a> = Block<'a>;

    #[inline]
    fn hold(&self, size: usize, message: &Message) -> Option<Block<'_>> {
        let mut block = self.allocate(size)?;
        block[..message.len()].copy_from_slice(message);
        Some(block)
    }
}

/// A pool that somebody else looks at, too.
impl Buffers for Rc<Pool> {
    type Buffer<'a> = Block<'a>;

    #[inline]
    fn hold(&self, size: usize, message: &Message) -> Option<Block<'_>> {
        (**self).hold(size, message)
    }
}

fn preallocated() -> Pool {
    match Pool::preallocated() {
        Ok(pool) => pool,
        Err(error) => panic!("no memory for the pool: {error}"),
    }
}

/// A message, whose place it takes, and how large its buffer is to be.
struct Arrival {
    message: Message,
    place: u8,
    size: usize,
}

impl Arrival {
    fn random(random: &mut Random, size: impl FnOnce(&mut Random) -> usize) -> Self {
        let message = std::array::from_fn(|_| random.word() as u8);
        Self { message, place: random.below(ALIVE as u32) as u8, size: size(random) }
    }
}

/// Messages whose buffers are all of one size.
fn alike(size: usize) -> Tape<Arrival> {
    Tape::record(512, 17, |random| Arrival::random(random, |_| size))
}

/// Messages of which most are small, and one in 64 wants 2 MB.
fn mixed() -> Tape<Arrival> {
    Tape::record(512, 32, |random| {
        Arrival::random(random, |random| match random.below(64) {
            0 => HUGE_PAGE,
            1..8 => 4_096,
            8..24 => 1_024,
            _ => 64,
        })
    })
}

/// The last byte written, so that a mixed-up buffer shows.
fn sealed(buffer: &[u8]) -> u64 {
    u64::from(buffer[0]) << 8 | u64::from(buffer[47])
}

/// As [`traffic`], and before each batch of iterations it is noted what the batches before left behind.
fn watched(pool: Pool, arrivals: Tape<Arrival>) -> impl FnMut(u64) -> u64 {
    let pool = Rc::new(pool);
    let mut work = traffic(Rc::clone(&pool), arrivals);
    move |index| {
        if index == 0 {
            gauge("pool.missing", pool.held() as f64);
            gauge("pool.huge-pages", pool.pages().as_metric());
        }
        work(index)
    }
}

fn traffic(buffers: impl Buffers, arrivals: Tape<Arrival>) -> impl FnMut(u64) -> u64 {
    move |index| {
        let mut alive: [Option<_>; ALIVE] = [const { None }; ALIVE];
        let mut sum = 0_u64;
        for arrival in arrivals.window(index, MESSAGES) {
            let held = buffers.hold(arrival.size, &arrival.message);
            let refused = u64::from(held.is_none());
            let left = std::mem::replace(&mut alive[usize::from(arrival.place)], held);
            sum = sum.rotate_left(3).wrapping_add(left.map_or(refused, |buffer| sealed(&buffer)));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn both_ways_give_equal_results_at_every_size() {
        for size in [64, 1_024, 4_096] {
            contract::results_are_equal(|_| traffic(Global, alike(size)), |_| traffic(preallocated(), alike(size)));
        }
        contract::results_are_equal(|_| traffic(Global, mixed()), |_| watched(preallocated(), mixed()));
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|_| traffic(Global, alike(64)));
        contract::results_depend_on_the_index_alone(|_| traffic(preallocated(), alike(64)));
        contract::results_depend_on_the_index_alone(|_| watched(preallocated(), mixed()));
    }

    #[test]
    fn mixed_messages_want_blocks_of_every_size() {
        let sizes: Vec<usize> = mixed().window(0, 512).map(|arrival| arrival.size).collect();
        let count = |size: usize| sizes.iter().filter(|&&wanted| wanted == size).count();
        assert_eq!(count(64) + count(1_024) + count(4_096) + count(HUGE_PAGE), 512);
        assert!(count(64) > count(1_024) && count(1_024) > count(4_096) && count(4_096) > count(HUGE_PAGE));
        assert!(count(HUGE_PAGE) > 2, "{sizes:?}");
    }

    #[test]
    fn after_an_iteration_no_block_is_missing() {
        let pool = Rc::new(preallocated());
        {
            let held = pool.hold(64, &[1; 48]).unwrap();
            assert_eq!((held[47], held.len()), (1, 64));
            assert_eq!(pool.held(), 1);
        }
        for arrivals in [alike(64), alike(1_024), mixed()] {
            let mut work = traffic(Rc::clone(&pool), arrivals);
            (0..100).for_each(|index| {
                work(index);
            });
            assert_eq!(pool.held(), 0);
        }
    }
}
