//! System calls of a process and all that it starts, counted by following it with `ptrace`.
//!
//! Every system call stops the process twice, so what is traced runs many times slower: this counts, it never times.
//!
//! A tracer is a thread, not a process, so each [`Tracer`] has one. When that thread ends, whatever the reason, the kernel
//! lets go of all that it traced: nothing is left stopped, even where the tool is killed.

mod denied;
mod follow;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::{Output, Spec, check_interrupt, hold, sys};
use follow::Follower;
use tally::Tally;

/// Calls by the system call's name; one without a known name is `syscall-` and its number.
///
/// Calls are counted where they begin: `exit` and `exit_group`, which never return, are among them (`strace -c` leaves them
/// out), and a call that a signal breaks off and the kernel begins again is one more, as it is there.
pub type Counts = BTreeMap<String, u64>;

/// How often one who waits for a tracer to attach looks around.
const GLANCE: Duration = Duration::from_millis(20);
/// How often a tracer that is to end is nudged.
const AGAIN: Duration = Duration::from_micros(500);

/// Counts the system calls of a running process between the fences that it passes
/// ([`perfplan_harness::protocol::FENCE`]). Dropping it lets go of the process.
#[derive(Debug)]
pub struct Tracer {
    stop: Arc<AtomicBool>,
    /// `None` once it has been joined.
    thread: Option<JoinHandle<Result<Tally>>>,
}

impl Tracer {
    /// Follows a process, all its threads, and all that they start from now on. Each thread is stopped for a moment: a call in
    /// which it slept is broken off and begun again, as after any signal.
    ///
    /// # Errors
    /// Where the system forbids it; the error says what does, and what to do. Where the process has ended, or the tool is
    /// asked to end ([`super::Interrupted`]).
    pub fn attach(pid: u32) -> Result<Self> {
        Self::start(pid, Tally::between_fences())
    }

    fn start(pid: u32, tally: Tally) -> Result<Self> {
        let pid = libc::pid_t::try_from(pid).context("a process id")?;
        sys::heed_nudges().context("preparing to trace")?;
        let stop = Arc::new(AtomicBool::new(false));
        let (attached, ready) = mpsc::channel();
        let told = Arc::clone(&stop);
        let follow = move || {
            // Whoever waited for this may have been interrupted.
            Follower::new(pid, tally, told).follow(|| attached.send(()).unwrap_or_default())
        };
        let thread = thread::Builder::new().name("tracer".to_owned()).spawn(follow).context("starting a thread")?;
        let mut tracer = Self { stop, thread: Some(thread) };
        if !tracer.is_attached(&ready)? {
            // The thread ended first, and says why.
            tracer.join()?;
            bail!("the process {pid} ended before it could be traced");
        }
        Ok(tracer)
    }

    /// Waits until the thread has attached; else it has ended.
    fn is_attached(&self, ready: &Receiver<()>) -> Result<bool> {
        loop {
            match ready.recv_timeout(GLANCE) {
                Ok(()) => return Ok(true),
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => check_interrupt()?,
            }
            // What it waits for may never come, and then time decides.
            self.thread.iter().for_each(sys::nudge);
        }
    }

    /// Lets go of the process, and says what was counted.
    ///
    /// # Errors
    /// Where following it failed, and where no two fences were passed.
    pub fn finish(mut self) -> Result<Counts> {
        self.join()?.counts()
    }

    /// Ends the thread.
    fn join(&mut self) -> Result<Tally> {
        let thread = self.thread.take().context("the tracer has ended before")?;
        self.stop.store(true, Ordering::SeqCst);
        while !thread.is_finished() {
            sys::nudge(&thread);
            thread::sleep(AGAIN);
        }
        thread.join().map_err(|_| anyhow!("the tracing thread panicked"))?
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Whoever drops a tracer has another error to tell of.
            let _ = self.join();
        }
    }
}

/// Runs a command from start to end and counts its system calls, from the `execve` of its program on, with all that it starts
/// in its process group as long as it lives.
///
/// # Errors
/// As [`super::run`] and [`Tracer::attach`].
pub fn run(spec: &Spec) -> Result<(Output, Counts)> {
    let held = hold(spec)?;
    let tracer = Tracer::start(held.pid(), Tally::from_exec())?;
    let output = held.go()?;
    Ok((output, tracer.finish()?))
}

#[cfg(test)]
mod tests;
