//! What may have been meant by a name that does not exist.

use std::cmp::min;

/// The candidates that differ from `name` in at most a third of its letters (one of two is enough), nearest first.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A single letter is near to every other one.
    let most = match name.chars().count() {
        ..=1 => 0,
        letters => (letters / 3).max(1),
    };
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate, Ends::Fixed), candidate))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Whether what stands around the match in a candidate counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// It counts: the whole texts are compared.
    Fixed,
    /// It does not: the nearest part of the candidate is taken.
    Free,
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour, ignoring case: the optimal string
/// alignment distance. With free ends it is the least over all parts of `candidate` (Sellers 1980).
pub(super) fn distance(name: &str, candidate: &str, ends: Ends) -> usize {
    let letters = |text: &str| text.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (name, candidate) = (letters(name), letters(candidate));
    let start = |at: usize| if ends == Ends::Free { 0 } else { at };
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=candidate.len()).map(start).collect();
    for (i, letter) in name.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in candidate.iter().enumerate() {
            let replaced = above[j] + usize::from(letter != other);
            let mut least = min(replaced, min(above[j + 1], row[j]) + 1);
            if i > 0 && j > 0 && *letter == candidate[j - 1] && name[i - 1] == *other {
                least = min(least, before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    let whole = above.last().copied();
    let nearest = if ends == Ends::Free { above.iter().copied().min() } else { whole };
    nearest.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_definition() {
        let whole = |a, b| distance(a, b, Ends::Fixed);
        assert_eq!((whole("", ""), whole("", "abc"), whole("abc", "")), (0, 3, 3));
        assert_eq!((whole("kitten", "sitting"), whole("ab", "ba"), whole("Fat", "fat")), (3, 1, 0));
        assert_eq!(distance("redp", "generator::redb/cached", Ends::Free), 1);
        assert_eq!(distance("dbre", "redb", Ends::Free), 2);
    }

    #[test]
    fn the_distance_is_symmetric_and_never_more_than_the_longer_text() {
        let mut random = fastrand::Rng::with_seed(6);
        let mut word = || (0..random.usize(..9)).map(|_| random.char('a'..='c')).collect::<String>();
        for _ in 0..2_000 {
            let (a, b) = (word(), word());
            let there = distance(&a, &b, Ends::Fixed);
            assert_eq!(there, distance(&b, &a, Ends::Fixed), "{a} {b}");
            assert!(there <= a.len().max(b.len()) && there >= a.len().abs_diff(b.len()), "{a} {b}");
            assert!(distance(&a, &b, Ends::Free) <= there.min(a.len()), "{a} {b}");
        }
    }

    #[test]
    fn only_near_names_are_offered_and_the_nearest_comes_first() {
        let names = ["tolerance", "tolerances", "metrics"];
        assert_eq!(nearest("tolerence", names), ["tolerance", "tolerances"]);
        assert_eq!(nearest("budget", names), Vec::<&str>::new());
        assert_eq!(nearest("4", ["0", "s"]), Vec::<&str>::new());
    }
}
