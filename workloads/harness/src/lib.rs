//! Link this crate to a program and `cargo perfplan` measures its cases in lockstep with other builds of it.
//!
//! A **case** is one named piece of work. Its set-up runs once per process, outside all timing, and returns the work: a
//! closure that does iteration `i` and returns a result. perfplan starts one process per build, lets exactly one of them
//! run at a time, batch by batch in random order, and compares the times and the checksums of the results.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use perfplan_harness::{Size, Suite};
//!
//! perfplan_harness::allocator!(); // counts allocations on demand; jemalloc, mimalloc and snmalloc are features
//!
//! fn main() -> ExitCode {
//!     let mut suite = Suite::new("my-crate");
//!     suite.case("sort/unstable", |size: Size| {
//!         let numbers: Vec<u64> = (0..size.pick(100, 1_000, 100_000)).map(|i| (i * 7919) % 10_007).collect();
//!         let mut scratch = numbers.clone();
//!         move |_iteration| {
//!             scratch.copy_from_slice(&numbers);
//!             scratch.sort_unstable();
//!             scratch[scratch.len() / 2]
//!         }
//!     });
//!     suite.main()
//! }
//! ```
//!
//! The contract of an iteration: **its result depends on its index alone**. perfplan compares the checksum of a batch over
//! all builds, and a self-test runs extra iterations; both need iteration 3 to give the same result whenever it runs.
//! [`contract`] has checks of it for your tests. Good iterations take 1 to 50 us: batches of them can be made about 1 ms
//! long.
//!
//! A latency case is open-loop: [`Suite::latency`] serves one arrival after the other on this thread, [`Suite::load`] keeps
//! many requests in flight. Both count from when an arrival was due.
//!
//! A case can have metrics of its own, noted anywhere inside its work: [`gauge`], [`add`] and [`observe`].
//!
//! Run by hand, the program knows `list` and `run CASE`; see [`Suite::main`].

#[cfg(feature = "worker")]
mod allocator;
#[cfg(feature = "worker")]
mod by_hand;
#[cfg(feature = "worker")]
mod chart;
#[cfg(feature = "worker")]
pub mod contract;
#[cfg(feature = "worker")]
mod counters;
mod digest;
#[cfg(feature = "worker")]
mod fence;
#[cfg(feature = "worker")]
mod forks;
#[cfg(feature = "worker")]
mod latency;
#[cfg(feature = "worker")]
mod load;
#[cfg(feature = "worker")]
mod metrics;
pub mod protocol;
#[cfg(feature = "worker")]
mod sites;
#[cfg(feature = "worker")]
mod suite;
#[cfg(feature = "worker")]
mod worker;

#[cfg(feature = "worker")]
pub use allocator::{Counting, INNER, Inner};
pub use digest::{Checksum, Digest};
#[cfg(feature = "worker")]
pub use load::{Arrival, Load};
#[cfg(feature = "worker")]
pub use metrics::{add, gauge, observe};
pub use protocol::Size;
#[cfg(feature = "worker")]
pub use suite::{Case, Suite};

/// `n`, or 1 % more where the feature `one-percent-more` is on.
///
/// Use it for the amount of work inside an iteration (a multiple of 100 is best) and
/// `cargo perfplan selftest` can check on a real change of code whether the machine sees one per cent.
#[must_use]
pub const fn amount(n: usize) -> usize {
    if cfg!(feature = "one-percent-more") { n + n / 100 } else { n }
}
