//! The one way to run a child process (Linux).
//!
//! Every child is the leader of a process group of its own, reads from `/dev/null` unless it is given something, and
//! ends with the tool: when it ends, when it takes too long, on Ctrl-C, and when the tool itself is killed. What the
//! rest of its group does after it ended is nobody's business here any more, so the group is ended with it.
//!
//! The kernel ends a child when the *thread* that is its parent ends: the one that started the [`Guardian`], or
//! without a guardian, the one that started the child. [`run`] waits on the calling thread, so nothing is to be
//! minded there.

mod child;
mod collect;
mod forked;
mod guardian;
mod held;
pub mod interrupt;
mod jobs;
mod lock;
pub mod machine;
mod output;
mod repeated;
mod run;
mod spawn;
mod spec;
mod stall;
mod stray;
mod sys;
#[cfg(test)]
mod tests;
pub mod trace;
mod usage;

pub use child::{Child, spawn_worker};
pub use guardian::Guardian;
pub use held::{Held, hold};
pub use interrupt::{Interrupted, check_interrupt};
pub use jobs::{Jobs, Turn};
pub use lock::{FileLock, wait_a_moment};
pub use machine::Machine;
pub use output::{Output, Status};
pub use repeated::Repeated;
pub use run::{TimedOut, run, run_lines, run_with};
pub use spawn::find_program;
pub use spec::Spec;
pub use stall::{Disturbance, Reading};
pub use usage::Usage;
