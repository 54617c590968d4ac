//! Cases, arms, rounds, steps and claims that don't fit together.

use perfplan::verdict::{Holds, Why, judge};
use serde_json::{Value, json};

use crate::support::{accepted, assert_run_refused};

fn measurement(run: &mut Value) -> &mut Value {
    &mut run["measurements"][0]
}

#[test]
fn a_case_that_is_asked_for_twice_is_refused() {
    assert_run_refused(|run| run["cases"] = json!(["w::a", "w::a"]), "the case w::a is asked for twice");
}

#[test]
fn a_case_that_is_measured_twice_is_refused() {
    assert_run_refused(
        |run| {
            let twice = measurement(run).clone();
            run["measurements"].as_array_mut().unwrap().push(twice);
        },
        "is there twice",
    );
}

#[test]
fn a_case_that_nobody_asked_for_is_refused() {
    assert_run_refused(|run| measurement(run)["case"] = json!("w::other"), "none of the cases that were asked for");
}

#[test]
fn an_arm_that_takes_part_twice_is_refused() {
    assert_run_refused(|run| measurement(run)["rounds"][0]["arms"][1]["arm"] = json!(0), "arm 0 is there twice");
}

#[test]
fn a_round_of_an_arm_that_is_not_there_is_refused() {
    assert_run_refused(|run| measurement(run)["rounds"][4]["arms"][1]["arm"] = json!(2), "round 4: arm 2 of 2");
    assert_run_refused(|run| measurement(run)["rounds"][4]["arms"][1]["arm"] = json!(u64::MAX), "round 4: arm 1844");
}

#[test]
fn a_case_without_arms_is_refused() {
    assert_run_refused(|run| measurement(run)["arms"] = json!([]), "there are no arms");
}

#[test]
fn an_arm_that_is_its_own_baseline_is_refused() {
    assert_run_refused(|run| measurement(run)["arms"][1]["against"] = json!(1), "compared with arm 1 of 2");
    assert_run_refused(|run| measurement(run)["arms"][1]["against"] = json!(9), "compared with arm 9 of 2");
}

#[test]
fn arms_that_are_compared_in_a_circle_are_refused() {
    assert_run_refused(|run| measurement(run)["arms"][0]["against"] = json!(1), "arm 0 is compared in a circle");
    assert_run_refused(
        |run| {
            let arm = measurement(run)["arms"][1].clone();
            let against = |at: Option<usize>| {
                let mut arm = arm.clone();
                arm["against"] = json!(at);
                arm
            };
            measurement(run)["arms"] = json!([against(None), against(Some(2)), against(Some(3)), against(Some(1))]);
        },
        "arm 1 is compared in a circle",
    );
}

#[test]
fn batches_of_different_lengths_in_one_round_are_refused() {
    assert_run_refused(
        |run| drop(measurement(run)["rounds"][0]["arms"][1]["batches"]["wall"].as_array_mut().unwrap().pop()),
        "batches where another arm has",
    );
}

#[test]
fn a_failure_of_an_arm_or_a_part_that_is_not_there_is_refused() {
    let failure = |arm: Value, part: Value| {
        let case = "generator::contacts/rebuilt";
        json!([{"what": "x", "why": "y", "command": null, "case": case, "arm": arm, "part": part}])
    };
    assert_run_refused(|run| run["failures"] = failure(json!(7), json!(null)), "is of arm 7 of 2");
    assert_run_refused(|run| run["failures"] = failure(json!(null), json!("1/2")), "the run has no part 1/2");
    assert_run_refused(|run| run["failures"] = failure(json!(null), json!("9/0")), "not divided into 0");
}

#[test]
fn parts_that_are_no_parts_of_one_run_are_refused() {
    let divided =
        |shard: Value, elsewhere: Value| json!({"plan": {}, "command": "x", "shard": shard, "elsewhere": elsewhere});
    assert_run_refused(|run| run["divided"] = divided(json!(null), json!(0)), "either a shard or made of shards");
    assert_run_refused(|run| run["divided"] = divided(json!("9999/9999"), json!(0)), "at most 256 shards");
    assert_run_refused(|run| run["divided"] = divided(json!("1/2"), json!(u64::MAX)), "comparisons elsewhere are more");
}

/// The run with a step that makes these claims of its one measurement.
fn with_claims(run: &mut Value, claims: &[String]) {
    run["cases"] = json!(["step::s"]);
    run["steps"] = json!([{"case": "step::s", "before": "w::a", "after": "w::b", "claims": claims}]);
    measurement(run)["case"] = json!("step::s");
}

#[test]
fn claims_that_say_nothing_are_undecided_and_say_so() {
    let claims =
        ["rm -rf /", "", "wall <= 1e999x before", "wall < NaN", "((((((((((", "wall <= 0.7x before"].map(str::to_owned);
    let judgement = judge(&accepted(|run| with_claims(run, &claims)));
    let outcomes = &judgement.steps[0].claims;
    for outcome in &outcomes[..5] {
        assert_eq!(outcome.holds, Holds::Undecided, "{outcome:?}");
        assert!(matches!(outcome.why, Why::Unreadable(_)), "{outcome:?}");
    }
    assert!(!matches!(outcomes[5].why, Why::Unreadable(_)));
}

#[test]
fn claims_of_enormous_length_are_refused() {
    let syscalls = format!("syscalls({}) < 1", "a*,".repeat(2_000));
    assert_run_refused(|run| with_claims(run, &[syscalls]), "bytes in a step's text are more than 4096");
}

#[test]
fn claims_without_number_are_refused() {
    assert_run_refused(|run| with_claims(run, &vec!["wall < 1s".to_owned(); 51]), "51 claims are more than 50");
    let step = |at: usize| json!({"case": format!("step::{at}"), "after": "w::b", "claims": vec!["wall < 1s"; 50]});
    assert_run_refused(
        |run| {
            run["cases"] = json!((0..41).map(|at| format!("step::{at}")).collect::<Vec<_>>());
            run["steps"] = json!((0..41).map(step).collect::<Vec<_>>());
            run["measurements"] = json!([]);
        },
        "2050 claims are more than 2000",
    );
}

#[test]
fn a_step_that_is_no_step_or_comes_twice_is_refused() {
    let step = json!({"case": "w::s", "after": "w::b", "claims": []});
    assert_run_refused(|run| run["steps"] = json!([step]), "none that was asked for");
    let step = json!({"case": "step::s", "after": "w::b", "claims": []});
    assert_run_refused(
        |run| {
            with_claims(run, &[]);
            run["steps"] = json!([step, step]);
        },
        "the step step::s is there twice",
    );
}

#[test]
fn names_that_climb_or_inject_are_refused_where_names_are_names() {
    for evil in ["../../etc", "a b", "<b>", "@team", "x|y", "\u{202e}x", "a\nb", "", ".git"] {
        assert_run_refused(|run| run["id"] = json!(evil), "run.json: ");
        assert_run_refused(|run| run["cases"][0] = json!(format!("w::{evil}")), "run.json: ");
        assert_run_refused(|run| measurement(run)["arms"][1]["variant"] = json!(evil), "run.json: ");
        assert_run_refused(|run| run["gate"]["metrics"][0] = json!(format!("wall{evil}\u{7}")), "run.json: ");
    }
}
