//! The error of this room: what was read, and what is expected instead.

use std::error::Error;
use std::fmt;

/// A text that is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    problem: String,
    expected: &'static str,
}

impl Unreadable {
    pub(super) fn new(text: &str, what: &str, expected: &'static str) -> Self {
        Self { problem: format!("{text:?} is not {what}"), expected }
    }

    /// What was read, and what it is not: `"5" is not a duration`. Control characters are escaped.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What can be written instead, with examples.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.problem, self.expected)
    }
}

impl Error for Unreadable {}

impl From<Unreadable> for String {
    fn from(error: Unreadable) -> Self {
        error.to_string()
    }
}
