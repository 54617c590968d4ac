//! From a step's measurement and the text of its claims to their outcomes.

use std::collections::BTreeMap;

use super::super::row::Relative;
use super::super::rules::relative;
use super::evidence::{self, Allowance, Sides, Values};
use super::outcome::{ClaimOutcome, Holds, Measured, Scale, StepOutcome, Why};
use crate::compare;
use crate::plan::claim::{Bound, Claim, DEFAULT_DISTANCE, Measure, Need, Relation};
use crate::samples::{CaseId, Measurement, Metric, Run, Step};
use crate::stats;

/// More rounds than this nobody waits for.
const MOST_ROUNDS: usize = 1 << 20;

/// How far a step's measurement has come: as long as that stays, so does what is said of it.
type Stamp = (usize, usize, usize, usize);

/// What was said of steps last.
pub(in crate::verdict) type Known = BTreeMap<CaseId, (Stamp, StepOutcome)>;

/// All steps of a run, in the order of its plan.
pub(in crate::verdict) fn steps(run: &Run) -> Vec<StepOutcome> {
    again(run, &mut Known::new())
}

/// The same for a run that grows: only steps that have come further are judged again.
pub(in crate::verdict) fn again(run: &Run, known: &mut Known) -> Vec<StepOutcome> {
    // The budget is shared out evenly: every claim may be judged wrongly with its part of the chance.
    let claims = run.steps.iter().map(|step| step.claims.len()).sum::<usize>();
    let level = run.gate.family_error / claims.max(1) as f64;
    let allowance = Allowance { level, most_rounds: run.gate.most_rounds };
    let judged = |step: &Step| {
        let stamp = stamp(run, step);
        if let Some((_, outcome)) = known.get(&step.case).filter(|(seen, _)| *seen == stamp) {
            return outcome.clone();
        }
        let outcome = outcome(run, step, allowance);
        known.insert(step.case.clone(), (stamp, outcome.clone()));
        outcome
    };
    run.steps.iter().map(judged).collect()
}

fn stamp(run: &Run, step: &Step) -> Stamp {
    let measured = run.measurements_of(&step.case);
    let sizes = measured.map(|m| (m.rounds.len(), m.counted.len() + m.absent.len(), m.profiles.len()));
    let (rounds, counted, profiles) = sizes.fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    (rounds, counted, profiles, run.failures.len())
}

fn outcome(run: &Run, step: &Step, allowance: Allowance) -> StepOutcome {
    let measurement = run.measurements_of(&step.case).find(|measurement| !measurement.rounds.is_empty());
    let claims = step.claims.iter().map(|text| judged(run, step, measurement, text, allowance)).collect();
    StepOutcome {
        step: step.clone(),
        part: measurement.and_then(|measurement| measurement.part),
        change: measurement.and_then(|measurement| change(measurement, allowance)),
        wall: measurement.map(walls).unwrap_or_default(),
        claims,
    }
}

/// How much the step changed wall time.
fn change(measurement: &Measurement, allowance: Allowance) -> Option<Relative> {
    let pair = measurement.pairs().next()?;
    let measured = evidence::paired(&compare::within(measurement, pair, &Metric::wall())?, allowance)?;
    Some(relative(measured.estimate.ln(), measured.low.ln(), measured.high.ln()))
}

/// Wall time per iteration of every side, nanoseconds: the mean over rounds, of the same batches that the change is made out of.
fn walls(measurement: &Measurement) -> Vec<f64> {
    let both = measurement.pairs().next().and_then(|pair| compare::within(measurement, pair, &Metric::wall()));
    if let Some(change) = both {
        return vec![change.baseline, change.candidate];
    }
    let arms = (0..measurement.arms.len()).map(|arm| stats::mean(&compare::alone(measurement, arm, &Metric::wall())));
    arms.filter(|wall| wall.is_finite()).collect()
}

fn judged(run: &Run, step: &Step, measurement: Option<&Measurement>, text: &str, allowance: Allowance) -> ClaimOutcome {
    let blank = ClaimOutcome {
        claim: text.to_owned(),
        holds: Holds::Undecided,
        measured: None,
        scale: Scale::Value,
        metric: String::new(),
        why: Why::Absent(String::new()),
        level: allowance.level,
        timed: false,
    };
    let claim: Claim = match text.parse() {
        Ok(claim) => claim,
        Err(error) => return ClaimOutcome { why: Why::Unreadable(format!("{error}")), ..blank },
    };
    let blank = ClaimOutcome {
        scale: scale(&claim),
        metric: claim.measure.metric(),
        timed: claim.needs() == Need::Timing,
        ..blank
    };
    let Some(measurement) = measurement else {
        return ClaimOutcome { why: Why::Absent(lost(run, step)), ..blank };
    };
    match &claim.measure {
        Measure::Checksum => results(measurement, blank),
        _ => interval(measurement, &claim, allowance, blank),
    }
}

/// Why a step has no measurement, where that is known.
fn lost(run: &Run, step: &Step) -> String {
    let failure = run.failures.iter().find(|failure| failure.case.as_ref() == Some(&step.case));
    let skipped = || run.skipped.iter().find(|skipped| step.variant.as_ref() == Some(&skipped.variant));
    failure.map(|failure| &failure.why).or_else(|| skipped().map(|skipped| &skipped.why)).cloned().unwrap_or_default()
}

fn scale(claim: &Claim) -> Scale {
    match (&claim.measure, claim.needs_before()) {
        (Measure::Checksum, _) => Scale::Equality,
        (Measure::Distribution(_), _) => Scale::Distance,
        (_, true) => Scale::Ratio,
        (_, false) => Scale::Value,
    }
}

fn results(measurement: &Measurement, blank: ClaimOutcome) -> ClaimOutcome {
    match evidence::same_results(measurement, Sides::of(measurement)) {
        Some(true) => ClaimOutcome { holds: Holds::Confirmed, why: Why::Holds, ..blank },
        Some(false) => ClaimOutcome { holds: Holds::Refuted, why: Why::Different, ..blank },
        None => blank,
    }
}

fn interval(measurement: &Measurement, claim: &Claim, allowance: Allowance, blank: ClaimOutcome) -> ClaimOutcome {
    if let Some((holds, why)) = of_nothing(measurement, claim) {
        return ClaimOutcome { holds, why, ..blank };
    }
    let measured = measured(measurement, claim, allowance);
    let finite = |m: &Measured| m.estimate.is_finite() && m.low.is_finite() && m.high.is_finite();
    let Some(measured) = measured.filter(finite) else {
        return ClaimOutcome { why: Why::Absent(absent(measurement, claim)), ..blank };
    };
    let (holds, why) = Wanted::of(claim).judge(measured);
    ClaimOutcome { holds, why, measured: Some(measured), ..blank }
}

/// What is said of a multiple of nothing: it is nothing, whatever the factor. `None` where there was something before, or only
/// sometimes something after. What sampling never saw is not known to be nothing.
fn of_nothing(measurement: &Measurement, claim: &Claim) -> Option<(Holds, Why)> {
    if !claim.needs_before() || claim.needs() == Need::Profile {
        return None;
    }
    let sides = Sides::of(measurement);
    let of = |arm| values(measurement, arm, &claim.measure);
    let (after, before) = (of(sides.after)?, of(sides.before?)?);
    if !evidence::is_nothing(&before) {
        return None;
    }
    let none = evidence::is_nothing(&after);
    let holds = match claim.relation {
        Relation::Below { strict, .. } => none && !strict,
        Relation::Above { strict, .. } => !none || !strict,
        Relation::Within { .. } | Relation::Same { .. } => none,
    };
    Some(if holds { (Holds::Confirmed, Why::Holds) } else { (Holds::Refuted, Why::NothingBefore) })
}

fn absent(measurement: &Measurement, claim: &Claim) -> String {
    if claim.needs() == Need::Timing && values(measurement, Sides::of(measurement).after, &claim.measure).is_some() {
        return format!("{} rounds are too few to tell", measurement.rounds.len());
    }
    let known = measurement.absent.get(lacking(claim.needs())).cloned();
    // As long as nothing was counted, it may come yet.
    let never = || format!("the case yields no {}", claim.measure.metric());
    known.unwrap_or_else(|| if measurement.counted.is_empty() { String::new() } else { never() })
}

/// The word under which a run says why it has none of what a claim needs.
#[must_use]
pub fn lacking(need: Need) -> &'static str {
    match need {
        Need::Timing => "timing",
        Need::Counting => "counting",
        Need::Syscalls => "syscalls",
        Need::Instructions => "instructions",
        Need::Profile => "profile",
        Need::Hotpath => "hotpath",
        Need::Distribution => "distribution",
        Need::Checksum => "checksum",
        Need::Sizes => "sizes",
    }
}

fn measured(measurement: &Measurement, claim: &Claim, allowance: Allowance) -> Option<Measured> {
    let sides = Sides::of(measurement);
    if let Measure::Distribution(name) = &claim.measure {
        let (after, before) =
            (evidence::draws(measurement, sides.after, name)?, evidence::draws(measurement, sides.before?, name)?);
        let apart = stats::distribution_distance(after, before, allowance.level)?;
        let rounds = after.len().min(before.len());
        return Some(Measured { estimate: apart.distance, low: apart.low, high: apart.high, rounds });
    }
    if let Some(per_operation) = PerOperation::of(measurement, claim, sides.after) {
        return per_operation.measured(measurement, claim, sides, allowance);
    }
    let draws = |arm| if claim.needs() == Need::Profile { evidence::samples(measurement, arm) } else { 0 };
    let after = values(measurement, sides.after, &claim.measure)?;
    // Shares without samples behind them are no shares.
    if claim.needs() == Need::Profile && draws(sides.after) == 0 {
        return None;
    }
    if !claim.needs_before() {
        return evidence::alone(&after, allowance, draws(sides.after));
    }
    let before = sides.before?;
    let metric = claim.measure.metric().parse().ok()?;
    if let (Values::Rounds(_), Some(change)) = (&after, compare::within(measurement, (sides.after, before), &metric)) {
        return evidence::paired(&change, allowance);
    }
    evidence::unpaired(&after, &values(measurement, before, &claim.measure)?, allowance, draws(sides.after))
}

/// What wall time per iteration says in other words, where a case does not report it itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum PerOperation {
    /// `throughput`: operations per second.
    Throughput,
    /// `wall.operation`: nanoseconds per operation.
    Wall,
}

impl PerOperation {
    fn of(measurement: &Measurement, claim: &Claim, arm: usize) -> Option<Self> {
        let metric: Metric = claim.measure.metric().parse().ok()?;
        let asked = match metric.as_str() {
            "throughput" => Self::Throughput,
            "wall.operation" => Self::Wall,
            _ => return None,
        };
        evidence::values(measurement, arm, &metric).is_none().then_some(asked)
    }

    fn measured(
        self,
        measurement: &Measurement,
        claim: &Claim,
        sides: Sides,
        allowance: Allowance,
    ) -> Option<Measured> {
        let operations = |arm: usize| measurement.arms.get(arm).map(|arm| arm.operations as f64);
        let after = operations(sides.after)?;
        // Wall time per iteration by this is wall time per operation; nanoseconds by it, or a ratio of two.
        let (wall, factor, second) = if claim.needs_before() {
            let before = sides.before?;
            let change = compare::within(measurement, (sides.after, before), &Metric::wall())?;
            (evidence::paired(&change, allowance)?, after / operations(before)?, 1.0)
        } else {
            (evidence::alone(&evidence::values(measurement, sides.after, &Metric::wall())?, allowance, 0)?, after, 1e9)
        };
        let times = [wall.estimate, wall.low, wall.high].map(|time| time / factor);
        let [estimate, low, high] = match self {
            Self::Wall => times,
            Self::Throughput => [times[0], times[2], times[1]].map(|time| second / time),
        };
        Some(Measured { estimate, low, high, rounds: wall.rounds })
    }
}

fn values(measurement: &Measurement, arm: usize, measure: &Measure) -> Option<Values> {
    if let Measure::Syscalls(names) = measure {
        let wanted = |name: &str| names.is_empty() || names.iter().any(|glob| glob.matches(name));
        return evidence::sums(measurement, arm, "syscalls", &wanted);
    }
    evidence::values(measurement, arm, &measure.metric().parse().ok()?)
}

/// What a claim wants of a number: to lie between two bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wanted {
    low: f64,
    high: f64,
    /// Whether the bounds themselves will do.
    strict: bool,
}

impl Wanted {
    fn of(claim: &Claim) -> Self {
        let bound = |bound: &Bound| match bound {
            Bound::Absolute(value) | Bound::Before(value) => *value,
        };
        match &claim.relation {
            Relation::Below { bound: high, strict } => {
                Self { low: f64::NEG_INFINITY, high: bound(high), strict: *strict }
            }
            Relation::Above { bound: low, strict } => Self { low: bound(low), high: f64::INFINITY, strict: *strict },
            Relation::Within { low, high } => Self { low: bound(low), high: bound(high), strict: false },
            Relation::Same { tolerance } if matches!(claim.measure, Measure::Distribution(_)) => {
                Self { low: f64::NEG_INFINITY, high: tolerance.unwrap_or(DEFAULT_DISTANCE), strict: false }
            }
            Relation::Same { tolerance } => {
                let part = tolerance.unwrap_or(0.0);
                Self { low: 1.0 - part, high: 1.0 + part, strict: false }
            }
        }
    }

    fn has(self, value: f64) -> bool {
        // A quotient of counts is off by its last digits.
        if same(value, self.low) || same(value, self.high) {
            return !self.strict;
        }
        self.low < value && value < self.high
    }

    fn judge(self, measured: Measured) -> (Holds, Why) {
        let Measured { estimate, low, high, .. } = measured;
        if self.has(low) && self.has(high) {
            return (Holds::Confirmed, Why::Holds);
        }
        // Nothing of the interval lies between the bounds.
        let apart = (high < self.low && !same(high, self.low)) || (low > self.high && !same(low, self.high));
        let beyond = apart || (same(low, high) && !self.has(low));
        if beyond {
            let by = if estimate > self.high { estimate - self.high } else { estimate - self.low };
            return (Holds::Refuted, Why::Beyond(by));
        }
        (Holds::Undecided, self.more(measured))
    }

    /// How many rounds would make the interval short enough to lie on one side of the nearest bound, if the estimate stays:
    /// its length shrinks with the square root of their number.
    fn more(self, measured: Measured) -> Why {
        let Measured { estimate, low, high, rounds } = measured;
        let (below, above) = ((estimate - self.low).abs(), (estimate - self.high).abs());
        // On the side of the nearest bound: an interval that ends at zero is shorter there.
        let toward = |bound: f64| if bound > estimate { high - estimate } else { estimate - low };
        let (distance, reach) = if below < above { (below, toward(self.low)) } else { (above, toward(self.high)) };
        let needed = ((reach / distance).powi(2) * rounds as f64).ceil();
        if needed.is_finite() && needed <= MOST_ROUNDS as f64 {
            Why::MoreRounds(needed as usize)
        } else {
            Why::TooClose
        }
    }
}

/// Equal but for the last digits of a quotient.
fn same(a: f64, b: f64) -> bool {
    const LAST_DIGITS: f64 = 1e-12;
    let apart = (a - b).abs();
    a == b || (apart.is_finite() && apart <= LAST_DIGITS * a.abs().max(b.abs()))
}
