//! The judgement for scripts: versioned, complete, without the samples behind it.

use serde::Serialize;

use crate::samples::{Environment, Run};
use crate::verdict::{Judgement, Verdict};

/// The version of this format. It changes when a field changes its meaning or goes.
pub const REPORT_FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    tool: &'a str,
    run: &'a str,
    started: u64,
    commit: Option<&'a str>,
    against: &'a str,
    complete: bool,
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
}

/// The judgement, its counts and the machine as JSON, indented, with a line end. Shares are fractions (0.01 is 1 %), times are
/// nanoseconds; a number that is not finite is `null`.
#[must_use]
pub fn json(run: &Run, judgement: &Judgement) -> String {
    let report = Report {
        format: REPORT_FORMAT,
        tool: &run.tool,
        run: run.id.as_str(),
        started: run.started,
        commit: run.commit.as_deref(),
        against: &run.against,
        complete: run.complete,
        counts: counts(judgement),
        judgement,
        environment: &run.environment,
    };
    #[expect(clippy::expect_used, reason = "only maps whose keys are no strings can't be JSON, and there are none")]
    let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
    text + "\n"
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
    }
}
