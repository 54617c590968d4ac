//! What is asked of sampling, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The largest copy of a stack that fits into a record of the kernel, bytes.
const MOST_STACK: u32 = 65_528;
/// The smallest copy that is worth unwinding, bytes.
const LEAST_STACK: u32 = 1024;

/// How call stacks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The kernel copies registers and the end of the stack; unwound here by the programs' unwind tables. Needs no frame
    /// pointers anywhere.
    Dwarf,
    /// The kernel follows frame pointers; code without them loses its callers.
    FramePointers,
    /// As [`Method::FramePointers`], by the program `perf`, which may have been given rights that this process has not.
    PerfProgram,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dwarf => "stack copies and unwind tables",
            Self::FramePointers => "frame pointers",
            Self::PerfProgram => "frame pointers, by perf record",
        })
    }
}

/// How to sample.
#[derive(Clone, Debug)]
pub struct Options {
    /// Samples per second of a thread's running time. For processor cycles this holds at the highest clock rate.
    pub frequency: u32,
    /// How much of a stack is copied with every sample, bytes; between 1024 and 65,528, in steps of 8.
    pub stack_bytes: u32,
    /// The way to take stacks; `None` takes the best that is permitted, in the order of [`Method`].
    pub method: Option<Method>,
    /// Whether time in the kernel is sampled, where that is permitted.
    pub kernel: bool,
    /// Whether sampling begins by itself when the process executes another program.
    pub on_exec: bool,
}

impl Default for Options {
    /// 1,997 samples per second, a prime, so that they do not fall in step with what programs do every millisecond.
    fn default() -> Self {
        Self { frequency: 1997, stack_bytes: 16 * 1024, method: None, kernel: true, on_exec: false }
    }
}

impl Options {
    /// Bytes of a stack copy that the kernel takes.
    pub(super) fn stack_copy(&self) -> u32 {
        self.stack_bytes.clamp(LEAST_STACK, MOST_STACK) & !7
    }

    /// Samples per second, at least one and at most one per microsecond.
    pub(super) fn rate(&self) -> u32 {
        self.frequency.clamp(1, 1_000_000)
    }
}

/// What was sampled.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Folded stacks, `thread;outermost;...;innermost`, and how many samples saw each.
    ///
    /// Functions of the kernel end with `_[k]`. A stack whose outer end was not reached has `[truncated]`, where the copy of
    /// the stack was too short, or `[broken]` below its thread.
    pub stacks: BTreeMap<String, u64>,
    /// All samples that were taken.
    pub samples: u64,
    /// Samples whose stack reaches the thread's root.
    pub rooted: u64,
    /// Samples whose stack was longer than its copy ([`Options::stack_bytes`]).
    pub truncated: u64,
    /// Samples that the kernel had no room for.
    pub lost: u64,
    /// What drove the samples: `cycles`, `cpu-clock`, ...
    pub event: String,
    /// How stacks were taken.
    pub method: Method,
    /// Whether all functions are named with their modules, inlined ones too.
    pub whole_names: bool,
    /// What is to be known of them: what was not permitted, what was done instead, and why.
    pub notes: Vec<String>,
    /// How long sampling was on.
    pub duration: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_copy_is_one_that_the_kernel_takes() {
        let copy = |stack_bytes| Options { stack_bytes, ..Options::default() }.stack_copy();
        assert_eq!([copy(0), copy(16_384), copy(20_001), copy(1 << 20)], [1024, 16_384, 20_000, 65_528]);
    }

    #[test]
    fn no_frequency_divides_by_zero() {
        let rate = |frequency| Options { frequency, ..Options::default() }.rate();
        assert_eq!([rate(0), rate(1997), rate(u32::MAX)], [1, 1997, 1_000_000]);
    }
}
