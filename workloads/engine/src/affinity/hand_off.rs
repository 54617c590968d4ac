//! From one thread to the next: a ring, and a reader that sleeps while it is empty.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use crossbeam_queue::ArrayQueue;

use crate::queue::RING;

struct Shared<T> {
    ring: ArrayQueue<T>,
    closed: AtomicBool,
    /// Who sleeps when the ring is empty; set when it reads for the first time.
    reader: OnceLock<Thread>,
}

/// The end that things are put in at. Dropped, also by a panic, it tells the reader that nothing more comes.
pub(super) struct Sender<T>(Arc<Shared<T>>);

/// The end that things come out of, for one thread.
pub(super) struct Receiver<T>(Arc<Shared<T>>);

/// Both ends of a ring of 1024.
pub(super) fn hand_off<T>() -> (Sender<T>, Receiver<T>) {
    let shared =
        Arc::new(Shared { ring: ArrayQueue::new(RING), closed: AtomicBool::new(false), reader: OnceLock::new() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T> Sender<T> {
    /// Puts `item` in and wakes the reader; gives it back where the ring is full.
    #[inline]
    pub(super) fn send(&self, item: T) -> Result<(), T> {
        let sent = self.0.ring.push(item);
        self.wake();
        sent
    }

    fn wake(&self) {
        // Either the reader's name is seen here, or what was put in is seen there, before it sleeps for the first time.
        // From then on a call to one that is awake is kept for it, and is no system call.
        fence(SeqCst);
        if let Some(reader) = self.0.reader.get() {
            reader.unpark();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.closed.store(true, SeqCst);
        self.wake();
    }
}

impl<T> Receiver<T> {
    /// The next item where there is one.
    #[inline]
    pub(super) fn poll(&self) -> Option<T> {
        self.0.ring.pop()
    }

    /// The next item, in the order they were put in; sleeps until there is one. `None` when the sender is gone and
    /// everything was taken. To be called by one thread only: it is the one that is woken.
    #[inline]
    pub(super) fn receive(&self) -> Option<T> {
        self.0.reader.get_or_init(thread::current);
        fence(SeqCst);
        loop {
            if let Some(item) = self.0.ring.pop() {
                return Some(item);
            }
            if self.0.closed.load(SeqCst) {
                // What was put in between the look into the ring and the end.
                return self.0.ring.pop();
            }
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic;
    use std::time::Duration;

    use super::*;

    #[test]
    fn everything_comes_out_once_and_in_order_with_readers_that_sleep_and_that_do_not() {
        let count = if cfg!(miri) { 50 } else { 2_000_u64 };
        let (sender, receiver) = hand_off();
        let (back, answers) = hand_off();
        let echo = thread::spawn(move || {
            while let Some(item) = receiver.receive() {
                back.send(item).unwrap();
            }
        });
        for item in 0..count {
            sender.send(item).unwrap();
            if item % 50 == 0 {
                // Long enough for the reader to fall asleep.
                thread::sleep(Duration::from_micros(200));
            }
            assert_eq!(answers.receive(), Some(item));
        }
        (0..RING as u64 / 2).for_each(|item| sender.send(item).unwrap());
        drop(sender);
        let rest: Vec<u64> = std::iter::from_fn(|| answers.receive()).collect();
        assert_eq!(rest, (0..RING as u64 / 2).collect::<Vec<_>>(), "what was sent before the end is not lost");
        echo.join().unwrap();
    }

    #[test]
    fn a_full_ring_gives_the_item_back() {
        let (sender, receiver) = hand_off();
        (0..RING).for_each(|item| sender.send(item).unwrap());
        assert_eq!(sender.send(RING), Err(RING));
        assert_eq!(receiver.receive(), Some(0));
        assert_eq!(sender.send(RING), Ok(()));
    }

    #[test]
    fn what_is_sent_just_before_the_end_is_not_lost_however_the_two_meet() {
        for round in 0..if cfg!(miri) { 5 } else { 3_000_u64 } {
            let (sender, receiver) = hand_off();
            let writer = thread::spawn(move || sender.send(round));
            assert_eq!((receiver.receive(), receiver.receive()), (Some(round), None));
            assert_eq!(writer.join().unwrap(), Ok(()));
        }
    }

    #[test]
    fn a_reader_is_woken_when_the_sender_panics() {
        let (sender, receiver) = hand_off::<u64>();
        let reader = thread::spawn(move || receiver.receive());
        let writer = thread::spawn(move || {
            let _held = sender;
            panic::resume_unwind(Box::new("as the test wants"));
        });
        assert!(writer.join().is_err());
        assert_eq!(reader.join().unwrap(), None);
    }
}
