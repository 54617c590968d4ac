//! Reports of the `hotpath` crate (<https://hotpath.rs>): what a program that measures itself says of its functions,
//! channels and locks, as metrics.
//!
//! | metric | unit | of |
//! |---|---|---|
//! | `hotpath.calls(F)` | count | calls of the function or block F |
//! | `hotpath.avg(F)`, `hotpath.p95(F)`, `hotpath.total(F)` | ns | time of its calls, in it and below |
//! | `hotpath.alloc.bytes(F)`, `.avg`, `.p95` | bytes | allocated by all its calls, or by one of them |
//! | `hotpath.alloc.count(F)`, `.avg`, `.p95` | count | allocations, where `HOTPATH_ALLOC_METRIC=count` |
//! | `hotpath.instructions(F)`, `.avg`, `.p95` | count | instructions, under Callgrind |
//! | `hotpath.channel.sent(C)`, `.received` | count | messages of the channel C |
//! | `hotpath.channel.queue.max(C)` | count | messages waiting at most |
//! | `hotpath.channel.delay.avg(C)`, `.p95` | ns | from sending to receiving |
//! | `hotpath.mutex.count(M)` | count | times that the mutex M was taken |
//! | `hotpath.mutex.wait.avg(M)`, `.p95`; `.acquire.avg`, `.p95` | ns | waiting for it, and holding it |
//! | `hotpath.rw_lock.read.count(L)`, ... | | the same of a lock's readers, and of its writers by `write` |
//! | `hotpath.stream.items(S)` | count | items that the stream S yielded |
//! | `hotpath.future.calls(F)`, `.polls` | count | futures made and polls |
//! | `hotpath.future.poll.total(F)` | ns | time inside polls |
//!
//! Percentiles are those that the program asks for. Reports round what they print (`1.52 µs`, `1.0 KB`); with the feature
//! `hotpath-cloud` the crate writes exact values. They list the first 15 functions unless the program sets another limit.

mod quantity;
mod sections;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::samples::Metric;

/// The largest report that is read, in bytes.
const LARGEST: usize = 64 << 20;
/// The most metrics of one report.
const MOST: usize = 100_000;
/// What the crate calls its reports.
const KIND: &str = "hotpath_report";

/// The metrics of a report in JSON (`HOTPATH_OUTPUT_FORMAT=json`, `HOTPATH_OUTPUT_PATH`), in the order of their texts.
/// Times are in nanoseconds, sizes in bytes. Sections and fields that are not known are passed over, and so is what was not
/// sampled, which the report writes as 0. In names of functions and channels, characters that no metric may have are `_`;
/// where two of them then have different values under one name, neither is given.
///
/// # Errors
/// Where the text is larger than 64 MiB, no JSON, no report of this crate, or has more than 100,000 metrics.
pub fn metrics(report: &str) -> Result<Vec<(Metric, f64)>> {
    ensure!(report.len() <= LARGEST, "a report of hotpath with {} bytes is larger than 64 MiB", report.len());
    let report: Value = serde_json::from_str(report).context("a report of hotpath is JSON")?;
    match report.get("type").and_then(Value::as_str) {
        Some(KIND) => {}
        Some(other) => bail!("the type of a report of hotpath is {KIND:?}, not {other:?}"),
        None => bail!("no report of hotpath: its type {KIND:?} is missing"),
    }
    let mut found = Found::default();
    sections::read(&report, &mut found);
    ensure!(found.0.len() <= MOST, "a report of hotpath with {} metrics has more than {MOST}", found.0.len());
    Ok(found.0.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect())
}

/// Metrics so far; without a value where there is more than one.
#[derive(Default)]
struct Found(BTreeMap<Metric, Option<f64>>);

impl Found {
    /// Takes note of a value, if there is one: `hotpath.WORD(OF)`.
    fn note(&mut self, word: &str, of: &str, value: Option<f64>) {
        if let (Some(value), Some(metric)) = (value, metric(word, of)) {
            let known = self.0.entry(metric).or_insert(Some(value));
            *known = known.filter(|known| *known == value);
        }
    }
}

/// The metric of a part of the program. `None` where it can't be one: the name is empty or too long.
fn metric(word: &str, of: &str) -> Option<Metric> {
    let text = |of: &str| format!("hotpath.{word}({of})").parse::<Metric>().ok();
    text(of).or_else(|| {
        let allowed = |c: char| if text(&c.to_string()).is_some() { c } else { '_' };
        text(&of.chars().map(allowed).collect::<String>())
    })
}
