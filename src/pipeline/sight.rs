//! What this machine can see: a small program measured against itself for a few seconds, as a run would.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::compare;
use crate::doctor;
use crate::measure::{Bench, ITSELF, MIXED, Program, Seating, Series, Settings, Starter, Subject, Target};
use crate::process::{Disturbance, Machine};
use crate::samples::{Arm, CaseId, Metric, Record};

/// Rounds between two looks at the clock.
const ROUNDS: usize = 10;
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
    let visible = doctor::visible_in(&change.logs, spent, budget.as_secs_f64());
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
