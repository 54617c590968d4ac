//! The rooms of `cargo perfplan`, lowest floor first. [`pipeline`] tells the whole chain and is what to read first.

pub mod build;
pub mod cli;
pub mod compare;
pub mod doctor;
pub mod git;
pub mod matrix;
pub mod measure;
pub mod pipeline;
pub mod plan;
pub mod process;
pub mod progress;
pub mod report;
pub mod samples;
pub mod stats;
pub mod store;
pub mod units;
pub mod verdict;
