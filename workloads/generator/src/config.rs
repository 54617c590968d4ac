//! What an operator configures: number ranges, and how much and how long subscribers talk.

use std::hint::black_box;

/// The configuration of a run.
pub(crate) struct Config {
    /// Number ranges: country and operator code, without `+`. Seven digits follow.
    pub(crate) prefixes: Vec<String>,
    /// How long answered calls last.
    pub(crate) call_duration: Quantiles,
    /// How many events a subscriber has in a day.
    pub(crate) daily: DailyMeans,
}

/// Two quantiles in seconds, above 0, which fix a log-normal distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantiles {
    /// The median.
    pub(crate) p50: f64,
    /// Nine of ten are below.
    pub(crate) p90: f64,
}

/// Mean events per subscriber and day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DailyMeans {
    pub(crate) calls: f64,
    pub(crate) messages: f64,
    pub(crate) data_sessions: f64,
}

impl DailyMeans {
    /// The means of `seconds` instead of a day.
    pub(crate) fn within(self, seconds: u64) -> Self {
        let share = seconds as f64 / 86_400.0;
        let Self { calls, messages, data_sessions } = self;
        Self { calls: calls * share, messages: messages * share, data_sessions: data_sessions * share }
    }
}

impl Config {
    /// A mobile network of middling size.
    pub(crate) fn load() -> Self {
        let config = Self {
            prefixes: ["7903", "7910", "7916", "7926", "7985"].map(str::to_owned).to_vec(),
            call_duration: Quantiles { p50: 60.0, p90: 300.0 },
            daily: DailyMeans { calls: 8.0, messages: 16.0, data_sessions: 45.0 },
        };
        // A real generator reads a file. The optimiser must not know the values here either, or it would work out a
        // distribution that the case before builds again and again while it compiles.
        black_box(config)
    }
}
