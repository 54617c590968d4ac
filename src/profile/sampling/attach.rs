//! Opens events on all threads of a process.

use std::io;

use anyhow::{Context, Result};

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
            match Event::open(&way.sampler(), self.pid, self.cpus[0]) {
                Ok(_) => return Ok(way),
                Err(error) if is_refusal(&error) && !way.kernel => return Err(Closed::Refused(error)),
                Err(error) if has_ended(&error) => return Err(Closed::Ended),
                Err(error) => last = error,
            }
        }
        Err(Closed::Impossible(last))
    }

    /// Opens the events of all threads. Threads that they start from now on are followed; what somebody else starts in
    /// between is not.
    ///
    /// # Errors
    /// Where there are more threads and CPUs than this process may open files, or the kernel has no memory.
    pub(super) fn attach(&self, way: &Way) -> Result<Attached> {
        let mut rings = Rings { rings: Vec::new(), leaders: Vec::new(), others: Vec::new() };
        let (sampler, tracker) = (way.sampler(), Way::tracker());
        let mut samplers = Vec::new();
        for thread in &self.threads {
            for (at, cpu) in self.cpus.iter().enumerate() {
                let pair =
                    Event::open(&tracker, *thread, *cpu).and_then(|t| Ok((t, Event::open(&sampler, *thread, *cpu)?)));
                let Some((tracker, sampler)) = opened(pair, *thread)? else { break };
                rings.add(at, tracker, &sampler)?;
                samplers.push(sampler);
            }
        }
        let mut observer = Observer::default();
        // Only now: what is mapped meanwhile is told twice rather than never.
        observer.take_up(self.pid, &self.threads);
        let drain = Drain::start(rings, Reader::new(&sampler), observer, self.cpus_of_others())?;
        Ok(Attached { samplers, drain })
    }

    /// The CPUs that this process may use and the target does not.
    fn cpus_of_others(&self) -> Vec<u32> {
        let own = Machine::this().map(|machine| machine.cpus).unwrap_or_default();
        let own = own.into_iter().filter_map(|cpu| u32::try_from(cpu).ok());
        own.filter(|cpu| !self.cpus.contains(cpu)).collect()
    }
}

impl Rings {
    /// Lets a tracker and a sampler write into the ring of CPU number `at` of the target's. The first tracker makes it.
    fn add(&mut self, at: usize, tracker: Event, sampler: &Event) -> Result<()> {
        const REDIRECTING: &str = "letting the events of a CPU write into one ring";
        if let Some(leader) = self.leaders.get(at) {
            tracker.write_into_ring_of(leader).context(REDIRECTING)?;
            sampler.write_into_ring_of(leader).context(REDIRECTING)?;
            self.others.push(tracker);
        } else {
            self.rings.push(ring(&tracker)?);
            sampler.write_into_ring_of(&tracker).context(REDIRECTING)?;
            self.leaders.push(tracker);
        }
        Ok(())
    }
}

/// The largest ring that the kernel permits.
fn ring(event: &Event) -> Result<Ring> {
    let mut bytes = RING.max(sys::page_size());
    loop {
        match Ring::new(event, bytes) {
            Ok(ring) => return Ok(ring),
            Err(_) if bytes > LEAST_RING.max(sys::page_size()) => bytes /= 2,
            Err(error) => return Err(error).context("there is no memory for samples (kernel.perf_event_mlock_kb)"),
        }
    }
}

/// `None` where the thread has ended meanwhile.
fn opened<T>(event: io::Result<T>, thread: u32) -> Result<Option<T>> {
    match event {
        Ok(event) => Ok(Some(event)),
        Err(error) if has_ended(&error) => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => {
            Err(error).context("two files per thread and CPU have to be open: raise the limit (ulimit -n)")
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
        let fails = |code| opened::<()>(Err(io::Error::from_raw_os_error(code)), 7);
        assert!(fails(libc::ESRCH).unwrap().is_none());
        assert!(format!("{:#}", fails(libc::EMFILE).unwrap_err()).contains("ulimit -n"));
        assert!(format!("{:#}", fails(libc::EINVAL).unwrap_err()).contains("thread 7"));
    }
}
