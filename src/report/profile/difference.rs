//! Functions and counts of two sides, one beside the other.

use std::collections::BTreeMap;

use crate::report::absolute::{deviation, mean};
use crate::report::numbers::difference;
use crate::samples::{FunctionShare, Profile};

/// Shares of one kind: a function's own, or with what it called.
pub(super) type Shares = fn(&FunctionShare) -> &[f64];

pub(super) fn own(function: &FunctionShare) -> &[f64] {
    &function.own
}

pub(super) fn total(function: &FunctionShare) -> &[f64] {
    &function.total
}

/// The mean over rounds.
pub(super) fn average(shares: &[f64]) -> f64 {
    mean(shares).unwrap_or(0.0)
}

/// A function on both sides; `None` where that side does not list it.
pub(super) struct Function<'p> {
    pub(super) name: &'p str,
    pub(super) before: Option<&'p FunctionShare>,
    pub(super) after: Option<&'p FunctionShare>,
}

impl Function<'_> {
    /// Percentage points of its own share. What a side does not list is too little to matter there.
    pub(super) fn points(&self) -> f64 {
        let share = |side: Option<&FunctionShare>| side.map_or(0.0, |function| average(&function.own));
        100.0 * (share(self.after) - share(self.before))
    }

    /// The larger spread of both sides, in points; `None` from one round.
    pub(super) fn spread(&self) -> Option<f64> {
        let sides = [self.before, self.after].into_iter().flatten();
        sides.filter_map(|function| deviation(&function.own)).reduce(f64::max).map(|share| 100.0 * share)
    }
}

/// The functions of both sides, the largest difference first.
pub(super) fn functions<'p>(before: &'p Profile, after: &'p Profile) -> Vec<Function<'p>> {
    let mut by_name: BTreeMap<&str, Function<'p>> = BTreeMap::new();
    for function in &before.functions {
        by_name.insert(&function.name, Function { name: &function.name, before: Some(function), after: None });
    }
    for function in &after.functions {
        let blank = Function { name: &function.name, before: None, after: None };
        by_name.entry(&function.name).or_insert(blank).after = Some(function);
    }
    let mut all: Vec<Function> = by_name.into_values().collect();
    all.sort_by(|a, b| b.points().abs().total_cmp(&a.points().abs()));
    all
}

/// Counts of both sides by name, the largest relative difference first. What a side did not count at all is 0: it counted the
/// others.
pub(super) fn counts<'p>(before: &'p [(String, f64)], after: &'p [(String, f64)]) -> Vec<(&'p str, f64, f64)> {
    let mut by_name: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    before.iter().for_each(|(name, value)| by_name.entry(name).or_default().0 = *value);
    after.iter().for_each(|(name, value)| by_name.entry(name).or_default().1 = *value);
    let size = |(before, after): (f64, f64)| match difference(before, after) {
        Some(share) => share.abs(),
        None if after == before => 0.0,
        None => f64::INFINITY,
    };
    let mut all: Vec<(&str, (f64, f64))> = by_name.into_iter().collect();
    all.sort_by(|(_, a), (_, b)| size(*b).total_cmp(&size(*a)));
    all.into_iter().map(|(name, (before, after))| (name, before, after)).collect()
}
