//! The steps of the plan: two cases as the arms of one measurement, in the same rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::measure::{Seating, Subject};
use crate::samples::{Arm, CaseId, Failure, Step, VariantName, WORKING_TREE};

/// A case as steps measure it: of the working tree, in each way that it is built.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The build that ships first; never empty.
    seatings: Vec<Seating>,
    threads: usize,
    timeout: Duration,
}

impl Home {
    /// Those of a case's arms that are the working tree's: that of the baseline variant comes first.
    pub(super) fn of(arms: &[Seating], threads: usize, timeout: Duration) -> Option<Self> {
        let own = |seating: &&Seating| seating.arm.revision == WORKING_TREE && seating.arm.handicap == 0.0;
        let seatings: Vec<Seating> = arms.iter().filter(own).cloned().collect();
        (!seatings.is_empty()).then_some(Self { seatings, threads, timeout })
    }

    /// As this variant, or as the build that ships. `None` where the variant leaves the case out or was not built.
    fn built_as(&self, variant: Option<&VariantName>) -> Option<&Seating> {
        match variant {
            None => self.seatings.first(),
            Some(variant) => self.seatings.iter().find(|seating| seating.arm.variant == *variant),
        }
    }
}

/// Seats a step: the case before it first, the case after it compared with that. Their results may differ: that they don't
/// is a claim.
pub(super) fn subject(step: &Step, homes: &BTreeMap<CaseId, Home>, size: &str) -> Result<Subject, Box<Failure>> {
    let mut seats: Vec<(&Home, &Seating)> = Vec::new();
    for (case, variant) in step.sides() {
        let home = homes.get(case).ok_or_else(|| unknown(step, case))?;
        seats.push((home, home.built_as(variant).ok_or_else(|| unbuilt(step, variant))?));
    }
    let commands = seats.iter().filter(|(_, seating)| seating.command.is_some()).count();
    if commands != 0 && commands != seats.len() {
        let why =
            "one of its cases is a command and the other links perfplan-harness: they can't be run in the same way";
        return Err(failure(step, why.to_owned()));
    }
    let seat = |(at, ((_, seating), (case, _))): (usize, (&(&Home, &Seating), (&CaseId, _)))| {
        let against = at.checked_sub(1);
        let other_results = at > 0 || seating.arm.other_results;
        let arm = Arm { case: Some(case.clone()), against, other_results, ..seating.arm.clone() };
        Seating { arm, ..(*seating).clone() }
    };
    Ok(Subject {
        case: step.case.clone(),
        size: size.to_owned(),
        threads: seats.iter().map(|(home, _)| home.threads).max().unwrap_or(1),
        timeout: seats.iter().map(|(home, _)| home.timeout).max().unwrap_or_default(),
        arms: seats.iter().zip(step.sides()).enumerate().map(seat).collect(),
    })
}

fn unknown(step: &Step, case: &CaseId) -> Box<Failure> {
    failure(step, format!("{case} is no case of a workload of the plan, or its program could not be built"))
}

fn unbuilt(step: &Step, variant: Option<&VariantName>) -> Box<Failure> {
    let variant = variant.map_or_else(String::new, |variant| format!(" {variant}"));
    failure(step, format!("the variant{variant} leaves {} out (`only`), or could not be built", step.after))
}

fn failure(step: &Step, why: String) -> Box<Failure> {
    let what = format!("step {}", step.id());
    Box::new(Failure { what, why, command: None, case: Some(step.case.clone()), arm: None, part: None })
}
