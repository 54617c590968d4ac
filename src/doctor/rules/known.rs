//! Reading facts.

use crate::samples::Environment;

pub(super) fn fact<'e>(environment: &'e Environment, name: &str) -> Option<&'e str> {
    environment.circumstances.get(name).map(String::as_str)
}

/// The number that a fact begins with.
pub(super) fn number(environment: &Environment, name: &str) -> Option<f64> {
    fact(environment, name)?.split_whitespace().next()?.parse().ok()
}

/// How many numbers a list such as `0-2,5` has.
pub(super) fn listed(environment: &Environment, name: &str) -> Option<usize> {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    fact(environment, name)?.split(',').map(count).sum()
}
