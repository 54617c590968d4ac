//! The steps of the plan: two cases as the arms of one measurement, in the same rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::measure::{Seating, Subject};
use crate::samples::{Arm, CaseId, Failure, Step, WORKING_TREE};

/// A case as a step measures it: the build that ships, of the working tree.
#[derive(Clone, Debug)]
pub(super) struct Home {
    seating: Seating,
    threads: usize,
    timeout: Duration,
}

impl Home {
    /// The first of a case's arms that is the working tree's: those of the baseline variant come first.
    pub(super) fn of(arms: &[Seating], threads: usize, timeout: Duration) -> Option<Self> {
        let own = arms.iter().find(|seating| seating.arm.revision == WORKING_TREE && seating.arm.handicap == 0.0)?;
        Some(Self { seating: own.clone(), threads, timeout })
    }
}

/// Seats a step: the case before it first, the case after it compared with that. Their results may differ: that they don't
/// is a claim.
pub(super) fn subject(step: &Step, homes: &BTreeMap<CaseId, Home>, size: &str) -> Result<Subject, Box<Failure>> {
    let sides: Vec<&Home> =
        step.cases().map(|case| homes.get(case).ok_or_else(|| unknown(step, case))).collect::<Result<_, _>>()?;
    let commands = sides.iter().filter(|home| home.seating.command.is_some()).count();
    if commands != 0 && commands != sides.len() {
        let why =
            "one of its cases is a command and the other links perfplan-harness: they can't be run in the same way";
        return Err(failure(step, why.to_owned()));
    }
    let seat = |(at, (home, case)): (usize, (&&Home, &CaseId))| {
        let against = at.checked_sub(1);
        let other_results = at > 0 || home.seating.arm.other_results;
        let arm = Arm { case: Some(case.clone()), against, other_results, ..home.seating.arm.clone() };
        Seating { arm, ..home.seating.clone() }
    };
    Ok(Subject {
        case: step.case.clone(),
        size: size.to_owned(),
        threads: sides.iter().map(|home| home.threads).max().unwrap_or(1),
        timeout: sides.iter().map(|home| home.timeout).max().unwrap_or_default(),
        arms: sides.iter().zip(step.cases()).enumerate().map(seat).collect(),
    })
}

fn unknown(step: &Step, case: &CaseId) -> Box<Failure> {
    failure(step, format!("{case} is no case of a workload of the plan, or its program could not be built"))
}

fn failure(step: &Step, why: String) -> Box<Failure> {
    let what = format!("step {}", step.id());
    Box::new(Failure { what, why, command: None, case: Some(step.case.clone()), arm: None, part: None })
}
