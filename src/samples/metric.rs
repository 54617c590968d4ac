//! Metrics: a name, which implies a unit and which direction is better.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is measured: `wall`, `cpu`, `instructions`, `alloc.count`, `latency.p99`, `rss.peak`, ...
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Metric(String);

/// The unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A plain count.
    Count,
    /// Per second.
    PerSecond,
}

/// Which direction is an improvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

impl Metric {
    /// Elapsed time per iteration.
    #[must_use]
    pub fn wall() -> Self {
        Self("wall".to_owned())
    }

    /// The metric's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit that the name implies.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self.0.as_str() {
            "wall" | "cpu" | "build.wall" | "build.cpu" => Unit::Nanoseconds,
            name if name.starts_with("latency.") => Unit::Nanoseconds,
            "alloc.bytes" | "alloc.peak" | "rss.peak" => Unit::Bytes,
            name if name.starts_with("binary.") => Unit::Bytes,
            name if name.starts_with("throughput") => Unit::PerSecond,
            _ => Unit::Count,
        }
    }

    /// The direction that the name implies.
    #[must_use]
    pub fn better(&self) -> Better {
        match self.unit() {
            Unit::PerSecond => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// Whether a batch of n iterations yields n times the metric: times and events do, percentiles don't.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        !self.0.starts_with("latency.") && !self.0.starts_with("alloc.") && !self.0.starts_with("rss.")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 100 || !name.chars().all(plain) {
            return Err(format!("a metric is 1 to 100 letters, digits, dots, - and _: {name:?}"));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for Metric {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.0
    }
}
