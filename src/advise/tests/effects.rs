//! Effects and interactions, simulated: the intervals keep what they promise.

use fastrand::Rng;

use super::super::fixture::{Study, normal, settings};
use super::super::{Advice, Cost, Effect, Interaction, Meaning};
use crate::verdict::Relative;

const CASES: [&str; 4] = ["a::x", "a::y", "a::z", "b::x"];

fn effect<'a>(advice: &'a Advice, knob: &str, value: &str) -> &'a Effect {
    advice.effects.iter().find(|effect| effect.knob == knob && effect.value == value).unwrap()
}

fn is_pair(pair: &Interaction, one: &str, other: &str) -> bool {
    let values = [pair.one.1.as_str(), pair.other.1.as_str()];
    values == [one, other] || values == [other, one]
}

fn covers(change: Relative, log: f64) -> bool {
    change.low <= log.exp_m1() && log.exp_m1() <= change.high
}

/// The noise of a round's arms: the baseline's is in every change.
struct Noise {
    rng: Rng,
    se: f64,
    baseline: Vec<f64>,
}

impl Noise {
    /// Half of every change's variance is the baseline's.
    fn of(seed: u64, se: f64) -> Self {
        Self { rng: Rng::with_seed(seed), se, baseline: Vec::new() }
    }

    fn draw(&mut self) -> f64 {
        self.se / 2.0_f64.sqrt() * normal(&mut self.rng)
    }

    fn begin(&mut self) {
        self.baseline = (0..CASES.len()).map(|_| 0.0).collect();
        for case in 0..CASES.len() {
            self.baseline[case] = self.draw();
        }
    }

    fn change(&mut self, case: usize, truth: f64) -> Option<(f64, f64)> {
        Some((truth + self.draw() - self.baseline[case], self.se))
    }
}

/// The truth that the simulations draw from: effects that differ by workload, and one pair that does not add up.
fn truth(cell: &str, case: usize) -> f64 {
    let has = |setting: &str| cell.split(' ').any(|part| part == setting);
    let scale = if case < 3 { 1.0 } else { 2.0 };
    let mut log = 0.0;
    for (setting, change) in [("lto=fat", -0.06), ("lto=thin", -0.03), ("pgo=true", -0.04), ("panic=abort", 0.01)] {
        log += if has(setting) { scale * change } else { 0.0 };
    }
    log + if has("lto=fat") && has("pgo=true") { 0.05 } else { 0.0 }
}

fn simulated(noise: &mut Noise, cells: &[&str]) -> Advice {
    noise.begin();
    let mut study = Study::of(&CASES);
    for cell in cells {
        study.cell(cell, |case| noise.change(case, truth(cell, case)));
    }
    study.advise()
}

const ONE_AT_A_TIME: [&str; 4] = ["lto=fat", "lto=thin", "pgo=true", "panic=abort"];

fn full() -> Vec<String> {
    let mut cells = Vec::new();
    for lto in ["", "lto=fat", "lto=thin"] {
        for pgo in ["", "pgo=true"] {
            for panic in ["", "panic=abort"] {
                cells.push([lto, pgo, panic].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" "));
            }
        }
    }
    cells.into_iter().skip(1).collect()
}

#[test]
fn intervals_of_one_knob_at_a_time_miss_one_time_in_twenty() {
    let mut noise = Noise::of(1, 0.02);
    let (mut overall, mut per_workload) = (0, 0);
    const TRIALS: usize = 1_000;
    for _ in 0..TRIALS {
        let advice = simulated(&mut noise, &ONE_AT_A_TIME);
        let fat = effect(&advice, "lto", "fat");
        // Every workload weighs the same: (-0.06 - 0.12) / 2.
        overall += usize::from(covers(fat.overall.unwrap().change, -0.09));
        per_workload += usize::from(covers(fat.workloads["b"].change, -0.12));
        assert_eq!((fat.meaning, fat.overall.unwrap().cases, advice.pairs), (Meaning::Alone, 4, 0));
    }
    for covered in [overall, per_workload] {
        assert!((930..=970).contains(&covered), "{covered} of {TRIALS}");
    }
}

#[test]
fn intervals_of_a_full_design_cover_the_average_effect_at_least_as_often_as_promised() {
    let (mut noise, cells) = (Noise::of(2, 0.015), full());
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let (mut covered, mut found, mut alarms) = ([0; 3], 0, 0);
    const TRIALS: usize = 600;
    for _ in 0..TRIALS {
        let advice = simulated(&mut noise, &cells);
        // With half of the cells guided, the pair's 0.05 counts half.
        for (at, (knob, value, log)) in
            [("lto", "fat", -0.09 + 0.025), ("pgo", "true", -0.06 + 0.05 / 3.0), ("panic", "abort", 0.015)]
                .iter()
                .enumerate()
        {
            let effect = effect(&advice, knob, value);
            assert_eq!(effect.meaning, Meaning::Average);
            covered[at] += usize::from(covers(effect.overall.unwrap().change, *log));
        }
        let pairs = advice.interactions.iter();
        let real = pairs.filter(|pair| is_pair(pair, "fat", "true")).count();
        found += real;
        alarms += usize::from(advice.interactions.len() > real);
        assert_eq!(advice.pairs, 5, "fat and thin with pgo and abort, pgo with abort");
    }
    // How much of the noise is shared is not known, and the bound for it costs some width: see `contrast.rs`.
    assert!(covered.iter().all(|covered| (570..=600).contains(covered)), "{covered:?} of {TRIALS}");
    assert!(found > 570 && alarms <= 30, "found {found} times, {alarms} others");
}

/// How often the intervals of a full design of one case hold the truth, of 200 times, when processes of the baseline spread
/// by the first number and all others by the second: for one value of each knob.
fn coverage(seed: u64, (baseline, candidates): (f64, f64)) -> [usize; 3] {
    let (mut rng, cells) = (Rng::with_seed(seed), full());
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let mut covered = [0; 3];
    for _ in 0..200 {
        let study = Study::measured(&CASES[..1], &cells, 40, |arm, case| match arm.checked_sub(1) {
            None => baseline * normal(&mut rng),
            Some(cell) => truth(cells[cell], case) + candidates * normal(&mut rng),
        });
        let advice = study.advise();
        let truths = [("lto", "fat", -0.06 + 0.025), ("pgo", "true", -0.04 + 0.05 / 3.0), ("panic", "abort", 0.01)];
        for (covered, (knob, value, log)) in covered.iter_mut().zip(truths) {
            *covered += usize::from(covers(effect(&advice, knob, value).overall.unwrap().change, log));
        }
    }
    covered
}

#[test]
fn intervals_of_a_full_design_miss_one_time_in_twenty_where_the_rounds_tell_what_is_shared() {
    for (seed, spreads) in [(3, (0.02, 0.01)), (4, (0.01, 0.01)), (5, (0.0, 0.02))] {
        let covered = coverage(seed, spreads);
        assert!(covered.iter().all(|covered| (182..=198).contains(covered)), "{covered:?} of 200 at {spreads:?}");
    }
}

#[test]
fn the_interval_of_one_case_after_ten_rounds_misses_one_time_in_twenty() {
    let mut rng = Rng::with_seed(9);
    let mut covered = 0;
    for _ in 0..500 {
        let study = Study::measured(&CASES[..1], &["lto=fat"], 10, |_, _| 0.01 * normal(&mut rng));
        covered += usize::from(covers(effect(&study.advise(), "lto", "fat").overall.unwrap().change, 0.0));
    }
    assert!((465..=485).contains(&covered), "{covered} of 500");
}

#[test]
fn a_full_design_gives_the_difference_of_means_and_the_pair_exactly() {
    let cells = full();
    let mut study = Study::of(&CASES);
    for cell in &cells {
        study.cell(cell, |case| Some((truth(cell, case), 1e-6)));
    }
    let advice = study.advise();
    let close = |found: f64, log: f64| (found - log.exp_m1()).abs() < 1e-9;
    assert!(close(effect(&advice, "lto", "fat").overall.unwrap().change.estimate, -0.065));
    assert!(close(effect(&advice, "lto", "thin").workloads["a"].change.estimate, -0.03));
    assert_eq!(advice.interactions.len(), 1, "{:?}", advice.interactions);
    let pair = &advice.interactions[0];
    assert!(close(pair.change.estimate, 0.05) && pair.cases == 4, "{pair:?}");
    assert!(is_pair(pair, "fat", "true"), "{pair:?}");
}

#[test]
fn a_half_fraction_says_that_pairs_may_be_mixed_in() {
    // c is a x b: what a and b do together can't be told from what c does.
    let mut study = Study::of(&CASES);
    for cell in ["a=1 b=1", "a=1 c=1", "b=1 c=1"] {
        study.cell(cell, |_| Some((-0.02 * cell.split(' ').count() as f64, 0.001)));
    }
    let advice = study.advise();
    assert!(advice.effects.iter().all(|effect| effect.meaning == Meaning::Mixed), "{:?}", advice.effects);
    assert!(advice.effects.iter().all(|effect| covers(effect.overall.unwrap().change, -0.02)));
    assert_eq!((advice.pairs, advice.interactions.len()), (0, 0));
}

#[test]
fn four_knobs_in_eight_cells_are_clear_of_pairs() {
    // d = a x b x c: resolution four. One pair that does not add up leaves every effect as it is on average.
    let mut study = Study::of(&CASES);
    for cell in ["a=1 d=1", "b=1 d=1", "c=1 d=1", "a=1 b=1", "a=1 c=1", "b=1 c=1", "a=1 b=1 c=1 d=1"] {
        let settings = settings(cell);
        let log = -0.01 * settings.len() as f64
            + if settings.contains_key("a") && settings.contains_key("b") { 0.04 } else { 0.0 };
        study.cell(cell, |_| Some((log, 0.0001)));
    }
    let advice = study.advise();
    for (knob, log) in [("a", 0.01), ("b", 0.01), ("c", -0.01), ("d", -0.01)] {
        let effect = effect(&advice, knob, "1");
        assert_eq!(effect.meaning, Meaning::Average);
        assert!(covers(effect.overall.unwrap().change, log), "{effect:?}");
    }
    assert_eq!(advice.pairs, 0, "six pairs share three columns");
}

#[test]
fn a_case_that_failed_under_one_value_is_left_out_of_its_knob_and_of_no_other() {
    let mut study = Study::of(&CASES);
    study.cell("lto=thin", |case| Some((if case == 0 { 0.5 } else { -0.02 }, 0.001)));
    study.cell("lto=fat", |case| (case != 0).then_some((-0.04, 0.001)));
    study.cell("panic=abort", |_| Some((0.0, 0.001)));
    let advice = study.advise();
    let (thin, abort) = (effect(&advice, "lto", "thin"), effect(&advice, "panic", "abort"));
    assert_eq!((thin.overall.unwrap().cases, abort.overall.unwrap().cases), (3, 4));
    assert!(covers(thin.overall.unwrap().change, -0.02));
    assert_eq!((advice.cases, advice.complete), (4, 3));
}

#[test]
fn the_same_code_is_no_change_without_error_and_costs_are_ratios() {
    let mut study = Study::of(&CASES);
    study.costing("panic=abort", [0.5, 0.8, 0.9, 1.25], |_| Some((0.0, 0.0)));
    let advice = study.advise();
    let abort = effect(&advice, "panic", "abort");
    assert_eq!(abort.overall.unwrap().change, Relative { estimate: 0.0, low: 0.0, high: 0.0 });
    let expected = [(Cost::BuildCpu, 0.5), (Cost::BinaryFile, 0.8), (Cost::BinaryText, 0.9), (Cost::RssPeak, 1.25)];
    assert!(expected.iter().all(|(cost, ratio)| (abort.costs[cost] - ratio).abs() < 1e-12), "{:?}", abort.costs);
}

#[test]
fn a_cost_that_was_not_measured_is_not_there() {
    let mut study = Study::of(&CASES);
    study.cell("lto=fat", |_| Some((-0.05, 0.01)));
    study.judgement.rows.iter_mut().for_each(|row| row.candidate.sizes.clear());
    let advice = study.advise();
    assert_eq!(effect(&advice, "lto", "fat").costs.keys().collect::<Vec<_>>(), [&Cost::RssPeak]);
    assert_eq!(advice.cells[0].costs.keys().collect::<Vec<_>>(), [&Cost::RssPeak]);
    assert!(advice.cells.iter().all(|cell| cell.front.is_empty()));
}

#[test]
fn a_knob_that_the_baseline_sets_and_a_cell_leaves_alone_is_named() {
    let mut study = Study::of(&CASES);
    study.cell("lto=fat", |_| Some((0.03, 0.001)));
    study.judgement.rows.iter_mut().for_each(|row| row.baseline.knobs = settings("lto=fat pgo=true"));
    let advice = study.advise();
    let pgo = effect(&advice, "pgo", "false");
    assert_eq!((pgo.from.as_deref(), advice.effects.len()), (Some("true"), 1));
}

#[test]
fn other_revisions_and_drills_are_no_knobs() {
    let mut study = Study::of(&CASES);
    study.cell("lto=fat", |_| Some((-0.03, 0.001)));
    study.judgement.rows[0].candidate.revision = "0123".to_owned();
    study.judgement.rows[1].candidate.handicap = 0.02;
    assert_eq!(effect(&study.advise(), "lto", "fat").overall.unwrap().cases, 2);
    study.judgement.rows.clear();
    let nothing = study.advise();
    assert!(nothing.effects.is_empty() && nothing.recommendation.settings.is_empty());
}
