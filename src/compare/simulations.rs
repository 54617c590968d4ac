//! What the choice of a level promises, checked on simulated rounds. Seeds are fixed; bounds leave three to four standard
//! deviations of the simulation itself.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::{Change, Level, within};
use crate::samples::{Arm, ArmRound, Measurement, Metric, Round};

/// How a round of a simulated case comes about: its processes' levels, and what disturbs a batch.
#[derive(Clone, Copy)]
struct Case {
    /// Standard deviation between processes, log scale.
    processes: f64,
    /// The share of batches that a neighbour disturbs, and by how much at most, one-sided.
    disturbed: (f64, f64),
    /// Standard deviation between undisturbed batches, both sides.
    batches: f64,
}

fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

impl Case {
    fn process(self, arm: usize, level: f64, rng: &mut Rng) -> ArmRound {
        let level = level + self.processes * normal(rng);
        let batch = |rng: &mut Rng| {
            let disturbance = if rng.f64() < self.disturbed.0 { self.disturbed.1 * rng.f64() } else { 0.0 };
            1e6 * (level + disturbance + self.batches * normal(rng)).exp()
        };
        let wall: Vec<f64> = (0..10).map(|_| batch(rng)).collect();
        let batches = [(Metric::wall(), wall)].into();
        ArmRound { arm, layout: None, checksum: String::new(), batches, process: BTreeMap::new() }
    }

    /// What rounds of two arms show, of which the second does `more` more.
    fn change(self, rounds: usize, more: f64, rng: &mut Rng) -> Change {
        let round = |rng: &mut Rng| Round {
            elapsed_ns: 0,
            inside_ns: 0,
            dropped: 0,
            arms: vec![self.process(0, 0.0, rng), self.process(1, more, rng)],
        };
        let arm = |against| Arm { against, ..Arm::plain("release".parse().unwrap()) };
        let measurement = Measurement {
            case: "simulated::case".parse().unwrap(),
            part: None,
            arms: vec![arm(None), arm(Some(0))],
            iterations: 1,
            warm_up: 0,
            threads: 1,
            rounds: (0..rounds).map(|_| round(rng)).collect(),
            counted: Vec::new(),
            observed: Vec::new(),
            absent: BTreeMap::new(),
            profiles: Vec::new(),
        };
        within(&measurement, (1, 0), &Metric::wall()).unwrap()
    }
}

const SHARED: Case = Case { processes: 0.002, disturbed: (0.5, 0.1), batches: 0.001 };
const ROUGH: Case = Case { processes: 0.01, disturbed: (0.0, 0.0), batches: 0.03 };
const CALM: Case = Case { processes: 0.001, disturbed: (0.1, 0.02), batches: 0.001 };

#[test]
fn choosing_the_steadiest_level_makes_no_false_alarms_beyond_the_promised() {
    let mut rng = Rng::with_seed(21);
    for case in [SHARED, ROUGH, CALM] {
        for (rounds, trials) in [(20, 6_000), (40, 3_000)] {
            let ps: Vec<f64> = (0..trials).map(|_| case.change(rounds, 0.0, &mut rng).p(rounds)).collect();
            for alpha in [0.05, 0.005] {
                let rate = ps.iter().filter(|p| **p <= alpha).count() as f64 / f64::from(trials);
                assert!(rate < alpha + 3.5 * (alpha / f64::from(trials)).sqrt(), "{rounds} rounds at {alpha}: {rate}");
            }
        }
    }
}

#[test]
fn every_level_shows_the_change_that_there_is() {
    let mut rng = Rng::with_seed(22);
    for case in [SHARED, ROUGH, CALM] {
        let found: Vec<f64> =
            (0..60).map(|_| case.change(40, 0.01, &mut rng).estimate(40, 0.01).unwrap().mean).collect();
        let mean = found.iter().sum::<f64>() / 60.0;
        assert!((mean - 0.01).abs() < 0.001, "{mean}");
    }
}

#[test]
fn neighbours_that_disturb_half_of_the_batches_hardly_widen_the_interval() {
    let mut rng = Rng::with_seed(23);
    let width = |case: Case, rng: &mut Rng| {
        let change = case.change(80, 0.0, rng);
        (change.level, change.estimate(80, 0.01).unwrap().half_width())
    };
    let (level, disturbed) = width(SHARED, &mut rng);
    let (_, alone) = width(Case { disturbed: (0.0, 0.0), ..SHARED }, &mut rng);
    assert_eq!(level, Level::FastestQuarter);
    assert!(disturbed < 1.5 * alone, "{disturbed} against {alone}");
    assert_eq!(width(ROUGH, &mut rng).0, Level::MiddleHalf);
}
