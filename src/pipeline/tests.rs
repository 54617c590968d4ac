//! The chain from rounds to verdicts, with scripted workers in place of processes: no clock, no builds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use perfplan_harness::protocol::{Command, Reply, Sample};

use super::{Outcome, Session};
use crate::measure::{Bench, Program, Seat, Seating, Settings, Starter, Subject, Target, Worker};
use crate::process::Usage;
use crate::progress::Silent;
use crate::samples::{Arm, CaseId, Environment, FORMAT, Gate, Review, Run};
use crate::store::Runs;
use crate::verdict::Verdict;

/// How a program behaves.
#[derive(Clone, Copy, Debug, Default)]
struct Behaviour {
    /// How much slower than the others it is.
    slower: f64,
    /// The checksum that it reports.
    checksum: u64,
    /// After how many batches it panics.
    panics_after: Option<usize>,
}

/// Starts scripted workers; the program's path says which behaviour.
struct Script {
    behaviours: BTreeMap<PathBuf, Behaviour>,
    rng: Rng,
    batches: usize,
}

struct Scripted {
    behaviour: Behaviour,
    /// What this process is slower than the average of its program.
    level: f64,
    rng: Rng,
    last: Option<Command>,
    handicap: f64,
    batches: usize,
}

fn noise(rng: &mut Rng, sd: f64) -> f64 {
    sd * ((0..12).map(|_| rng.f64()).sum::<f64>() - 6.0)
}

impl Starter for Script {
    fn start(&mut self, seat: &Seat<'_>) -> Result<Box<dyn Worker>> {
        let Some(behaviour) = self.behaviours.get(seat.program) else { bail!("no such program") };
        let level = noise(&mut self.rng, 0.01);
        self.batches += 1;
        let rng = Rng::with_seed(self.rng.u64(..));
        Ok(Box::new(Scripted { behaviour: *behaviour, level, rng, last: None, handicap: 0.0, batches: 0 }))
    }
}

impl Worker for Scripted {
    fn pid(&self) -> u32 {
        0
    }

    fn send(&mut self, command: &Command) -> Result<()> {
        self.last = Some(command.clone());
        Ok(())
    }

    fn receive(&mut self) -> Result<Reply> {
        match self.last.take() {
            Some(Command::Setup { handicap, .. }) => {
                self.handicap = handicap;
                Ok(Reply::Ready { counters: "ok".to_owned() })
            }
            Some(Command::Batch(n)) => {
                self.batches += 1;
                if self.behaviour.panics_after.is_some_and(|after| self.batches > after) {
                    bail!("panicked: as the script says");
                }
                let factor = 1.0 + self.behaviour.slower + self.handicap + self.level + noise(&mut self.rng, 0.01);
                let values = vec![("wall".to_owned(), 10_000.0 * n as f64 * factor)];
                Ok(Reply::Sample(Sample { checksum: self.behaviour.checksum, values }))
            }
            Some(Command::Count(_)) => {
                let values = vec![("alloc.count".to_owned(), 3.0)];
                Ok(Reply::Sample(Sample { checksum: self.behaviour.checksum, values }))
            }
            other => bail!("the script does not know {other:?}"),
        }
    }

    fn end(self: Box<Self>) -> Result<Usage> {
        Ok(Usage::default())
    }
}

fn arm(variant: &str, code: &str, against: Option<usize>) -> Arm {
    Arm { code: code.to_owned(), against, ..Arm::plain(variant.parse().unwrap()) }
}

fn subject(case: &str, arms: &[Arm]) -> Subject {
    let seat =
        |(at, arm): (usize, &Arm)| Seating { arm: arm.clone(), program: at, twin: at, env: Vec::new(), command: None };
    let arms = arms.iter().enumerate().map(seat).collect();
    Subject { case: case.parse().unwrap(), size: "quick".to_owned(), threads: 1, timeout: Duration::from_secs(1), arms }
}

fn run_of(cases: Vec<CaseId>) -> Run {
    Run {
        format: FORMAT,
        id: "20260101-000000-abc".parse().unwrap(),
        started: 0,
        tool: "test".to_owned(),
        commit: None,
        against: "variant a".to_owned(),
        asked: String::new(),
        environment: Environment::default(),
        gate: Gate::default(),
        cases,
        steps: Vec::new(),
        measurements: Vec::new(),
        failures: Vec::new(),
        skipped: Vec::new(),
        review: Review::default(),
        divided: None,
        complete: false,
    }
}

/// Measures `subjects` with these programs, and says how many processes were started.
fn measured(behaviours: &[Behaviour], subjects: &[Subject]) -> (Outcome, usize) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..behaviours.len()).map(|at| PathBuf::from(format!("/program/{at}"))).collect();
    let behaviours = files.iter().cloned().zip(behaviours.iter().copied()).collect();
    let mut script = Script { behaviours, rng: Rng::with_seed(3), batches: 0 };
    let programs = files.into_iter().map(|file| Program { file, layouts: None, stream: 0 }).collect();
    let settings = Settings {
        cpus: vec![0],
        timeout: Duration::from_secs(1),
        target: Target { batch: Duration::from_millis(1), round: Duration::from_millis(20), duty: 0.9 },
        most_layouts: 8,
        seed: 1,
    };
    let cases = subjects.iter().map(|subject| subject.case.clone()).collect();
    let journal = Runs::at(folder.path().join("runs")).begin(&run_of(cases)).unwrap();
    let mut silent = Silent;
    let mut session = Session::new(journal, Duration::from_secs(3_600), &mut silent);
    let ended = {
        let mut bench = Bench::new(&mut script, programs, settings, Box::new(|| 0));
        session.measure(&mut bench, subjects)
    };
    (session.close(ended).unwrap(), script.batches)
}

fn verdicts(outcome: &Outcome) -> Vec<Verdict> {
    outcome.judgement.rows.iter().map(|row| row.verdict).collect()
}

#[test]
fn a_slower_a_faster_and_an_equal_build_get_their_verdicts_and_no_more_rounds_than_needed() {
    let behaviours = [0.0, 0.05, -0.05, 0.0].map(|slower| Behaviour { slower, ..Behaviour::default() });
    let arms = [arm("a", "1", None), arm("b", "2", Some(0)), arm("c", "3", Some(0)), arm("d", "4", Some(0))];
    let (outcome, _) = measured(&behaviours, &[subject("w::x", &arms)]);
    assert_eq!(verdicts(&outcome), [Verdict::Regressed, Verdict::Improved, Verdict::Unchanged]);
    let rounds: Vec<usize> = outcome.judgement.rows.iter().map(|row| row.rounds).collect();
    assert!(rounds[0] < rounds[2], "the clear change was measured as long as the equal build: {rounds:?}");
    assert!(outcome.run.complete);
    assert_eq!(outcome.run.measurements[0].counted[0].values().next().unwrap(), &[3.0, 3.0, 3.0]);
}

#[test]
fn equal_machine_code_is_not_measured() {
    let arms = [arm("a", "same", None), arm("b", "same", Some(0))];
    let (outcome, started) = measured(&[Behaviour::default(); 2], &[subject("w::x", &arms)]);
    assert_eq!(verdicts(&outcome), [Verdict::Unchanged]);
    assert_eq!(started, 3, "only calibration starts processes");
}

#[test]
fn a_handicap_is_found_though_the_code_is_the_same() {
    let candidate = Arm { handicap: 0.03, ..arm("a", "same", Some(0)) };
    let (outcome, _) = measured(&[Behaviour::default(); 2], &[subject("w::x", &[arm("a", "same", None), candidate])]);
    assert_eq!(verdicts(&outcome), [Verdict::Regressed]);
    let estimate = outcome.judgement.rows[0].change.unwrap().estimate;
    assert!((estimate - 0.03).abs() < 0.01, "{estimate}");
}

#[test]
fn other_results_are_a_failure_of_that_arm_and_the_others_go_on() {
    let wrong = Behaviour { checksum: 7, ..Behaviour::default() };
    let slow = Behaviour { slower: 0.05, ..Behaviour::default() };
    let arms = [arm("a", "1", None), arm("b", "2", Some(0)), arm("c", "3", Some(0))];
    let (outcome, _) = measured(&[Behaviour::default(), wrong, slow], &[subject("w::x", &arms)]);
    assert_eq!(verdicts(&outcome), [Verdict::Regressed]);
    assert_eq!(outcome.run.failures.len(), 1);
    let failure = &outcome.run.failures[0];
    assert!(failure.what.contains("variant b") && failure.why.contains("results differ"), "{failure:?}");
}

#[test]
fn an_arm_that_panics_half_way_leaves_and_the_next_case_is_measured() {
    let breaks = Behaviour { panics_after: Some(10), ..Behaviour::default() };
    let arms = [arm("a", "1", None), arm("b", "2", Some(0))];
    let (outcome, _) = measured(&[Behaviour::default(), breaks], &[subject("w::x", &arms), subject("w::y", &arms)]);
    assert_eq!(outcome.run.failures.len(), 2, "one per case");
    assert!(outcome.judgement.rows.is_empty());
    assert!(outcome.run.complete, "the run ends in order");
}

#[test]
fn a_baseline_that_can_not_be_run_loses_its_case_alone() {
    let dead = Behaviour { panics_after: Some(0), ..Behaviour::default() };
    let arms = [arm("a", "1", None), arm("b", "2", Some(0))];
    let mut other = subject("w::y", &arms);
    other.arms[0].program = 1;
    let (outcome, _) =
        measured(&[dead, Behaviour { slower: 0.05, ..Behaviour::default() }], &[subject("w::x", &arms), other]);
    assert_eq!(outcome.judgement.missing, ["w::x".parse().unwrap()]);
    assert_eq!(outcome.judgement.rows.len(), 1);
}
