//! Metrics: a name, which implies a unit and which direction is better.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is measured: `wall`, `cpu`, `instructions`, `alloc.count`, `latency.p99`, `rss.peak`, ...; or of which part of the
/// program: `profile.share(core::fmt)`, `syscalls(open*, close)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Metric(String);

/// The longest word of a metric, in bytes.
const LONGEST_WORD: usize = 100;
/// The longest part that a metric may be of, in bytes.
const LONGEST_PART: usize = 300;

/// The unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A plain count.
    Count,
    /// A part of a whole, 0 to 1.
    Share,
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

    /// The name without the part that it is of: `profile.share` of `profile.share(core::fmt)`.
    #[must_use]
    pub fn word(&self) -> &str {
        self.0.split_once('(').map_or(&self.0, |(word, _)| word)
    }

    /// The unit that the name implies.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self.word() {
            "wall" | "wall.operation" | "cpu" | "build.wall" | "build.cpu" | "profile.cpu" => Unit::Nanoseconds,
            "profile.share" | "profile.self" => Unit::Share,
            name if name.starts_with("hotpath.") => hotpath_unit(name),
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

    /// Whether it is the last part of the name of a latency: `p99.9`, `mean`, `min`, `max`.
    #[must_use]
    pub fn is_statistic(part: &str) -> bool {
        let number = part.strip_prefix('p').filter(|number| number.starts_with(|c: char| c.is_ascii_digit()));
        let percent = number.and_then(|number| number.parse::<f64>().ok());
        ["mean", "min", "max"].contains(&part) || percent.is_some_and(|percent| percent <= 100.0)
    }

    /// Whether a batch of n iterations yields n times the metric: times and events do, percentiles and rates don't.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        !["latency.", "throughput", "alloc.", "rss."].iter().any(|prefix| self.0.starts_with(prefix))
    }
}

/// The units of the reports of the crate hotpath: `hotpath.p95(f)` is a time, `hotpath.alloc.bytes.avg(f)` is not.
fn hotpath_unit(name: &str) -> Unit {
    let percentile =
        |part: &str| part.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_time = |part: &str| matches!(part, "avg" | "total") || percentile(part);
    match name {
        name if name.starts_with("hotpath.alloc.bytes") => Unit::Bytes,
        name if name.starts_with("hotpath.alloc.") || name.starts_with("hotpath.instructions") => Unit::Count,
        name if name.split('.').any(is_time) => Unit::Nanoseconds,
        _ => Unit::Count,
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
        let (word, of) = name.split_once('(').map_or((name, None), |(word, rest)| (word, Some(rest)));
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if word.is_empty() || word.len() > LONGEST_WORD || !word.chars().all(plain) {
            return Err(format!("a metric is 1 to {LONGEST_WORD} letters, digits, dots, - and _: {name:?}"));
        }
        let Some(of) = of else { return Ok(Self(name.to_owned())) };
        let closed = of.strip_suffix(')').filter(|of| !of.is_empty() && of.len() <= LONGEST_PART);
        let part = |c: char| c.is_ascii_alphanumeric() || ":_-.*,{}#&' ".contains(c);
        match closed {
            Some(of) if of.chars().all(part) => Ok(Self(name.to_owned())),
            _ => {
                Err(format!("a metric of a part is NAME(PART), with at most {LONGEST_PART} plain characters: {name:?}"))
            }
        }
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
