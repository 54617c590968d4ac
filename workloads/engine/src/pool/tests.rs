//! The free list in one thread and in many. What threads can do to each other at worst is in `models/`.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use super::free_list::FreeList;

#[test]
fn blocks_come_back_last_in_first_out_and_run_out() {
    let list = FreeList::full(3);
    assert_eq!([list.pop(), list.pop(), list.pop(), list.pop()], [Some(0), Some(1), Some(2), None]);
    list.push(1);
    list.push(0);
    assert_eq!(list.held(), 1);
    assert_eq!([list.pop(), list.pop(), list.pop()], [Some(0), Some(1), None]);
    assert_eq!(FreeList::full(0).pop(), None);
}

#[test]
fn threads_never_share_a_block_and_none_is_lost() {
    const BLOCKS: u32 = 7;
    let rounds = if cfg!(miri) { 200 } else { 50_000 };
    let list = FreeList::full(BLOCKS);
    let owned: [AtomicBool; BLOCKS as usize] = Default::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..rounds {
                    let mine: Vec<u32> = (0..1 + round % 3).filter_map(|_| list.pop()).collect();
                    for &block in &mine {
                        assert!(!owned[block as usize].swap(true, Relaxed), "block {block} has two owners");
                    }
                    for &block in &mine {
                        owned[block as usize].store(false, Relaxed);
                        list.push(block);
                    }
                }
            });
        }
    });
    assert_eq!(list.held(), 0);
    let mut free: Vec<u32> = list.free().collect();
    free.sort_unstable();
    assert_eq!(free, (0..BLOCKS).collect::<Vec<_>>());
}
