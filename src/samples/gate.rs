//! What a team cares about: which metrics are judged, and from which change on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Metric;

/// The judging part of a plan. It is kept in every run, so that two files can be judged without the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The chance of at least one false alarm in the whole report, over all gated rows: 0.01 is one report in a hundred.
    pub family_error: f64,
    /// The relative change per metric that the team does not care about: 0.01 is 1 %.
    pub tolerances: BTreeMap<Metric, f64>,
    /// The tolerance of metrics without one of their own.
    pub tolerance: f64,
    /// The metrics that rows are made of and that can fail the gate. Others are shown, never judged.
    pub metrics: Vec<Metric>,
    /// The most rounds that a case gets before the last look.
    pub most_rounds: usize,
}

impl Gate {
    /// The tolerance of a metric.
    #[must_use]
    pub fn tolerance(&self, metric: &Metric) -> f64 {
        self.tolerances.get(metric).copied().unwrap_or(self.tolerance)
    }
}

impl Default for Gate {
    fn default() -> Self {
        let named = |name: &str| name.parse().unwrap_or_else(|_| Metric::wall());
        Self {
            family_error: 0.01,
            tolerances: BTreeMap::from([(named("latency.p50"), 0.05), (named("latency.p99"), 0.10)]),
            tolerance: 0.01,
            metrics: ["wall", "latency.p50", "latency.p99"].map(named).to_vec(),
            most_rounds: 640,
        }
    }
}
