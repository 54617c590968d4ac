//! The atomics of the parts that share without locks. They take them from here, so that `models/` can compile the
//! same files a second time, on the atomics of a model checker.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
