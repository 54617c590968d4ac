//! What every renderer shows, as text.

use crate::samples::{Environment, Failure, Part, PlanChange, Run};
use crate::verdict::Judgement;

use super::absolute::{Absolute, absolutes};
use super::blame::{BlameView, blames};
use super::line::{Group, Labels, groups};
use super::steps::{StepView, steps};
use super::summary;
use super::text::{clean, clean_lines, shortened};

/// Of a long error, this many lines are shown; the file of the run has all of them.
const MOST_LINES: usize = 20;
/// The longest description of a machine.
const LONGEST_MACHINE: usize = 60;

/// What could not be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What failed.
    pub what: String,
    /// Why, line by line.
    pub why: Vec<String>,
    /// The command that shows it again.
    pub command: Option<String>,
}

/// A judged run as text. Every text is free of control characters and, but for the lines of errors, on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// What is compared with what.
    pub title: String,
    /// The outcome in one sentence.
    pub headline: String,
    /// Which run on which machine.
    pub origin: String,
    /// Whether nothing is left for `--resume` to do. (What a merged run lacks is among the failures, with the way to get it.)
    pub complete: bool,
    /// The rows by case, what needs eyes first.
    pub groups: Vec<Group>,
    /// Per candidate, how many cases are the same machine code: `native: 12 cases`.
    pub same_code: Vec<String>,
    /// Notes of unchanged rows, and how many rows each holds for.
    pub footnotes: Vec<(String, usize)>,
    /// Why rows changed, where they were looked into.
    pub blames: Vec<BlameView>,
    /// The steps of the plan with their claims.
    pub steps: Vec<StepView>,
    /// What the plan says otherwise than the plan that judges.
    pub plan_changes: Vec<PlanChange>,
    /// The revision whose plan judges, where it is not the run's own.
    pub judged_by: Option<String>,
    /// Plain values, where no row compares anything.
    pub absolutes: Vec<Absolute>,
    /// Facts in which the environments of two runs differ: name, here, there. Set by [`View::differing`].
    pub differences: Vec<(String, String, String)>,
    /// What could not be measured.
    pub failures: Vec<Broken>,
    /// Cases that were asked for and have no measurement.
    pub missing: Vec<String>,
    /// Variants that were not built, with the reason.
    pub skipped: Vec<(String, String)>,
    /// What was looked at and what came out, in numbers.
    pub summary: String,
    /// How many false alarms are to be expected: `0.01`; empty where nothing was judged.
    pub false_alarms: String,
    /// The machine and its tools: name and value.
    pub environment: Vec<(String, String)>,
    /// Metrics that this machine can't measure, with the reason.
    pub absent: Vec<(String, String)>,
}

impl View {
    /// The view of a run as it was judged.
    #[must_use]
    pub fn of(run: &Run, judgement: &Judgement) -> Self {
        let rows = &judgement.rows;
        let labels = Labels::of(rows);
        let groups = groups(rows, &labels);
        Self {
            title: summary::title(run, judgement, &labels),
            headline: summary::headline(judgement, &groups),
            origin: origin(run),
            complete: run.complete || !run.parts().is_empty(),
            same_code: summary::same_code(rows, &labels),
            footnotes: summary::footnotes(&groups),
            blames: blames(run, judgement, &labels),
            steps: steps(&judgement.steps),
            plan_changes: plan_changes(run),
            judged_by: run.review.judged_by.as_deref().map(clean),
            absolutes: if rows.is_empty() { absolutes(run) } else { Vec::new() },
            differences: Vec::new(),
            failures: judgement.failures.iter().map(broken).collect(),
            missing: judgement.missing.iter().map(|case| clean(&case.to_string())).collect(),
            skipped: skipped(run),
            summary: summary::summary(run, judgement),
            false_alarms: summary::false_alarms(judgement),
            environment: facts(&run.environment),
            absent: pairs(&run.environment.absent),
            groups,
        }
    }

    /// The same view with the facts in which the environments of two runs differ: name, here, there.
    #[must_use]
    pub fn differing(mut self, differences: Vec<(String, String, String)>) -> Self {
        let harmless = |(name, here, there): (String, String, String)| (clean(&name), clean(&here), clean(&there));
        self.differences = differences.into_iter().map(harmless).collect();
        self
    }
}

fn plan_changes(run: &Run) -> Vec<PlanChange> {
    let side = |side: &Option<String>| side.as_deref().map(clean);
    let change =
        |one: &PlanChange| PlanChange { what: clean(&one.what), before: side(&one.before), after: side(&one.after) };
    run.review.changes.iter().map(change).collect()
}

/// The variants that a run did without, each with the reason.
pub(super) fn skipped(run: &Run) -> Vec<(String, String)> {
    run.skipped.iter().map(|one| (clean(one.variant.as_str()), clean(&one.why))).collect()
}

pub(super) fn broken(failure: &Failure) -> Broken {
    let part = failure.part.map_or_else(String::new, |part| format!("shard {part}: "));
    Broken {
        what: format!("{part}{}", clean(&failure.what)),
        why: clean_lines(&failure.why, MOST_LINES),
        command: failure.command.as_deref().map(clean),
    }
}

fn origin(run: &Run) -> String {
    let machine = if run.parts().is_empty() { machine(&run.environment) } else { machines(run.parts()) };
    let on = if machine.is_empty() { String::new() } else { format!(" on {}", shortened(&machine, LONGEST_MACHINE)) };
    let division = match (run.shard(), run.parts()) {
        (Some(shard), _) => format!(" (shard {shard})"),
        (None, []) => String::new(),
        (None, parts) => format!(" ({} of {} shards)", parts.len(), parts[0].shard.count()),
    };
    let commit = run.commit.as_deref().map(super::arms::commit);
    let commit = commit.map_or_else(String::new, |(id, changed)| format!(" at {id}{changed}"));
    format!("run {}{division}{commit}{on}", clean(run.id.as_str()))
}

fn machine(environment: &Environment) -> String {
    environment.fingerprint.get("cpu.model").map_or_else(String::new, |model| clean(model))
}

/// The machine of all parts, or how many kinds there are: each comparison was made on one.
fn machines(parts: &[Part]) -> String {
    let mut kinds: Vec<&Environment> = Vec::new();
    for part in parts {
        if !kinds.iter().any(|known| known.comparable(&part.environment)) {
            kinds.push(&part.environment);
        }
    }
    if kinds.len() == 1 { machine(kinds[0]) } else { format!("{} kinds of machines", kinds.len()) }
}

fn facts(environment: &Environment) -> Vec<(String, String)> {
    let mut facts = pairs(&environment.fingerprint);
    facts.extend(pairs(&environment.circumstances));
    facts
}

fn pairs(facts: &std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    facts.iter().map(|(name, value)| (clean(name), clean(value))).collect()
}
