//! The tracing thread: attach, let every thread go on from stop to stop, let go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use libc::{c_int, pid_t};

use super::denied;
use super::tally::Tally;
use crate::process::sys::{self, Seen};

/// How long threads that don't stop (they sleep where no signal reaches them) are waited for before they are let go of by
/// this thread's end.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long threads that slept when they were attached to are waited for until they sleep again.
const SETTLING: Duration = Duration::from_millis(30);
/// The most that attaching may take. A thread that waits in the kernel for a child (`vfork`) or a disk stops only afterwards.
const ATTACHING: Duration = Duration::from_secs(3);
/// The event of a stop that `PTRACE_SEIZE` brings (linux/ptrace.h).
const EVENT_STOP: c_int = 128;
/// What marks a stop at a system call (`PTRACE_O_TRACESYSGOOD`).
const AT_CALL: c_int = libc::SIGTRAP | 0x80;

/// Why a thread is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// A system call begins or ends.
    Call,
    /// It is about to get this signal.
    Signal(c_int),
    /// Its process was stopped for good (SIGSTOP and the like), and waits to be continued.
    Group,
    /// Something that the tracer is told of: it was interrupted, it is new, it made a child.
    Event,
}

impl Stop {
    fn of(code: c_int) -> Self {
        let (signal, event) = (code & 0xff, code >> 8);
        let stopping = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal);
        match event {
            0 if signal == AT_CALL => Self::Call,
            0 => Self::Signal(signal),
            EVENT_STOP if stopping => Self::Group,
            _ => Self::Event,
        }
    }
}

/// What is awaited of a thread that was attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// That it stops: before that, its calls don't stop it.
    Stop {
        /// Whether it slept in a call, which was broken off.
        slept: bool,
    },
    /// That it begins its call again: that is not a call that the program makes.
    Again,
}

/// Follows one process and all that it starts. Lives on one thread.
pub(super) struct Follower {
    leader: pid_t,
    tally: Tally,
    stop: Arc<AtomicBool>,
    /// Threads that were seen and have not ended.
    tracees: BTreeSet<pid_t>,
    /// Those that were attached to, until they are settled.
    awaited: BTreeMap<pid_t, Awaited>,
    begun: Instant,
}

impl Follower {
    pub(super) fn new(leader: pid_t, tally: Tally, stop: Arc<AtomicBool>) -> Self {
        let (tracees, awaited) = (BTreeSet::new(), BTreeMap::new());
        Self { leader, tally, stop, tracees, awaited, begun: Instant::now() }
    }

    /// Attaches, says so by `attached`, and follows until it is told to stop or the process has ended.
    pub(super) fn follow(mut self, attached: impl FnOnce()) -> Result<Tally> {
        self.attach()?;
        let mut attached = Some(attached);
        while !self.stop.load(Ordering::SeqCst) {
            if !self.step()? {
                return Ok(self.tally);
            }
            if attached.is_some() && self.is_settled()? {
                attached.take().into_iter().for_each(|attached| attached());
            }
        }
        self.let_go()?;
        Ok(self.tally)
    }

    /// Whether from now on every call of every thread is one that the program makes. A thread that slept may have woken up and
    /// make no call for long.
    fn is_settled(&mut self) -> Result<bool> {
        let late = self.begun.elapsed() > SETTLING;
        if late {
            // Whoever executes a program ends the other threads without a word, and takes the first one's id.
            let leader = self.leader;
            self.awaited.retain(|thread, _| Path::new(&format!("/proc/{leader}/task/{thread}")).exists());
        }
        let stays = self.awaited.iter().find(|(_, awaited)| matches!(awaited, Awaited::Stop { .. }));
        if let Some((thread, _)) = stays
            && self.begun.elapsed() > ATTACHING
        {
            bail!("can't trace process {}: thread {thread} does not stop (it waits in the kernel)", self.leader);
        }
        Ok(self.awaited.is_empty() || (late && stays.is_none()))
    }

    /// Attaches to all threads that there are. They may start others meanwhile, so that is repeated until no new one is found.
    fn attach(&mut self) -> Result<()> {
        loop {
            let threads = threads(self.leader).map_err(|error| denied::explain(self.leader, &error))?;
            let fresh: Vec<pid_t> = threads.into_iter().filter(|thread| !self.tracees.contains(thread)).collect();
            if fresh.is_empty() {
                return Ok(());
            }
            for thread in fresh {
                self.seize(thread)?;
            }
        }
    }

    fn seize(&mut self, thread: pid_t) -> Result<()> {
        self.tracees.insert(thread);
        let slept = denied::state_of(thread) == Some('S');
        match sys::seize(thread) {
            Ok(()) => {
                self.awaited.insert(thread, Awaited::Stop { slept });
                // One that ended since is seen to have.
                let _ = sys::interrupt_tracee(thread);
                Ok(())
            }
            // It ended since it was listed, or was made by a thread that is traced already.
            Err(error) if thread != self.leader && error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            Err(_) if denied::tracer_of(thread) == Some(sys::own_thread()) => Ok(()),
            // A first thread that has ended keeps its place until the others have. Where there are none, there is nothing to
            // follow.
            Err(_) if denied::state_of(thread) == Some('Z') => Ok(()),
            Err(error) => Err(denied::explain(thread, &error)),
        }
    }

    /// Waits for one stop and goes on; whether there is anything left to follow.
    fn step(&mut self) -> Result<bool> {
        match sys::wait_for_tracee() {
            Ok(None) => Ok(false),
            // Its parent, the tool, reaps it. The group ends with its leader.
            Ok(Some(Seen::Ended(pid))) if pid == self.leader => Ok(false),
            Ok(Some(Seen::Ended(pid))) => {
                self.forget(pid);
                Ok(true)
            }
            Ok(Some(Seen::Stopped(pid, code))) => {
                self.tracees.insert(pid);
                self.settle(pid);
                alive(self.go_on(pid, Stop::of(code)))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error).context("waiting for a traced process"),
        }
    }

    /// A thread was stopped once more.
    fn settle(&mut self, pid: pid_t) {
        if self.awaited.remove(&pid) == Some(Awaited::Stop { slept: true }) {
            self.awaited.insert(pid, Awaited::Again);
        }
    }

    fn forget(&mut self, pid: pid_t) {
        self.tracees.remove(&pid);
        self.awaited.remove(&pid);
        sys::reap_tracee(pid);
    }

    fn go_on(&mut self, pid: pid_t, stop: Stop) -> io::Result<()> {
        match stop {
            Stop::Call => {
                if let Some(call) = sys::call(pid)? {
                    self.tally.enter(&call);
                }
                sys::resume(pid, 0)
            }
            Stop::Signal(signal) => sys::resume(pid, signal),
            Stop::Group => sys::leave_stopped(pid),
            Stop::Event => sys::resume(pid, 0),
        }
    }

    /// Stops every thread to let it go. That of this thread's end would come a moment after whoever waits for it.
    fn let_go(&mut self) -> Result<()> {
        for pid in &self.tracees {
            // One that ended, or waits to be reaped, can't be stopped.
            let _ = sys::interrupt_tracee(*pid);
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match sys::wait_for_tracee() {
                Ok(None) => return Ok(()),
                Ok(Some(Seen::Ended(pid))) if pid == self.leader => return Ok(()),
                Ok(Some(Seen::Ended(pid))) => self.forget(pid),
                Ok(Some(Seen::Stopped(pid, code))) => {
                    let signal = if let Stop::Signal(signal) = Stop::of(code) { signal } else { 0 };
                    alive(sys::detach(pid, signal))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("letting go of a traced process"),
            }
        }
        Ok(())
    }
}

/// A thread that was killed while it was stopped is no fault: it is soon seen to have ended.
fn alive(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
            Err(error).context("reading a system call (PTRACE_GET_SYSCALL_INFO, which Linux has since 5.3)")
        }
        _ => Ok(()),
    }
}

/// The threads of a process.
fn threads(pid: pid_t) -> io::Result<Vec<pid_t>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()?;
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_told_apart() {
        let event = |event: c_int, signal: c_int| Stop::of(event << 8 | signal);
        assert_eq!(Stop::of(libc::SIGTRAP | 0x80), Stop::Call);
        assert_eq!(Stop::of(libc::SIGTRAP), Stop::Signal(libc::SIGTRAP));
        assert_eq!(Stop::of(libc::SIGSTOP), Stop::Signal(libc::SIGSTOP), "the signal comes first, then it stops");
        assert_eq!(event(EVENT_STOP, libc::SIGTSTP), Stop::Group);
        assert_eq!(event(EVENT_STOP, libc::SIGTRAP), Stop::Event);
        assert_eq!(event(libc::PTRACE_EVENT_CLONE, libc::SIGTRAP), Stop::Event);
        assert_eq!(event(libc::PTRACE_EVENT_EXEC, libc::SIGTRAP), Stop::Event);
    }

    #[test]
    fn the_threads_of_a_process_are_listed() {
        assert!(threads(sys::own_pid()).unwrap().contains(&sys::own_thread()));
        assert!(threads(-1).is_err());
    }
}
