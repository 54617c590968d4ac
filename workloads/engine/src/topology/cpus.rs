//! Sets of CPU or node numbers, as the kernel writes them.

use std::collections::BTreeSet;
use std::fmt;

/// The largest number that is believed. Linux knows 8192 CPUs at most; without a limit a damaged file could ask for all
/// memory.
const LARGEST: usize = 65_535;

/// Numbers of CPUs (or of nodes: the kernel writes both alike), ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cpus(BTreeSet<usize>);

impl Cpus {
    /// Reads the kernel's list format (Documentation/admin-guide/cputopology.rst): `0-3,8`; an empty text is the empty
    /// set. `None` where the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = BTreeSet::new();
        for part in text.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if first > last || last > LARGEST {
                return None;
            }
            numbers.extend(first..=last);
        }
        Some(Self(numbers))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn first(&self) -> Option<usize> {
        self.0.first().copied()
    }

    pub(crate) fn last(&self) -> Option<usize> {
        self.0.last().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, number: usize) -> bool {
        self.0.contains(&number)
    }

    pub(crate) fn insert(&mut self, number: usize) {
        self.0.insert(number);
    }

    /// Those that are in both.
    pub(crate) fn shared_with(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// Those that are not in `other`.
    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }
}

impl FromIterator<usize> for Cpus {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl fmt::Display for Cpus {
    /// The kernel's list format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for number in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        let text = |&(first, last): &(usize, usize)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        f.write_str(&ranges.iter().map(text).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lists_are_read_and_written_alike() {
        for list in ["", "0", "0-3", "0-3,8", "1,3,5-6,127", "8191"] {
            assert_eq!(Cpus::parse(list).unwrap().to_string(), list);
        }
        assert_eq!(Cpus::parse(" 0-1,3\n").unwrap(), [0, 1, 3].into_iter().collect());
        assert_eq!(Cpus::parse("3,0-1,1-2").unwrap().to_string(), "0-3", "out of order and twice");
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in ["x", "1-", "-1", "3-1", "1-2-3", "0x3", "0-99999999999", "1.5", "18446744073709551615"] {
            assert_eq!(Cpus::parse(text), None, "{text:?}");
        }
    }
}
