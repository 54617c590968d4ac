//! Which cases are meant: the filters of the command line and of a variant's `only`.

use std::fmt;
use std::str::FromStr;

use super::nearest::{Ends, distance};
use crate::samples::{CaseId, fits};

/// How a filter is written.
pub(super) const EXAMPLES: &str = r#"a part of a case's name, such as "redb/cached" or "engine::*""#;
/// How many near misses are named.
const MOST_NEAR: usize = 3;

/// One filter on the whole name `workload::case`: a part of it, or with `*` (any text) a pattern for all of it.
/// With `!` before it, it excludes what it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    excludes: bool,
    pattern: String,
}

impl Filter {
    /// Whether it fits the case, excluding or not.
    fn fits(&self, case: &str) -> bool {
        if self.pattern.contains('*') { fits(&self.pattern, case) } else { case.contains(&self.pattern) }
    }

    /// The cases that it nearly fits, nearest first.
    fn near(&self, cases: &[String]) -> Vec<String> {
        let letters = self.pattern.replace('*', "");
        let most = (letters.chars().count() / 3).max(1);
        let mut near: Vec<(usize, &String)> =
            cases.iter().map(|case| (distance(&letters, case, Ends::Free), case)).collect();
        near.retain(|(distance, _)| *distance <= most);
        near.sort();
        near.into_iter().take(MOST_NEAR).map(|(_, case)| case.clone()).collect()
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (excludes, pattern) = text.strip_prefix('!').map_or((false, text), |pattern| (true, pattern));
        if pattern.is_empty() {
            return Err(format!("{text:?} is not a filter"));
        }
        Ok(Self { excludes, pattern: pattern.to_owned() })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.excludes { "!" } else { "" }, self.pattern)
    }
}

/// Several filters. They match a case when one that includes fits it, or none includes at all, and none excludes it.
/// Without filters every case is matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(Vec<Filter>);

impl Filters {
    /// Reads filters: parts of names (`redb/cached`), patterns for whole names (`engine::*`), and with `!` before them
    /// what is left out.
    ///
    /// # Errors
    /// Where one is empty.
    pub fn new<S: AsRef<str>>(texts: &[S]) -> Result<Self, String> {
        let read = |text: &S| text.as_ref().parse().map_err(|problem| format!("{problem}: write {EXAMPLES}"));
        texts.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the case is meant.
    #[must_use]
    pub fn matches(&self, case: &CaseId) -> bool {
        self.matches_any(&[case])
    }

    /// Whether what has all these names is meant: by one of them, and excluded by none.
    #[must_use]
    pub fn matches_any(&self, names: &[&CaseId]) -> bool {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let (excluding, including): (Vec<&Filter>, Vec<&Filter>) = self.0.iter().partition(|filter| filter.excludes);
        let fits = |filter: &&Filter| names.iter().any(|name| filter.fits(name));
        (including.is_empty() || including.iter().any(fits)) && !excluding.iter().any(fits)
    }

    /// The filters that fit none of the cases, in their order.
    #[must_use]
    pub fn unmatched(&self, cases: &[CaseId]) -> Vec<Unmatched> {
        let cases: Vec<String> = cases.iter().map(ToString::to_string).collect();
        let idle = self.0.iter().filter(|filter| !cases.iter().any(|case| filter.fits(case)));
        idle.map(|filter| Unmatched { filter: filter.to_string(), near: filter.near(&cases) }).collect()
    }

    /// Finds fault with every filter that fits none of the cases.
    ///
    /// # Errors
    /// One line per such filter, with its near misses.
    pub fn check(&self, cases: &[CaseId]) -> Result<(), String> {
        let lines: Vec<String> = self.unmatched(cases).iter().map(ToString::to_string).collect();
        if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
    }
}

impl FromIterator<Filter> for Filters {
    fn from_iter<I: IntoIterator<Item = Filter>>(filters: I) -> Self {
        Self(filters.into_iter().collect())
    }
}

/// A filter that fits no case: most likely a slip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The filter as it was written.
    pub filter: String,
    /// Cases that it nearly fits, nearest first, at most three.
    pub near: Vec<String>,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no case matches {:?}", self.filter)?;
        if self.near.is_empty() { Ok(()) } else { write!(f, ": did you mean {}?", self.near.join(" or ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Vec<CaseId> {
        ["generator::redb/naive", "generator::redb/cached", "engine::scan"].map(|case| case.parse().unwrap()).to_vec()
    }

    fn selected(texts: &[&str]) -> Vec<String> {
        let filters = Filters::new(texts).unwrap();
        cases().iter().filter(|case| filters.matches(case)).map(ToString::to_string).collect()
    }

    #[test]
    fn filters_are_joined_by_or_and_exclusions_win() {
        assert_eq!(selected(&[]).len(), 3);
        assert_eq!(selected(&["redb"]), ["generator::redb/naive", "generator::redb/cached"]);
        assert_eq!(selected(&["naive", "scan"]), ["generator::redb/naive", "engine::scan"]);
        assert_eq!(selected(&["!naive"]), ["generator::redb/cached", "engine::scan"]);
        assert_eq!(selected(&["redb", "!naive"]), ["generator::redb/cached"]);
        assert_eq!(selected(&["!*"]), Vec::<String>::new());
    }

    #[test]
    fn a_star_makes_a_filter_a_pattern_for_the_whole_name() {
        assert_eq!(selected(&["engine::*"]), ["engine::scan"]);
        assert_eq!(selected(&["*/c*d"]), ["generator::redb/cached"]);
        assert_eq!(selected(&["redb*"]), Vec::<String>::new());
        assert_eq!(selected(&["*scan"]), ["engine::scan"]);
        assert_eq!(selected(&["*sca"]), Vec::<String>::new());
    }

    #[test]
    fn globs_agree_with_the_definition() {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([b'*', rest @ ..], _) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                ([p, pattern @ ..], [t, text @ ..]) => p == t && slow(pattern, text),
                (pattern, text) => pattern.is_empty() && text.is_empty(),
            }
        }
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..5_000 {
            let letters = ['*', 'a', 'b'];
            let mut word =
                |most, from| (0..random.usize(..most)).map(|_| letters[random.usize(from..3)]).collect::<String>();
            let (pattern, text) = (format!("{}*", word(6, 0)), word(9, 1));
            let filter: Filter = pattern.parse().unwrap();
            assert_eq!(filter.fits(&text), slow(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn a_filter_that_matches_nothing_is_named_with_near_misses() {
        let filters = Filters::new(&["redp", "engin::*", "scan", "!postgres"]).unwrap();
        let expected = [
            "no case matches \"redp\": did you mean generator::redb/cached or generator::redb/naive?",
            "no case matches \"engin::*\": did you mean engine::scan?",
            "no case matches \"!postgres\"",
        ];
        assert_eq!(filters.check(&cases()).unwrap_err(), expected.join("\n"));
        assert_eq!(Filters::new(&["scan", "!redb"]).unwrap().check(&cases()), Ok(()));
    }

    #[test]
    fn an_empty_filter_is_refused() {
        for text in ["", "!"] {
            let expected = format!(
                r#"{text:?} is not a filter: write a part of a case's name, such as "redb/cached" or "engine::*""#
            );
            assert_eq!(Filters::new(&["a", text]).unwrap_err(), expected);
        }
    }
}
