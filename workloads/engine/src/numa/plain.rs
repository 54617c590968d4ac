//! A plain pool of threads, to compare with: one queue that all of them share, and no idea of nodes.

use std::collections::VecDeque;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::memory::{Memory, Pool, Site};
use super::scheduler::{SchedulingError, Work};
use crate::topology::Cpus;

/// The tasks, those that wait and those that run.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Work>,
    /// Those that have not ended.
    open: usize,
    panicked: usize,
    /// Nothing comes any more.
    closed: bool,
}

#[derive(Default)]
struct Shared {
    line: Mutex<Line>,
    arrived: Condvar,
    complete: Condvar,
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        // Tasks run outside the lock: no panic of theirs reaches it.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task; `None` at the end.
    fn next(&self) -> Option<Work> {
        let idle = |line: &mut Line| line.waiting.is_empty() && !line.closed;
        let line = self.arrived.wait_while(self.line(), idle);
        line.unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    fn one_ended(&self, panicked: bool) {
        let mut line = self.line();
        line.open -= 1;
        line.panicked += usize::from(panicked);
        if line.open == 0 {
            self.complete.notify_all();
        }
    }

    fn work(&self, mut scratch: Memory) {
        while let Some(work) = self.next() {
            let ended = panic::catch_unwind(AssertUnwindSafe(|| work(&mut scratch)));
            self.one_ended(ended.is_err());
        }
    }
}

/// Threads wherever the system puts them, each with a block of memory to work with, and blocks for data.
pub(super) struct Plain {
    shared: Arc<Shared>,
    memory: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
}

impl Plain {
    /// One thread per CPU but at most `workers`, and `blocks` of memory.
    ///
    /// # Errors
    /// Where the system refuses a thread or memory.
    pub(super) fn start(cpus: &Cpus, workers: usize, blocks: usize) -> io::Result<Self> {
        let workers = cpus.len().min(workers);
        // Alone, and touched from all CPUs: nothing is asked for that could be refused.
        let site = Site { place: 0, id: 0, alone: true, cpus };
        let memory = Pool::on(&site, blocks + workers, &mut Vec::new())?;
        let mut pool = Self { shared: Arc::default(), memory, threads: Vec::new() };
        for scratch in std::iter::from_fn(|| pool.memory.allocate()).take(workers).collect::<Vec<_>>() {
            let shared = Arc::clone(&pool.shared);
            pool.threads.push(thread::Builder::new().name("plain".to_owned()).spawn(move || shared.work(scratch))?);
        }
        Ok(pool)
    }

    /// A block of memory, as the workers have them.
    ///
    /// # Errors
    /// Where none is left.
    pub(super) fn memory(&self) -> Result<Memory, SchedulingError> {
        self.memory.allocate().ok_or(SchedulingError::OutOfMemory(0))
    }

    /// Hands a task to whichever thread is free first. What others left in the memory it gets is still there.
    pub(super) fn submit(&self, work: Work) {
        let mut line = self.shared.line();
        line.waiting.push_back(work);
        line.open += 1;
        drop(line);
        self.shared.arrived.notify_one();
    }

    /// Waits until every task has ended.
    ///
    /// # Errors
    /// Where tasks panicked since the last call.
    pub(super) fn wait(&self) -> Result<(), SchedulingError> {
        let line = self.shared.complete.wait_while(self.shared.line(), |line| line.open > 0);
        match std::mem::take(&mut line.unwrap_or_else(PoisonError::into_inner).panicked) {
            0 => Ok(()),
            panicked => Err(SchedulingError::Panicked(panicked)),
        }
    }
}

impl Drop for Plain {
    /// Ends the threads when they have done what was submitted.
    fn drop(&mut self) {
        self.shared.line().closed = true;
        self.shared.arrived.notify_all();
        for thread in self.threads.drain(..) {
            // A task's panic does not reach here.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::numa::memory::BLOCK;

    fn start(workers: usize) -> Plain {
        // As many threads as there would be on so many CPUs; where they run is not asked for.
        Plain::start(&(0..workers).collect(), workers, 2).unwrap()
    }

    /// Submits `count` tasks, of which every seventh panics; how often each ran.
    fn flood(pool: &Plain, count: usize) -> Arc<Vec<AtomicU32>> {
        let ran: Arc<Vec<AtomicU32>> = Arc::new((0..count).map(|_| AtomicU32::new(0)).collect());
        for number in 0..count {
            let ran = Arc::clone(&ran);
            pool.submit(Box::new(move |_| {
                ran[number].fetch_add(1, SeqCst);
                if number % 7 == 0 {
                    // Without a message on the terminal.
                    panic::resume_unwind(Box::new("as the test wants"));
                }
            }));
        }
        ran
    }

    #[test]
    fn every_task_runs_exactly_once_also_where_some_panic() {
        for workers in [1, 3, 8] {
            let pool = start(workers);
            for _ in 0..5 {
                let ran = flood(&pool, 700);
                assert_eq!(pool.wait(), Err(SchedulingError::Panicked(100)));
                assert!(ran.iter().all(|ran| ran.load(SeqCst) == 1));
            }
            assert_eq!(pool.wait(), Ok(()), "panics are told once");
        }
    }

    #[test]
    fn it_ends_when_all_is_done_without_leaving_tasks_or_threads() {
        for workers in [1, 3, 8] {
            let pool = start(workers);
            let (ran, shared) = (flood(&pool, 700), Arc::downgrade(&pool.shared));
            drop(pool);
            assert!(ran.iter().all(|ran| ran.load(SeqCst) == 1));
            assert_eq!((Arc::strong_count(&ran), shared.strong_count()), (1, 0), "threads hold what they share");
        }
    }

    #[test]
    fn tasks_run_at_the_same_time_each_with_a_block_of_its_own() {
        let pool = start(3);
        let (tell, told) = mpsc::channel();
        let held: Vec<mpsc::Sender<()>> = (0..3)
            .map(|_| {
                let (tell, (hold, held)) = (tell.clone(), mpsc::channel::<()>());
                pool.submit(Box::new(move |scratch: &mut [u8]| {
                    tell.send((scratch.as_ptr().addr(), scratch.len())).unwrap();
                    let _ = held.recv();
                }));
                hold
            })
            .collect();
        let mut blocks: Vec<_> = (0..3).map(|_| told.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
        drop(held);
        blocks.sort_unstable();
        blocks.dedup();
        assert!(blocks.len() == 3 && blocks.iter().all(|&(_, bytes)| bytes == BLOCK), "{blocks:?}");
    }

    #[test]
    fn there_are_as_many_threads_as_asked_for_and_cpus_to_run_them() {
        let threads = |cpus, most| Plain::start(&(0..cpus).collect(), most, 1).unwrap().threads.len();
        assert_eq!([threads(6, 1), threads(6, 8), threads(8, 8)], [1, 6, 8]);
        let pool = start(2);
        let blocks = [pool.memory(), pool.memory(), pool.memory()].map(|block| block.err());
        assert_eq!(blocks, [None, None, Some(SchedulingError::OutOfMemory(0))], "the workers have theirs besides");
    }
}
