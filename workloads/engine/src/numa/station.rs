//! The workers of one node, and the tasks that wait for them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What waits, and who waits for it.
struct Queue<T> {
    tasks: VecDeque<T>,
    /// Workers that have nothing to do and were not called: they look at other stations, or sleep already.
    idle: usize,
    /// Workers that were called from idleness and have not come yet.
    called: usize,
    ended: bool,
}

/// The queue of one node. Its own workers take from the front, others from the back and only what its own don't get to.
pub(super) struct Station<T> {
    queue: Mutex<Queue<T>>,
    arrived: Condvar,
}

/// What a worker finds at its station.
pub(super) enum Found<T> {
    Task(T),
    /// Nothing: the worker counts as idle now, and says so when it no longer is.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

impl<T> Station<T> {
    pub(super) fn empty() -> Self {
        let queue = Queue { tasks: VecDeque::new(), idle: 0, called: 0, ended: false };
        Self { queue: Mutex::new(queue), arrived: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        // No task runs while the lock is held, so a panic leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a task in; whether an idle worker was called for it. If not, all are busy.
    pub(super) fn put(&self, task: T) -> bool {
        let mut queue = self.lock();
        queue.tasks.push_back(task);
        self.call_in(queue)
    }

    /// Calls an idle worker, to look for tasks again; whether there was one.
    pub(super) fn call(&self) -> bool {
        self.call_in(self.lock())
    }

    fn call_in(&self, mut queue: MutexGuard<'_, Queue<T>>) -> bool {
        if queue.idle == 0 {
            return false;
        }
        queue.idle -= 1;
        queue.called += 1;
        drop(queue);
        self.arrived.notify_one();
        true
    }

    /// What there is for a worker of this station.
    pub(super) fn take(&self) -> Found<T> {
        let mut queue = self.lock();
        match queue.tasks.pop_front() {
            Some(task) => Found::Task(task),
            None if queue.ended => Found::End,
            None => {
                queue.idle += 1;
                Found::Nothing
            }
        }
    }

    /// A task for a worker of another station: the newest, where there are more than this station's called workers will
    /// take.
    pub(super) fn steal(&self) -> Option<T> {
        let mut queue = self.lock();
        if queue.tasks.len() > queue.called { queue.tasks.pop_back() } else { None }
    }

    /// Says that a worker that was idle has found something elsewhere. Whether it was called meanwhile: then somebody
    /// else has to be.
    pub(super) fn leave(&self) -> bool {
        let mut queue = self.lock();
        if queue.idle > 0 {
            queue.idle -= 1;
            return false;
        }
        queue.called -= 1;
        true
    }

    /// Sleeps until an idle worker is called, or the end comes.
    pub(super) fn sleep(&self) {
        let asleep = |queue: &mut Queue<T>| queue.called == 0 && !queue.ended;
        let mut queue = self.arrived.wait_while(self.lock(), asleep).unwrap_or_else(PoisonError::into_inner);
        if queue.called > 0 {
            queue.called -= 1;
        } else {
            queue.idle -= 1;
        }
    }

    /// Nothing comes any more: workers end when they have done what is there.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_all();
    }

    /// Workers that are idle and not called.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.lock().idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(station: &Station<u32>) -> Option<u32> {
        match station.take() {
            Found::Task(task) => Some(task),
            Found::Nothing | Found::End => None,
        }
    }

    #[test]
    fn own_workers_take_the_oldest_and_others_the_newest() {
        let station = Station::empty();
        assert!((1..=4).all(|task| !station.put(task)), "nobody is idle");
        assert_eq!(
            [station.steal(), taken(&station), taken(&station), station.steal()].map(Option::unwrap),
            [4, 1, 2, 3]
        );
        assert_eq!((station.steal(), taken(&station)), (None, None));
    }

    #[test]
    fn what_a_called_worker_will_take_is_not_stolen() {
        let station = Station::empty();
        assert!(matches!(station.take(), Found::Nothing));
        assert!(station.put(1), "the idle worker is called");
        assert!(!station.put(2), "there is no other");
        assert_eq!((station.steal(), station.steal()), (Some(2), None));
        station.sleep();
        assert_eq!(taken(&station), Some(1));
    }

    #[test]
    fn an_idle_worker_that_found_something_elsewhere_says_whether_it_was_called() {
        let station = Station::<u32>::empty();
        assert!(matches!(station.take(), Found::Nothing));
        assert!(!station.leave());
        assert!(!station.call(), "it is busy");
        assert!(matches!(station.take(), Found::Nothing));
        assert!(station.call() && station.leave());
        assert_eq!(station.idle(), 0);
    }

    #[test]
    fn after_the_end_what_is_there_is_still_done() {
        let station = Station::empty();
        assert!(matches!(station.take(), Found::Nothing));
        station.put(1);
        station.end();
        station.sleep();
        assert_eq!(taken(&station), Some(1));
        assert!(matches!(station.take(), Found::End));
    }
}
