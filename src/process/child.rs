//! A worker: a child that is spoken with while it runs.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::{fmt, io::Seek};

use anyhow::{Context, Result};

use super::collect::{TAIL, last};
use super::run::{self, TimedOut};
use super::spawn::Leader;
use super::{Spec, Status, Usage, check_interrupt, sys};

/// The most that a child can write to its standard error, bytes. Nobody reads along, so something has to stop it.
const MOST_STDERR: u64 = 64 << 20;

/// A running worker, the leader of a process group. Dropping it ends the group.
pub struct Child {
    leader: Leader,
    spec: Spec,
    stderr: File,
    killed: bool,
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("leader", &self.leader).field("command", &self.spec.command_line()).finish()
    }
}

/// Starts a worker with one open descriptor beside the three usual ones: `channel`, under the number that the
/// environment variable `variable` tells. Its standard output goes nowhere, its standard error into memory.
///
/// Without a [`super::Guardian`], the thread that calls this has to outlive the worker: the kernel ends the worker
/// with it.
///
/// # Errors
/// Where it can't be started, or the tool was asked to end ([`super::Interrupted`]).
pub fn spawn_worker(spec: &Spec, channel: OwnedFd, variable: &str) -> Result<Child> {
    check_interrupt()?;
    let stderr = stderr_file()?;
    let null = run::null()?;
    let leader = Leader::start(spec, [null, null, stderr.as_fd()], Some((channel.as_fd(), variable)))?;
    Ok(Child { leader, spec: spec.clone(), stderr, killed: false })
}

impl Child {
    /// The worker's process id, which is its group's too.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.leader.pid().unsigned_abs()
    }

    /// Ends the worker's whole group at once. [`Child::wait`] is still due.
    pub fn kill(&mut self) {
        self.killed = true;
        self.leader.signal(libc::SIGKILL);
    }

    /// Waits until the worker has ended, ends what is left of its group, and says how the worker ended and what it
    /// used. Asked again, it says the same.
    ///
    /// # Errors
    /// Where the worker takes longer from now on than its [`Spec::timeout`] ([`TimedOut`]) or the tool is asked to end
    /// ([`super::Interrupted`]); then the group has been ended.
    pub fn wait(&mut self) -> Result<(Status, Usage)> {
        if let Some(result) = self.leader.result() {
            return Ok(result);
        }
        // What was killed ends soon, and how it ended is part of what is told of it, Ctrl-C or not.
        if self.killed {
            return run::reap(&mut self.leader);
        }
        match run::wait(&mut self.leader, self.spec.timeout)? {
            Some(result) => Ok(result),
            None => {
                let limit = self.spec.timeout.unwrap_or_default();
                Err(TimedOut { limit, command: self.spec.command_line(), stderr_tail: self.stderr_tail() }.into())
            }
        }
    }

    /// The last few KiB that the worker wrote to its standard error so far; empty where they can't be read.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        written(&self.stderr)
    }
}

/// A file in memory for what a child writes to its standard error.
pub(super) fn stderr_file() -> Result<File> {
    sys::memory_file(c"stderr", MOST_STDERR).context("making a file in memory")
}

/// The end of what a child wrote into such a file.
pub(super) fn written(mut stderr: &File) -> String {
    // Child and tool share one position in the file: what was written ends there.
    let Ok(end) = stderr.stream_position() else { return String::new() };
    let begin = end.saturating_sub(TAIL as u64 + 1);
    let mut bytes = vec![0; usize::try_from(end - begin).unwrap_or(0)];
    match stderr.read_exact_at(&mut bytes, begin) {
        Ok(()) => last(&bytes),
        Err(_) => String::new(),
    }
}
