//! Records to rotated gzip files: `events_shard{n}_part{k}.csv.gz`, with `k` from 0.
//!
//! ```text
//! before   sender ── which file? ──▶ task ── every batch: a blocking job that opens, compresses a member, closes
//! after    sender ─────────────────▶ task ── every batch: into the one EventWriter of the shard
//! ```
//!
//! A part ends before the record that would make it longer than the limit, counted in bytes **before compression**: how
//! long a file has become is known only when the compressor is flushed, and flushing it to ask makes files larger. So both
//! ways cut at the same records. A record longer than the limit has a part to itself.
//!
//! A part that is being written has `.partial` behind its name and loses it when it is complete. After a failure, a kill or
//! the drop of an unfinished writer the name says so: whoever reads the files without `.partial` reads whole records only.
//! Complete means handed to the kernel; a power cut can still take it, as nothing waits for the disk (no fsync).

mod cases;
mod contract;
mod cut;
mod disk;
mod error;
mod event;
mod folder;
mod per_batch;
mod read;
mod runtime;
mod shard;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use cases::register;
pub(crate) use contract::{Toll, Writer, Written};
pub(crate) use error::WriteError;
pub(crate) use event::EventWriter;
pub(crate) use folder::Folder;
pub(crate) use per_batch::PerBatch;
#[cfg(test)]
pub(crate) use read::read_back;
