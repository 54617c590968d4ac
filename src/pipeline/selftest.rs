//! The self-test: the real pipeline on the user's own cases, with arms whose true difference is known.

use std::time::Duration;

use anyhow::Result;

use super::Session;
use super::prepare::{self, Prepared};
use super::request::{Request, Usage};
use super::seats::{Chosen, Itself};
use crate::compare::{self, Spread};
use crate::measure::{Bench, Starter};
use crate::progress::Listener;
use crate::samples::{CaseId, Metric, Run};
use crate::stats;
use crate::verdict::{self, Judgement, Row, Verdict};

/// What is known of the true difference between the arms of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The same program on both sides.
    Itself,
    /// The same, each side with link orders of its own, as two builds have them.
    Layouts,
    /// One side does this share more than it reports.
    Handicap(f64),
    /// Another build, which does this share more.
    Change {
        /// The variant that does more.
        variant: String,
        /// How much more.
        share: f64,
    },
}

impl Kind {
    /// The true change, as a share.
    #[must_use]
    pub fn truth(&self) -> f64 {
        match self {
            Self::Itself | Self::Layouts => 0.0,
            Self::Handicap(share) | Self::Change { share, .. } => *share,
        }
    }

    /// The tolerance that it is judged with: the plan's where nothing changed, else half of the true change.
    fn tolerance(&self, plan: f64) -> f64 {
        if self.truth() == 0.0 { plan } else { self.truth() / 2.0 }
    }

    fn itself(&self) -> Itself {
        match self {
            Self::Itself => Itself::Same { handicap: 0.0 },
            Self::Layouts => Itself::OtherLayouts,
            Self::Handicap(share) => Itself::Same { handicap: *share },
            Self::Change { .. } => Itself::Variant,
        }
    }
}

/// What is asked of a self-test.
#[derive(Clone, Debug)]
pub struct SelfTest {
    /// Cases, plan, size, and the measuring time per case and trial in `budget`.
    pub request: Request,
    /// Which trials.
    pub kinds: Vec<Kind>,
    /// How often each.
    pub repetitions: usize,
}

/// The measuring time that a case gets in one trial.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// One case in one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What was known.
    pub kind: Kind,
    /// Which case.
    pub case: CaseId,
    /// What was said.
    pub verdict: Verdict,
    /// The estimated change, as a share; `None` where too little was measured.
    pub estimate: Option<f64>,
    /// Standard error of the estimate, on the log scale.
    pub error: Option<f64>,
    /// Measuring time of the row's rounds.
    pub measured: Duration,
    /// Share of that time inside batches.
    pub inside: f64,
    /// Rounds measured.
    pub rounds: usize,
    /// What the levels of variance contribute to the error.
    pub spread: Option<Spread>,
    /// The smallest change that a row of this error sees in 10 s and in 60 s, as shares.
    pub visible: Option<(f64, f64)>,
}

impl Trial {
    /// Whether a changed verdict is false: something where nothing changed, or the wrong way.
    #[must_use]
    pub fn is_false(&self) -> bool {
        match self.verdict {
            Verdict::Improved => true,
            Verdict::Regressed => self.kind.truth() == 0.0,
            Verdict::Unchanged | Verdict::Undecided => false,
        }
    }

    /// Whether a true change was found.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.kind.truth() > 0.0 && self.verdict == Verdict::Regressed
    }
}

/// Makes the trials, handing over the trials of each pass through all cases as it ends.
///
/// # Errors
/// As [`super::run`]; where a variant is named that the plan does not have.
pub fn selftest(
    test: &SelfTest,
    starter: &mut dyn Starter,
    listener: &mut dyn Listener,
    report: &mut dyn FnMut(&[Trial]),
) -> Result<()> {
    let changed: Vec<String> = test.kinds.iter().filter_map(changed_variant).collect();
    if changed.len() > 1 {
        return Err(Usage("one changed variant at a time".to_owned()).into());
    }
    let request = Request { variants: changed, baseline_alone: true, ..test.request.clone() };
    let prepared = prepare::prepare(&request, starter, listener)?;
    let (mut bench, placed) = prepare::bench(&prepared, starter, true)?;
    for _ in 0..test.repetitions {
        for kind in &test.kinds {
            let chosen = prepare::subjects(&prepared, &mut bench, &placed, Some(kind.itself()))?;
            report(&pass(&prepared, &mut bench, &chosen, kind, listener)?);
        }
    }
    Ok(())
}

fn changed_variant(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Change { variant, .. } => Some(variant.clone()),
        _ => None,
    }
}

/// One pass through all cases, as a run of its own, with layouts and everything else drawn anew.
fn pass(
    prepared: &Prepared<'_>,
    bench: &mut Bench<'_>,
    chosen: &Chosen,
    kind: &Kind,
    listener: &mut dyn Listener,
) -> Result<Vec<Trial>> {
    let mut run = prepare::trial(prepared, chosen)?;
    run.gate.tolerance = kind.tolerance(run.gate.tolerance);
    run.gate.tolerances.clear();
    run.gate.metrics.retain(|metric| *metric == Metric::wall());
    run.against = "itself".to_owned();
    bench.renew(prepare::seed(&run.id));
    let per_case = prepared.asked.request.budget.unwrap_or(PATIENCE);
    let budget = per_case * chosen.subjects.len() as u32;
    let mut session = Session { per_case, ..Session::new(prepare::begin_trial(prepared, &run)?, budget, listener) };
    let ended = session.measure(bench, &chosen.subjects);
    let outcome = session.close(ended)?;
    let trials =
        outcome.judgement.rows.iter().filter_map(|row| trial(kind, &outcome.run, &outcome.judgement, row)).collect();
    if outcome.interrupted { Err(crate::process::Interrupted.into()) } else { Ok(trials) }
}

fn trial(kind: &Kind, run: &Run, judgement: &Judgement, row: &Row) -> Option<Trial> {
    let measurement = run.measurement(&row.case)?;
    let took: u64 = measurement.rounds.iter().map(|round| round.elapsed_ns).sum();
    let inside: u64 = measurement.rounds.iter().map(|round| round.inside_ns).sum();
    let change = compare::within(measurement, row.pair, &row.metric);
    let estimate = change.as_ref().and_then(|change| change.estimate(change.rounds(), row.level));
    let measured = Duration::from_nanos(took);
    let visible = |seconds: f64| {
        // The error falls with the root of the time; the row is taken to have an even share of the budget, spent in one look.
        let estimate = estimate.as_ref()?;
        let rounds = row.rounds as f64 * seconds / measured.as_secs_f64();
        let error = estimate.se * (row.rounds as f64 / rounds).sqrt();
        let level = judgement.family_error / judgement.rows.len() as f64;
        Some(stats::smallest_visible(error, rounds - 1.0, level, verdict::POWER, 0.0).exp_m1())
    };
    Some(Trial {
        kind: kind.clone(),
        case: row.case.clone(),
        verdict: row.verdict,
        estimate: row.change.map(|change| change.estimate),
        error: estimate.as_ref().map(|estimate| estimate.se),
        measured,
        inside: inside as f64 / took.max(1) as f64,
        rounds: row.rounds,
        spread: change.and_then(|change| change.spread()),
        visible: visible(10.0).zip(visible(60.0)),
    })
}
