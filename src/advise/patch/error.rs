//! The error that names a place in a manifest.

use std::error::Error;
use std::fmt;
use std::ops::Range;

/// Why a manifest can't be edited: the file, the place in it, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// The file.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, in one line.
    pub problem: String,
}

impl PatchError {
    /// A problem at bytes of a file's text; without a span, at its beginning.
    pub(super) fn at(path: &str, text: &str, span: Option<Range<usize>>, problem: &str) -> Self {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
        let problem = problem.lines().next().unwrap_or_default().to_owned();
        Self { path: path.to_owned(), line: before.matches('\n').count() + 1, column, problem }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.problem)
    }
}

impl Error for PatchError {}
