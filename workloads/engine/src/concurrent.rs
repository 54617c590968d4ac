//! Eight worker threads that live as long as the case and block between iterations.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_queue::ArrayQueue;
use perfplan_harness::{Size, Suite, amount};

use crate::cache::{self, Cache, NOW};
use crate::queue::RING;
use crate::tape::Tape;

const THREADS: usize = 8;

/// Operations of each thread in one iteration. Handing over to eight threads and back costs some tens of microseconds,
/// which has to be little beside the work.
const OPERATIONS: usize = amount(4_000);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("concurrent_operations/threads/8", operations)
        .about("8 threads do 4000 operations each: a key goes through the thread's ring and is looked up in the cache all share")
        .operations((THREADS * OPERATIONS) as u64)
        .threads(THREADS);
}

/// Locks; a panic of another thread is told by [`Gate`], not by every lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a worker finds in its mailbox.
enum Mail {
    None,
    Job(u64),
    Stop,
}

/// Where one worker gets its jobs. It sleeps in the kernel until there is one.
struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
}

impl Mailbox {
    fn empty() -> Self {
        Self { mail: Mutex::new(Mail::None), arrived: Condvar::new() }
    }

    fn post(&self, mail: Mail) {
        *lock(&self.mail) = mail;
        self.arrived.notify_one();
    }

    /// The next job; `None` to stop.
    fn take(&self) -> Option<u64> {
        let empty = |mail: &mut Mail| matches!(mail, Mail::None);
        let mut mail = self.arrived.wait_while(lock(&self.mail), empty).unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *mail, Mail::None) {
            Mail::Job(job) => Some(job),
            Mail::None | Mail::Stop => None,
        }
    }
}

/// Where the results come together, and the one who wants them sleeps until all have.
struct Gate {
    tally: Mutex<Tally>,
    complete: Condvar,
}

#[derive(Default)]
struct Tally {
    missing: usize,
    sum: u64,
    panicked: bool,
}

impl Gate {
    fn close(&self, missing: usize) {
        *lock(&self.tally) = Tally { missing, ..Tally::default() };
    }

    /// The sum of all results, in whatever order they come.
    fn wait(&self) -> u64 {
        let tally = self.complete.wait_while(lock(&self.tally), |tally| tally.missing > 0);
        let tally = tally.unwrap_or_else(PoisonError::into_inner);
        assert!(!tally.panicked, "a worker thread panicked; its message stands above");
        tally.sum
    }
}

/// A result that is due. It counts even when its worker panics, so that nobody waits for ever.
struct Due<'a> {
    gate: &'a Gate,
    result: Option<u64>,
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        let mut tally = lock(&self.gate.tally);
        tally.missing -= 1;
        match self.result {
            Some(result) => tally.sum = tally.sum.wrapping_add(result),
            None => tally.panicked = true,
        }
        if tally.missing == 0 {
            self.gate.complete.notify_one();
        }
    }
}

/// Threads that do a job each when asked, and end with their crew.
struct Crew {
    mailboxes: Vec<Arc<Mailbox>>,
    gate: Arc<Gate>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts one thread per task; a task gets the number of the job and returns its result.
    ///
    /// # Panics
    /// Where the system refuses a thread.
    fn start<T: FnMut(u64) -> u64 + Send + 'static>(tasks: impl IntoIterator<Item = T>) -> Self {
        let gate = Arc::new(Gate { tally: Mutex::default(), complete: Condvar::new() });
        let mut crew = Self { mailboxes: Vec::new(), gate, threads: Vec::new() };
        for mut task in tasks {
            let (mailbox, gate) = (Arc::new(Mailbox::empty()), Arc::clone(&crew.gate));
            crew.mailboxes.push(Arc::clone(&mailbox));
            crew.threads.push(thread::spawn(move || {
                while let Some(job) = mailbox.take() {
                    let mut due = Due { gate: &gate, result: None };
                    due.result = Some(task(job));
                }
            }));
        }
        crew
    }

    /// Has every thread do the job; the sum of their results.
    ///
    /// # Panics
    /// Where a task panicked.
    fn run(&self, job: u64) -> u64 {
        self.gate.close(self.mailboxes.len());
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Mail::Job(job)));
        self.gate.wait()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Mail::Stop));
        for thread in self.threads.drain(..) {
            // A panic was reported by `run` already; a second one while unwinding would abort.
            let _ = thread.join();
        }
    }
}

/// What one thread does: keys go through its own ring, then to the cache that all threads read.
fn task(cache: Arc<Cache>, asked: Arc<Tape<u64>>, number: u64) -> impl FnMut(u64) -> u64 + Send + 'static {
    let ring = ArrayQueue::new(RING);
    move |job| {
        let mut sum = 0_u64;
        for &key in asked.window(job * THREADS as u64 + number, OPERATIONS) {
            let refused = ring.push(key).is_err();
            let found = ring.pop().and_then(|key| cache.get(key, NOW));
            sum = sum.rotate_left(1).wrapping_add(found.unwrap_or(1) ^ u64::from(refused));
        }
        sum
    }
}

fn operations(size: Size) -> impl FnMut(u64) -> u64 {
    let (cache, asked) = cache::filled(size.pick(256, 4_096, 1_000_000), 13);
    let (cache, asked) = (Arc::new(cache), Arc::new(asked));
    let crew = Crew::start((0..THREADS as u64).map(|number| task(Arc::clone(&cache), Arc::clone(&asked), number)));
    move |index| crew.run(index)
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::Weak;

    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn every_thread_does_every_job_once() {
        let crew = Crew::start((0..THREADS as u32).map(|number| move |job: u64| job << (8 * number)));
        for job in 0..200 {
            assert_eq!(crew.run(job), job * 0x0101_0101_0101_0101);
        }
    }

    #[test]
    fn the_threads_have_ended_when_the_crew_is_dropped() {
        let held = Arc::new(());
        let seen: Weak<()> = Arc::downgrade(&held);
        let tasks: Vec<_> =
            (0..THREADS).map(|_| Arc::clone(&held)).map(|held| move |_| Arc::strong_count(&held) as u64).collect();
        drop(held);
        let crew = Crew::start(tasks);
        assert_eq!(crew.run(0), 64, "eight threads hold eight references");
        drop(crew);
        assert_eq!(seen.strong_count(), 0);
    }

    #[test]
    fn a_panic_in_one_thread_is_told_and_leaves_nobody_waiting() {
        let tasks = (0..THREADS).map(|number| {
            move |job| {
                assert!(number != 3 || job != 1, "thread 3 gives up, as the test wants");
                0
            }
        });
        let crew = Crew::start(tasks);
        assert_eq!(crew.run(0), 0);
        assert!(panic::catch_unwind(AssertUnwindSafe(|| crew.run(1))).is_err());
        drop(crew);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(operations);
    }
}
