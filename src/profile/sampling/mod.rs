//! Which functions a running process spends its time in: samples of its threads' call stacks, taken by the kernel.
//!
//! ```text
//!   kernel: an event per thread and CPU ──> a ring per CPU ──┐
//!                                                            ├── drain (a thread): record ──> observer: unwind ──> seen
//!   perf record ──> its file ────────────────────────────────┘                                                      │
//!                                                              Sampled: folded stacks <── fold: names <─────────────┘
//! ```

mod attach;
mod drain;
mod event;
mod fold;
mod observer;
mod options;
mod perf;
mod record;
mod recording;
mod refused;
mod sampler;
mod sys;
#[cfg(test)]
mod tests;
mod threads;

pub use options::{Method, Options, Sampled};
pub use refused::Refused;
pub use sampler::Sampler;
pub use sys::MappedFile;
