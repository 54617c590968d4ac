//! What is measured: programs, and the arms of a case that run them.

use std::path::PathBuf;
use std::time::Duration;

use crate::build::Layouts;
use crate::samples::{Arm, CaseId, WORKING_TREE};

/// A program that stands ready, with the layouts that can be drawn of it.
#[derive(Debug)]
pub struct Program {
    /// The program as it was built.
    pub file: PathBuf,
    /// Its layouts; `None` where its link can't be replayed.
    pub layouts: Option<Layouts>,
    /// Which stream of seeds its layouts come from. Programs of one stream get equal link orders in every round.
    pub stream: u64,
}

/// How an arm is run.
#[derive(Clone, Debug)]
pub struct Seating {
    /// What is recorded of the arm.
    pub arm: Arm,
    /// Index of its program.
    pub program: usize,
    /// Index of the same program with link orders of its own, where there is one.
    pub twin: usize,
    /// Environment variables of the variant.
    pub env: Vec<(String, String)>,
    /// What is run, where the arm is no program that links the harness.
    pub command: Option<Command>,
}

/// A case with all its arms.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Which case.
    pub case: CaseId,
    /// `quick`, `default` or `full`.
    pub size: String,
    /// Threads that the work uses.
    pub threads: usize,
    /// How long a worker or a command may take.
    pub timeout: Duration,
    /// The arms: all of them link the harness, or none does.
    pub arms: Vec<Seating>,
}

/// A program that is no worker: run from start to end, once per block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it is run: the working tree, or a revision's worktree.
    pub folder: PathBuf,
}

impl Subject {
    /// Whether it is commands that are run, and no workers.
    #[must_use]
    pub fn is_command(&self) -> bool {
        self.arms.first().is_some_and(|seating| seating.command.is_some())
    }

    /// What an arm runs: the subject's own case, or one side of a step.
    #[must_use]
    pub fn case_of(&self, arm: usize) -> &CaseId {
        self.arms[arm].arm.case.as_ref().unwrap_or(&self.case)
    }

    /// The command line that measures this case again, with the baseline and this arm alone.
    #[must_use]
    pub fn again(&self, arm: usize) -> String {
        let variant = &self.arms[arm].arm.variant;
        let revision = |seating: &Seating| (seating.arm.revision != WORKING_TREE).then(|| seating.arm.revision.clone());
        let against =
            self.arms.iter().find_map(revision).map_or(String::new(), |commit| format!(" --against {commit}"));
        format!("cargo perfplan run '{}' --variant {variant}{against}", self.case)
    }

    /// What is recorded of the arms.
    #[must_use]
    pub fn recorded(&self) -> Vec<&Arm> {
        self.arms.iter().map(|seating| &seating.arm).collect()
    }

    /// The extra shares of all arms.
    #[must_use]
    pub fn handicaps(&self) -> Vec<f64> {
        self.arms.iter().map(|seating| seating.arm.handicap).collect()
    }

    /// The arms that still make sense when `broken` has left: without those that are compared with it, and without
    /// baselines that nothing is compared with any more.
    #[must_use]
    pub fn without(&self, arms: &[usize], broken: usize) -> Vec<usize> {
        let against = |arm: usize| self.arms[arm].arm.against;
        let left: Vec<usize> =
            arms.iter().copied().filter(|arm| *arm != broken && against(*arm) != Some(broken)).collect();
        let useful = |arm: &usize| against(*arm).is_some() || left.iter().any(|other| against(*other) == Some(*arm));
        left.iter().copied().filter(useful).collect()
    }
}
