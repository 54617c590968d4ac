//! Why it changed: sampled stacks, counted system calls, instructions and allocations, and what is drawn of them.

pub mod allocations;
pub mod callgrind;
pub mod flamegraph;
pub mod folded;
pub mod functions;
pub mod hotpath;
pub mod pprof;
pub mod sampling;
pub mod speedscope;
pub mod symbols;
pub mod syscalls;
pub mod unwind;
