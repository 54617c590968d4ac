//! The rooms of `cargo perfplan`, lowest floor first. [`pipeline`] tells the whole chain and is what to read first.

pub mod units;
pub mod process;
pub mod stats;
pub mod git;
pub mod samples;
pub mod plan;
pub mod progress;
pub mod matrix;
pub mod build;
pub mod store;
pub mod doctor;
pub mod compare;
pub mod verdict;
pub mod measure;
pub mod report;
pub mod pipeline;
pub mod cli;
