//! The rooms of `cargo perfplan`, floor by floor. [`pipeline`] tells the whole chain and is what to read first.

// Floor 0: know nothing of benchmarks.
pub mod git;
pub mod github;
pub mod process;
pub mod stats;
pub mod units;

// Floor 1: the words that all share.
pub mod plan;
pub mod progress;
pub mod samples;

// Floor 2: one step of the chain each.
pub mod build;
pub mod compare;
pub mod doctor;
pub mod matrix;
pub mod store;
pub mod verdict;

// Floor 3: the two wings.
pub mod advise;
pub mod measure;
pub mod profile;
pub mod report;

// Floor 4: what was judged and shown goes out.
pub mod publish;

// Top: the order of calls.
pub mod cli;
pub mod pipeline;
