//! A tiny process that outlives the tool by a moment and ends what the tool left behind.
//!
//! The kernel ends a child when its parent dies, but not the child's own children: a `kill -9` of the tool in a build would
//! leave rustc and the linker running, and the next measurement would share its CPUs with them.

use std::io::{PipeWriter, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use super::forked;

/// Where the watcher is told; nobody listens where none was started.
static ORDERS: OnceLock<PipeWriter> = OnceLock::new();

/// The watcher.
#[derive(Clone, Copy, Debug)]
pub struct Guardian;

impl Guardian {
    /// Starts the watcher. Called first thing in `main`, while the process has one thread.
    ///
    /// # Errors
    /// Where the process already has more threads, or the kernel allows no pipe or process.
    pub fn start() -> Result<()> {
        let threads = std::fs::read_dir("/proc/self/task").context("counting threads")?.count();
        anyhow::ensure!(threads == 1, "the guardian is started before any thread; there are {threads}");
        let (reader, writer) = std::io::pipe().context("making a pipe")?;
        // SAFETY: there is one thread, see above.
        unsafe { forked::fork_watcher(reader.as_fd()) }.context("starting the guardian")?;
        // A second call's writer is dropped here, and its watcher ends.
        let _ = ORDERS.set(writer);
        Ok(())
    }
}

/// A process group that the watcher knows of, until this is dropped.
#[derive(Debug)]
pub(super) struct Watched(libc::pid_t);

impl Watched {
    pub(super) fn new(group: libc::pid_t) -> Self {
        tell(group);
        Self(group)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        tell(-self.0);
    }
}

fn tell(order: libc::pid_t) {
    if let Some(mut orders) = ORDERS.get() {
        // Four bytes are written whole or not at all; a watcher that somebody killed is no reason to fail.
        let _ = orders.write_all(&order.to_ne_bytes());
    }
}
