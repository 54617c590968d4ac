//! Runs out of archives that strangers made: what a pull request's job uploaded, for a judging side that holds a token.
//!
//! ```text
//!   archive ──> entry ──> run.json ──> shape ──> samples::Run ──> bounds, validate ──> Run
//!             one way      64 MiB     memory,                    time and memory
//!             to read it   at most    depth                      of judging it
//! ```
//!
//! Nothing is written to disk, and nothing but `run.json` is looked into. What comes out can be judged and shown in bounded time
//! and memory. It is still a stranger's word: [`check_origin`] says whether it is about the right commits, and the plan by
//! which it is to be judged (gate, waivers, claims) has to come from elsewhere.

mod bounds;
mod door;
mod entry;
mod origin;
mod shape;

pub use door::read_artifact;
pub use entry::LARGEST_ARCHIVE;
pub use origin::{Origin, check_origin};
