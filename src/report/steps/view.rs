//! What every renderer shows of a step, as text.

use crate::report::numbers;
use crate::report::text::clean;
use crate::samples::{Metric, Step};
use crate::verdict::{ClaimOutcome, Holds, StepOutcome};

use super::words;

/// One claim. All texts are on one line each and free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLine {
    /// Whether it holds.
    pub holds: Holds,
    /// The claim as the plan says it.
    pub claim: String,
    /// What was measured: `0.71x (0.70 … 0.72)`; empty where nothing was.
    pub measured: String,
    /// Why it is not confirmed; empty where it is.
    pub reason: String,
}

impl ClaimLine {
    fn of(claim: &ClaimOutcome) -> Self {
        let (measured, reason) = (words::measured(claim), words::reason(claim));
        Self { holds: claim.holds, claim: clean(&claim.claim), measured, reason }
    }

    /// What was measured and why that is not enough, in one sentence.
    #[must_use]
    pub fn says(&self) -> String {
        let between = if self.measured.is_empty() || self.reason.is_empty() { "" } else { ": " };
        format!("{}{between}{}", self.measured, self.reason)
    }
}

/// One step with its claims. All texts are on one line each and free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Refuted where one claim is; confirmed where all are.
    pub holds: Holds,
    /// Its name in the plan.
    pub id: String,
    /// What it does and where the plan says so; may be empty.
    pub about: String,
    /// What the plan knows of it already: `known so far: refuted: 2 % slower`; may be empty.
    pub known: String,
    /// Whether a claim is refuted and the plan does not know that already.
    pub fails: bool,
    /// Wall time per iteration before and after; the first is empty where there is no case before it.
    pub values: Option<(String, String)>,
    /// The change of wall time: `-29.0 %`; a dash where there is none.
    pub change: String,
    /// The ends of its interval: `-30.1` and `-27.9 %`.
    pub interval: Option<(String, String)>,
    /// Its claims, in the order of the plan.
    pub claims: Vec<ClaimLine>,
}

/// The steps of a run, in the order of its plan.
pub(in crate::report) fn steps(outcomes: &[StepOutcome]) -> Vec<StepView> {
    outcomes.iter().map(view).collect()
}

fn view(outcome: &StepOutcome) -> StepView {
    let shown = outcome.change.map(numbers::change);
    let wall = |value: f64| numbers::value(&Metric::wall(), value);
    StepView {
        holds: outcome.holds(),
        id: clean(outcome.step.id()),
        about: about(&outcome.step),
        known: known(&outcome.step),
        fails: outcome.holds() == Holds::Refuted && !outcome.step.is_known_to_be_refuted(),
        values: match outcome.wall[..] {
            [before, after, ..] => Some((wall(before), wall(after))),
            [after] => Some((String::new(), wall(after))),
            [] => None,
        },
        change: shown.as_ref().map_or_else(|| numbers::NONE.to_owned(), |(estimate, _, _)| estimate.clone()),
        interval: shown.map(|(_, low, high)| (low, high)),
        claims: outcome.claims.iter().map(ClaimLine::of).collect(),
    }
}

/// What the step does, how it is built where that is what it does, and where it was taken from; may be empty.
fn about(step: &Step) -> String {
    let built = step.variant.as_ref().map(|variant| format!("built as variant {variant}"));
    let source = Some(clean(&step.source)).filter(|source| !source.is_empty());
    let notes = [built, source].into_iter().flatten().collect::<Vec<_>>().join("; ");
    match (clean(&step.title), notes) {
        (title, notes) if notes.is_empty() => title,
        (title, notes) if title.is_empty() => format!("({notes})"),
        (title, notes) => format!("{title} ({notes})"),
    }
}

/// What the plan knows of a step already; may be empty.
pub(in crate::report) fn known(step: &Step) -> String {
    let known = clean(&step.expect);
    if known.is_empty() { known } else { format!("known so far: {known}") }
}
