//! Follows the records of the sampled processes in the order of their times.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::{Record, Sample, User};
use super::threads;
use crate::profile::unwind::{AddressSpace, End, Frame, Images, Unwinder};

/// A call stack: all samples of the same one are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trace {
    /// The thread's name.
    pub(super) thread: Arc<str>,
    /// Places in code, innermost first, the kernel's before the user's.
    pub(super) frames: Vec<Frame>,
    /// How its outer end was found; `None` where only the names will tell.
    pub(super) end: Option<End>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) images: Images,
    pub(super) traces: HashMap<Trace, u64>,
    /// Records that found no room in their ring.
    pub(super) lost: u64,
    /// How often the kernel held an event back.
    pub(super) throttled: u64,
}

impl Seen {
    /// Whether any sample was taken in the kernel.
    pub(super) fn has_kernel(&self) -> bool {
        self.traces.keys().any(|trace| matches!(trace.frames.first(), Some(Frame::Kernel(_))))
    }
}

/// Follows the records of the sampled processes: what they have mapped, what their threads are called, where they are.
#[derive(Default)]
pub(super) struct Observer {
    seen: Seen,
    spaces: HashMap<u32, AddressSpace>,
    names: HashMap<u32, Arc<str>>,
    unwinder: Unwinder,
    /// The process that is to execute its program before samples count.
    awaited: Option<u32>,
}

impl Observer {
    /// Lets samples count only from when the process `pid` executes another program.
    pub(super) fn await_exec(&mut self, pid: u32) {
        self.awaited = Some(pid);
    }

    /// Takes up a process as it is now.
    pub(super) fn take_up(&mut self, pid: u32, threads: &[u32]) {
        self.space(pid);
        for thread in threads {
            self.name(pid, *thread);
        }
    }

    /// Takes a record in.
    pub(super) fn see(&mut self, record: Record) {
        match record {
            Record::Sample(_) if self.awaited.is_some() => {}
            Record::Sample(sample) => self.sample(sample),
            Record::Mapped { pid, mapping } => {
                let Self { spaces, seen, .. } = self;
                spaces.entry(pid).or_default().map(pid, &mapping, &mut seen.images);
            }
            Record::Named { pid, tid, name, exec } => {
                self.names.insert(tid, name.into());
                if exec {
                    self.awaited.take_if(|awaited| *awaited == pid);
                    // The mappings of the new program are told next.
                    self.spaces.insert(pid, AddressSpace::default());
                }
            }
            Record::Began { pid, parent_pid, tid, parent_tid } => {
                let name = self.name(parent_pid, parent_tid);
                self.names.insert(tid, name);
                if pid != parent_pid {
                    let inherited = self.space(parent_pid).clone();
                    self.spaces.insert(pid, inherited);
                }
            }
            Record::Lost(count) => self.seen.lost += count,
            Record::Throttled => self.seen.throttled += 1,
        }
    }

    /// Everything, once there is nothing more to see.
    pub(super) fn into_seen(self) -> Seen {
        self.seen
    }

    fn sample(&mut self, sample: Sample) {
        let thread = self.name(sample.pid, sample.tid);
        let mut frames: Vec<Frame> = returning(&sample.kernel).map(Frame::Kernel).collect();
        self.space(sample.pid);
        let space = &self.spaces[&sample.pid];
        let end = match sample.user {
            User::Copied(registers, stack) => {
                let (user, end) = self.unwinder.walk(space, registers, &stack);
                frames.extend(user);
                Some(end)
            }
            // A thread that has no user code, or none any more, is complete without.
            User::Chain(chain) if chain.is_empty() => Some(if frames.is_empty() { End::Broken } else { End::Root }),
            User::Chain(chain) => {
                frames.extend(returning(&chain).map(|address| space.locate(address)));
                None
            }
        };
        *self.seen.traces.entry(Trace { thread, frames, end }).or_default() += 1;
    }

    /// What a process has mapped. One that was never heard of is asked now.
    fn space(&mut self, pid: u32) -> &AddressSpace {
        let Self { spaces, seen, .. } = self;
        spaces.entry(pid).or_insert_with(|| AddressSpace::of(pid, &mut seen.images).unwrap_or_default())
    }

    /// What a thread is called. One that was never heard of is asked now.
    fn name(&mut self, pid: u32, tid: u32) -> Arc<str> {
        let found = || threads::name(pid, tid).unwrap_or_else(|| "[thread]".to_owned()).into();
        Arc::clone(self.names.entry(tid).or_insert_with(found))
    }
}

/// The addresses of a chain for looking up: where a thread was, and the last bytes of the calls that it returns from. A
/// call may be the last instruction of its function, so that it returns to the next one's first.
fn returning(chain: &[u64]) -> impl Iterator<Item = u64> {
    chain.iter().enumerate().map(|(depth, address)| if depth == 0 { *address } else { address.saturating_sub(1) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::unwind::Mapping;

    /// No process has this id.
    const PID: u32 = u32::MAX >> 1;

    fn sampled(observer: &mut Observer, tid: u32, chain: &[u64]) {
        let user = User::Chain(chain.to_vec());
        observer.see(Record::Sample(Sample { pid: PID, tid, kernel: vec![], user }));
    }

    fn names(observer: Observer) -> Vec<(String, u64)> {
        let traces = observer.into_seen().traces;
        let mut names: Vec<_> = traces.into_iter().map(|(trace, count)| (trace.thread.to_string(), count)).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_thread_has_its_makers_name_until_it_gets_its_own() {
        let mut observer = Observer::default();
        observer.see(Record::Named { pid: PID, tid: 1, name: "main".into(), exec: false });
        observer.see(Record::Began { pid: PID, parent_pid: PID, tid: 2, parent_tid: 1 });
        sampled(&mut observer, 2, &[8]);
        observer.see(Record::Named { pid: PID, tid: 2, name: "worker-3".into(), exec: false });
        sampled(&mut observer, 2, &[8]);
        assert_eq!(names(observer), [("main".to_owned(), 1), ("worker-3".to_owned(), 1)]);
    }

    #[test]
    fn the_same_stack_is_counted_and_another_is_kept_apart() {
        let mut observer = Observer::default();
        observer.see(Record::Named { pid: PID, tid: 1, name: "a".into(), exec: false });
        sampled(&mut observer, 1, &[8]);
        sampled(&mut observer, 1, &[8]);
        sampled(&mut observer, 1, &[8, 16]);
        assert_eq!(names(observer), [("a".to_owned(), 1), ("a".to_owned(), 2)]);
    }

    #[test]
    fn a_program_that_is_executed_has_none_of_the_mappings_of_the_one_before() {
        let own = std::process::id();
        let mapping = Mapping::all_of(own).unwrap().into_iter().find(|found| found.path.is_absolute()).unwrap();
        let inside = mapping.start + mapping.length / 2;
        let mut observer = Observer::default();
        observer.see(Record::Mapped { pid: PID, mapping });
        sampled(&mut observer, 1, &[inside]);
        observer.see(Record::Named { pid: PID, tid: 1, name: "other".into(), exec: true });
        sampled(&mut observer, 1, &[inside]);
        let known = observer.into_seen().traces.into_keys().filter(|trace| trace.frames != [Frame::Unknown]).count();
        assert_eq!(known, 1);
    }

    #[test]
    fn samples_before_an_awaited_program_do_not_count() {
        let mut observer = Observer::default();
        observer.await_exec(PID);
        sampled(&mut observer, 1, &[8]);
        observer.see(Record::Named { pid: PID, tid: 1, name: "other".into(), exec: true });
        sampled(&mut observer, 1, &[8]);
        assert_eq!(names(observer), [("other".to_owned(), 1)]);
    }

    #[test]
    fn return_addresses_are_looked_up_within_their_calls() {
        assert_eq!(Vec::from_iter(returning(&[10, 20, 30])), [10, 19, 29]);
    }
}
