//! What every renderer of an advice shows, as text.

use crate::advise::{Advice, Cost, Effect, Fitting, Interaction, Mean, Meaning, Settings};
use crate::report::line::Standing;
use crate::report::numbers::{self, NONE, counted, with_interval};
use crate::report::text::clean;
use crate::report::view::{Broken, broken, skipped};
use crate::samples::Run;
use crate::verdict::{Relative, Verdict};

use super::confirmation::{Confirmation, confirmation};
use super::phrase::Phrase;
use super::reasons::{Outcome, outcome};

/// What one value of a knob changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EffectLine {
    pub(super) standing: Standing,
    pub(super) knob: String,
    pub(super) value: String,
    /// `-6.20 %`; a dash where nothing was measured.
    pub(super) change: String,
    /// The ends of its interval: `-6.80` and `-5.60 %`.
    pub(super) interval: Option<(String, String)>,
    /// The change per workload, in the order of [`Tune::workloads`].
    pub(super) workloads: Vec<String>,
    /// The ratios, in the order of [`COSTS`].
    pub(super) costs: Vec<String>,
    /// What a reader must know beside.
    pub(super) notes: Vec<String>,
    pub(super) span: Option<Relative>,
}

/// A guided build where it was trained, elsewhere, and the difference.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FittingLine {
    pub(super) variant: String,
    pub(super) trained: String,
    pub(super) others: String,
    pub(super) difference: String,
}

/// The costs that are shown, and their headings, the most important first.
pub(super) const COSTS: [(Cost, &str); 4] =
    [(Cost::BuildCpu, "build"), (Cost::BinaryFile, "file"), (Cost::RssPeak, "memory"), (Cost::BinaryText, "code")];

/// An advice as text. Names are harmless to terminals; renderers escape what their own format would act on.
#[derive(Clone, Debug, PartialEq)]
pub struct Tune {
    /// What was measured: metric, cases, cells, design.
    pub title: String,
    pub(super) baseline: Phrase,
    pub(super) workloads: Vec<String>,
    pub(super) effects: Vec<EffectLine>,
    /// How the table is to be read.
    pub(super) legend: String,
    /// What two knobs do together.
    pub(super) interactions: Vec<Phrase>,
    pub(super) fittings: Vec<FittingLine>,
    pub(super) outcome: Outcome,
    /// What measuring the recommended build by itself has shown.
    pub(super) confirmation: Option<Phrase>,
    /// What could not be measured.
    pub(super) failures: Vec<Broken>,
    /// Variants that were not built, with the reason.
    pub(super) skipped: Vec<(String, String)>,
}

impl Tune {
    /// The view of an advice on a run. `design` names the design (`one knob at a time`, `full`, `fractional, resolution 4`);
    /// `confirmed` is what measuring the recommended build by itself has shown, where it was measured.
    #[must_use]
    pub fn of(advice: &Advice, run: &Run, design: &str, confirmed: Option<&Confirmation>) -> Self {
        Self {
            title: title(advice, design),
            baseline: baseline(&advice.baseline),
            workloads: advice.workloads.iter().map(|name| clean(name)).collect(),
            effects: lines(advice),
            legend: legend(advice),
            interactions: interactions(advice),
            fittings: advice.fittings.iter().map(fitting).collect(),
            outcome: outcome(advice),
            confirmation: confirmed.map(|confirmed| confirmation(advice, confirmed)),
            failures: run.failures.iter().map(broken).collect(),
            skipped: skipped(run),
        }
    }
}

/// A mean over cases with its interval: `-6.20 % (-6.80 … -5.60 %) over 32 cases`.
pub(super) fn mean(mean: &Mean) -> String {
    format!("{} over {}", with_interval(mean.change), counted(mean.cases, "case"))
}

/// A ratio: `2.42x`.
pub(super) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}x")
}

/// The verdict on an effect as the report shows it.
pub(super) fn standing(verdict: Verdict, span: Option<Relative>) -> Standing {
    let excludes_zero = span.is_some_and(|span| span.low > 0.0 || span.high < 0.0);
    match verdict {
        Verdict::Regressed => Standing::Regressed,
        Verdict::Improved => Standing::Improved,
        Verdict::Undecided => Standing::Undecided,
        Verdict::Unchanged if excludes_zero => Standing::Tolerated,
        Verdict::Unchanged => Standing::Unchanged,
    }
}

pub(super) fn title(advice: &Advice, design: &str) -> String {
    let cells = counted(advice.cells.len(), "cell");
    let (cases, workloads) = (counted(advice.cases, "case"), counted(advice.workloads.len(), "workload"));
    let metric = clean(advice.metric.as_str());
    format!("What each knob bought: {metric} of {cases} in {workloads}, {cells}, {}", clean(design))
}

pub(super) fn baseline(knobs: &Settings) -> Phrase {
    if knobs.is_empty() {
        return Phrase::default().words("baseline: the cargo profile as it is");
    }
    Phrase::default().words("baseline: ").settings(knobs)
}

pub(super) fn lines(advice: &Advice) -> Vec<EffectLine> {
    advice.effects.iter().map(|effect| line(advice, effect)).collect()
}

fn line(advice: &Advice, effect: &Effect) -> EffectLine {
    let span = effect.overall.map(|mean| mean.change);
    let shown = span.map(numbers::change);
    let of_workload = |name: &String| effect.workloads.get(name).map_or(NONE.to_owned(), estimate);
    let cost = |(cost, _): &(Cost, &str)| effect.costs.get(cost).copied().map_or(NONE.to_owned(), ratio);
    EffectLine {
        standing: standing(effect.verdict, span),
        knob: clean(&effect.knob),
        value: clean(&effect.value),
        change: shown.as_ref().map_or(NONE.to_owned(), |(estimate, ..)| estimate.clone()),
        interval: shown.map(|(_, low, high)| (low, high)),
        workloads: advice.workloads.iter().map(of_workload).collect(),
        costs: COSTS.iter().map(cost).collect(),
        notes: notes(advice, effect),
        span,
    }
}

fn estimate(mean: &Mean) -> String {
    numbers::change(mean.change).0
}

fn notes(advice: &Advice, effect: &Effect) -> Vec<String> {
    let mut notes = Vec::new();
    let cases = effect.overall.map_or(0, |mean| mean.cases);
    if cases < advice.cases {
        notes.push(format!("rests on {cases} of {}: the others lack a cell", counted(advice.cases, "case")));
    }
    if let Some(untrained) = effect.untrained {
        let others = counted(untrained.cases, "case");
        notes.push(format!("on the {others} that it was not trained on: {}", with_interval(untrained.change)));
    } else if effect.trained_on > 0 {
        notes.push("trained on all its cases: what it does for other work is not known".to_owned());
    }
    if effect.meaning == Meaning::Mixed {
        notes.push("too few cells to keep apart from what other knobs do together".to_owned());
    }
    notes
}

fn legend(advice: &Advice) -> String {
    let averaged = advice.effects.iter().any(|effect| effect.meaning == Meaning::Average);
    let of = if averaged { ", averaged over the values of the other knobs" } else { "" };
    let several = if advice.workloads.len() > 1 {
        "the geometric mean over workloads of the geometric means over their cases"
    } else {
        "the geometric mean over the cases"
    };
    format!(
        "overall: the change from the baseline's own value{of}, {several}; + is more (of time: slower). interval: where the true \
         change lies, 19 times of 20, for these cases on this machine. build: CPU time of the build; file, code: sizes; memory: \
         peak while running; each as a ratio to the baseline's."
    )
}

fn interactions(advice: &Advice) -> Vec<Phrase> {
    let tolerance = numbers::chosen(advice.tolerance);
    let told = |interaction: &Interaction| {
        let Interaction { one, other, change, .. } = interaction;
        let both = Phrase::default().setting(&one.0, &one.1).words(" with ").setting(&other.0, &other.1);
        both.words(&format!(": {} beyond the sum of both", with_interval(*change)))
    };
    let summary = match (advice.pairs, advice.interactions.len()) {
        _ if advice.effects.len() < 2 => return Vec::new(),
        (0, _) => "no cells that tell what two knobs do together: changes are taken to add up".to_owned(),
        (pairs, 0) => {
            let looked_at = counted(pairs, "pair");
            format!("{looked_at} of values looked at, none differs from the sum of both by more than {tolerance}")
        }
        (pairs, _) => format!("{} of values looked at, under one error of 5 % together", counted(pairs, "pair")),
    };
    advice.interactions.iter().map(told).chain([Phrase::default().words(&summary)]).collect()
}

fn fitting(fitting: &Fitting) -> FittingLine {
    let shown = |found: &Option<Mean>| found.as_ref().map_or(NONE.to_owned(), mean);
    FittingLine {
        variant: clean(fitting.variant.as_str()),
        trained: shown(&fitting.trained),
        others: shown(&fitting.others),
        difference: fitting.difference.map_or(NONE.to_owned(), with_interval),
    }
}
