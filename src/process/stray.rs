//! Strays: descendants of a command that left its process group, as daemons do. Ending the group does not reach them, and a
//! command that is run a thousand times would leave a thousand.
//!
//! The tool adopts them when their parents end (`PR_SET_CHILD_SUBREAPER`, Linux 3.4) and knows them by a mark in their
//! environment. One that clears its environment escapes, and so do all where the tool itself is killed.

use std::fs;

use super::sys;

/// The environment variable that marks a command and all that it starts.
pub(super) const MARK: &str = "PERFPLAN_COMMAND";

/// A stray may have children of its own, which are adopted when it ends: so many generations are looked for.
const GENERATIONS: usize = 8;

/// Ends the adopted processes that carry this mark.
pub(super) fn end(mark: &str) {
    let entry = format!("{MARK}={mark}");
    let marked = |pid: &libc::pid_t| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
    };
    for _ in 0..GENERATIONS {
        let strays: Vec<libc::pid_t> = adopted().into_iter().filter(marked).collect();
        if strays.is_empty() {
            return;
        }
        for pid in strays {
            sys::kill(pid, libc::SIGKILL);
            // It is our child by adoption; if somebody else was faster, so much the better.
            let _ = sys::reap(pid);
        }
    }
}

/// The children of this process' first thread, which is the one that adopts. Empty where the kernel does not list them.
fn adopted() -> Vec<libc::pid_t> {
    let own = sys::own_pid();
    let listed = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
    listed.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
