//! The recommendation of an advice in words.

use crate::advise::patch::unwritten;
use crate::advise::{Advice, Expected, Ground, Reason, Settings};
use crate::report::numbers::{self, counted, with_interval};

use super::phrase::{Phrase, setting};
use super::view::{COSTS, ratio};

/// What to take, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// `Take lto=fat, pgo=true: -12.1 % ...`, or that nothing pays.
    pub(super) headline: Phrase,
    /// What is to be expected of it beside.
    pub(super) expected: Vec<Phrase>,
    pub(super) reasons: Vec<Said>,
}

/// A knob value and what speaks for or against it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) taken: bool,
    pub(super) setting: String,
    /// `-6.20 % (-6.80 … -5.60 %)`; empty where nothing was measured.
    pub(super) change: String,
    pub(super) why: Phrase,
}

pub(super) fn outcome(advice: &Advice) -> Outcome {
    let recommendation = &advice.recommendation;
    let sentences = recommendation.expected.iter().flat_map(|found| expectation(advice, found));
    let mut expected: Vec<Phrase> = sentences.map(|sentence| Phrase::default().words(&sentence)).collect();
    expected.extend(left_out(&recommendation.settings));
    let unportable = |reason: &Reason| reason.grounds.contains(&Ground::NotPortable);
    if recommendation.why.iter().any(unportable) {
        let warning = "not portable: the program may not run on processors that lack what this one has";
        expected.push(Phrase::default().words(warning));
    }
    Outcome {
        headline: headline(&recommendation.settings, recommendation.expected.as_ref(), advice),
        expected,
        reasons: recommendation.why.iter().map(|reason| said(reason, advice.tolerance)).collect(),
    }
}

fn headline(settings: &Settings, expected: Option<&Expected>, advice: &Advice) -> Phrase {
    if advice.effects.is_empty() {
        let several = "No knob can be told from the others: every build changes several at once";
        let nothing = "No build was compared with the baseline's";
        return Phrase::default().words(if advice.cells.len() > 1 { several } else { nothing });
    }
    if settings.is_empty() {
        let tolerance = numbers::chosen(advice.tolerance);
        return Phrase::default().words(&format!(
            "Leave the build as it is: no knob is known to gain more than the tolerance of {tolerance} without losing as much"
        ));
    }
    let change = expected.map_or(String::new(), |found| format!(": {}", with_interval(found.change.change)));
    Phrase::default().words("Take ").settings(settings).words(&change)
}

/// Which of the settings the patch can't write down.
fn left_out(settings: &Settings) -> Option<Phrase> {
    let knobs: Vec<_> = unwritten(settings).collect();
    let them = if knobs.len() == 1 { "it" } else { "them" };
    let why = format!(": no manifest has a key for {them}");
    (!knobs.is_empty()).then(|| Phrase::default().words("the patch leaves out ").settings(knobs).words(&why))
}

fn expectation(advice: &Advice, expected: &Expected) -> Vec<String> {
    let metric = advice.metric.as_str();
    let over = counted(expected.change.cases, "case");
    let from = if expected.measured.is_some() {
        format!("this very build was measured: {metric} over {over}")
    } else {
        format!("{metric} over {over}, as the sum of what the knobs changed: the build itself was not measured")
    };
    let cost = |(cost, name): &(_, &str)| Some(format!("{name} {}", ratio(*expected.costs.get(cost)?)));
    let costs: Vec<String> = COSTS.iter().filter_map(cost).collect();
    let multiplied = if expected.measured.is_some() { "" } else { ", if these multiply as well" };
    let costs = (!costs.is_empty()).then(|| format!("at {} of the baseline's{multiplied}", costs.join(", ")));
    std::iter::once(from).chain(costs).collect()
}

fn said(reason: &Reason, tolerance: f64) -> Said {
    Said {
        taken: reason.taken,
        setting: setting(&reason.knob, &reason.value),
        change: reason.change.map_or(String::new(), |mean| with_interval(mean.change)),
        why: Phrase::joined(reason.grounds.iter().map(|found| ground(reason, found, tolerance)), "; "),
    }
}

fn ground(reason: &Reason, ground: &Ground, tolerance: f64) -> Phrase {
    let phrase = Phrase::default();
    let tolerance = numbers::chosen(tolerance);
    match ground {
        Ground::Pays => phrase.words(&format!("gains more than the tolerance of {tolerance}")),
        Ground::WithinTolerance => phrase.words(&format!("within the tolerance of {tolerance}")),
        Ground::Undecided => phrase.words("can't be told yet: more rounds would"),
        Ground::Regresses => phrase.words("makes it worse"),
        Ground::NotMeasured => phrase.words("no case was measured in all the cells that it takes"),
        Ground::Beaten { by } => phrase.setting(&reason.knob, by).words(" gains more"),
        Ground::BuildsFaster { than } => {
            phrase.words("as good as ").setting(&reason.knob, than).words(" as far as can be told, and builds faster")
        }
        Ground::BuildsSlower { than } => phrase
            .words("no better than ")
            .setting(&reason.knob, than)
            .words(" as far as can be told, and builds slower"),
        Ground::Hurts { case, change } => {
            let loses = format!(" loses {}, no less than is gained overall", with_interval(*change));
            phrase.name(&case.to_string()).words(&loses)
        }
        Ground::HurtsLess { case, change } => {
            let loses = format!(" loses {}, less than is gained overall", with_interval(*change));
            phrase.words("although ").name(&case.to_string()).words(&loses)
        }
        Ground::Overlaps { with, left } => {
            let left = left.map_or(String::new(), |left| format!(", beside which {} is left", with_interval(left)));
            phrase.words("does the same work as ").setting(&with.0, &with.1).words(&left)
        }
        Ground::TrainedLeftOut { cases } => {
            phrase.words(&format!("not counting the {} that it was trained on", counted(*cases, "case")))
        }
        Ground::TrainedOnAll => phrase.words("trained on all its cases: what it does for other work is not known"),
        Ground::NotPortable => phrase.words("not portable"),
    }
}
