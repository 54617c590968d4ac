//! A lock-free stack of block numbers (Treiber 1986), in safe code.
//!
//! The links are numbers in an array beside the blocks, so nothing is ever read through a pointer to memory that another
//! thread may own by now. The head carries a tag that every change raises: a thread that slept while its head was taken and
//! put back finds another tag, and tries again (the ABA problem).

use crate::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::atomic::{AtomicU32, AtomicU64};

/// No block; also the link of the last one.
const NONE: u32 = u32::MAX;

/// Which of `0..blocks` are free.
pub(super) struct FreeList {
    /// The tag in the high half, the first free block in the low half. A tag comes back after 2^32 changes: a thread would
    /// have to sleep through exactly that many between two of its instructions.
    head: AtomicU64,
    /// What lies below each block while it is free.
    below: Box<[AtomicU32]>,
}

fn head(tag: u32, block: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(block)
}

fn tag(head: u64) -> u32 {
    (head >> 32) as u32
}

fn block(head: u64) -> u32 {
    head as u32
}

impl FreeList {
    /// All blocks free, 0 on top.
    pub(super) fn full(blocks: u32) -> Self {
        let below = (1..=blocks).map(|next| AtomicU32::new(if next < blocks { next } else { NONE })).collect();
        let first = if blocks == 0 { NONE } else { 0 };
        Self { head: AtomicU64::new(head(0, first)), below }
    }

    /// Takes a block: nobody else gets it until it is pushed. `None` where all are taken.
    #[inline]
    pub(super) fn pop(&self) -> Option<u32> {
        let mut seen = self.head.load(Acquire);
        loop {
            // `NONE` is beyond the array. Another thread may change the link meanwhile; then the tag has changed, too.
            let below = self.below.get(block(seen) as usize)?.load(Relaxed);
            let next = head(tag(seen).wrapping_add(1), below);
            match self.head.compare_exchange_weak(seen, next, Acquire, Acquire) {
                Ok(_) => return Some(block(seen)),
                Err(now) => seen = now,
            }
        }
    }

    /// Gives a block back that was popped. What its owner wrote is seen by the next one.
    #[inline]
    pub(super) fn push(&self, freed: u32) {
        let mut seen = self.head.load(Relaxed);
        loop {
            self.below[freed as usize].store(block(seen), Relaxed);
            let next = head(tag(seen).wrapping_add(1), freed);
            match self.head.compare_exchange_weak(seen, next, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// How many blocks are out. Only right while nobody else touches the list.
    pub(super) fn held(&self) -> usize {
        self.below.len() - self.free().count()
    }

    /// The free blocks, top first. Only right while nobody else touches the list.
    pub(super) fn free(&self) -> impl Iterator<Item = u32> {
        let below = |&block: &u32| self.below.get(block as usize).map(|below| below.load(Relaxed));
        let first = block(self.head.load(Acquire));
        std::iter::successors(Some(first), below).take_while(|&block| block != NONE)
    }
}
