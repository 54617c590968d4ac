//! Opens events on all threads of a process.

use std::io;

use anyhow::{Context, Result, bail};

use perf_event_open_sys::bindings::perf_event_attr;

use super::drain::{Drain, Rings};
use super::event::{Clock, Stacks, Way};
use super::observer::Observer;
use super::options::{Method, Options};
use super::record::Reader;
use super::sys::{self, Event, Ring};
use super::threads;
use crate::process::Machine;

/// The size that a ring is given where the kernel permits, bytes.
const RING: usize = 8 << 20;
/// The smallest ring that is worth having, bytes. The kernel lets every user lock 512 KiB per CPU.
const LEAST_RING: usize = 128 << 10;

/// Why no way opened.
#[derive(Debug)]
pub(super) enum Closed {
    /// The kernel does not permit any.
    Refused(io::Error),
    /// The machine or the kernel can't do it.
    Impossible(io::Error),
    /// The process has ended.
    Ended,
}

/// An attached process.
#[derive(Debug)]
pub(super) struct Attached {
    /// Those that are switched.
    pub(super) samplers: Vec<Event>,
    pub(super) drain: Drain,
}

/// A process to attach to.
pub(super) struct Target {
    pid: u32,
    threads: Vec<u32>,
    /// Where its threads run.
    cpus: Vec<u32>,
}

impl Target {
    /// A process as it is now.
    ///
    /// # Errors
    /// Where there is none of this id.
    pub(super) fn new(pid: u32) -> Result<Self> {
        let threads = threads::of(pid)?;
        let cpus = threads::cpus(pid, &threads)?;
        Ok(Self { pid, threads, cpus })
    }

    /// The first way to sample that the kernel opens.
    pub(super) fn way(&self, options: &Options) -> Result<Way, Closed> {
        let mut last = io::Error::from_raw_os_error(libc::EOPNOTSUPP);
        for way in ways(options) {
            match self.probe(&way) {
                Ok(()) => return Ok(way),
                Err(error) if is_refusal(&error) && !way.kernel => return Err(Closed::Refused(error)),
                Err(error) if has_ended(&error) => return Err(Closed::Ended),
                Err(error) => last = error,
            }
        }
        Err(Closed::Impossible(last))
    }

    /// Opens an event of the first thread that lives. The process's first may have ended before the others.
    fn probe(&self, way: &Way) -> io::Result<()> {
        let mut opened = self.threads.iter().map(|thread| Event::open(&way.sampler(), *thread, self.cpus[0]).map(drop));
        let lives = |opened: &io::Result<()>| !opened.as_ref().is_err_and(has_ended);
        opened.find(lives).unwrap_or_else(|| Err(io::Error::from_raw_os_error(libc::ESRCH)))
    }

    /// Opens the events of all threads. Threads that they start from now on are followed; what somebody else starts in
    /// between is not.
    ///
    /// # Errors
    /// Where there are more threads and CPUs than this process may open files, or the kernel has no memory.
    pub(super) fn attach(&self, way: &Way) -> Result<Attached> {
        let (leading, mut rings) = self.rings()?;
        let (sampler, tracker) = (way.sampler(), Way::tracker(RING));
        let mut samplers = Vec::new();
        for thread in &self.threads {
            let Some(opened) = self.opened(&sampler, *thread)? else { continue };
            rings.take(&opened)?;
            samplers.extend(opened);
            // Those of the leading thread have made the rings.
            if *thread != leading
                && let Some(trackers) = self.opened(&tracker, *thread)?
            {
                rings.take(&trackers)?;
                rings.others.extend(trackers);
            }
        }
        let mut observer = Observer::default();
        // Only now: what is mapped meanwhile is told twice rather than never.
        observer.take_up(self.pid, &self.threads);
        let drain = Drain::start(rings, Reader::new(&sampler), observer, self.cpus_of_others())?;
        Ok(Attached { samplers, drain })
    }

    /// The rings, the largest that the kernel permits, and the thread whose trackers made them. All are of one size: what a
    /// user may lock is one sum for all of them, and the first would take the others' part.
    fn rings(&self) -> Result<(u32, Rings)> {
        let least = LEAST_RING.max(sys::page_size());
        let mut bytes = RING.max(least);
        loop {
            let (leading, leaders) = self.leaders(bytes)?;
            let rings = leaders.iter().map(|leader| Ring::new(leader, bytes)).collect::<io::Result<Vec<_>>>();
            match rings {
                Ok(rings) => return Ok((leading, Rings { rings, leaders, others: Vec::new() })),
                Err(_) if bytes > least => bytes /= 2,
                Err(error) => {
                    return Err(error).context("there is no memory for samples (kernel.perf_event_mlock_kb)");
                }
            }
        }
    }

    /// The trackers of the first thread that lives, one per CPU, for rings of so many bytes.
    fn leaders(&self, bytes: usize) -> Result<(u32, Vec<Event>)> {
        for thread in &self.threads {
            if let Some(leaders) = self.opened(&Way::tracker(bytes), *thread)? {
                return Ok((*thread, leaders));
            }
        }
        bail!("process {} has ended", self.pid)
    }

    /// An event for each CPU; `None` where the thread has ended meanwhile.
    fn opened(&self, attr: &perf_event_attr, thread: u32) -> Result<Option<Vec<Event>>> {
        let opened = self.cpus.iter().map(|cpu| Event::open(attr, thread, *cpu)).collect();
        living(opened, thread, 2 * self.threads.len() * self.cpus.len())
    }

    /// The CPUs that this process may use and the target does not.
    fn cpus_of_others(&self) -> Vec<u32> {
        let own = Machine::this().map(|machine| machine.cpus).unwrap_or_default();
        let own = own.into_iter().filter_map(|cpu| u32::try_from(cpu).ok());
        own.filter(|cpu| !self.cpus.contains(cpu)).collect()
    }
}

impl Rings {
    /// Lets events, one per CPU, write into the rings of their CPUs.
    fn take(&self, events: &[Event]) -> Result<()> {
        let mut pairs = events.iter().zip(&self.leaders);
        let redirected = pairs.try_for_each(|(event, leader)| event.write_into_ring_of(leader));
        redirected.context("letting the events of a CPU write into one ring")
    }
}

/// `None` where the thread has ended meanwhile. In all, `files` have to be open.
fn living<T>(opened: io::Result<T>, thread: u32, files: usize) -> Result<Option<T>> {
    match opened {
        Ok(events) => Ok(Some(events)),
        Err(error) if has_ended(&error) => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => {
            let enough = (files + 256).next_power_of_two();
            Err(error).with_context(|| {
                format!("two files per thread and CPU have to be open, {files} in all: `ulimit -n {enough}` before")
            })
        }
        Err(error) => Err(error).with_context(|| format!("sampling thread {thread}")),
    }
}

/// What may be tried, the best first: copied stacks before frame pointers, with the kernel before without, cycles before
/// the timer.
fn ways(options: &Options) -> Vec<Way> {
    let copied = Stacks::Copied(options.stack_copy());
    let stacks = match options.method {
        Some(Method::Dwarf) => vec![copied],
        Some(Method::FramePointers) => vec![Stacks::FramePointers],
        Some(Method::PerfProgram) => vec![],
        None => vec![copied, Stacks::FramePointers],
    };
    let kernel: &[bool] = if options.kernel { &[true, false] } else { &[false] };
    let mut ways = Vec::new();
    for stacks in stacks {
        for kernel in kernel {
            for clock in [Clock::Cycles, Clock::CpuClock] {
                let (rate, on_exec) = (options.rate(), options.on_exec);
                ways.push(Way { clock, stacks, kernel: *kernel, rate, on_exec });
            }
        }
    }
    ways
}

/// Whether there is no such thread any more, or only as far as its parent has not heard of its end.
fn has_ended(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EACCES | libc::EPERM | libc::ENOSYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_way_is_tried_first_and_a_forced_one_alone() {
        let all = ways(&Options::default());
        assert_eq!((all[0].clock, all[0].kernel, all.len()), (Clock::Cycles, true, 8));
        assert!(matches!(all[0].stacks, Stacks::Copied(16_384)));
        let forced = ways(&Options { method: Some(Method::FramePointers), kernel: false, ..Options::default() });
        assert!(forced.iter().all(|way| way.stacks == Stacks::FramePointers && !way.kernel));
        assert_eq!(forced.len(), 2);
    }

    #[test]
    fn a_thread_that_has_ended_is_left_out_and_too_many_files_are_explained() {
        let fails = |code| living::<()>(Err(io::Error::from_raw_os_error(code)), 7, 2000);
        assert!(fails(libc::ESRCH).unwrap().is_none());
        assert!(format!("{:#}", fails(libc::EMFILE).unwrap_err()).contains("2000 in all: `ulimit -n 4096`"));
        assert!(format!("{:#}", fails(libc::EINVAL).unwrap_err()).contains("thread 7"));
    }
}
