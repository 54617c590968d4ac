//! What this machine can see: a small program measured against itself for a few seconds, as a run would.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::compare;
use crate::measure::{Bench, ITSELF, MIXED, Program, Seating, Series, Settings, Starter, Subject, Target};
use crate::process::{Disturbance, Machine};
use crate::samples::{Arm, CaseId, Metric, Record};
use crate::{stats, verdict};

/// Rounds between two looks at the clock.
const ROUNDS: usize = 10;
/// Fewer rounds tell nothing of their spread.
const FEWEST: usize = 10;
/// The error of a whole report.
const LEVEL: f64 = 0.01;
/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sight {
    /// The smallest change, as a share, that `budget` finds 19 times of 20.
    pub visible: f64,
    /// The time of measuring that it is said of.
    pub budget: Duration,
    /// Rounds that it was made out of.
    pub rounds: usize,
}

/// Measures for `time`, and says what `budget` would see.
///
/// # Errors
/// Where this program can't be run as a worker, or the tool is asked to end.
pub fn sight(starter: &mut dyn Starter, time: Duration, budget: Duration) -> Result<Sight> {
    let machine = Machine::this()?;
    machine.pin_controller()?;
    let file = std::env::current_exe().context("finding this program")?;
    let target = Target { batch: Duration::from_millis(1), round: Duration::from_millis(30), duty: 0.8 };
    let settings = Settings {
        cpus: machine.measuring.clone(),
        timeout: PATIENCE,
        target,
        most_layouts: 1,
        seed: fastrand::u64(..),
    };
    let mut disturbance = Disturbance::of(&machine.measuring);
    let programs = vec![Program { file, layouts: None, stream: 0 }];
    let mut bench = Bench::new(starter, programs, settings, Box::new(move || disturbance.read().stolen()));
    let subject = subject()?;
    let (mut measurement, costs) = bench.calibrate(&subject)?;
    let begun = Instant::now();
    while begun.elapsed() < time {
        let series = Series { arms: vec![0, 1], rounds: ROUNDS, variances: None };
        let mut rounds = Vec::new();
        bench.rounds(&subject, &measurement, costs, series, &mut |record| {
            match record {
                Record::Round { round, .. } => rounds.push(round),
                Record::Failure(failure) => anyhow::bail!("{}: {}", failure.what, failure.why),
                _ => {}
            }
            Ok(())
        })?;
        measurement.rounds.extend(rounds);
    }
    let change = compare::within(&measurement, (1, 0), &Metric::wall()).context("no round could be measured")?;
    let spent = begun.elapsed().as_secs_f64();
    let visible = visible_in(&change.logs, spent, budget.as_secs_f64());
    Ok(Sight { visible, budget, rounds: change.rounds() })
}

/// The program on both sides.
fn subject() -> Result<Subject> {
    let env = vec![(ITSELF.to_owned(), "1".to_owned())];
    let arm = |against: Option<usize>| -> Result<Seating> {
        let arm = Arm { against, self_test: true, ..Arm::plain("itself".parse().map_err(anyhow::Error::msg)?) };
        Ok(Seating { arm, program: 0, twin: 0, env: env.clone(), command: None })
    };
    Ok(Subject {
        case: CaseId::new("itself", MIXED).map_err(anyhow::Error::msg)?,
        size: "default".to_owned(),
        threads: 1,
        timeout: PATIENCE,
        arms: vec![arm(None)?, arm(Some(0))?],
    })
}

/// The smallest change, as a share, that is found in `budget` seconds with the error of a whole report for the one row.
///
/// `rounds` are log ratios of a program against itself, one per round, which took `spent` seconds in all; the standard error
/// falls with the root of the time. Infinite where there are fewer than ten rounds or no time was spent.
fn visible_in(rounds: &[f64], spent: f64, budget: f64) -> f64 {
    let sensible = |seconds: f64| seconds > 0.0 && seconds.is_finite();
    match standard_error(rounds) {
        Some(error) if rounds.len() >= FEWEST && sensible(spent) && sensible(budget) => {
            // In a minute rounds are so many that the error is as good as known.
            let error = error * (spent / budget).sqrt();
            stats::smallest_visible(error, f64::INFINITY, LEVEL, verdict::POWER, 0.0).exp_m1()
        }
        _ => f64::INFINITY,
    }
}

/// The standard error of the estimate that verdicts use.
fn standard_error(rounds: &[f64]) -> Option<f64> {
    stats::signed_rank_interval(rounds, LEVEL).map(|estimate| estimate.se)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roughly normal numbers of mean zero: sums of twelve uniform ones have standard deviation 1.
    fn ratios(seed: u64, n: usize, deviation: f64) -> Vec<f64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let normal = |rng: &mut fastrand::Rng| (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        (0..n).map(|_| normal(&mut rng) * deviation).collect()
    }

    #[test]
    fn the_error_is_that_of_the_estimate_over_many_samples() {
        // The estimate's efficiency for normal numbers is 3 / pi.
        let expected = 0.01 * (std::f64::consts::PI / 3.0 / 100.0).sqrt();
        let error = |seed| standard_error(&ratios(seed, 100, 0.01)).unwrap();
        let mean = (0..60).map(error).sum::<f64>() / 60.0;
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean}, not {expected}");
    }

    #[test]
    fn four_times_the_time_sees_half_the_change() {
        let rounds = ratios(5, 80, 0.004);
        let (short, long) = (visible_in(&rounds, 4.0, 15.0), visible_in(&rounds, 4.0, 60.0));
        assert!((short.ln_1p() / long.ln_1p() - 2.0).abs() < 1e-9, "{short} {long}");
        assert!((0.0003..0.001).contains(&long), "{long}");
    }

    #[test]
    fn a_few_disturbed_rounds_count_for_little() {
        let mut rounds = ratios(7, 100, 0.004);
        let plain = visible_in(&rounds, 4.0, 60.0);
        rounds[..3].fill(0.5);
        assert!(visible_in(&rounds, 4.0, 60.0) < 1.3 * plain);
    }

    #[test]
    fn too_little_to_tell_from_sees_nothing() {
        assert_eq!(visible_in(&[0.0; 9], 1.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[0.0; 20], 0.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[f64::NAN; 20], 1.0, 60.0), f64::INFINITY);
        assert_eq!(visible_in(&[0.001; 20], 1.0, 60.0), 0.0);
    }
}
