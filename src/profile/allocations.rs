//! Allocations by call stack: the addresses that a worker recorded, named and folded.

use perfplan_harness::protocol::Site;

use super::folded::Folded;

/// Beginnings of the names that stand between a program's call and the allocator, and those of the recording itself. They are
/// the same below every allocation, and say nothing.
const BETWEEN: [&str; 12] = [
    "perfplan_harness::allocator::",
    "<perfplan_harness::allocator::",
    "perfplan_harness::sites::",
    "<perfplan_harness::sites::",
    "_Unwind_",
    "__rust_alloc",
    "__rust_realloc",
    "__rustc::__rust_alloc",
    "__rustc::__rust_realloc",
    "__rg_",
    "alloc::alloc::",
    "<alloc::alloc::Global",
];

/// One profile in two weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Stacks by calls of the allocator.
    pub calls: Folded,
    /// Stacks by bytes asked for.
    pub bytes: Folded,
}

/// Folds what the worker answered to `sites`, over all iterations. `resolve` names an address in the worker's memory, which
/// lies within a calling instruction: the functions there, an inlined one after the one that it was inlined into; none where
/// it is not known. `root` stands in the place of the thread, which is not recorded.
pub fn fold(sites: &[Site], root: &str, resolve: &mut dyn FnMut(u64) -> Vec<String>) -> Allocations {
    let mut allocations = Allocations::default();
    for site in sites {
        let mut frames: Vec<String> = site.stack.iter().rev().flat_map(|address| resolve(*address)).collect();
        let callers = frames.iter().rposition(|name| !stands_between(name)).map_or(0, |at| at + 1);
        frames.truncate(callers);
        let stack = || std::iter::once(root).chain(frames.iter().map(String::as_str));
        allocations.calls.add(stack(), site.calls);
        allocations.bytes.add(stack(), site.bytes);
    }
    allocations
}

fn stands_between(name: &str) -> bool {
    BETWEEN.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests;
