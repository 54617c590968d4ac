//! The whole pipeline: the events of a chunk of subscribers, from how many to the file.
//!
//! ```text
//! network ──▶ chunk of subscribers ──▶ shard: how many? whom? what number? how long? whose? ──▶ records ──▶ writer
//!                                        └─ each by the part before or after its optimisation (parts)  └──▶ statistics
//! ```
//!
//! Nothing that a worker holds grows with the number of subscribers.

mod cases;
mod command;
mod day;
mod failure;
mod network;
mod parts;
mod shard;
mod statistics;

pub(crate) use cases::register;
pub(crate) use command::main;
