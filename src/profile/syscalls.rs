//! System calls as metrics: how many of each an iteration makes.

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::process::trace::Counts;
use crate::samples::Metric;

/// The calls of so many iterations as metrics per iteration: `syscalls.NAME` for each system call that was made, and
/// `syscalls` for all together, 0 where there was none.
#[must_use]
pub fn metrics(counts: &Counts, iterations: u64) -> BTreeMap<Metric, f64> {
    let per_iteration = |calls: u64| calls as f64 / iterations.max(1) as f64;
    let each = counts.iter().map(|(name, calls)| (format!("syscalls.{name}"), per_iteration(*calls)));
    let all = ("syscalls".to_owned(), per_iteration(counts.values().sum()));
    // The kernel's names are letters, digits and underscores, so each makes a metric.
    each.chain([all]).filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect()
}
