//! The runtime that writer tasks have to themselves.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads for blocking jobs wait this long for the next one: a case that stands ready while others are measured must not
/// have to start them anew.
const KEEP_ALIVE: Duration = Duration::from_secs(3_600);

/// The runtime of this process: one thread for tasks, which is whoever waits for one, and others for blocking jobs. The first
/// call starts it.
///
/// # Errors
/// Where the operating system has no room for it.
pub(super) fn shared() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    match RUNTIME.get() {
        Some(runtime) => Ok(runtime),
        None => {
            let started = Builder::new_current_thread().thread_keep_alive(KEEP_ALIVE).build()?;
            Ok(RUNTIME.get_or_init(|| started))
        }
    }
}
