//! What the claims of a step need beside timed rounds.

use std::collections::BTreeSet;

use crate::plan::claim::{Claim, Measure, Need, ProfileKind};
use crate::samples::{Metric, PathPattern, Step};

/// Processes that are counted of a case that stands for itself: its counts are shown, and decide nothing.
const SHOWN: usize = 3;
/// Processes that are counted where a claim depends on it: so many that an interval at a claim's level is worth having.
pub(super) const JUDGED: usize = 10;

/// What is to be counted and sampled of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wants {
    /// In how many processes allocations, and what the case reports itself, are counted.
    pub(super) counts: usize,
    pub(super) syscalls: bool,
    pub(super) instructions: bool,
    pub(super) hotpath: bool,
    /// Whether as many draws of distributions are wanted as can be had.
    pub(super) distribution: bool,
    /// What sampled stacks are asked for.
    pub(super) functions: Vec<Functions>,
}

/// Some functions, and what is to be known of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Functions {
    /// Under which name the values are kept.
    pub(super) metric: Metric,
    pub(super) kind: ProfileKind,
    pub(super) patterns: Vec<PathPattern>,
}

impl Functions {
    fn of(measure: &Measure) -> Option<Self> {
        let Measure::Profile { kind, functions } = measure else { return None };
        Some(Self { metric: measure.metric().parse().ok()?, kind: *kind, patterns: functions.clone() })
    }

    /// Whether a function is one of them.
    pub(super) fn matches(&self, function: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(function))
    }
}

impl Wants {
    /// What a plain case (`None`) or a step is asked.
    pub(super) fn of(step: Option<&Step>) -> Self {
        let claims = step.into_iter().flat_map(|step| &step.claims).filter_map(|claim| claim.parse().ok());
        let claims: Vec<Claim> = claims.collect();
        let needs: BTreeSet<Need> = claims.iter().map(Claim::needs).collect();
        let judged = needs.contains(&Need::Counting);
        let mut functions: Vec<Functions> = claims.iter().filter_map(|claim| Functions::of(&claim.measure)).collect();
        functions.sort_by(|a, b| a.metric.cmp(&b.metric));
        functions.dedup_by(|a, b| a.metric == b.metric);
        Self {
            counts: if judged { JUDGED } else { SHOWN },
            syscalls: needs.contains(&Need::Syscalls),
            instructions: needs.contains(&Need::Instructions),
            hotpath: needs.contains(&Need::Hotpath),
            distribution: needs.contains(&Need::Distribution),
            functions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(claims: &[&str]) -> Wants {
        let step = serde_json::json!({"case": "step::s", "before": "w::a", "after": "w::b", "claims": claims});
        Wants::of(Some(&serde_json::from_value(step).unwrap()))
    }

    #[test]
    fn claims_on_time_alone_ask_for_nothing_more_than_a_plain_case() {
        assert_eq!(wants(&["wall <= 0.7x before", "checksum == before"]), Wants::of(None));
    }

    #[test]
    fn what_a_claim_needs_is_asked_for() {
        let all = wants(&["alloc.count == 0", "syscalls(open*) <= 0.1x before", "profile.share(core::fmt) < 0.1%"]);
        assert_eq!((all.counts, all.syscalls, all.instructions, all.functions.len()), (JUDGED, true, false, 1));
        assert!(all.functions[0].matches("core::fmt::write") && !all.functions[0].matches("main"));
        assert_eq!(all.functions[0].metric.as_str(), "profile.share(core::fmt)");
    }
}
