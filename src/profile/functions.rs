//! Which functions a profile's counts belong to: shares, 0 to 1, of each function itself and of all below it.
//!
//! A stack counts once for a function however often the function stands in it, so that recursion is not counted twice.
//! The thread at the root of a stack is no function.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::folded::{Folded, Stack};
use crate::samples::FunctionShare;

/// Parts of a profile's whole, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Spent in the functions themselves.
    pub own: f64,
    /// Spent in the functions or in what they called.
    pub total: f64,
}

impl Shares {
    fn times(self, weight: f64) -> Self {
        Self { own: self.own * weight, total: self.total * weight }
    }

    fn apart(self, other: Self) -> Self {
        Self { own: (self.own - other.own).abs(), total: (self.total - other.total).abs() }
    }
}

/// The share of all functions together whose names match. `None` where the profile is empty: nothing was looked at.
#[must_use]
pub fn share(folded: &Folded, matches: &dyn Fn(&str) -> bool) -> Option<Shares> {
    let mut verdicts: HashMap<&str, bool> = HashMap::new();
    let (mut own, mut total) = (0, 0);
    for stack in folded.stacks() {
        let mut matching = |name| *verdicts.entry(name).or_insert_with(|| matches(name));
        if stack.functions().next_back().is_some_and(&mut matching) {
            own += stack.count;
        }
        if stack.functions().any(matching) {
            total += stack.count;
        }
    }
    let whole = whole(folded)?;
    Some(Shares { own: own as f64 / whole, total: total as f64 / whole })
}

/// The `n` functions of the largest shares by their means over rounds, in turn one for its own share (where the work is)
/// and one for its total (who causes it): by totals alone, the way from `main` downwards would take all the room. Shares
/// have one value per round, 0 where the function was not seen. Rounds without any stack say nothing and are left out.
#[must_use]
pub fn top(rounds: &[Folded], n: usize) -> Vec<FunctionShare> {
    let side = Side::of(rounds);
    let weighed = side.names().map(|name| (side.mean(name), name)).collect();
    largest(weighed, n).into_iter().map(|name| side.function(name)).collect()
}

/// The `n` functions whose mean shares differ most between two sides, in turn one for its own and one for its total. Beside
/// the rounds of each side stands what a share of 1 weighs there, such as the time of an iteration: where a program does more
/// of everything, shares alone stay as they are. Both lists name the same functions in the same order; for their values see
/// [`top`].
#[must_use]
pub fn of_pair(
    (before, old): (&[Folded], f64),
    (after, new): (&[Folded], f64),
    n: usize,
) -> (Vec<FunctionShare>, Vec<FunctionShare>) {
    let (before, after) = (Side::of(before), Side::of(after));
    let names: HashSet<&str> = before.names().chain(after.names()).collect();
    let apart = |name| before.mean(name).times(old).apart(after.mean(name).times(new));
    let weighed = names.into_iter().map(|name| (apart(name), name)).collect();
    largest(weighed, n).into_iter().map(|name| (before.function(name), after.function(name))).unzip()
}

/// The counts of one round of which there are any.
struct Round<'a> {
    whole: f64,
    counts: HashMap<&'a str, Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    own: u64,
    total: u64,
}

impl<'a> Round<'a> {
    fn of(folded: &'a Folded) -> Option<Self> {
        let mut counts: HashMap<&str, Counts> = HashMap::new();
        for stack in folded.stacks() {
            if let Some(innermost) = stack.functions().next_back() {
                counts.entry(innermost).or_default().own += stack.count;
            }
            for name in distinct(stack) {
                counts.entry(name).or_default().total += stack.count;
            }
        }
        Some(Self { whole: whole(folded)?, counts })
    }

    fn shares(&self, name: &str) -> Shares {
        let counts = self.counts.get(name).copied().unwrap_or_default();
        Shares { own: counts.own as f64 / self.whole, total: counts.total as f64 / self.whole }
    }
}

/// The rounds of one arm.
struct Side<'a> {
    rounds: Vec<Round<'a>>,
}

impl<'a> Side<'a> {
    fn of(rounds: &'a [Folded]) -> Self {
        Self { rounds: rounds.iter().filter_map(Round::of).collect() }
    }

    /// Every function of any round.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.rounds.iter().flat_map(|round| round.counts.keys().copied()).collect::<HashSet<_>>().into_iter()
    }

    fn mean(&self, name: &str) -> Shares {
        let rounds = self.rounds.len().max(1) as f64;
        let add = |sum: Shares, one: Shares| Shares { own: sum.own + one.own, total: sum.total + one.total };
        let sum = self.rounds.iter().map(|round| round.shares(name)).fold(Shares::default(), add);
        Shares { own: sum.own / rounds, total: sum.total / rounds }
    }

    fn function(&self, name: &str) -> FunctionShare {
        let (own, total) = self.rounds.iter().map(|round| round.shares(name)).map(|at| (at.own, at.total)).unzip();
        FunctionShare { name: name.to_owned(), own, total }
    }
}

/// All counts of a profile, if it has any.
fn whole(folded: &Folded) -> Option<f64> {
    (!folded.is_empty()).then(|| folded.total() as f64)
}

/// The functions of a stack, each once.
fn distinct(stack: Stack<'_>) -> HashSet<&str> {
    stack.functions().collect()
}

/// The `n` names of the largest weights, in turn by own and by total; equal ones by name.
fn largest(mut weighed: Vec<(Shares, &str)>, n: usize) -> Vec<&str> {
    weighed.sort_unstable_by_key(|(_, name)| *name);
    let mut ranked = |first: fn(&Shares) -> f64, second: fn(&Shares) -> f64| {
        let order = |one: &Shares, other: &Shares| {
            first(other).total_cmp(&first(one)).then(second(other).total_cmp(&second(one)))
        };
        weighed.sort_by(|(one, _), (other, _)| order(one, other));
        weighed.iter().map(|(_, name)| *name).collect::<Vec<_>>()
    };
    let by_total = ranked(|shares| shares.total, |shares| shares.own);
    let by_own = ranked(|shares| shares.own, |shares| shares.total);
    let mut seen = HashSet::new();
    let in_turn = by_own.into_iter().zip(by_total).flat_map(|(own, total)| [own, total]);
    in_turn.filter(|name| seen.insert(*name)).take(n).collect()
}
