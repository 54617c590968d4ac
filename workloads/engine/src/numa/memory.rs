//! The memory of a node, handed out in blocks.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;

use crossbeam_queue::ArrayQueue;

use super::region::Region;
use crate::topology::{self, Cpus};

/// Bytes of a block: a page, so that each lies in one node.
pub(super) const BLOCK: usize = 4_096;

/// The memory of one node, or of a part of it.
pub(super) struct Pool {
    region: Region,
    free: ArrayQueue<usize>,
    /// The place of the node among those of its machine.
    node: usize,
}

/// Where a pool is to be.
pub(super) struct Site<'a> {
    /// The place of the node among those of its machine.
    pub(super) place: usize,
    /// The kernel's number of the node.
    pub(super) id: usize,
    /// Whether it is the only node, so that nothing needs to be asked of the kernel.
    pub(super) alone: bool,
    /// CPUs near it.
    pub(super) cpus: &'a Cpus,
}

impl Pool {
    /// `blocks` on a node: asked of the kernel where there are several nodes, and touched for the first time by a
    /// thread that runs on its CPUs. What was refused is appended to `refused`; then the pages are wherever the kernel
    /// puts them.
    ///
    /// # Errors
    /// Where the kernel has no memory.
    ///
    /// # Panics
    /// Where the system refuses a thread.
    pub(super) fn on(site: &Site<'_>, blocks: usize, refused: &mut Vec<String>) -> io::Result<Arc<Self>> {
        let mut region = Region::map(blocks, BLOCK)?;
        let preferred = if site.alone { Ok(()) } else { region.prefer(site.id) };
        if let Err(error) = preferred {
            refused.push(format!("memory of node {} is not asked for: {error}", site.id));
        }
        let touch = || {
            let confined = topology::confine(site.cpus);
            region.touch();
            confined
        };
        let confined = thread::scope(|scope| scope.spawn(touch).join());
        if let Ok(Err(error)) = confined {
            refused.push(format!("memory of node {} is not touched from CPUs {}: {error}", site.id, site.cpus));
        }
        let free = ArrayQueue::new(blocks);
        (0..blocks).for_each(|number| {
            let _ = free.push(number); // there is room for each
        });
        Ok(Arc::new(Self { region, free, node: site.place }))
    }

    /// A block, or `None` where all are taken. From any thread, without a lock.
    #[inline]
    pub(super) fn allocate(self: &Arc<Self>) -> Option<Memory> {
        Some(Memory { number: self.free.pop()?, pool: Arc::clone(self) })
    }
}

/// A block of a node's memory, to which it returns when dropped. Holds what its last owner left in it.
pub(super) struct Memory {
    pool: Arc<Pool>,
    /// Popped from the free ones: nobody else's until pushed.
    number: usize,
}

impl Memory {
    /// The place of its node among those of its machine.
    #[inline]
    pub(super) fn node(&self) -> usize {
        self.pool.node
    }
}

impl Deref for Memory {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: blocks don't overlap and this one is ours alone; behind `&self` there are only shared references to
        // it.
        unsafe { self.pool.region.block(self.number).as_ref() }
    }
}

impl DerefMut for Memory {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: blocks don't overlap and this one is ours alone; `&mut self` makes this its only reference.
        unsafe { self.pool.region.block(self.number).as_mut() }
    }
}

impl Drop for Memory {
    #[inline]
    fn drop(&mut self) {
        let _ = self.pool.free.push(self.number); // there is room for each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks near all CPUs.
    fn pool(blocks: usize) -> Arc<Pool> {
        let cpus = topology::allowed().unwrap();
        let mut refused = Vec::new();
        let pool = Pool::on(&Site { place: 3, id: 8, alone: true, cpus: &cpus }, blocks, &mut refused).unwrap();
        assert!(refused.is_empty(), "{refused:?}");
        pool
    }

    #[test]
    fn blocks_do_not_overlap_run_out_and_come_back() {
        let pool = pool(5);
        let mut held: Vec<Memory> = std::iter::from_fn(|| pool.allocate()).collect();
        assert_eq!((held.len(), held[0].len(), held[0].node()), (5, BLOCK, 3));
        held.iter_mut().zip(1..).for_each(|(block, mark)| block.fill(mark));
        for (block, mark) in held.iter().zip(1..) {
            assert!(block.iter().all(|&byte| byte == mark), "block {mark}");
        }
        held.truncate(2);
        let again: Vec<Memory> = std::iter::from_fn(|| pool.allocate()).collect();
        assert_eq!(again.len(), 3);
        drop((held, again));
        assert_eq!(pool.free.len(), 5);
    }

    #[test]
    fn threads_keep_what_they_wrote_and_give_every_block_back() {
        let pool = pool(7);
        thread::scope(|scope| {
            for mark in 1..5_u8 {
                let pool = &pool;
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        if let Some(mut block) = pool.allocate() {
                            block[..64].fill(mark);
                            assert!(block[..64].iter().all(|&byte| byte == mark));
                        }
                    }
                });
            }
        });
        assert_eq!(pool.free.len(), 7);
    }

    #[test]
    fn a_block_outlives_the_handle_of_its_pool() {
        let pool = pool(1);
        let mut block = pool.allocate().unwrap();
        drop(pool);
        block.fill(9);
        assert_eq!(block[BLOCK - 1], 9);
    }

    #[test]
    fn a_node_and_cpus_that_there_are_not_are_told_and_the_memory_is_there_all_the_same() {
        let (mut refused, gone) = (Vec::new(), [60_000].into_iter().collect());
        let pool = Pool::on(&Site { place: 1, id: 1_000, alone: false, cpus: &gone }, 1, &mut refused).unwrap();
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused[0].starts_with("memory of node 1000 is not asked for: "), "{refused:?}");
        assert!(refused[1].starts_with("memory of node 1000 is not touched from CPUs 60000: Invalid"), "{refused:?}");
        assert!(pool.allocate().is_some());
    }
}
