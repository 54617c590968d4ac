//! The lock-free parts under loom, which runs a model with every interleaving of its threads that the memory model allows,
//! and with every value that a load may yield.
//!
//! The files are those of the program. They take their atomics from `crate::atomic`, and here that is loom's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// In place of the program's own.
mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
}

#[path = "../../src/pool/free_list.rs"]
mod free_list;
#[path = "../../src/breaker/machine.rs"]
mod machine;
#[path = "../../src/breaker/window.rs"]
mod window;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use free_list::FreeList;
use machine::{Machine, Settings};
use window::{Limits, Window};

/// Runs `work` in two threads, to their ends.
fn in_two_threads<T: Send + Sync + 'static>(shared: &Arc<T>, work: impl Fn(&T) + Copy + Send + 'static) {
    let threads = [0; 2].map(|_| {
        let shared = Arc::clone(shared);
        thread::spawn(move || work(&shared))
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Blocks, each with contents that loom watches: two who touch them at once, or one who can't know what the one before did,
/// end the test.
struct Blocks {
    free: FreeList,
    contents: Vec<UnsafeCell<u32>>,
}

// SAFETY: loom looks at every access to the contents, and finds two that meet.
unsafe impl Sync for Blocks {}

impl Blocks {
    fn new(count: u32) -> Arc<Self> {
        let contents = (0..count).map(|_| UnsafeCell::new(0)).collect();
        Arc::new(Self { free: FreeList::full(count), contents })
    }

    fn take(&self) -> Option<u32> {
        let block = self.free.pop()?;
        self.write(block);
        Some(block)
    }

    fn give(&self, block: u32) {
        self.write(block);
        self.free.push(block);
    }

    fn write(&self, block: u32) {
        // SAFETY: what is being tested; loom looks at it.
        self.contents[block as usize].with_mut(|contents| unsafe { *contents += 1 });
    }

    fn all_are_free(&self) {
        assert_eq!(self.free.held(), 0);
        let mut free: Vec<u32> = self.free.free().collect();
        free.sort_unstable();
        assert_eq!(free, (0..self.contents.len() as u32).collect::<Vec<_>>(), "the free blocks");
    }
}

#[test]
fn a_block_has_one_owner_at_a_time_who_sees_what_the_last_one_wrote() {
    loom::model(|| {
        let blocks = Blocks::new(1);
        in_two_threads(&blocks, |blocks| {
            if let Some(block) = blocks.take() {
                blocks.give(block);
            }
        });
        blocks.all_are_free();
    });
}

#[test]
fn a_pop_that_was_overtaken_by_two_and_a_push_does_not_hand_out_what_is_in_use() {
    // All interleavings would take hours. This needs two: one inside the pop, and one before the overtaker is done.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let blocks = Blocks::new(2);
        let other = Arc::clone(&blocks);
        let overtaker = thread::spawn(move || {
            let (first, second) = (other.take(), other.take());
            first.into_iter().for_each(|block| other.free.push(block));
            second.into_iter().for_each(|block| other.give(block));
        });
        let mine = [blocks.take(), blocks.take()];
        mine.into_iter().flatten().for_each(|block| blocks.give(block));
        overtaker.join().unwrap();
        blocks.all_are_free();
    });
}

const SETTINGS: Settings = Settings { failures: 2, rest: 1, probes: 2 };

/// When a breaker that opened at 0 has rested.
const RESTED: u64 = 1_000;

/// A machine that has opened at 0.
fn opened() -> Machine {
    let machine = Machine::closed(SETTINGS);
    (0..SETTINGS.failures).for_each(|_| machine.failed(machine.admit(0).unwrap(), 0));
    machine
}

#[test]
fn a_rested_breaker_lets_in_exactly_its_probes_whoever_comes_first() {
    loom::model(|| {
        let shared = Arc::new((opened(), AtomicUsize::new(0)));
        let call = |(machine, admitted): &(Machine, AtomicUsize)| {
            for _ in 0..2 {
                admitted.fetch_add(usize::from(machine.admit(RESTED).is_some()), Relaxed);
            }
        };
        in_two_threads(&shared, call);
        call(&shared);
        assert_eq!((shared.1.load(Relaxed), shared.0.phase()), (2, "half-open"));
    });
}

#[test]
fn failures_at_once_are_all_counted() {
    loom::model(|| {
        let machine = Arc::new(Machine::closed(SETTINGS));
        let calls = [0; 2].map(|_| machine.admit(0).unwrap());
        let threads = calls.map(|call| {
            let machine = Arc::clone(&machine);
            thread::spawn(move || machine.failed(call, 0))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(machine.phase(), "open");
    });
}

#[test]
fn a_probe_that_fails_keeps_the_breaker_open_whenever_the_other_one_ends() {
    loom::model(|| {
        let machine = Arc::new(opened());
        let [well, badly] = [0; 2].map(|_| machine.admit(RESTED).unwrap());
        let other = Arc::clone(&machine);
        let fails = thread::spawn(move || other.failed(badly, RESTED));
        machine.succeeded(well, || panic!("the other one can't have gone well"));
        fails.join().unwrap();
        assert_eq!(machine.phase(), "open");
    });
}

#[test]
fn two_last_probes_at_once_close_the_breaker() {
    loom::model(|| {
        let machine = Arc::new(opened());
        let threads = [0; 2].map(|_| {
            let (machine, probe) = (Arc::clone(&machine), machine.admit(RESTED).unwrap());
            thread::spawn(move || machine.succeeded(probe, || ()))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(machine.phase(), "closed");
    });
}

#[test]
fn a_call_from_before_the_breaker_opened_is_no_probe_and_does_not_open_it_again() {
    loom::model(|| {
        let machine = Arc::new(Machine::closed(SETTINGS));
        let [well, badly, slowly] = [0; 3].map(|_| machine.admit(0).unwrap());
        (0..SETTINGS.failures).for_each(|_| machine.failed(machine.admit(0).unwrap(), 0));
        let other = Arc::clone(&machine);
        let late = thread::spawn(move || {
            assert!(!other.is_current(well));
            other.succeeded(well, || panic!("not a probe"));
            other.failed(badly, RESTED);
            other.trip(slowly, RESTED);
        });
        let [probe, _] = [0; 2].map(|_| machine.admit(RESTED).unwrap());
        machine.succeeded(probe, || panic!("one is still out"));
        late.join().unwrap();
        assert_eq!(machine.phase(), "half-open");
    });
}

#[test]
fn whoever_finds_the_breaker_closed_again_finds_the_window_empty() {
    const LIMITS: Limits = Limits { factor: 8, floor: 1, ceiling: 100, slow: 2 };
    loom::model(|| {
        let (machine, window) = (opened(), Window::<2>::empty(LIMITS));
        assert!(!window.record(200), "one slow call is tolerated");
        let shared = Arc::new((machine, window));
        let probes = [0; 2].map(|_| shared.0.admit(RESTED).unwrap());
        let caller = Arc::clone(&shared);
        let caller = thread::spawn(move || {
            if let Some(call) = caller.0.admit(RESTED) {
                assert!(!call.probe && !caller.1.record(200), "an old slow call still counts");
            }
        });
        probes.into_iter().for_each(|probe| shared.0.succeeded(probe, || shared.1.clear()));
        caller.join().unwrap();
    });
}

#[test]
fn latencies_recorded_at_once_all_count() {
    const LIMITS: Limits = Limits { factor: 8, floor: 1, ceiling: 100, slow: 3 };
    loom::model(|| {
        let window = Arc::new(Window::<4>::empty(LIMITS));
        in_two_threads(&window, |window| {
            assert!(!window.record(200), "two slow calls are tolerated");
        });
        assert!(window.record(200), "the third is not");
        assert_eq!(window.threshold(), 100);
        assert!(window.is_beyond(101) && !window.is_beyond(100));
        window.clear();
    });
}
