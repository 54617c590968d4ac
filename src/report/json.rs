//! The judgement for scripts: versioned, complete, without the samples behind it.

use serde::Serialize;

use crate::samples::{Environment, Part, Run, Shard};
use crate::verdict::{Holds, Judgement, Verdict};

/// The version of this format. It changes when a field changes its meaning or goes.
pub const REPORT_FORMAT: u32 = 1;

/// What every file for scripts begins with.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    format: u32,
    tool: &'a str,
    run: &'a str,
    started: u64,
    commit: Option<&'a str>,
}

impl<'a> Head<'a> {
    pub(super) fn of(run: &'a Run, format: u32) -> Self {
        let (tool, started, commit) = (&run.tool, run.started, run.commit.as_deref());
        Self { format, tool, run: run.id.as_str(), started, commit }
    }
}

/// Indented, with a line end.
pub(super) fn written(report: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "only maps whose keys are no strings can't be JSON, and there are none")]
    let text = serde_json::to_string_pretty(report).expect("a report is JSON");
    text + "\n"
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    against: &'a str,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<Shard>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [Part],
    counts: Counts,
    judgement: &'a Judgement,
    environment: &'a Environment,
}

#[derive(Serialize)]
struct Counts {
    rows: usize,
    regressed: usize,
    improved: usize,
    unchanged: usize,
    undecided: usize,
    /// Of the unchanged rows, those whose interval excludes zero.
    tolerated: usize,
    missing: usize,
    failures: usize,
    claims: Claims,
}

#[derive(Serialize)]
struct Claims {
    confirmed: usize,
    refuted: usize,
    undecided: usize,
}

/// The judgement, its counts and the machine as JSON, indented, with a line end. Shares are fractions (0.01 is 1 %), times are
/// nanoseconds; a number that is not finite is `null`.
#[must_use]
pub fn json(run: &Run, judgement: &Judgement) -> String {
    written(&Report {
        head: Head::of(run, REPORT_FORMAT),
        against: &run.against,
        complete: run.complete,
        shard: run.shard(),
        parts: run.parts(),
        counts: counts(judgement),
        judgement,
        environment: &run.environment,
    })
}

fn counts(judgement: &Judgement) -> Counts {
    Counts {
        rows: judgement.rows.len(),
        regressed: judgement.count(Verdict::Regressed),
        improved: judgement.count(Verdict::Improved),
        unchanged: judgement.count(Verdict::Unchanged),
        undecided: judgement.count(Verdict::Undecided),
        tolerated: judgement.rows.iter().filter(|row| row.tolerated_change()).count(),
        missing: judgement.missing.len(),
        failures: judgement.failures.len(),
        claims: Claims {
            confirmed: judgement.claims(Holds::Confirmed),
            refuted: judgement.claims(Holds::Refuted),
            undecided: judgement.claims(Holds::Undecided),
        },
    }
}
