//! Names of things on GitHub, checked before they stand in an address: whoever opens a pull request chooses some of them.

use std::fmt;
use std::str::FromStr;

use super::text::clean;

/// The longest owner, repository or event.
const LONGEST: usize = 100;
/// The longest branch: what a file system takes as a name, which is where git keeps it.
const LONGEST_BRANCH: usize = 255;
/// How much of a wrong name is shown.
const SHOWN: usize = 60;

/// A repository by its full name: `rust-lang/cargo`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

impl RepositoryName {
    /// The user or organisation that it belongs to.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The name without the owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl FromStr for RepositoryName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((owner, name)) if plain(owner, "-_") && plain(name, "-_.") => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(format!("{:?} is not the full name of a repository: expected owner/name", clean(text, SHOWN))),
        }
    }
}

/// Whether the text can stand in a path: letters, digits and what `more` has, and none of the names of folders.
fn plain(text: &str, more: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
    !matches!(text, "" | "." | "..") && text.len() <= LONGEST && text.chars().all(good)
}

/// The name of a user or an organisation, as they own repositories.
pub(super) fn login(text: &str) -> Result<String, String> {
    if plain(text, "-_") { Ok(text.to_owned()) } else { Err(format!("{:?} is not a user's name", clean(text, SHOWN))) }
}

/// The full id of a commit: 40 hexadecimal digits, or 64 where the repository uses SHA-256. In lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sha(String);

impl Sha {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The commit, and `None` for the zeros that GitHub writes where there is none: before a branch was made, and after
    /// it was deleted.
    pub(super) fn unless_zero(self) -> Option<Self> {
        self.0.contains(|digit| digit != '0').then_some(self)
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Sha {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(format!("{:?} is not the id of a commit: expected 40 or 64 hexadecimal digits", clean(text, SHOWN)))
    }
}

/// The name of a branch or tag as git allows it (git-check-ref-format): no spaces, no control characters, none of
/// `~^:?*[\`. Anything else is possible, Markdown and HTML included.
pub(super) fn branch(text: &str) -> Result<String, String> {
    let wrong = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let good = !text.is_empty() && text.len() <= LONGEST_BRANCH && !text.contains(wrong) && !text.contains("..");
    if good { Ok(text.to_owned()) } else { Err(format!("{:?} is not the name of a branch", clean(text, SHOWN))) }
}

/// One of GitHub's own words, such as an event or a conclusion: `workflow_run`.
pub(super) fn word(text: &str) -> Result<String, String> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !text.is_empty() && text.len() <= LONGEST && text.bytes().all(good) {
        return Ok(text.to_owned());
    }
    Err(format!("{:?} is not a word of GitHub's", clean(text, SHOWN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_by_owner_and_name() {
        let name: RepositoryName = "Octo-Cat_x/hello.world".parse().unwrap();
        assert_eq!((name.owner(), name.name()), ("Octo-Cat_x", "hello.world"));
        assert_eq!(name.to_string(), "Octo-Cat_x/hello.world");
    }

    #[test]
    fn names_that_would_lead_elsewhere_are_refused() {
        let long = format!("a/{}", "b".repeat(LONGEST + 1));
        for bad in [
            "", "a", "/b", "a/", "a/b/c", "a/..", "a/.", "../b", "a/b?c", "a/b#c", "a/b%2e", "a/b\n", "a b/c", "ä/b",
            "a.b/c", &long,
        ] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn commits_have_forty_or_sixty_four_digits() {
        let sha: Sha = "0123456789ABCDEF0123456789abcdef01234567".parse().unwrap();
        assert_eq!(sha.as_str(), "0123456789abcdef0123456789abcdef01234567");
        assert!("a".repeat(64).parse::<Sha>().is_ok());
        for bad in [String::new(), "a".repeat(39), "a".repeat(41), "g".repeat(40), "../".repeat(20), "é".repeat(20)] {
            assert!(bad.parse::<Sha>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn zeros_are_no_commit() {
        assert_eq!("0".repeat(40).parse::<Sha>().unwrap().unless_zero(), None);
        assert!(format!("{}1", "0".repeat(39)).parse::<Sha>().unwrap().unless_zero().is_some());
    }

    #[test]
    fn a_branch_is_what_git_takes_for_one() {
        for good in ["main", "release/1.4", "<img>|@me", "ünï", "a`b`"] {
            assert_eq!(branch(good).unwrap(), good);
        }
        for bad in ["", "a b", "a\nb", "a:b", "a..b", "a\u{7f}", "a\u{a0}b", "a\\b", &"b".repeat(LONGEST_BRANCH + 1)] {
            assert!(branch(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_wrong_name_is_shown_cut_and_in_one_line() {
        let said = format!("x\n::error::{}", "y".repeat(500)).parse::<RepositoryName>().unwrap_err();
        assert!(!said.contains('\n') && said.len() < 200, "{said}");
        assert!(word("pull_request").is_ok() && word("Pull Request").is_err() && word("").is_err());
    }
}
