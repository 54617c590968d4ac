//! A tiny process that makes the tool's children, and outlives the tool by a moment to end what it left behind.
//!
//! The kernel ends a child when its parent dies, but not the child's own children: a `kill -9` of the tool in a build
//! would leave rustc and the linker running, and the next measurement would share its CPUs with them.
//!
//! Children are made by the guardian because the kernel counts the memory of whoever makes a child into the child's
//! largest resident set (it takes the high-water mark over at `exec`). With the tool as the maker, no program would
//! ever show less than the tool needs itself; the guardian needs next to nothing. All the same they are the tool's
//! own children (`CLONE_PARENT`), so that the tool waits for them and the kernel ends them with it.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use libc::pid_t;

use super::forked::{self, Descriptors, Desk, Launched, Request, START, Step, Words};
use super::sys;

/// Memory for a command, words of 8 bytes: the kernel's own limit for arguments and environment is usually 2 MiB. The
/// tool itself makes children whose commands do not fit.
const MEMORY: usize = (4 << 20) / size_of::<u64>();

/// Where the guardian listens; nobody does where none was started.
static LINE: OnceLock<Line> = OnceLock::new();

/// The line to the guardian.
struct Line {
    socket: OwnedFd,
    /// Whoever holds the lock may lay a request out and waits for the answer.
    desk: Mutex<Desk>,
}

/// The guardian.
#[derive(Clone, Copy, Debug)]
pub struct Guardian;

impl Guardian {
    /// Starts the guardian. Called first thing in `main`, while the process is small and has one thread. Without it
    /// children run all the same, only not as well guarded.
    ///
    /// # Errors
    /// Where the process already has more threads, or the kernel allows no socket, memory or process.
    pub fn start() -> Result<()> {
        let threads = std::fs::read_dir("/proc/self/task").context("counting threads")?.count();
        anyhow::ensure!(threads == 1, "the guardian is started before any thread; there are {threads}");
        Self::fork()
    }

    /// Starts the guardian whatever threads there are. A second call does nothing.
    pub(super) fn fork() -> Result<()> {
        if LINE.get().is_some() {
            return Ok(());
        }
        let (ours, theirs) = sys::packet_sockets().context("making sockets for the guardian")?;
        let desk = Desk::new(MEMORY).context("sharing memory with the guardian")?;
        forked::fork_guardian(theirs.as_raw_fd(), &desk).context("starting the guardian")?;
        // Where another thread was first, this guardian ends as its socket is dropped.
        let _ = LINE.set(Line { socket: ours, desk: Mutex::new(desk) });
        Ok(())
    }
}

/// Makes a child through the guardian, or where there is none, from this process.
pub(super) fn launch(words: &Words, descriptors: Descriptors) -> Result<(Launched, Watched), (Step, io::Error)> {
    if let Some(result) = LINE.get().and_then(|line| line.ask(words, descriptors)) {
        return result.map(|launched| (launched, Watched(launched.pid)));
    }
    let failed = |error: io::Error| (Step::Execute, error);
    let mut memory = vec![0; words.size()];
    let request = Request::lay_out(words, &mut memory).ok_or_else(|| failed(io::ErrorKind::OutOfMemory.into()))?;
    let pid = forked::start(&request, descriptors).map_err(failed)?;
    let launched = request.outcome(pid)?;
    tell(pid);
    Ok((launched, Watched(pid)))
}

/// Makes a child that waits before its program runs ([`forked::start_held`]). The tool makes it itself, guardian or not: that
/// one would be asleep with it.
pub(super) fn launch_held(words: &Words, descriptors: Descriptors, line: RawFd) -> io::Result<(Launched, Watched)> {
    let mut memory = vec![0; words.size()];
    let request = Request::lay_out(words, &mut memory).ok_or(io::ErrorKind::OutOfMemory)?;
    let pid = forked::start_held(&request, descriptors, line)?;
    tell(pid);
    Ok((request.held(pid), Watched(pid)))
}

impl Line {
    /// `None` where the guardian is gone, or the command does not fit on its desk.
    fn ask(&self, words: &Words, descriptors: Descriptors) -> Option<Result<Launched, (Step, io::Error)>> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let request = desk.put(words)?;
        let open: Vec<_> = descriptors.into_iter().filter(|fd| *fd >= 0).collect();
        sys::send(self.socket.as_raw_fd(), START, &open).ok()?;
        Some(match sys::receive(self.socket.as_raw_fd()) {
            Some((pid, _)) if pid > 0 => request.outcome(pid),
            Some((errno, _)) => Err((Step::Execute, io::Error::from_raw_os_error(-errno))),
            // Whether the child was made is not known, so it is not made again.
            None => Err((Step::Execute, io::Error::other("the guardian was killed meanwhile"))),
        })
    }
}

/// A process group that the guardian knows of, until this is dropped.
#[derive(Debug)]
pub(super) struct Watched(pid_t);

impl Drop for Watched {
    fn drop(&mut self) {
        tell(-self.0);
    }
}

fn tell(order: pid_t) {
    if let Some(line) = LINE.get() {
        // A guardian that somebody killed is no reason to fail.
        let _ = sys::send(line.socket.as_raw_fd(), order, &[]);
    }
}
