//! `[[waiver]]`: a regression that was accepted.

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::plan::fault::Fault;
use crate::plan::values::{Line, MetricName, Text};
use crate::samples::Waiver;

/// The most waivers of a plan.
const MOST: usize = 200;
/// The longest pattern for cases, in bytes.
const LONGEST_CASE: usize = 200;
/// The fewest digits of a commit's id that name it safely.
const FEWEST_DIGITS: usize = 7;
/// The most digits of a commit's id, which a repository with SHA-256 has.
const MOST_DIGITS: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct WireWaiver {
    case: Spanned<String>,
    metric: Text<MetricName>,
    commit: Spanned<String>,
    reason: Text<Line>,
    expires: Spanned<Datetime>,
}

pub(super) fn waivers(wires: Vec<Spanned<WireWaiver>>) -> Result<Vec<Waiver>, Fault> {
    if let Some(beyond) = wires.get(MOST) {
        return Err(Fault::at(beyond, format!("more than {MOST} waivers"), "remove those that are over"));
    }
    wires.into_iter().map(|wire| waiver(wire.into_inner())).collect()
}

fn waiver(wire: WireWaiver) -> Result<Waiver, Fault> {
    let expires = day(&wire.expires)?;
    let commit = wire.commit.get_ref().to_ascii_lowercase();
    let digits = commit.len() >= FEWEST_DIGITS && commit.len() <= MOST_DIGITS;
    if !digits || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let problem = format!("{:?} is not the id of a commit", wire.commit.get_ref());
        return Err(Fault::at(&wire.commit, problem, "write the id of the commit that made it worse: git log"));
    }
    let case = wire.case.get_ref();
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    if case.is_empty() || case.len() > LONGEST_CASE || !case.contains("::") || !case.chars().all(plain) {
        let help = r#"write the whole name, or a pattern for it: "engine::book/hash", "engine::book/*""#;
        return Err(Fault::at(&wire.case, format!("{case:?} names no case"), help));
    }
    Ok(Waiver { case: wire.case.into_inner(), metric: wire.metric.0, commit, reason: wire.reason.0, expires })
}

/// A day without a time of day: `2027-03-31`.
fn day(written: &Spanned<Datetime>) -> Result<String, Fault> {
    match written.get_ref() {
        Datetime { date: Some(date), time: None, .. } => Ok(date.to_string()),
        _ => Err(Fault::at(written, "the last day of a waiver is a date", "write it so: expires = 2027-03-31")),
    }
}
