//! The Pareto fronts, against every pair tried out.

use super::super::Cost;
use super::super::fixture::{Study, example};

#[test]
fn the_front_is_what_nothing_dominates() {
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..60 {
        let se = [1e-9, 0.01, 0.05][rng.usize(..3)];
        let mut drawn = vec![(0.0, 1.0, 0.0)];
        let mut study = Study::of(&["w::a"]);
        for cell in 0..rng.usize(1..12) {
            let (log, build) = (-0.2 * rng.f64(), [0.5, 1.0, 1.5, 2.0][rng.usize(..4)]);
            study.costing(&format!("k=v{cell}"), [build, 1.0, 1.0, 1.0], |_| Some((log, se)));
            drawn.push((log, build, se));
        }
        let advice = study.advise();
        for (at, (log, build, se)) in drawn.iter().enumerate() {
            let dominated = drawn.iter().enumerate().any(|(by, (other, cost, error))| {
                let clearly = log - other > 1.96 * se.hypot(*error);
                by != at && other <= log && cost <= build && (clearly || cost < build)
            });
            assert_eq!(advice.cells[at].front.contains(&Cost::BuildCpu), !dominated, "{at} of {drawn:?}");
        }
    }
}

#[test]
fn a_cell_within_noise_is_not_beaten_by_time_alone() {
    let mut study = Study::of(&["w::a"]);
    study.costing("lto=thin", [2.0, 1.0, 1.0, 1.0], |_| Some((-0.10, 0.01)));
    study.costing("lto=fat", [2.0, 1.0, 1.0, 1.0], |_| Some((-0.11, 0.01)));
    let front = |study: &Study| {
        study.advise().cells.iter().map(|cell| cell.front.contains(&Cost::BuildCpu)).collect::<Vec<_>>()
    };
    assert_eq!(front(&study), [true, true, true]);
    study.costing("lto=off", [2.0, 1.0, 1.0, 1.0], |_| Some((-0.20, 0.01)));
    assert_eq!(front(&study), [true, false, false, true]);
}

#[test]
fn cells_are_compared_over_the_cases_that_both_have() {
    // fat looks better for having failed where nothing is to be gained.
    let mut study = Study::of(&["w::a", "w::b"]);
    study.costing("lto=thin", [1.5, 1.0, 1.0, 1.0], |case| Some((if case == 0 { -0.2 } else { 0.0 }, 0.001)));
    study.costing("lto=fat", [2.0, 1.0, 1.0, 1.0], |case| (case == 0).then_some((-0.15, 0.001)));
    let advice = study.advise();
    assert!(advice.cells[2].overall.unwrap().change.estimate < advice.cells[1].overall.unwrap().change.estimate);
    assert!(advice.cells[2].front.is_empty() && !advice.cells[1].front.is_empty());
}

#[test]
fn the_baseline_is_a_cell_like_any_other() {
    let advice = example().advise();
    let baseline = &advice.cells[0];
    assert_eq!((baseline.variant.as_ref(), baseline.costs[&Cost::BuildCpu]), (None, 1.0));
    assert_eq!(baseline.overall.unwrap().change.estimate, 0.0);
    assert!(baseline.front.is_empty(), "panic=abort builds faster and is no slower: {baseline:?}");
}
