//! What is recommended in the situations that matter, and why.

use super::super::fixture::{Study, example, settings};
use super::super::{Advice, Ground, Reason};

const CASES: [&str; 4] = ["a::x", "a::y", "b::x", "b::y"];

fn reason<'a>(advice: &'a Advice, value: &str) -> &'a Reason {
    advice.recommendation.why.iter().find(|reason| reason.value == value).unwrap()
}

#[test]
fn nothing_is_taken_where_nothing_pays() {
    let mut study = Study::of(&CASES);
    study.cell("lto=fat", |_| Some((-0.005, 0.0001)));
    study.cell("panic=abort", |_| Some((-0.03, 0.05)));
    study.cell("opt-level=s", |_| Some((0.10, 0.01)));
    let advice = study.advise();
    assert!(advice.recommendation.settings.is_empty() && advice.recommendation.expected.is_none());
    let grounds = ["fat", "abort", "s"].map(|value| reason(&advice, value).grounds.clone());
    assert_eq!(grounds, [vec![Ground::WithinTolerance], vec![Ground::Undecided], vec![Ground::Regresses]]);
}

#[test]
fn of_two_values_the_better_is_taken_and_of_two_alike_the_one_that_builds_faster() {
    let mut study = Study::of(&CASES);
    study.costing("lto=thin", [1.3, 1.0, 1.0, 1.0], |_| Some((-0.05, 0.001)));
    study.costing("lto=fat", [2.4, 1.0, 1.0, 1.0], |_| Some((-0.08, 0.001)));
    study.costing("allocator=jemalloc", [1.6, 1.0, 1.0, 1.0], |_| Some((-0.062, 0.004)));
    study.costing("allocator=mimalloc", [1.2, 1.0, 1.0, 1.0], |_| Some((-0.060, 0.004)));
    let advice = study.advise();
    assert_eq!(advice.recommendation.settings, settings("lto=fat allocator=mimalloc"));
    assert_eq!(reason(&advice, "thin").grounds, [Ground::Beaten { by: "fat".to_owned() }]);
    assert_eq!(reason(&advice, "jemalloc").grounds, [Ground::BuildsSlower { than: "mimalloc".to_owned() }]);
    let faster = Ground::BuildsFaster { than: "jemalloc".to_owned() };
    assert_eq!(reason(&advice, "mimalloc").grounds, [Ground::Pays, faster]);
    let order: Vec<&str> = advice.recommendation.why.iter().map(|reason| reason.value.as_str()).collect();
    assert_eq!(order, ["fat", "mimalloc", "thin", "jemalloc"]);
}

#[test]
fn a_value_that_builds_faster_is_taken_only_where_it_is_shown_to_lose_no_more_than_the_tolerance() {
    // By 1 % less than fat, and how much less can't be told well: up to 2.5 % are possible.
    let against_fat = |log: f64, se: f64, build: f64| {
        let mut study = Study::of(&CASES);
        study.costing("lto=fat", [2.0, 1.0, 1.0, 1.0], |_| Some((-0.080, se)));
        study.costing("lto=thin", [build, 1.0, 1.0, 1.0], |_| Some((log, se)));
        study.advise()
    };
    let unclear = against_fat(-0.070, 0.011, 1.3);
    assert_eq!(unclear.recommendation.settings, settings("lto=fat"));
    assert_eq!(reason(&unclear, "thin").grounds, [Ground::Beaten { by: "fat".to_owned() }]);
    assert_eq!(against_fat(-0.078, 0.002, 1.3).recommendation.settings, settings("lto=thin"));
    let hardly_cheaper = against_fat(-0.078, 0.002, 1.9);
    assert_eq!(hardly_cheaper.recommendation.settings, settings("lto=fat"));
    assert_eq!(reason(&hardly_cheaper, "thin").grounds, [Ground::Beaten { by: "fat".to_owned() }]);
    let dearer = against_fat(-0.078, 0.002, 2.4);
    assert_eq!(reason(&dearer, "thin").grounds, [Ground::BuildsSlower { than: "fat".to_owned() }]);
}

#[test]
fn what_was_measured_one_at_a_time_adds_up_on_the_log_scale_with_twice_the_baselines_noise() {
    let mut study = Study::of(&["w::a"]);
    study.costing("lto=fat", [2.0, 0.5, 1.0, 1.0], |_| Some((-0.08, 0.003)));
    study.costing("codegen-units=1", [1.5, 0.8, 1.0, 1.0], |_| Some((-0.04, 0.004)));
    let advice = study.advise();
    let expected = advice.recommendation.expected.as_ref().unwrap();
    // At worst the smaller error is all the baseline's: 0.003^2 + 0.004^2 + 2 * 0.003^2.
    let (change, se) = (expected.change.change, (43e-6_f64).sqrt());
    assert!((change.estimate - (-0.12_f64).exp_m1()).abs() < 1e-9);
    assert!((change.high.ln_1p() - (-0.12 + 1.959_964 * se)).abs() < 1e-6, "{change:?}");
    assert_eq!(expected.measured, None);
    let ratios: Vec<f64> = expected.costs.values().copied().collect();
    assert!(ratios.iter().zip([3.0, 0.4, 1.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{ratios:?}");
    study.costing("lto=fat codegen-units=1", [2.2, 0.45, 1.0, 1.0], |_| Some((-0.115, 0.003)));
    let expected = study.advise().recommendation.expected.unwrap();
    assert_eq!(expected.measured.unwrap().as_str(), "lto=fat+codegen-units=1");
    assert!((expected.change.change.estimate - (-0.115_f64).exp_m1()).abs() < 1e-9);
}

#[test]
fn a_knob_that_helps_overall_and_hurts_one_case_is_taken_only_when_the_gain_is_more_than_the_loss() {
    let hurting = |loss: f64| {
        let mut study = Study::of(&CASES);
        study.cell("target-cpu=native", |case| Some((if case == 3 { loss } else { -0.08 }, 0.002)));
        study.advise()
    };
    let little = hurting(0.03);
    let taken = reason(&little, "native");
    assert!(taken.taken && taken.grounds.contains(&Ground::NotPortable), "{taken:?}");
    assert!(matches!(&taken.grounds[1], Ground::HurtsLess { case, change } if case.case() == "y" && change.low > 0.0));
    let much = hurting(0.09);
    let left = reason(&much, "native");
    assert!(
        !left.taken && matches!(&left.grounds[..], [Ground::Hurts { case, .. }] if case.workload() == "b"),
        "{left:?}"
    );
    let tolerated = hurting(0.009);
    assert_eq!(reason(&tolerated, "native").grounds, [Ground::Pays, Ground::NotPortable]);
}

#[test]
fn a_profile_that_helps_only_where_it_was_trained_is_left() {
    let guided = |trained: &[&str]| {
        let mut study = Study::of(&CASES);
        study.cell("pgo=true", |case| Some((if case % 2 == 0 { -0.20 } else { 0.001 }, 0.001)));
        study.trained_on(trained);
        study.advise()
    };
    let learnt = guided(&["a::x", "b::x"]);
    let left = reason(&learnt, "true");
    assert!(!left.taken && left.change.unwrap().cases == 2, "{left:?}");
    assert_eq!(left.grounds, [Ground::WithinTolerance, Ground::TrainedLeftOut { cases: 2 }]);
    assert!(learnt.effects[0].overall.unwrap().change.estimate < -0.08 && learnt.effects[0].untrained.is_some());
    let fitting = &learnt.fittings[0];
    assert_eq!((fitting.trained.unwrap().cases, fitting.others.unwrap().cases), (2, 2));
    assert!(fitting.difference.unwrap().high < -0.15, "{fitting:?}");
    let all = guided(&CASES);
    assert!(reason(&all, "true").taken && all.fittings[0].others.is_none());
    assert_eq!(reason(&all, "true").grounds, [Ground::Pays, Ground::TrainedOnAll]);
}

#[test]
fn a_baselines_profile_that_a_cell_gives_up_is_judged_by_the_cases_that_it_was_not_trained_on() {
    let mut study = Study::of(&CASES);
    study.cell("pgo=true", |case| Some((if case % 2 == 0 { 0.02 } else { -0.03 }, 0.001)));
    study.trained_on(&["a::x", "b::x"]);
    // The other way round: the baseline is guided, and the cell leaves the knob alone.
    for row in &mut study.judgement.rows {
        std::mem::swap(&mut row.candidate, &mut row.baseline);
    }
    let advice = study.advise();
    let left = reason(&advice, "false");
    assert!(left.taken && left.change.unwrap().cases == 2, "{left:?}");
    assert_eq!((&left.grounds[0], &left.grounds[2]), (&Ground::Pays, &Ground::TrainedLeftOut { cases: 2 }));
    let effect = &advice.effects[0];
    assert!(effect.untrained.is_some() && effect.trained_on == 2, "{effect:?}");
    assert!(advice.fittings.is_empty(), "the cell's own build is guided by nothing");
}

#[test]
fn of_two_knobs_that_do_the_same_work_one_is_taken() {
    let mut study = Study::of(&CASES);
    study.cell("lto=fat", |_| Some((-0.08, 0.001)));
    study.cell("codegen-units=1", |_| Some((-0.05, 0.001)));
    study.cell("lto=fat codegen-units=1", |_| Some((-0.081, 0.001)));
    let advice = study.advise();
    assert_eq!(advice.interactions.len(), 1);
    assert_eq!(advice.recommendation.settings, settings("lto=fat"));
    let left = &reason(&advice, "1").grounds[0];
    assert!(
        matches!(left, Ground::Overlaps { with, left: Some(left) } if with.1 == "fat" && left.high > -0.01),
        "{left:?}"
    );
}

#[test]
fn more_can_be_better() {
    let mut study = Study::of(&CASES);
    study.run.gate.metrics = vec!["throughput".parse().unwrap()];
    study.cell("lto=fat", |_| Some((0.06, 0.001)));
    study.cell("opt-level=s", |_| Some((-0.06, 0.001)));
    study.judgement.rows.iter_mut().for_each(|row| row.metric = "throughput".parse().unwrap());
    assert_eq!(study.advise().recommendation.settings, settings("lto=fat"));
}

#[test]
fn the_example_takes_what_pays() {
    let advice = example().advise();
    let taken = settings("lto=fat codegen-units=1 target-cpu=native allocator=mimalloc pgo=true");
    assert_eq!(advice.recommendation.settings, taken);
    assert!(advice.recommendation.expected.unwrap().change.change.high < -0.15);
}
