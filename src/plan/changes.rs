//! What one plan says otherwise than another, in the parts that decide whether a change passes.

use std::collections::BTreeSet;

use crate::samples::{Gate, Metric, PlanChange, Step, Waiver};
use crate::units;

/// The parts of a plan that decide whether a change passes.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'p> {
    /// What a regression is.
    pub gate: &'p Gate,
    /// What is claimed.
    pub steps: &'p [Step],
    /// What is let pass.
    pub waivers: &'p [Waiver],
}

/// What `other` says otherwise than `judge`, the gate first.
#[must_use]
pub fn changes(judge: Rules<'_>, other: Rules<'_>) -> Vec<PlanChange> {
    let mut changes = gates(judge.gate, other.gate);
    changes.extend(steps(judge.steps, other.steps));
    changes.extend(waivers(judge.waivers, other.waivers));
    changes
}

/// The change of one part; `None` where both say the same.
fn change(what: impl Into<String>, before: Option<String>, after: Option<String>) -> Option<PlanChange> {
    (before != after).then(|| PlanChange { what: what.into(), before, after })
}

fn gates(judge: &Gate, other: &Gate) -> Vec<PlanChange> {
    let share = |share: f64| Some(units::percent(share, 2));
    let names = |gate: &Gate| Some(gate.metrics.iter().map(Metric::as_str).collect::<Vec<_>>().join(", "));
    let rounds = |gate: &Gate| Some(gate.most_rounds.to_string());
    let whole = [
        change("tolerance of all metrics", share(judge.tolerance), share(other.tolerance)),
        change("chance of a false alarm", share(judge.family_error), share(other.family_error)),
        change("judged metrics", names(judge), names(other)),
        change("most rounds", rounds(judge), rounds(other)),
    ];
    let own: BTreeSet<&Metric> = judge.tolerances.keys().chain(other.tolerances.keys()).collect();
    let tolerance = |gate: &Gate, metric: &Metric| gate.tolerances.get(metric).copied().and_then(share);
    let own = own
        .into_iter()
        .map(|metric| change(format!("tolerance of {metric}"), tolerance(judge, metric), tolerance(other, metric)));
    whole.into_iter().chain(own).flatten().collect()
}

fn steps(judge: &[Step], other: &[Step]) -> Vec<PlanChange> {
    let names: BTreeSet<&str> = judge.iter().chain(other).map(Step::id).collect();
    let of = |steps: &[Step], name: &str| steps.iter().find(|step| step.id() == name).cloned();
    let changed = |name: &str| match (of(judge, name), of(other, name)) {
        (Some(before), Some(after)) => step(&before, &after),
        (before, after) => {
            let said = |step: Option<Step>| step.map(|step| step.claims.join("; "));
            change(format!("step {name}"), said(before), said(after)).into_iter().collect()
        }
    };
    names.into_iter().flat_map(changed).collect()
}

/// What became of a step that both have.
fn step(before: &Step, after: &Step) -> Vec<PlanChange> {
    let id = before.id();
    let sides = |step: &Step| {
        let built = step.variant.as_ref().map_or_else(String::new, |variant| format!(" as {variant}"));
        let earlier = step.before.as_ref().map_or_else(String::new, |case| format!("{case} to "));
        Some(format!("{earlier}{}{built}", step.after))
    };
    let known = |step: &Step| Some(step.expect.clone()).filter(|expect| !expect.is_empty());
    let lacks = |step: &Step, claim: &String| !step.claims.contains(claim);
    let gone = before.claims.iter().filter(|claim| lacks(after, claim));
    let gone = gone.map(|claim| change(format!("claim of step {id}"), Some(claim.clone()), None));
    let new = after.claims.iter().filter(|claim| lacks(before, claim));
    let new = new.map(|claim| change(format!("claim of step {id}"), None, Some(claim.clone())));
    let same = [
        change(format!("cases of step {id}"), sides(before), sides(after)),
        change(format!("what is known of step {id}"), known(before), known(after)),
    ];
    same.into_iter().chain(gone).chain(new).flatten().collect()
}

fn waivers(judge: &[Waiver], other: &[Waiver]) -> Vec<PlanChange> {
    let what = |waiver: &Waiver| format!("waiver for {} of {}", waiver.metric, waiver.case);
    let said = |waiver: &Waiver| {
        let Waiver { commit, reason, expires, .. } = waiver;
        Some(format!("commit {commit}, until {expires}: {reason}"))
    };
    let gone = judge.iter().filter(|waiver| !other.contains(waiver));
    let gone = gone.map(|waiver| change(what(waiver), said(waiver), None));
    let new = other.iter().filter(|waiver| !judge.contains(waiver));
    gone.chain(new.map(|waiver| change(what(waiver), None, said(waiver)))).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step_named(id: &str, claims: &[&str], expect: &str) -> Step {
        Step {
            case: format!("step::{id}").parse().unwrap(),
            title: String::new(),
            source: String::new(),
            expect: expect.to_owned(),
            before: Some("w::before".parse().unwrap()),
            after: "w::after".parse().unwrap(),
            variant: None,
            claims: claims.iter().map(ToString::to_string).collect(),
        }
    }

    fn said(judge: Rules<'_>, other: Rules<'_>) -> Vec<String> {
        let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let changes = changes(judge, other).into_iter();
        changes.map(|one| format!("{}: {} > {}", one.what, shown(one.before), shown(one.after))).collect()
    }

    #[test]
    fn equal_plans_have_no_changes() {
        let (gate, steps) = (Gate::default(), [step_named("a", &["wall < before"], "")]);
        let rules = Rules { gate: &gate, steps: &steps, waivers: &[] };
        assert_eq!(changes(rules, rules), []);
    }

    #[test]
    fn every_number_of_the_gate_is_compared() {
        let gate = Gate::default();
        let mut other = Gate { family_error: 0.2, tolerance: 0.05, most_rounds: 10, ..gate.clone() };
        other.metrics.truncate(1);
        other.tolerances.insert(Metric::wall(), 0.5);
        other.tolerances.remove(&"latency.p99".parse().unwrap());
        let rules = |gate| Rules { gate, steps: &[], waivers: &[] };
        assert_eq!(
            said(rules(&gate), rules(&other)),
            [
                "tolerance of all metrics: 1.00 % > 5.00 %",
                "chance of a false alarm: 1.00 % > 20.00 %",
                "judged metrics: wall, latency.p50, latency.p99 > wall",
                "most rounds: 640 > 10",
                "tolerance of latency.p99: 10.00 % > -",
                "tolerance of wall: - > 50.00 %",
            ]
        );
    }

    #[test]
    fn steps_come_go_and_change_claim_by_claim() {
        let gate = Gate::default();
        let judge = [step_named("gone", &["wall < before"], ""), step_named("kept", &["wall <= 0.7x before"], "")];
        let mut other =
            [step_named("kept", &["wall <= 0.9x before"], "refuted: slow"), step_named("new", &["cpu < 1s"], "")];
        other[0].before = None;
        assert_eq!(
            said(
                Rules { gate: &gate, steps: &judge, waivers: &[] },
                Rules { gate: &gate, steps: &other, waivers: &[] }
            ),
            [
                "step gone: wall < before > -",
                "cases of step kept: w::before to w::after > w::after",
                "what is known of step kept: - > refuted: slow",
                "claim of step kept: wall <= 0.7x before > -",
                "claim of step kept: - > wall <= 0.9x before",
                "step new: - > cpu < 1s",
            ]
        );
    }

    #[test]
    fn a_waiver_that_a_change_brings_along_is_told() {
        let (gate, metric, reason) = (Gate::default(), Metric::wall(), "safer".to_owned());
        let (commit, expires) = ("abcdef0".to_owned(), "2027-03-31".to_owned());
        let waiver = [Waiver { case: "w::a".to_owned(), metric, commit, reason, expires }];
        let rules = |waivers| Rules { gate: &gate, steps: &[], waivers };
        assert_eq!(
            said(rules(&[]), rules(&waiver)),
            ["waiver for wall of w::a: - > commit abcdef0, until 2027-03-31: safer"]
        );
        assert_eq!(
            said(rules(&waiver), rules(&[])),
            ["waiver for wall of w::a: commit abcdef0, until 2027-03-31: safer > -"]
        );
    }
}
