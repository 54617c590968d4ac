//! The claims of the plan's steps: what does not hold stands open, all else is folded.

use crate::report::markdown::Section;
use crate::report::numbers::counted;
use crate::report::steps::{ClaimLine, StepView, sections};
use crate::verdict::Holds;

/// What the run refutes and the plan does not know already.
pub(super) fn refuted(steps: &[StepView]) -> Option<Section> {
    let found = only(steps, |step, claim| step.fails && claim.holds == Holds::Refuted);
    Some(open(&found)?.headed(&format!("{} refuted", count(&found))))
}

/// What can't be told.
pub(super) fn undecided(steps: &[StepView]) -> Option<Section> {
    let found = only(steps, |_, claim| claim.holds == Holds::Undecided);
    Some(open(&found)?.headed(&format!("{} undecided", count(&found))))
}

/// The steps, what of them the plan knows to be refuted, and what is confirmed.
pub(super) fn folded(steps: &[StepView]) -> [Option<Section>; 3] {
    let known = only(steps, |step, claim| !step.fails && claim.holds == Holds::Refuted);
    let summary = format!("{} refuted, as the plan knows", count(&known));
    let [table, _, confirmed] = sections(steps);
    let table = table.map(|table| table.folded(&format!("{} of the plan", counted(steps.len(), "step"))));
    [table, open(&known).map(|known| known.folded(&summary)), confirmed]
}

/// The steps with those of their claims that are wanted, as far as they have any.
fn only(steps: &[StepView], wanted: impl Fn(&StepView, &ClaimLine) -> bool) -> Vec<StepView> {
    let kept = |step: &StepView| {
        let claims: Vec<ClaimLine> = step.claims.iter().filter(|claim| wanted(step, claim)).cloned().collect();
        (!claims.is_empty()).then(|| StepView { claims, ..step.clone() })
    };
    steps.iter().filter_map(kept).collect()
}

fn count(steps: &[StepView]) -> String {
    counted(steps.iter().map(|step| step.claims.len()).sum(), "claim")
}

fn open(steps: &[StepView]) -> Option<Section> {
    let [_, open, _] = sections(steps);
    open
}
