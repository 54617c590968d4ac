//! The recommended build, measured by itself against the baseline.

use crate::advise::{Advice, Expected, Mean, Settings};
use crate::report::numbers::with_interval;
use crate::samples::Better;

use super::phrase::Phrase;
use super::view::mean;

/// What measuring the recommended build by itself has shown: knobs that were chosen because they looked best look better than
/// they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmation {
    /// Its settings: what of the recommendation the manifests can hold.
    pub settings: Settings,
    /// What it changes over all cases; `None` where no case could be measured.
    pub change: Option<Mean>,
}

pub(super) fn confirmation(advice: &Advice, confirmed: &Confirmation) -> Phrase {
    let Confirmation { settings, change } = confirmed;
    let Some(change) = change else {
        return Phrase::default().settings(settings).words(" could not be measured by itself");
    };
    let told = Phrase::default().words("measured by itself, ").settings(settings).words(&format!(": {}", mean(change)));
    let recommendation = &advice.recommendation;
    let same = recommendation.expected.as_ref().filter(|_| recommendation.settings == *settings);
    told.words(&same.map_or(String::new(), |expected| otherwise(expected, change, advice.metric.better())))
}

/// That the change is not what was expected, where the two intervals have nothing in common and are over as many cases; else
/// nothing.
fn otherwise(expected: &Expected, change: &Mean, better: Better) -> String {
    let (found, thought) = (change.change, expected.change.change);
    let (above, below) = (found.low > thought.high, found.high < thought.low);
    if !(above || below) || change.cases != expected.change.cases {
        return String::new();
    }
    let less = above == (better == Better::Lower);
    let of = if expected.measured.is_some() { "than among the other builds" } else { "than the sum of its knobs" };
    format!("; {} {of}: {}", if less { "less" } else { "more" }, with_interval(thought))
}
