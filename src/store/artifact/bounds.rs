//! What judging and showing a run would cost, and how much of that a stranger may ask for.
//!
//! The largest runs that pass are judged and shown within some seconds and a few hundred MB; a thousand cases of fifty rounds
//! take a tenth of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::samples::{Environment, Gate, Measurement, Metric, Run, Step};

/// The most cases, and the most measurements.
const MOST_CASES: usize = 4_096;
/// The most failures: each is looked for at every row.
const MOST_FAILURES: usize = 4_096;
/// The most variants that were not built.
const MOST_SKIPPED: usize = 1_024;
/// The most facts about one machine.
const MOST_FACTS: usize = 1_000;
/// The most waivers, and the most changes of a plan.
const MOST_REVIEWED: usize = 256;
/// The most claims of all steps.
const MOST_CLAIMS: usize = 2_000;
/// The most rows: pairs of arms by metrics.
const MOST_ROWS: u64 = 20_000;
/// The most text in the arms of all rows, in bytes: each row has a copy of its two.
const MOST_TEXT: u64 = 64 << 20;
/// The most work, in steps of about a nanosecond.
const MOST_WORK: u64 = 10_000_000_000;
/// Up to so many rounds, how likely each sum of ranks is gets counted out: step by step for each rank, some times over.
const COUNTED_OUT: u64 = 100;
/// What a row takes for each case: all are brought into one order.
const ORDER: u64 = 100;

/// # Errors
/// What there is too much of.
pub(super) fn bounds(run: &Run) -> Result<(), String> {
    counts(run)?;
    let mut asked = Asked::default();
    for measured in &run.measurements {
        let size = Size::of(measured);
        match run.step(&measured.case) {
            Some(step) => asked.work = asked.work.saturating_add(size.claims(step)),
            None => asked.rows(&size, measured, &run.gate),
        }
    }
    let ordering = asked.rows.saturating_mul(run.cases.len() as u64).saturating_mul(ORDER);
    at_most("rows of pairs and metrics", asked.rows, MOST_ROWS)?;
    at_most("bytes of text in the arms of all rows", asked.text, MOST_TEXT)?;
    at_most("steps of work", asked.work.saturating_add(ordering), MOST_WORK)
}

fn at_most(what: &str, many: u64, most: u64) -> Result<(), String> {
    if many > most { Err(format!("{many} {what} are more than {most}: split the run with filters")) } else { Ok(()) }
}

fn counts(run: &Run) -> Result<(), String> {
    let few = |what: &str, many: usize, most: usize| at_most(what, many as u64, most as u64);
    few("cases", run.cases.len(), MOST_CASES)?;
    few("measurements", run.measurements.len(), MOST_CASES)?;
    few("failures", run.failures.len(), MOST_FAILURES)?;
    few("waivers", run.review.waivers.len(), MOST_REVIEWED)?;
    few("changes of the plan", run.review.changes.len(), MOST_REVIEWED)?;
    few("claims", run.steps.iter().map(|step| step.claims.len()).sum(), MOST_CLAIMS)?;
    few("variants that were not built", run.skipped.len(), MOST_SKIPPED)?;
    environment(&run.environment)?;
    for part in run.parts() {
        few("variants that were not built", part.skipped.len(), MOST_SKIPPED)?;
        few("cases", part.cases.len(), MOST_CASES)?;
        environment(&part.environment)?;
    }
    Ok(())
}

fn environment(environment: &Environment) -> Result<(), String> {
    let Environment { fingerprint, circumstances, absent } = environment;
    let facts = fingerprint.len() + circumstances.len() + absent.len();
    at_most("facts about a machine", facts as u64, MOST_FACTS as u64)
}

/// What a run asks for.
#[derive(Default)]
struct Asked {
    rows: u64,
    text: u64,
    work: u64,
}

impl Asked {
    /// Adds the rows of a case.
    fn rows(&mut self, size: &Size<'_>, measured: &Measurement, gate: &Gate) {
        let texts: Vec<u64> =
            measured.arms.iter().map(|arm| serde_json::to_string(arm).map_or(0, |text| text.len() as u64)).collect();
        let text = |arm: usize| texts.get(arm).copied().unwrap_or(0);
        let metrics = gate.metrics.len() as u64;
        for pair in measured.pairs() {
            self.rows = self.rows.saturating_add(metrics);
            self.text = self.text.saturating_add((text(pair.0) + text(pair.1)).saturating_mul(metrics));
            self.work = self.work.saturating_add(size.pair(pair, &gate.metrics));
        }
    }
}

/// How much there is of a measurement.
struct Size<'m> {
    arms: u64,
    rounds: u64,
    /// The rounds that an arm has a metric in.
    present: BTreeMap<(usize, &'m Metric), u64>,
    /// Different metrics of the batches: what a row is explained by.
    metrics: u64,
    /// Values of batches.
    values: u64,
    /// Metrics of counting rounds, of all arms.
    counted: u64,
    /// Their values.
    counts: u64,
    /// Draws of distributions.
    draws: u64,
    /// Functions in profiles, and their shares.
    shares: u64,
}

impl<'m> Size<'m> {
    fn of(measured: &'m Measurement) -> Self {
        let (mut present, mut values) = (BTreeMap::new(), 0);
        for arm in measured.rounds.iter().flat_map(|round| &round.arms) {
            for (metric, batches) in &arm.batches {
                *present.entry((arm.arm, metric)).or_insert(0) += 1;
                values += batches.len() as u64;
            }
        }
        let counted = || measured.counted.iter().flatten();
        let functions = measured.profiles.iter().flat_map(|profile| &profile.functions);
        Self {
            arms: measured.arms.len() as u64,
            rounds: measured.rounds.len() as u64,
            metrics: present.keys().map(|(_, metric)| metric).collect::<BTreeSet<_>>().len() as u64,
            present,
            values,
            counted: counted().count() as u64,
            counts: counted().map(|(_, values)| values.len() as u64).sum(),
            draws: measured.observed.iter().flatten().map(|(_, draws)| draws.len() as u64).sum(),
            shares: functions.map(|one| 1 + (one.own.len() + one.total.len()) as u64).sum(),
        }
    }

    /// Looking for an arm in every round.
    fn search(&self) -> u64 {
        self.rounds.saturating_mul(self.arms)
    }

    /// All that is looked at once or twice.
    fn read(&self) -> u64 {
        let sorted = self.values.saturating_add(self.draws).saturating_mul(20);
        sorted.saturating_add(self.counts).saturating_add(self.shares.saturating_mul(20))
    }

    /// What a pair of arms takes: an interval in every metric that both have, and what explains a change.
    fn pair(&self, (new, old): (usize, usize), gated: &[Metric]) -> u64 {
        let rounds = |arm, metric| self.present.get(&(arm, metric)).copied().unwrap_or(0);
        let both = gated.iter().map(|metric| interval(rounds(new, metric).min(rounds(old, metric))));
        let searches = self.search().saturating_mul(self.metrics.saturating_add(gated.len() as u64));
        both.fold(searches.saturating_add(self.read()), u64::saturating_add)
    }

    /// What a step takes: each claim may be about another metric, or about sums of many.
    fn claims(&self, step: &Step) -> u64 {
        let each = interval(self.rounds).saturating_add(self.search()).saturating_add(self.read());
        let text: u64 = step.claims.iter().map(|claim| claim.len() as u64).sum();
        // Beside the claims, the change of wall time is shown.
        each.saturating_mul(step.claims.len() as u64 + 1).saturating_add(text.saturating_mul(self.counted))
    }
}

/// The interval of one metric, with what was to be said at earlier looks. All pairs of rounds are looked at.
fn interval(rounds: u64) -> u64 {
    let counted = rounds.min(COUNTED_OUT);
    let pairs = rounds.saturating_mul(rounds).saturating_mul(25);
    counted.saturating_mul(counted).saturating_mul(counted).saturating_mul(7).max(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Arm, Failure, Skipped, Waiver};
    use crate::store::fixture::{complete, round};

    fn refused(spoil: impl FnOnce(&mut Run)) -> String {
        let mut run = complete("r");
        spoil(&mut run);
        bounds(&run).unwrap_err()
    }

    fn failure() -> Failure {
        Failure { what: String::new(), why: String::new(), command: None, case: None, arm: None, part: None }
    }

    fn step(claims: Vec<String>) -> Step {
        serde_json::from_value(serde_json::json!({"case": "step::s", "after": "w::a", "claims": claims})).unwrap()
    }

    #[test]
    fn an_honest_run_is_far_from_any_bound() {
        bounds(&complete("r")).unwrap();
        let mut large = complete("r");
        large.measurements[0].rounds = vec![round(0); 50];
        large.measurements = vec![large.measurements[0].clone(); 1_000];
        bounds(&large).unwrap();
    }

    #[test]
    fn too_many_of_anything_are_refused_by_name() {
        let waiver = Waiver {
            case: "*".to_owned(),
            metric: crate::samples::Metric::wall(),
            commit: String::new(),
            reason: String::new(),
            expires: String::new(),
        };
        let skipped = Skipped { variant: "v".parse().unwrap(), why: String::new() };
        for (spoil, expected) in [
            ((|run| run.cases = vec![run.cases[0].clone(); 4_097]) as fn(&mut Run), "4097 cases"),
            (|run| run.measurements = vec![run.measurements[0].clone(); 4_097], "4097 measurements"),
            (|run| run.failures = vec![failure(); 4_097], "4097 failures"),
            (|run| run.steps = vec![step(vec![String::new(); 50]); 41], "2050 claims"),
            (
                |run| run.environment.absent = (0..1_001).map(|n| (n.to_string(), String::new())).collect(),
                "facts about a machine",
            ),
        ] {
            let said = refused(spoil);
            assert!(said.contains(expected), "{said}");
        }
        assert!(refused(|run| run.review.waivers = vec![waiver; 257]).contains("257 waivers"));
        assert!(refused(|run| run.skipped = vec![skipped; 1_025]).contains("1025 variants"));
    }

    /// A measurement of one baseline and so many others, with so many rounds.
    fn with(run: &mut Run, arms: usize, rounds: usize) {
        let measured = &mut run.measurements[0];
        let arm = Arm { against: Some(0), ..measured.arms[1].clone() };
        measured.arms.resize(arms, arm);
        measured.rounds = vec![round(0); rounds];
    }

    #[test]
    fn what_takes_long_to_judge_is_refused_however_it_is_cut() {
        assert!(
            refused(|run| {
                with(run, 1_024, 1);
                run.measurements = vec![run.measurements[0].clone(); 20];
            })
            .contains("61380 rows")
        );
        assert!(
            refused(|run| {
                with(run, 100, 1);
                let long = "x".repeat(300_000);
                run.measurements[0].arms[0].env.insert(long, String::new());
            })
            .contains("bytes of text")
        );
        assert!(
            refused(|run| {
                with(run, 2, 1_000);
                run.steps = vec![step(vec!["wall < 1".to_owned(); 2_000])];
                run.measurements[0].case = run.steps[0].case.clone();
            })
            .contains("steps of work")
        );
    }
}
