//! Work that no order waits for, and that is in every order's way: statistics, logs, snapshots.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::thread::{self, JoinHandle, Thread};

/// Steps of one errand, two nanoseconds or so each: about half of the time between two orders.
const STEPS: u64 = 50_000;

/// What one background thread is asked for.
#[derive(Default)]
struct Errand {
    /// At most one waits: a thread that does not keep up drops errands instead of piling them up, so that soon after
    /// the last order it is quiet again.
    wanted: AtomicBool,
    ended: AtomicBool,
    done: AtomicU64,
}

struct Hand {
    errand: Arc<Errand>,
    thread: JoinHandle<()>,
}

/// Threads that do an errand each for every order. They sleep while there are none, and end with this.
pub(super) struct Background {
    hands: Vec<Hand>,
}

impl Background {
    /// Starts `count` threads, each of which calls `settle` with itself first of all and keeps what that returns until
    /// it ends.
    ///
    /// # Panics
    /// Where the system refuses a thread.
    pub(super) fn start<P>(count: usize, settle: impl FnOnce() -> P + Clone + Send + 'static) -> Self {
        let mut hands: Vec<Hand> = Vec::with_capacity(count);
        for _ in 0..count {
            let (errand, settle) = (Arc::new(Errand::default()), settle.clone());
            let (mine, next) = (Arc::clone(&errand), hands.last().map(next));
            let thread = thread::spawn(move || {
                let _place = settle();
                run(&mine, next.as_ref());
            });
            hands.push(Hand { errand, thread });
        }
        Self { hands }
    }

    /// Asks every thread for an errand. The caller wakes one of them, which wakes the next: an order does not pay for
    /// all.
    #[inline]
    pub(super) fn ask(&self) {
        if let Some(hand) = self.hands.last() {
            ask(&hand.errand, hand.thread.thread());
        }
    }

    /// The errands done so far, by all.
    pub(super) fn done(&self) -> u64 {
        self.hands.iter().map(|hand| hand.errand.done.load(Relaxed)).sum()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for hand in &self.hands {
            hand.errand.ended.store(true, SeqCst);
            hand.thread.thread().unpark();
        }
        for hand in self.hands.drain(..) {
            // A thread that panicked did less background work, which nobody waits for.
            let _ = hand.thread.join();
        }
    }
}

/// How the next thread is asked.
fn next(hand: &Hand) -> (Arc<Errand>, Thread) {
    (Arc::clone(&hand.errand), hand.thread.thread().clone())
}

fn ask(errand: &Errand, thread: &Thread) {
    if !errand.wanted.swap(true, SeqCst) {
        thread.unpark();
    }
}

fn run(mine: &Errand, next: Option<&(Arc<Errand>, Thread)>) {
    while !mine.ended.load(SeqCst) {
        if mine.wanted.swap(false, SeqCst) {
            if let Some((errand, thread)) = next {
                ask(errand, thread);
            }
            black_box((0..black_box(STEPS)).fold(1, |word: u64, step| word.rotate_left(5).wrapping_mul(step | 1)));
            mine.done.fetch_add(1, Relaxed);
        } else {
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn one_call_asks_all_threads_and_they_are_quiet_after_it() {
        let background = Background::start(5, || ());
        background.ask();
        let patience = Instant::now() + Duration::from_secs(20);
        while background.done() < 5 && Instant::now() < patience {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(5));
        assert_eq!(background.done(), 5);
    }

    #[test]
    fn asking_without_waiting_piles_nothing_up() {
        let background = Background::start(2, || ());
        (0..10_000).for_each(|_| background.ask());
        let so_far = background.done();
        thread::sleep(Duration::from_millis(if cfg!(debug_assertions) { 50 } else { 5 }));
        let more = background.done() - so_far;
        assert!(
            more <= 4,
            "{more} errands after the last call: one is being done and one waits, in each of two threads"
        );
    }

    #[test]
    fn the_threads_have_ended_and_left_their_places_when_it_is_dropped() {
        let (held, seen) = (Arc::new(()), Arc::new(AtomicU64::new(0)));
        struct Place(Arc<AtomicU64>);
        impl Drop for Place {
            fn drop(&mut self) {
                self.0.fetch_add(1, Relaxed);
            }
        }
        let (inner, left) = (Arc::clone(&held), Arc::clone(&seen));
        drop(Background::start(3, move || (Arc::clone(&inner), Place(Arc::clone(&left)))));
        assert_eq!((Arc::strong_count(&held), seen.load(Relaxed)), (1, 3));
    }
}
