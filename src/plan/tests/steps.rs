//! `[[step]]`: what it means, and what is said of steps that can't be.

use std::path::Path;

use super::surface::FULL;
use super::{parse, says};
use crate::plan::Plan;
use crate::plan::claim::Need;

#[test]
fn a_step_is_two_cases_and_what_is_claimed_of_them() {
    let steps = parse(FULL).steps;
    let step = &steps[0];
    assert_eq!((step.id.as_str(), step.title.as_deref()), ("redb-cache", Some("Read once")));
    assert_eq!(step.before.as_ref().map(ToString::to_string).as_deref(), Some("generator::redb/naive"));
    assert_eq!(step.after.to_string(), "generator::redb/cached");
    assert_eq!((step.plan.as_deref(), step.expect.as_deref()), (Some("000 section 1"), Some("refuted: 12 %")));
    let texts: Vec<&str> = step.claims.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(texts, ["wall <= before - 30%", "checksum == before"]);
    assert_eq!(step.claims[0].claim.to_string(), "wall <= 0.7x before");
    let alone = &steps[1];
    assert_eq!((alone.before.as_ref(), alone.after.to_string()), (None, "engine::scan".to_owned()));
    assert_eq!(alone.claims[0].claim.needs(), Need::Timing);
}

#[test]
fn a_plan_has_no_steps_by_default() {
    assert!(parse("").steps.is_empty());
}

#[test]
fn a_wrong_claim_is_pointed_at_inside_its_text() {
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nclaims = [\n  \"wall < 1ms\",\n  'rss.peak < 2gb',\n]",
        &[
            r#"perfplan.toml:6:15: "2gb" is not a size"#,
            "  |",
            "6 |   'rss.peak < 2gb',",
            "  |               ^^^",
            r#"  = help: did you mean "GB"?"#,
        ],
    );
    says(
        "[[step]]\nid = \"a\"\nafter = \"w::c\"\nclaims = [\"wall ≤ 0.70x before\"]",
        &[
            "perfplan.toml:4:25: this step has no case before it",
            "  |",
            r#"4 | claims = ["wall ≤ 0.70x before"]"#,
            "  |                         ^^^^^^",
            r#"  = help: add before = "workload::case" to the step, or compare with a number"#,
        ],
    );
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nclaims = [\"wall \\u003d 5ms\"]",
        &[
            r#"perfplan.toml:4:11: "=" can't stand in a claim"#,
            "  |",
            r#"4 | claims = ["wall \u003d 5ms"]"#,
            "  |           ^^^^^^^^^^^^^^^^^",
            "  = help: write ==",
        ],
    );
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nclaims = [\"wall <\"]",
        &[
            "perfplan.toml:4:18: the claim ends too early",
            "  |",
            r#"4 | claims = ["wall <"]"#,
            "  |                  ^",
            r#"  = help: expected a number such as "2ms", or "before""#,
        ],
    );
}

#[test]
fn a_step_can_be_a_way_to_build() {
    let plan = "[[variant]]\nname = \"release\"\n[[variant]]\nname = \"fat\"\nlto = \"fat\"\n[[step]]\nid = \"a\"\n";
    let step =
        |more: &str| parse(&format!("{plan}{more}\nvariant = \"fat\"\nclaims = [\"wall < before\"]")).steps.remove(0);
    let sides = |step: &crate::plan::Step| (step.before.as_ref().map(ToString::to_string), step.after.to_string());
    let alone = step(r#"case = "w::c""#);
    assert_eq!(sides(&alone), (Some("w::c".to_owned()), "w::c".to_owned()), "the same case, built in both ways");
    assert_eq!(alone.variant.as_ref().map(ToString::to_string).as_deref(), Some("fat"));
    let both = step("before = \"w::b\"\nafter = \"w::c\"");
    assert_eq!(sides(&both), (Some("w::b".to_owned()), "w::c".to_owned()));
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nvariant = \"relaese\"\nclaims = [\"wall < before\"]",
        &[
            r#"perfplan.toml:4:11: there is no variant "relaese""#,
            "  |",
            r#"4 | variant = "relaese""#,
            "  |           ^^^^^^^^^",
            r#"  = help: did you mean "release"?"#,
        ],
    );
}

#[test]
fn a_step_has_cases_that_differ() {
    says(
        "[[step]]\nid = \"a\"\nbefore = \"w::c\"\nafter = \"w::c\"\nclaims = [\"wall < before\"]",
        &[
            "perfplan.toml:4:9: before and after are the same case",
            "  |",
            r#"4 | after = "w::c""#,
            "  |         ^^^^^^",
            "  = help: name the case that has the change",
        ],
    );
    says(
        "[[step]]\nid = \"a\"\nclaims = [\"wall < before\"]",
        &[
            "perfplan.toml:1:1: a step without a case",
            "  |",
            "1 | [[step]]",
            "  | ^^^^^^^^",
            r#"  = help: add after = "workload::case", and before = "..." where the claims compare"#,
        ],
    );
    says(
        "[[step]]\nid = \"a\"\nbefore = \"w::b\"\ncase = \"w::c\"\nclaims = [\"wall < before\"]",
        &[
            "perfplan.toml:4:8: case is for steps with nothing before them",
            "  |",
            r#"4 | case = "w::c""#,
            "  |        ^^^^^^",
            "  = help: call it after",
        ],
    );
    says(
        "[[step]]\nid = \"a\"\nafter = \"cached\"\nclaims = [\"wall < 1ms\"]",
        &[
            r#"perfplan.toml:3:9: a case is WORKLOAD::CASE, not "cached""#,
            "  |",
            r#"3 | after = "cached""#,
            "  |         ^^^^^^^^",
            r#"  = help: write the workload, :: and the case, such as "generator::redb/cached""#,
        ],
    );
}

#[test]
fn steps_have_slugs_of_their_own() {
    let step = |id: &str| format!("[[step]]\nid = \"{id}\"\ncase = \"w::c\"\nclaims = [\"wall < 1ms\"]\n");
    says(
        &(step("a") + &step("a")),
        &[
            r#"perfplan.toml:6:6: two steps are called "a""#,
            "  |",
            r#"6 | id = "a""#,
            "  |      ^^^",
            r#"  = help: give each its own: id = "...""#,
        ],
    );
    says(
        &step("G1: redb cache!"),
        &[
            r#"perfplan.toml:2:6: "G1: redb cache!" is not a name for a step: it has 1 to 60 small letters, digits and single -"#,
            "  |",
            r#"2 | id = "G1: redb cache!""#,
            "  |      ^^^^^^^^^^^^^^^^^",
            r#"  = help: write a name such as "g1-redb-cache""#,
        ],
    );
}

#[test]
fn a_step_claims_something_and_nothing_twice() {
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nclaims = []",
        &[
            "perfplan.toml:4:10: a step without a claim",
            "  |",
            "4 | claims = []",
            "  |          ^^",
            r#"  = help: say what is expected: claims = ["wall <= 0.70x before"]"#,
        ],
    );
    says(
        "[[step]]\nid = \"a\"\ncase = \"w::c\"\nclaims = [\"wall < 1ms\", \"wall < 1000us\"]",
        &[
            r#"perfplan.toml:4:25: the claim "wall < 1ms" stands twice"#,
            "  |",
            r#"4 | claims = ["wall < 1ms", "wall < 1000us"]"#,
            "  |                         ^^^^^^^^^^^^^^^",
            "  = help: remove one of them",
        ],
    );
    says(
        "[[step]]\nid = \"a\"\nclaim = [\"wall < 1ms\"]",
        &[
            r#"perfplan.toml:3:1: unknown key "claim""#,
            "  |",
            r#"3 | claim = ["wall < 1ms"]"#,
            "  | ^^^^^",
            r#"  = help: did you mean "claims"?"#,
        ],
    );
}

#[test]
fn steps_and_claims_have_limits() {
    let step = |at: usize, claims: usize| {
        let claims: Vec<String> = (1..=claims).map(|ns| format!("\"wall < {ns}ns\"")).collect();
        format!("[[step]]\nid = \"s{at}\"\ncase = \"w::c\"\nclaims = [{}]\n", claims.join(", "))
    };
    let problem = |text: String| Plan::parse(&text, Path::new("p")).map_err(|error| error.problem().to_owned());
    let steps = |most: usize| (0..most).map(|at| step(at, 1)).collect::<String>();
    assert_eq!(problem(steps(200)).unwrap().steps.len(), 200);
    assert_eq!(problem(steps(201)).unwrap_err(), "more than 200 steps");
    assert_eq!(problem(step(0, 50)).unwrap().steps[0].claims.len(), 50);
    assert_eq!(problem(step(0, 51)).unwrap_err(), "more than 50 claims");
}

#[test]
fn no_workload_has_the_name_of_the_steps() {
    says(
        "[[workload]]\npackage = \"step\"",
        &[
            r#"perfplan.toml:2:11: "step" is what the steps of the plan are called"#,
            "  |",
            r#"2 | package = "step""#,
            "  |           ^^^^^^",
            r#"  = help: give it another name: name = "...""#,
        ],
    );
}
