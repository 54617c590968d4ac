//! Ctrl-C and a polite request to end: a flag that waiting code notices at once.

use std::fmt;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// Readable from the first signal on: nobody ever reads it, so that every waiting thread sees it.
static BELL: OnceLock<UnixStream> = OnceLock::new();
static INSTALLING: Mutex<()> = Mutex::new(());

/// The run was interrupted (SIGINT, SIGTERM), and its children were ended. Callers look for this with `error.is`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From now on, SIGINT and SIGTERM only set a flag. A second one ends the tool as if there were no handler.
///
/// # Errors
/// Where the kernel refuses the handlers or the descriptors for them.
pub fn install() -> Result<()> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if BELL.get().is_some() {
        return Ok(());
    }
    let (bell, rope) = UnixStream::pair().context("making the descriptors that tell of signals")?;
    for signal in [SIGINT, SIGTERM] {
        let handlers = || -> std::io::Result<()> {
            // In this order: at the first signal the flag is not yet set when the first handler looks.
            flag::register_conditional_default(signal, &REQUESTED)?;
            flag::register(signal, &REQUESTED)?;
            low_level::pipe::register(signal, rope.try_clone()?)?;
            Ok(())
        };
        handlers().with_context(|| format!("handling signal {signal}"))?;
    }
    // The lock is held and the cell was empty.
    let _ = BELL.set(bell);
    Ok(())
}

/// Whether a signal asked the tool to end.
#[must_use]
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// For loops that wait in their own way.
///
/// # Errors
/// [`Interrupted`], once a signal asked the tool to end.
pub fn check_interrupt() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}

/// A descriptor that becomes readable, and stays so, with the first signal; -1, which `poll` passes over, without
/// handlers.
pub(super) fn bell() -> RawFd {
    BELL.get().map_or(-1, AsRawFd::as_raw_fd)
}
