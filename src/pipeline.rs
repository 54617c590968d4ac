//! The whole chain on one page: plan, build, measure, judge, report.
//!
//! ```text
//!   perfplan.toml      cargo            workers in lockstep                    two files or one
//!      plan ──> matrix ──> build ──> measure ──┐                  ┌── compare ──> verdict ──> report
//!                                              └── samples::Run ──┘
//!                                                   store: journal, run.json, baselines in git
//! ```

mod agenda;
mod asked;
mod divided;
mod evidence;
mod exact;
mod explain;
mod import;
mod lint;
mod manifests;
mod pictures;
mod prepare;
mod preview;
mod profile;
mod publish;
mod request;
mod review;
mod sampling;
mod seats;
mod selftest;
mod sight;
mod stage;
mod steps;
#[cfg(test)]
mod tests;
mod training;
mod tune;
mod wants;
mod yard;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

pub use import::{Imported, import_k6};
pub use lint::builds;
pub use manifests::apply;
pub use preview::{Built, Preview, State, build, preview};
pub use profile::{Profiled, Profiling, Side, Subjected, profile};
pub use publish::{Published, letter, made_elsewhere, made_here};
pub use request::{Request, Resume, Usage};
pub use selftest::{Kind, SelfTest, Trial, selftest};
pub use sight::{Sight, sight};
pub use tune::{Confirmed, Tuned, Tuning, tune};

use evidence::Evidence;
use sampling::Stacks;
use wants::Wants;

use crate::compare;
use crate::measure::{Bench, Costs, Series, Starter, Subject};
use crate::process::Interrupted;
use crate::progress::{Event, Listener};
use crate::samples::{CaseId, Failure, Measurement, Record, Run};
use crate::stats::Components;
use crate::store::Journal;
use crate::verdict::{self, Judge, Judgement};

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// All that was recorded.
    pub run: Run,
    /// What is said of it.
    pub judgement: Judgement,
    /// The run's folder.
    pub folder: PathBuf,
    /// Whether it was broken off: what was measured is kept, and `--resume` goes on.
    pub interrupted: bool,
}

/// Runs what was asked: builds, measures round after round where rows are undecided, and judges.
///
/// # Errors
/// Where the plan or the request is wrong ([`Usage`]), or the machine does not let the tool work. What can't be built or
/// measured is no error but a failure in the run.
pub fn run(request: &Request, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Outcome> {
    let prepared = prepare::prepare(request, starter, listener)?;
    let (mut bench, placed) = prepare::bench(&prepared, starter, false)?;
    let chosen = prepare::subjects(&prepared, &mut bench, &placed, None)?;
    let journal = prepare::begin(&prepared, &chosen)?;
    let mut session = Session::new(journal, prepared.budget, listener);
    let measured = session.measure(&mut bench, &chosen.subjects);
    // Of a matrix, every cell is a change, and which to take is not a question of why.
    let asks_why = !request.matrix && request.these.is_empty();
    let ended = measured.and_then(|()| if asks_why { session.explain(&mut bench, &chosen.subjects) } else { Ok(()) });
    session.close(ended)
}

/// Measuring under way: the run as it grows in its journal, what is said of it so far, and the budget.
struct Session<'s> {
    journal: Journal,
    judge: Judge,
    judgement: Judgement,
    budget: Duration,
    /// The most that any one case may have of it.
    per_case: Duration,
    begun: Instant,
    listener: &'s mut dyn Listener,
}

impl<'s> Session<'s> {
    fn new(journal: Journal, budget: Duration, listener: &'s mut dyn Listener) -> Self {
        let mut judge = Judge::default();
        let judgement = judge.judge(journal.run());
        Self { journal, judge, judgement, budget, per_case: Duration::MAX, begun: Instant::now(), listener }
    }

    /// Calibrates all cases, then gives rounds to where rows are undecided until none is or the budget is spent.
    fn measure(&mut self, bench: &mut Bench<'_>, subjects: &[Subject]) -> Result<()> {
        let costs = subjects.iter().map(|subject| self.calibrate(bench, subject)).collect::<Result<Vec<_>>>()?;
        self.begun = Instant::now(); // The budget is for timed rounds; calibrating, counting and sampling come on top.
        while let Some(turn) = self.next(subjects, &costs) {
            self.tell();
            let (subject, cost) = (&subjects[turn.case], costs[turn.case]);
            if let (Some(cost), Some(measurement)) = (cost, self.journal.run().measurement(&subject.case).cloned()) {
                let variances = variances(self.journal.run(), &measurement);
                let series = Series { arms: turn.arms, rounds: turn.rounds, variances };
                bench.rounds(subject, &measurement, cost, series, &mut |record| self.keep(record))?;
            }
            self.judgement = self.judge.judge(self.journal.run());
        }
        subjects.iter().try_for_each(|subject| self.count(bench, subject))
    }

    fn next(&self, subjects: &[Subject], costs: &[Option<Costs>]) -> Option<agenda::Turn> {
        let broken = subjects.iter().zip(costs).filter(|(_, cost)| cost.is_none());
        let given_up: Vec<CaseId> = broken.map(|(subject, _)| subject.case.clone()).collect();
        let purse = agenda::Purse { left: self.budget.saturating_sub(self.begun.elapsed()), per_case: self.per_case };
        agenda::next(self.journal.run(), &self.judgement, &given_up, purse)
    }

    /// What a case costs; `None`, and a failure in the run, where its baseline can't be run. A resumed case keeps its rounds.
    fn calibrate(&mut self, bench: &mut Bench<'_>, subject: &Subject) -> Result<Option<Costs>> {
        let known = self.journal.run().measurement(&subject.case).is_some();
        match bench.calibrate(subject) {
            Ok((measurement, costs)) => {
                if !known {
                    self.keep(Record::Case(Box::new(measurement)))?;
                }
                Ok(Some(costs))
            }
            Err(error) if error.is::<Interrupted>() => Err(error),
            Err(error) => {
                self.keep(Record::Failure(lost(subject, &error)))?;
                Ok(None)
            }
        }
    }

    /// Counts and samples what was not yet: for the report, and for claims.
    fn count(&mut self, bench: &mut Bench<'_>, subject: &Subject) -> Result<()> {
        let measured = self.journal.run().measurement(&subject.case);
        let Some(measurement) = measured.filter(|m| m.counted.is_empty() && !m.rounds.is_empty()).cloned() else {
            return Ok(());
        };
        let wants = Wants::of(self.journal.run().step(&subject.case));
        self.listener.event(&Event::Counting(&subject.case));
        let evidence = Evidence::of(bench, subject, &measurement, self.journal.folder());
        let (records, stacks) = evidence.collect(&wants)?;
        records.into_iter().try_for_each(|record| self.keep(record))?;
        self.draw(subject, &measurement, &stacks);
        Ok(())
    }

    /// Draws what was sampled. A picture that can't be written takes nothing from the run.
    fn draw(&mut self, subject: &Subject, measurement: &Measurement, stacks: &[Stacks]) {
        if stacks.is_empty() {
            return;
        }
        if let Err(error) = explain::draw(subject, measurement, stacks, self.journal.folder()) {
            self.listener.event(&Event::Finding(&format!("no picture of {}: {error:#}", subject.case)));
        }
    }

    /// Looks into the largest changes. That no reason can be found is no failure.
    fn explain(&mut self, bench: &mut Bench<'_>, subjects: &[Subject]) -> Result<()> {
        self.judgement = self.judge.judge(self.journal.run());
        for (case, pair) in explain::worth_a_look(&self.judgement) {
            let found = subjects.iter().find(|subject| subject.case == case);
            let measured = self.journal.run().measurement(&case).filter(|m| m.profiles.is_empty()).cloned();
            let (Some(subject), Some(measurement)) = (found, measured) else { continue };
            self.listener.event(&Event::Explaining(&case));
            match explain::explain(bench, subject, &measurement, pair, self.journal.folder()) {
                Ok((records, stacks)) => {
                    records.into_iter().try_for_each(|record| self.keep(record))?;
                    self.draw(subject, &measurement, &stacks);
                }
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) => self.listener.event(&Event::Unexplained { case: &case, why: &format!("{error:#}") }),
            }
        }
        Ok(())
    }

    /// Takes a record into the journal: what is kept survives the tool.
    fn keep(&mut self, record: Record) -> Result<()> {
        match &record {
            Record::Failure(failure) => self.listener.event(&Event::Failed(failure)),
            Record::Round { .. } => self.listener.event(&Event::Round),
            _ => {}
        }
        self.journal.append(record)
    }

    fn tell(&mut self) {
        let run = self.journal.run();
        let unmeasured = run.measurements.iter().filter(|measurement| measurement.rounds.is_empty()).count();
        let undecided = self.judgement.count(verdict::Verdict::Undecided);
        let (elapsed, budget) = (self.begun.elapsed(), self.budget);
        self.listener.event(&Event::Measuring { undecided, unmeasured, elapsed, budget });
    }

    /// Ends the run. One that was interrupted stays open, for `--resume`.
    fn close(mut self, ended: Result<()>) -> Result<Outcome> {
        let interrupted = match ended {
            Ok(()) => false,
            Err(error) if error.is::<Interrupted>() => true,
            Err(error) => return Err(error),
        };
        if !interrupted {
            self.journal.append(Record::End)?;
        }
        let (run, folder) = (self.journal.run().clone(), self.journal.folder().to_owned());
        if !interrupted {
            self.journal.finish(&run)?;
        }
        let judgement = self.judge.judge(&run);
        Ok(Outcome { run, judgement, folder, interrupted })
    }
}

/// The variances of the first pair in the first gated metric that it has, once there are rounds enough to tell.
fn variances(run: &Run, measurement: &Measurement) -> Option<Components> {
    const ENOUGH: usize = 10;
    let pair = measurement.pairs().next()?;
    let change = run.gate.metrics.iter().find_map(|metric| compare::within(measurement, pair, metric))?;
    (change.rounds() >= ENOUGH).then(|| change.components()).flatten()
}

fn lost(subject: &Subject, error: &anyhow::Error) -> Failure {
    let command = (!subject.arms.is_empty()).then(|| subject.again(0));
    let case = &subject.case;
    let why = format!("{error:#}");
    Failure { what: case.to_string(), why, command, case: Some(case.clone()), arm: None, part: None }
}
