//! Counting rounds: what can't be counted without disturbing timing is counted apart.

use std::collections::BTreeMap;

use anyhow::Result;
use perfplan_harness::protocol;

use super::bench::Bench;
use super::subject::Subject;
use super::worker::{sample, set_up};
use crate::process::Interrupted;
use crate::samples::{Measurement, Metric};

/// Counts are hardly ever exactly repeatable, so they are taken in several processes.
const ROUNDS: usize = 3;
/// Iterations that are counted per process.
const ITERATIONS: u64 = 100;

/// Per arm and metric, one value per process. An arm that can't be counted has none.
pub(super) fn count(
    bench: &mut Bench<'_>,
    subject: &Subject,
    measurement: &Measurement,
) -> Result<Vec<BTreeMap<Metric, Vec<f64>>>> {
    let mut counted = vec![BTreeMap::new(); subject.arms.len()];
    let iterations = ITERATIONS.min(measurement.iterations);
    for (arm, values) in counted.iter_mut().enumerate() {
        for _ in 0..ROUNDS {
            match once(bench, subject, arm, iterations) {
                Ok(found) => found.into_iter().for_each(|(metric, value): (Metric, f64)| {
                    values.entry(metric).or_insert_with(Vec::new).push(value);
                }),
                Err(error) if error.is::<Interrupted>() => return Err(error),
                // The timed rounds say what is wrong with this arm; here it only has no counts.
                Err(_) => break,
            }
        }
    }
    Ok(counted)
}

fn once(bench: &mut Bench<'_>, subject: &Subject, arm: usize, iterations: u64) -> Result<Vec<(Metric, f64)>> {
    let mut worker = bench.start(subject, arm)?;
    set_up(worker.as_mut(), subject.case.case(), &subject.size, 0.0)?;
    // The first iterations fill caches and buffers; what counts is the steady state.
    sample(worker.as_mut(), &protocol::Command::Batch(iterations))?;
    let yielded = sample(worker.as_mut(), &protocol::Command::Count(iterations))?;
    worker.end()?;
    Ok(yielded.values.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value))).collect())
}
