//! The events that a run emits. Nothing here prints: showing them belongs to whoever listens.

use std::time::Duration;

use crate::samples::{CaseId, Failure, VariantName};

/// Something that happened in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The build of a cell begins.
    BuildStarted {
        /// How many began before it.
        at: usize,
        /// How many are to be built.
        of: usize,
        /// How it is built.
        variant: &'a VariantName,
        /// Which source tree.
        source: &'a str,
    },
    /// A line that cargo said.
    BuildLine(&'a str),
    /// The build of a cell ended well.
    BuildFinished {
        /// How it was built.
        variant: &'a VariantName,
        /// Whether there was nothing to do, because an equal one has been built.
        cached: bool,
        /// How long it took.
        elapsed: Duration,
    },
    /// A series of rounds begins.
    Measuring {
        /// Rows that are undecided so far.
        undecided: usize,
        /// Cases without any round.
        unmeasured: usize,
        /// Measuring time so far.
        elapsed: Duration,
        /// Measuring time that there is.
        budget: Duration,
    },
    /// A round ended.
    Round,
    /// Something that a reader of this run should know: what makes its numbers worse than they could be, what is missing.
    Finding(&'a str),
    /// A case is counted and sampled, beside its timed rounds.
    Counting(&'a CaseId),
    /// The reason of a change is looked for.
    Explaining(&'a CaseId),
    /// It could not be found.
    Unexplained {
        /// Of which case.
        case: &'a CaseId,
        /// Why.
        why: &'a str,
    },
    /// Something could not be built or measured.
    Failed(&'a Failure),
}

/// Whoever wants to know.
pub trait Listener {
    /// Takes notice of an event.
    fn event(&mut self, event: &Event<'_>);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}
