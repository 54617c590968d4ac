//! The steps of one run: what the plan says, what was measured, and whether the step may stay.

use crate::report::markdown::prose;
use crate::report::numbers::{self, NONE};
use crate::report::steps::{estimate, known, mark, reason, word};
use crate::report::text::clean;
use crate::samples::{Metric, Run};
use crate::verdict::{ClaimOutcome, Holds, Judgement, Scale, StepOutcome, Why};

use super::summary::quoted;

const HEADER: &str = "\n## Steps\n\n\
                      | step | the plan says | before | after | change | outcome | may it stay? |\n\
                      | :-- | :-- | --: | --: | --: | :-- | :-- |\n";
const LEGEND: &str = "\nBefore, after and change are wall time per iteration, less is faster. A step stays where it made that \
                      faster, and goes where nothing speaks for it.\n";

pub(super) fn table(run: &Run, judgement: &Judgement) -> String {
    let tolerance = run.gate.tolerance(&Metric::wall());
    let rows: String = judgement.steps.iter().map(|step| row(step, tolerance)).collect();
    format!("{HEADER}{rows}{LEGEND}")
}

fn row(outcome: &StepOutcome, tolerance: f64) -> String {
    let title = clean(&outcome.step.title);
    let title = if title.is_empty() { title } else { format!("<br>{}", prose(&title)) };
    let claims: Vec<String> = outcome.step.claims.iter().map(|claim| quoted(claim)).collect();
    let wall = |value: f64| numbers::value(&Metric::wall(), value);
    let (before, after) = match outcome.wall[..] {
        [before, after, ..] => (wall(before), wall(after)),
        [after] => (NONE.to_owned(), wall(after)),
        [] => (NONE.to_owned(), NONE.to_owned()),
    };
    let change = outcome.change.map_or_else(|| NONE.to_owned(), numbers::with_interval);
    format!(
        "| {}{title} | {} | {before} | {after} | {change} | {} | {} |\n",
        quoted(outcome.step.id()),
        claims.join("<br>"),
        said(outcome),
        stay(outcome, tolerance)
    )
}

/// The claims that are in the way of a confirmation, one per line.
fn said(outcome: &StepOutcome) -> String {
    let open = outcome.claims.iter().filter(|claim| claim.holds != Holds::Confirmed);
    let mut lines: Vec<String> = open.map(against).collect();
    if lines.is_empty() {
        lines.push(marked(outcome.holds()));
    }
    let known = known(&outcome.step);
    lines.extend((!known.is_empty()).then(|| prose(&known)));
    lines.join("<br>")
}

fn marked(holds: Holds) -> String {
    format!("{} {}", mark(holds), word(holds))
}

/// A claim beside what was measured: `✗ refuted: 0.91x, plan wall <= 0.70x before`.
fn against(claim: &ClaimOutcome) -> String {
    let (word, plan) = (marked(claim.holds), quoted(&claim.claim));
    let measured = estimate(claim);
    match claim.why {
        Why::Beyond(_) => format!("{word}: {measured}, plan {plan}"),
        _ if measured.is_empty() => format!("{word}: {}, plan {plan}", prose(&reason(claim))),
        _ => format!("{word}: {measured}, plan {plan}; {}", prose(&reason(claim))),
    }
}

/// Whether the step may stay: it does where it helped. One that gained no time may still do what its claims say.
fn stay(outcome: &StepOutcome, tolerance: f64) -> &'static str {
    let measured = |claim: &ClaimOutcome| claim.scale != Scale::Equality;
    let kept = outcome.holds() == Holds::Confirmed && outcome.claims.iter().any(measured);
    match outcome.change {
        _ if outcome.claims.iter().any(|claim| claim.why == Why::Different) => "roll back: other results",
        None if outcome.step.before.is_none() => NONE,
        None => "not known yet",
        Some(change) if change.high < 0.0 => "stays",
        Some(change) if change.low > 0.0 && kept => "slower, but its claims hold: may stay",
        Some(_) if kept => "no time gained, but its claims hold: stays",
        Some(change) if change.low > -tolerance && change.high < tolerance => "no gain: may go",
        Some(change) if change.low > 0.0 => "roll back",
        Some(_) => "can't tell yet",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{claim, ratio, step};
    use super::*;

    fn asked(change: Option<(f64, f64)>, claims: Vec<ClaimOutcome>) -> &'static str {
        stay(&step("s", change, claims), 0.01)
    }

    fn refuted() -> Vec<ClaimOutcome> {
        vec![claim("wall <= 0.70x before", Holds::Refuted, ratio(0.9, 0.01), Why::Beyond(0.2))]
    }

    fn confirmed() -> Vec<ClaimOutcome> {
        vec![claim("alloc.count <= 0.5x before", Holds::Confirmed, ratio(0.4, 0.0), Why::Holds)]
    }

    fn same_results(holds: Holds, why: Why) -> ClaimOutcome {
        ClaimOutcome { scale: Scale::Equality, ..claim("checksum == before", holds, None, why) }
    }

    #[test]
    fn a_step_that_helped_stays_even_where_it_promised_more() {
        assert_eq!(asked(Some((-0.09, 0.01)), refuted()), "stays");
    }

    #[test]
    fn a_step_that_cost_time_is_rolled_back_and_one_that_did_nothing_may_go() {
        assert_eq!(asked(Some((0.09, 0.01)), refuted()), "roll back");
        assert_eq!(asked(Some((0.0, 0.005)), refuted()), "no gain: may go");
        assert_eq!(asked(Some((0.004, 0.002)), refuted()), "no gain: may go");
    }

    #[test]
    fn too_wide_an_interval_is_no_proof_that_nothing_was_gained() {
        assert_eq!(asked(Some((0.0, 0.05)), refuted()), "can't tell yet");
        assert_eq!(asked(None, refuted()), "not known yet");
    }

    #[test]
    fn what_a_step_is_for_may_be_something_else_than_time() {
        assert_eq!(asked(Some((0.0, 0.005)), confirmed()), "no time gained, but its claims hold: stays");
        assert_eq!(asked(Some((0.09, 0.01)), confirmed()), "slower, but its claims hold: may stay");
    }

    #[test]
    fn equal_results_alone_speak_for_no_step_and_other_results_against_it() {
        assert_eq!(asked(Some((0.09, 0.01)), vec![same_results(Holds::Confirmed, Why::Holds)]), "roll back");
        let other = vec![same_results(Holds::Refuted, Why::Different)];
        assert_eq!(asked(Some((-0.5, 0.01)), other), "roll back: other results");
    }
}
