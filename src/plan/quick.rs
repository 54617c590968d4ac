//! What `--quick` makes of a plan.

use std::time::Duration;

use super::{Plan, Size};

/// The most rounds of a quick run. Few rounds share the error budget among few looks, so that the second look, at 20 rounds,
/// can decide large changes even in a report of some hundred rows.
const MOST_ROUNDS: usize = 40;
/// The least that an arm is measured per round.
const ROUND: Duration = Duration::from_millis(5);

impl Plan {
    /// The plan for a first impression: small sizes, the short budget, few and short rounds. Large changes are decided, the rest
    /// is left undecided.
    #[must_use]
    pub fn quick(mut self) -> Self {
        self.measure.size = Size::Quick;
        self.measure.budget = self.measure.quick_budget;
        self.measure.round = self.measure.round.min(ROUND);
        self.gate.most_rounds = self.gate.most_rounds.min(MOST_ROUNDS);
        self
    }
}
