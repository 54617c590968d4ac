//! An advice for scripts: versioned, complete.

use serde::Serialize;

use crate::advise::Advice;
use crate::report::json::{Head, written};
use crate::samples::{Environment, Run};

/// The version of this format. It changes when a field changes its meaning or goes.
pub const TUNE_FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    complete: bool,
    design: &'a str,
    advice: &'a Advice,
    environment: &'a Environment,
}

/// The advice and the machine as JSON, indented, with a line end. Changes are fractions (0.01 is 1 %), costs are ratios; a
/// number that is not finite is `null`.
#[must_use]
pub fn tune_json(run: &Run, advice: &Advice, design: &str) -> String {
    let head = Head::of(run, TUNE_FORMAT);
    written(&Report { head, complete: run.complete, design, advice, environment: &run.environment })
}
