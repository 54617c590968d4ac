//! What criterion says of a change, and the interval that it says it by.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// criterion's default noise threshold: a change is called one when its whole interval lies beyond.
pub const DEFAULT_THRESHOLD: f64 = 0.01;

/// Half of the change that is looked for, as the self-test of cargo perfplan sets its tolerance: with criterion's default
/// an unbiased interval round +1 % can never lie wholly beyond it.
pub const HALF_THRESHOLD: f64 = 0.005;

/// The sentence under a benchmark's change (criterion 0.8, `src/report.rs`, `CliReport::measurement_complete`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// "Performance has improved."
    Improved,
    /// "Performance has regressed."
    Regressed,
    /// "Change within noise threshold.": the t test sees a difference, the interval isn't beyond the threshold.
    WithinNoise,
    /// "No change in performance detected.": the t test sees no difference.
    NotDetected,
}

impl Sentence {
    fn of(line: &str) -> Option<Self> {
        match line.trim() {
            "Performance has improved." => Some(Self::Improved),
            "Performance has regressed." => Some(Self::Regressed),
            "Change within noise threshold." => Some(Self::WithinNoise),
            "No change in performance detected." => Some(Self::NotDetected),
            _ => None,
        }
    }

    fn direction(self) -> Option<Direction> {
        match self {
            Self::Improved => Some(Direction::Faster),
            Self::Regressed => Some(Direction::Slower),
            Self::WithinNoise | Self::NotDetected => None,
        }
    }
}

/// Benchmarks and what is said of each, out of what criterion printed.
pub fn sentences(printed: &str) -> Vec<(&str, Sentence)> {
    let mut benchmark = None;
    let mut found = Vec::new();
    for line in printed.lines() {
        if !line.starts_with(' ') && line.contains(" time: ") {
            benchmark = line.split_whitespace().next();
        } else if let Some(sentence) = Sentence::of(line) {
            found.extend(benchmark.take().map(|benchmark| (benchmark, sentence)));
        }
    }
    found
}

/// Which way a program is called changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It takes less time.
    Faster,
    /// It takes more time.
    Slower,
}

/// A change of the mean time, as shares of the baseline's.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Whether criterion's t test sees a difference (p below 0.05).
    pub significant: bool,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// The estimate.
    pub mean: f64,
    /// Upper end of the 95 % interval.
    pub upper: f64,
}

impl Change {
    /// From the sentence and the text of `change/estimates.json`.
    ///
    /// # Errors
    /// Where the text is no such JSON, and where sentence and interval contradict each other: then one was misread.
    pub fn of(sentence: Sentence, estimates: &str) -> Result<Self> {
        let Estimates { mean } = serde_json::from_str(estimates).context("these are no estimates of criterion's")?;
        let Interval { lower_bound: lower, upper_bound: upper } = mean.confidence_interval;
        let change = Self { significant: sentence != Sentence::NotDetected, lower, mean: mean.point_estimate, upper };
        if change.verdict(DEFAULT_THRESHOLD) != sentence.direction() {
            bail!("criterion said {sentence:?}, and its interval is {lower} to {upper}");
        }
        Ok(change)
    }

    /// What criterion says when its noise threshold is this one (`compare_to_threshold` in its `src/report.rs`): changed
    /// when the t test sees a difference and the whole interval lies beyond the threshold.
    pub fn verdict(&self, threshold: f64) -> Option<Direction> {
        if !self.significant {
            None
        } else if self.upper < -threshold {
            Some(Direction::Faster)
        } else if self.lower > threshold {
            Some(Direction::Slower)
        } else {
            None
        }
    }
}

/// `change/estimates.json`, as far as it matters here.
#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    confidence_interval: Interval,
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded from criterion 0.8.2; text and estimates of a benchmark are from one run.
    const PRINTED: &str = include_str!("samples/printed.txt");
    const PRINTED_IMPROVED: &str = include_str!("samples/printed-improved.txt");
    const IMPROVED: &str = include_str!("samples/improved.json");
    const NOT_DETECTED: &str = include_str!("samples/not-detected.json");
    const REGRESSED: &str = include_str!("samples/regressed.json");
    const WITHIN_NOISE: &str = include_str!("samples/within-noise.json");

    #[test]
    fn every_benchmark_gets_its_own_sentence() {
        let expected = [
            ("arithmetic", Sentence::NotDetected),
            ("sorting", Sentence::Regressed),
            ("chasing", Sentence::WithinNoise),
        ];
        assert_eq!(sentences(PRINTED), expected);
        assert_eq!(sentences(PRINTED_IMPROVED), [("sorting", Sentence::Improved)]);
    }

    #[test]
    fn a_run_without_a_comparison_says_nothing() {
        assert_eq!(sentences("sorting                 time:   [10.706 µs 10.980 µs 11.243 µs]\n\n"), []);
        assert_eq!(sentences("Performance has regressed.\n"), []);
    }

    #[test]
    fn recorded_estimates_give_the_verdict_that_was_printed() {
        let verdict = |sentence, text| Change::of(sentence, text).unwrap().verdict(DEFAULT_THRESHOLD);
        assert_eq!(verdict(Sentence::Regressed, REGRESSED), Some(Direction::Slower));
        assert_eq!(verdict(Sentence::Improved, IMPROVED), Some(Direction::Faster));
        assert_eq!(verdict(Sentence::WithinNoise, WITHIN_NOISE), None);
        assert_eq!(verdict(Sentence::NotDetected, NOT_DETECTED), None);
    }

    #[test]
    fn a_sentence_that_contradicts_its_interval_is_an_error() {
        for (sentence, text) in [
            (Sentence::WithinNoise, REGRESSED),
            (Sentence::Improved, REGRESSED),
            (Sentence::Regressed, IMPROVED),
            (Sentence::Regressed, NOT_DETECTED),
        ] {
            let error = Change::of(sentence, text).unwrap_err().to_string();
            assert!(error.contains(&format!("criterion said {sentence:?}")), "{error}");
        }
    }

    #[test]
    fn text_that_holds_no_estimates_is_an_error() {
        assert!(Change::of(Sentence::Regressed, "{}").is_err());
        assert!(Change::of(Sentence::Regressed, "").is_err());
    }

    #[test]
    fn the_whole_interval_has_to_lie_beyond_the_threshold() {
        let change = Change { significant: true, lower: 0.007, mean: 0.010, upper: 0.013 };
        assert_eq!(change.verdict(DEFAULT_THRESHOLD), None);
        assert_eq!(change.verdict(HALF_THRESHOLD), Some(Direction::Slower));
        let mirrored = Change { significant: true, lower: -0.013, mean: -0.010, upper: -0.007 };
        assert_eq!(mirrored.verdict(DEFAULT_THRESHOLD), None);
        assert_eq!(mirrored.verdict(HALF_THRESHOLD), Some(Direction::Faster));
    }

    #[test]
    fn what_the_t_test_does_not_see_is_no_change_whatever_the_interval() {
        let change = Change { significant: false, lower: 0.02, mean: 0.03, upper: 0.04 };
        assert_eq!(change.verdict(HALF_THRESHOLD), None);
    }
}
