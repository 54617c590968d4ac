//! Counting rounds: what can't be counted without disturbing timing is counted apart.

use std::collections::BTreeMap;

use anyhow::Result;

use super::bench::Bench;
use super::ready::{Around, Count};
use super::subject::Subject;
use crate::process::Interrupted;
use crate::samples::{Measurement, Metric};

/// Iterations that are counted per process.
const ITERATIONS: u64 = 100;

/// What one arm was counted to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// Per metric one value per process.
    pub values: BTreeMap<Metric, Vec<f64>>,
    /// Draws of distributions, of one process.
    pub observed: BTreeMap<String, Vec<f64>>,
    /// Why counting broke off; what was counted before stands.
    pub why: Option<String>,
}

impl Counted {
    /// Takes what came of one process, and says whether another one may be counted.
    fn note(&mut self, result: Result<Count>) -> Result<bool> {
        match result {
            Ok(count) => self.take(count),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            // Not all of it is seen by the timed rounds: a wrong name of a metric is one only where metrics are recorded.
            Err(error) => self.why = Some(format!("{error:#}")),
        }
        Ok(self.why.is_none())
    }

    fn take(&mut self, count: Count) {
        for (metric, value) in count.values {
            self.values.entry(metric).or_default().push(value);
        }
        // An iteration has the same result whenever it runs, so a second process draws nothing new: its draws would only
        // pretend to be more.
        for (name, draws) in count.observed {
            self.observed.entry(name).or_insert(draws);
        }
    }
}

impl Bench<'_> {
    /// Counts allocations, and what the cases report themselves, in `rounds` processes per arm. An arm that can't be counted
    /// has the reason.
    ///
    /// # Errors
    /// Where the run is interrupted.
    pub fn count(&mut self, subject: &Subject, measurement: &Measurement, rounds: usize) -> Result<Vec<Counted>> {
        let mut counted = vec![Counted::default(); subject.arms.len()];
        let iterations = counted_iterations(measurement);
        for (arm, all) in counted.iter_mut().enumerate() {
            for _ in 0..rounds {
                if !all.note(self.counted(subject, arm, iterations))? {
                    break;
                }
            }
        }
        Ok(counted)
    }

    /// The first iterations fill caches and buffers; what counts is the steady state.
    fn counted(&mut self, subject: &Subject, arm: usize, iterations: u64) -> Result<Count> {
        let mut ready = self.ready(subject, arm, iterations, &Around::default())?;
        let count = ready.count(iterations)?;
        ready.end()?;
        Ok(count)
    }
}

/// How many iterations of a case are counted per process.
#[must_use]
pub fn counted_iterations(measurement: &Measurement) -> u64 {
    ITERATIONS.min(measurement.iterations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_counting_off_is_told_and_what_was_counted_before_stands() {
        let metric: Metric = "alloc.count".parse().unwrap();
        let count = Count { values: BTreeMap::from([(metric.clone(), 2.0)]), ..Count::default() };
        let mut counted = Counted::default();
        assert!(counted.note(Ok(count)).unwrap());
        let refused = anyhow::anyhow!("names that begin with \"latency\" are perfplan's own");
        assert!(!counted.note(Err(refused.context("panicked"))).unwrap());
        assert_eq!(counted.why.as_deref(), Some("panicked: names that begin with \"latency\" are perfplan's own"));
        assert_eq!(counted.values, BTreeMap::from([(metric, vec![2.0])]));
    }

    #[test]
    fn an_interrupted_count_is_no_reason_but_the_end() {
        let mut counted = Counted::default();
        assert!(counted.note(Err(Interrupted.into())).unwrap_err().is::<Interrupted>());
        assert_eq!(counted, Counted::default());
    }
}
