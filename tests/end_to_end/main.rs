//! The real tool on small real projects: builds, processes, git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a failed test says where its evidence is")]

mod building;
mod explaining;
mod runs;
mod sharded;
mod support;
mod tuning;
