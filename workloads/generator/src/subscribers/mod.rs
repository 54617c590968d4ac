//! Who had a number when: the database of subscribers, in redb, and what a worker keeps of it in memory.
//!
//! ```text
//! invent ──▶ database ◀── a transaction, a table, a vector ── before, for each look-up
//!               ▲  ▲
//!               │  └───── the same, for numbers that are not in a chunk ──┐
//!               └──────── a range of keys, once per chunk ────────────────┤
//!                                                                       cache ◀── after
//! ```

mod cache;
mod cases;
mod chunks;
mod database;
mod identities;
mod invent;
mod numbering;
mod snapshot;
mod store;

pub(crate) use cache::{Lookups, WorkerCache};
pub(crate) use cases::{KEPT, register};
pub(crate) use chunks::Chunks;
pub(crate) use database::SubscriberDbRedb;
pub(crate) use identities::Identities;
pub(crate) use invent::DAY;
pub(crate) use numbering::Numbering;
#[cfg(test)]
pub(crate) use snapshot::SubscriberSnapshotNumeric;
pub(crate) use store::{open, remove};
