//! The error that a reader of a plan sees.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::fault::Fault;

/// Why there is no plan: the file, the place in it, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    file: PathBuf,
    place: Option<Place>,
    problem: String,
    help: Option<String>,
}

/// Part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// From 1.
    line: usize,
    /// From 1, in characters; a tab is one.
    column: usize,
    /// How many characters are meant, at least 1.
    width: usize,
    /// The whole line, without its end.
    text: String,
}

impl PlanError {
    pub(super) fn new(fault: Fault, text: &str, file: &Path) -> Self {
        let Fault { span, problem, help } = fault;
        let place = span.map(|span| Place::new(text, span.start, span.end));
        Self { file: file.to_owned(), place, problem, help }
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self { file: file.to_owned(), place: None, problem: format!("can't be read: {error}"), help: None }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Line and column, both from 1, the column in characters. `None` where the file could not be read at all.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|place| (place.line, place.column))
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl Place {
    /// The place of the bytes `start..end`. A span over several lines is cut at the end of the first.
    fn new(text: &str, start: usize, end: usize) -> Self {
        let start = boundary(text, start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..].lines().next().unwrap_or("");
        let line_end = line_start + line.len();
        let end = boundary(text, end.min(line_end)).max(start);
        // The byte order mark is no character of the first line.
        let text_start = if line.starts_with('\u{feff}') { line_start + '\u{feff}'.len_utf8() } else { line_start };
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: text.get(text_start..start).map_or(0, |before| before.chars().count()) + 1,
            width: text[start..end].chars().count().max(1),
            text: text[text_start..line_end].to_owned(),
        }
    }

    /// Spaces as wide as what stands before the place: tabs stay tabs.
    fn indent(&self) -> String {
        self.text.chars().take(self.column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect()
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        let Some(place) = &self.place else {
            write!(f, " {}", harmless(&self.problem))?;
            return self.help.iter().try_for_each(|help| write!(f, " ({})", harmless(help)));
        };
        let Place { line, column, width, text } = place;
        let gutter = line.to_string().len();
        writeln!(f, "{line}:{column}: {}", harmless(&self.problem))?;
        writeln!(f, "{:gutter$} |", "")?;
        writeln!(f, "{line} | {}", harmless(text))?;
        write!(f, "{:gutter$} | {}{}", "", place.indent(), "^".repeat(*width))?;
        self.help.iter().try_for_each(|help| write!(f, "\n{:gutter$} = help: {}", "", harmless(help)))
    }
}

impl Error for PlanError {}

/// The last start of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A line for a terminal or a log: what would move the cursor, colour or reorder the text is shown as one replacement
/// character, so that columns stay.
fn harmless(line: &str) -> String {
    let reorders = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    line.chars().map(|c| if (c.is_control() && c != '\t') || reorders(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, start: usize, end: usize) -> (usize, usize, usize, String) {
        let place = Place::new(text, start, end);
        (place.line, place.column, place.width, place.text)
    }

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        assert_eq!(place("a\nbc\nd", 3, 4), (2, 2, 1, "bc".to_owned()));
        assert_eq!(place("a\r\nbc\r\n", 4, 5), (2, 2, 1, "bc".to_owned()));
        assert_eq!(place("äö = ü", 7, 9), (1, 6, 1, "äö = ü".to_owned()));
        assert_eq!(place("[a\nb]", 0, 5), (1, 1, 2, "[a".to_owned()));
    }

    #[test]
    fn any_span_of_any_text_has_a_place() {
        let mut random = fastrand::Rng::with_seed(7);
        let letters = ['a', '\n', '\r', '\t', 'ä', '\u{1f980}', '\u{feff}', '"'];
        for _ in 0..5_000 {
            let text: String = (0..random.usize(..12)).map(|_| letters[random.usize(..letters.len())]).collect();
            let (start, end) = (random.usize(..40), random.usize(..40));
            let found = Place::new(&text, start, end);
            assert!(found.width >= 1 && found.column >= 1 && !found.text.contains('\n'), "{text:?} {start} {end}");
            assert!(found.line <= text.matches('\n').count() + 1, "{text:?} {start} {end}");
        }
    }
}
