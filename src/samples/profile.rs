//! Where the time of an arm goes: shares of functions in sampled stacks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What sampling one arm showed, in rounds of its own. The stacks themselves lie in the run's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Index into [`Measurement::arms`](super::Measurement::arms).
    pub arm: usize,
    /// What triggered the samples: `cycles`, `cpu-clock`.
    pub event: String,
    /// How stacks were taken: `dwarf`, `frame-pointers`, `perf record`.
    pub method: String,
    /// Samples over all rounds.
    pub samples: u64,
    /// Of these, those whose stack reaches the thread's root.
    pub rooted: u64,
    /// Samples that the kernel could not hand over.
    pub lost: u64,
    /// What a reader has to know: fallbacks and why, cut stacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The functions that matter most, the largest first.
    pub functions: Vec<FunctionShare>,
}

/// A function's share of the samples, one value per sampling round, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionShare {
    /// The demangled name.
    pub name: String,
    /// Samples in the function itself.
    pub own: Vec<f64>,
    /// Samples in it or in what it called.
    pub total: Vec<f64>,
}
