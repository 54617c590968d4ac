//! The same traffic on the global allocator and on the pool.

use std::ops::Deref;

use perfplan_harness::{Suite, amount};

use super::blocks::{Block, Pool};
use crate::tape::Tape;

const MESSAGES: usize = amount(200);

/// Messages alive at a time. A new one takes the place of a random one, so that blocks don't just bounce off the top.
const ALIVE: usize = 16;

pub(crate) fn register(suite: &mut Suite) {
    for size in [64, 1_024, 4_096] {
        suite
            .case(&format!("pool/global/{size}"), move |_| traffic(Global, size))
            .about(&format!("200 messages in buffers of {size} bytes from the global allocator, 16 alive at a time"));
        suite.case(&format!("pool/preallocated/{size}"), move |_| traffic(preallocated(), size)).about(&format!(
            "200 messages in buffers of {size} bytes from lock-free preallocated pools, 16 alive at a time"
        ));
    }
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

fn preallocated() -> Pool {
    match Pool::preallocated() {
        Ok(pool) => pool,
        Err(error) => panic!("no memory for the pool: {error}"),
    }
}

/// A message, and whose place it takes.
struct Arrival {
    message: Message,
    place: u8,
}

/// The last byte written, so that a mixed-up buffer shows.
fn sealed(buffer: &[u8]) -> u64 {
    u64::from(buffer[0]) << 8 | u64::from(buffer[47])
}

fn traffic(buffers: impl Buffers, size: usize) -> impl FnMut(u64) -> u64 {
    let arrivals = Tape::record(512, 17, |random| Arrival {
        message: std::array::from_fn(|_| random.word() as u8),
        place: random.below(ALIVE as u32) as u8,
    });
    move |index| {
        let mut alive: [Option<_>; ALIVE] = [const { None }; ALIVE];
        let mut sum = 0_u64;
        for arrival in arrivals.window(index, MESSAGES) {
            let held = buffers.hold(size, &arrival.message);
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
            contract::results_are_equal(|_| traffic(Global, size), |_| traffic(preallocated(), size));
        }
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|_| traffic(Global, 64));
        contract::results_depend_on_the_index_alone(|_| traffic(preallocated(), 64));
    }

    #[test]
    fn after_an_iteration_no_block_is_missing() {
        let pool = preallocated();
        let before = pool.free();
        {
            let held = pool.hold(64, &[1; 48]).unwrap();
            assert_eq!((held[47], held.len()), (1, 64));
            assert_ne!(pool.free(), before);
        }
        assert_eq!(pool.free(), before);
        let (shared, size) = (&pool, 1_024);
        let mut work = traffic(shared, size);
        (0..100).for_each(|index| {
            work(index);
        });
        assert_eq!(pool.free(), before);
    }

    impl Buffers for &Pool {
        type Buffer<'a>
            = Block<'a>
        where
            Self: 'a;

        fn hold(&self, size: usize, message: &Message) -> Option<Block<'_>> {
            (**self).hold(size, message)
        }
    }
}
