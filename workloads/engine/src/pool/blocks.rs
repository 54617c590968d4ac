//! The pool: classes of equal blocks.

use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::free_list::FreeList;
use super::pages::Pages;
use super::region::{HUGE_PAGE, Region};

/// Blocks of one size.
struct Class {
    size: usize,
    free: FreeList,
    region: Region,
}

impl Class {
    fn of(size: usize, blocks: u32) -> io::Result<Self> {
        let region = match size {
            HUGE_PAGE => Region::huge(blocks as usize)?,
            _ => Region::present(size * blocks as usize)?,
        };
        Ok(Self { size, free: FreeList::full(blocks), region })
    }
}

/// Preallocated memory. Blocks are handed out and come back from any thread.
pub(super) struct Pool {
    /// The smallest first.
    classes: [Class; 4],
}

impl Pool {
    /// As many blocks as the plan sets aside: 1000 of 64 bytes, 500 of 1 KB, 100 of 4 KB, 10 of 2 MB. The small ones are
    /// present from the start; the huge ones appear when touched.
    ///
    /// # Errors
    /// Where the kernel has no memory.
    pub(super) fn preallocated() -> io::Result<Self> {
        let classes =
            [Class::of(64, 1_000)?, Class::of(1_024, 500)?, Class::of(4_096, 100)?, Class::of(HUGE_PAGE, 10)?];
        Ok(Self { classes })
    }

    /// A block of at least `size` bytes, of the smallest class that has such. `None` where that class is used up, and for
    /// more than 2 MB: the caller decides whether to wait, to refuse or to allocate.
    #[inline]
    pub(super) fn allocate(&self, size: usize) -> Option<Block<'_>> {
        let class = self.classes.iter().find(|class| size <= class.size)?;
        Some(Block { class, number: class.free.pop()? })
    }

    /// How many blocks are out, over all classes. Only right while nobody else touches the pool.
    pub(super) fn held(&self) -> usize {
        self.classes.iter().map(|class| class.free.held()).sum()
    }

    /// The pages that the 2 MB blocks lie on.
    pub(super) fn pages(&self) -> Pages {
        self.classes[3].region.pages()
    }

    /// The free blocks of every class, the smallest first.
    #[cfg(test)]
    pub(super) fn free(&self) -> [usize; 4] {
        self.classes.each_ref().map(|class| class.free.free().count())
    }
}

/// A block of a pool, to which it returns when dropped. Holds what its last owner left in it.
pub(super) struct Block<'a> {
    class: &'a Class,
    /// Popped from the class' free list: below its number of blocks, and nobody else's until pushed.
    number: u32,
}

impl Block<'_> {
    #[inline]
    fn bytes(&self) -> NonNull<[u8]> {
        self.class.region.bytes(self.number as usize * self.class.size, self.class.size)
    }
}

impl Deref for Block<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: blocks don't overlap and this one is ours alone; behind `&self` there are only shared references to it.
        unsafe { self.bytes().as_ref() }
    }
}

impl DerefMut for Block<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: blocks don't overlap and this one is ours alone; `&mut self` makes this its only reference.
        unsafe { self.bytes().as_mut() }
    }
}

impl Drop for Block<'_> {
    #[inline]
    fn drop(&mut self) {
        self.class.free.push(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const ALL: [usize; 4] = [1_000, 500, 100, 10];

    #[test]
    fn a_block_has_the_smallest_size_that_fits() {
        let pool = Pool::preallocated().unwrap();
        let size = |asked: usize| pool.allocate(asked).map(|block| block.len());
        assert_eq!([0, 1, 64].map(size), [Some(64); 3]);
        assert_eq!([65, 1_024].map(size), [Some(1_024); 2]);
        assert_eq!([1_025, 4_096].map(size), [Some(4_096); 2]);
        assert_eq!([4_097, HUGE_PAGE].map(size), [Some(HUGE_PAGE); 2]);
        assert_eq!(size(HUGE_PAGE + 1), None);
    }

    #[test]
    fn a_class_runs_out_and_recovers_and_no_block_is_lost() {
        let pool = Pool::preallocated().unwrap();
        for (class, &count) in ALL.iter().enumerate() {
            let size = pool.classes[class].size;
            let held: Vec<Block> = (0..count).map_while(|_| pool.allocate(size)).collect();
            assert_eq!(held.len(), count);
            assert!(pool.allocate(size).is_none(), "{size} bytes");
            assert_eq!(pool.free()[class], 0);
            drop(held);
            assert_eq!(pool.free(), ALL);
        }
    }

    #[test]
    fn blocks_do_not_overlap() {
        let pool = Pool::preallocated().unwrap();
        let mut held: Vec<Block> = (0..100).filter_map(|_| pool.allocate(4_096)).collect();
        for (mark, block) in held.iter_mut().enumerate() {
            block.fill(mark as u8);
        }
        for (mark, block) in held.iter().enumerate() {
            assert!(block.iter().all(|&byte| byte == mark as u8), "block {mark}");
        }
    }

    #[test]
    fn threads_keep_what_they_wrote_and_give_every_block_back() {
        let pool = Pool::preallocated().unwrap();
        let rounds = if cfg!(miri) { 5 } else { 5_000 };
        thread::scope(|scope| {
            for mark in 0..4_u8 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..rounds {
                        let mut held: Vec<Block> = (0..1 + round % 5).filter_map(|_| pool.allocate(1_024)).collect();
                        held.iter_mut().for_each(|block| block.fill(mark));
                        assert!(held.iter().all(|block| block.iter().all(|&byte| byte == mark)));
                    }
                });
            }
        });
        assert_eq!(pool.free(), ALL);
    }
}
