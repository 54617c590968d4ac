//! The rooms of `cargo perfplan`, lowest floor first. `pipeline` tells the whole chain.

pub mod samples;
pub mod verdict;
