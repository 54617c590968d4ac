//! Empties the rings while the sampled process runs, on a thread of its own.

use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use libc::{POLLHUP, POLLIN, pollfd};

use super::observer::{Observer, Seen};
use super::record::{Reader, Timed};
use super::sys::{self, Event, Ring};

/// How long the rings are left alone where the kernel does not say that they fill.
const PATIENCE: Duration = Duration::from_millis(100);
/// The same once a ring can't wake anybody, because the thread that it was made for has ended.
const ALERT: Duration = Duration::from_millis(5);

/// The rings of an attached process, and what keeps them.
#[derive(Debug)]
pub(super) struct Rings {
    pub(super) rings: Vec<Ring>,
    /// For each ring, the event that it was made for.
    pub(super) leaders: Vec<Event>,
    /// The other events that write into them and are never switched.
    pub(super) others: Vec<Event>,
}

/// A thread that empties rings.
#[derive(Debug)]
pub(super) struct Drain {
    /// Closed to ask the thread for its end.
    bell: PipeWriter,
    thread: JoinHandle<Result<Seen>>,
}

impl Drain {
    /// Starts emptying rings. The thread stays on `cpus`, unless there are none, to leave the others to whom it watches.
    ///
    /// # Errors
    /// Where there can be no thread.
    pub(super) fn start(rings: Rings, reader: Reader, observer: Observer, cpus: Vec<u32>) -> Result<Self> {
        let (listener, bell) = pipe().context("making a pipe")?;
        let shift = Shift { rings, reader, observer, bytes: Vec::new(), waiting: Vec::new(), newest: 0 };
        let work = move || {
            if !cpus.is_empty() {
                // Only a kindness.
                let _ = sys::stay_on(&cpus);
            }
            shift.work(&listener)
        };
        let thread = thread::Builder::new().name("sampling".into()).spawn(work).context("starting a thread")?;
        Ok(Self { bell, thread })
    }

    /// Empties the rings a last time, and says what was seen.
    ///
    /// # Errors
    /// Where the rings held what is no record.
    pub(super) fn finish(self) -> Result<Seen> {
        drop(self.bell);
        self.thread.join().map_err(|_| anyhow!("the thread that takes samples has failed"))?
    }
}

/// The thread's state.
struct Shift {
    rings: Rings,
    reader: Reader,
    observer: Observer,
    bytes: Vec<u8>,
    /// Records that were read and not yet looked at.
    waiting: Vec<Timed>,
    /// The time of the newest record when the rings were last read, nanoseconds.
    newest: u64,
}

impl Shift {
    fn work(mut self, listener: &PipeReader) -> Result<Seen> {
        let watched = |fd| pollfd { fd, events: POLLIN, revents: 0 };
        let mut fds: Vec<pollfd> = self.rings.leaders.iter().map(|leader| watched(leader.fd())).collect();
        fds.push(watched(listener.as_raw_fd()));
        loop {
            let deaf = fds.iter().any(|fd| fd.fd < 0);
            sys::poll(&mut fds, if deaf { ALERT } else { PATIENCE }).context("waiting for samples")?;
            let rung = fds.last().is_some_and(|fd| fd.revents != 0);
            // What has hung up is ready for ever; poll passes over negative numbers.
            fds.iter_mut().filter(|fd| fd.revents & POLLHUP != 0).for_each(|fd| fd.fd = -1);
            self.read().context("reading samples")?;
            if rung {
                self.look_at(u64::MAX);
                return Ok(self.observer.into_seen());
            }
        }
    }

    /// Empties all rings once. One after the other: a record in the last may be older than one that came into the first
    /// meanwhile, but not older than all that had come before the first was read. So whatever is newer waits for a turn.
    fn read(&mut self) -> Result<()> {
        for ring in &mut self.rings.rings {
            self.bytes.clear();
            ring.drain(&mut self.bytes);
            self.reader.read(&self.bytes, &mut self.waiting)?;
        }
        let newest = self.waiting.iter().map(|timed| timed.time).max().unwrap_or(self.newest);
        self.look_at(self.newest);
        self.newest = newest.max(self.newest);
        Ok(())
    }

    /// Looks at the records up to a time, in order. Of equal times, the one that was written first comes first.
    fn look_at(&mut self, until: u64) {
        self.waiting.sort_by_key(|timed| timed.time);
        let due = self.waiting.partition_point(|timed| timed.time <= until);
        for timed in self.waiting.drain(..due) {
            self.observer.see(timed.record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Clock, Stacks, Way};
    use super::super::record::Record;
    use super::*;

    fn shift() -> Shift {
        let way = Way { clock: Clock::CpuClock, stacks: Stacks::FramePointers, kernel: true, rate: 1, on_exec: false };
        let rings = Rings { rings: vec![], leaders: vec![], others: vec![] };
        let (reader, observer) = (Reader::new(&way.sampler()), Observer::default());
        Shift { rings, reader, observer, bytes: vec![], waiting: vec![], newest: 0 }
    }

    #[test]
    fn a_record_waits_until_no_other_ring_can_hold_an_older_one() {
        let mut shift = shift();
        let at = |time| Timed { time, record: Record::Lost(1) };
        shift.waiting.extend([at(20), at(10)]);
        shift.read().unwrap();
        assert_eq!(shift.waiting.len(), 2);
        shift.waiting.push(at(30));
        shift.read().unwrap();
        assert_eq!(shift.waiting, [at(30)]);
        assert_eq!(shift.observer.into_seen().lost, 2);
    }
}
