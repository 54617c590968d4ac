//! Untrusted text, so written that Markdown, HTML and GitHub leave it alone.

use crate::report::text::shortened;

/// The longest single text in a cell.
const LONGEST_CELL: usize = 200;
/// The longest line of an error.
const LONGEST_LINE: usize = 400;
/// Of so many hexadecimal digits or more, GitHub takes any number for a commit.
const SHORTEST_COMMIT: usize = 7;
/// Seen by nobody, and enough to part what would be taken for one word.
const JOINT: char = '\u{2060}';

/// A text in a code span that also holds inside a table. Backslashes can't escape anything there, so the two characters that
/// would end the span or the cell give way to ones that look alike.
pub(in crate::report) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let inside = shortened(text, LONGEST_CELL).replace('`', "ˋ").replace('|', "∣");
    format!("`{}`", inside.trim())
}

/// Lines in a block that no line of theirs can end.
pub(in crate::report) fn fenced(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().map(|line| shortened(line, LONGEST_LINE)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("\n{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// A sentence with names in it: everything that Markdown, HTML or GitHub would act on stands for itself. What GitHub looks for
/// after escapes are gone (`@name`, `#1`, `GH-1`, `:name:`, `http://`, `www.`, commits) an invisible joint breaks. For formulas
/// it has rules of its own, so a dollar gives way to one that looks alike.
pub(in crate::report) fn prose(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = String::new();
    for c in shortened(text, 2 * LONGEST_CELL).chars() {
        if is_begun(&before, c) {
            safe.push(JOINT);
            before.clear();
        }
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            // These two are not left to backslashes: inside tables, parsers disagree on them.
            '|' => safe += "&vert;",
            '\\' => safe += "&bsol;",
            '$' => safe.push('＄'),
            other if other.is_ascii_punctuation() && !matches!(other, ',' | ';' | '%') => safe.extend(['\\', other]),
            other => safe.push(other),
        }
        before.push(c);
    }
    safe
}

/// Whether `c` would make something of the text before it that GitHub acts on.
fn is_begun(before: &str, c: char) -> bool {
    let mut backwards = before.chars().rev();
    let (last, one_before) = (backwards.next(), backwards.next());
    let reference = c.is_ascii_digit() && last == Some('-') && one_before.is_some_and(|c| c.is_ascii_alphabetic());
    let digits = before.bytes().rev().take_while(u8::is_ascii_hexdigit).count();
    match (last, c) {
        (Some('@' | '#'), _) | (Some(':'), '/') => true,
        (Some('w' | 'W'), '.') => before.to_ascii_lowercase().ends_with("www"),
        (_, ':') => is_called(before),
        _ => reference || (c.is_ascii_hexdigit() && digits + 1 >= SHORTEST_COMMIT),
    }
}

/// Whether a text ends in a colon and a name: with another colon that is a pictogram.
fn is_called(before: &str) -> bool {
    let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || "_+-".contains(c));
    start.len() < before.len() && start.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(code("a`|b"), "`aˋ∣b`");
        assert_eq!(code("<img src=x> @team"), "`<img src=x> @team`");
        assert_eq!(code("` `"), "`ˋ ˋ`");
        assert_eq!(code("  "), "");
    }

    #[test]
    fn a_block_cannot_be_left() {
        let block = fenced(&["```` out".to_owned(), "x".to_owned()]);
        assert_eq!(block, "\n`````text\n```` out\nx\n`````\n");
    }

    #[test]
    fn nothing_in_a_sentence_is_acted_on() {
        let hostile = prose("<b>@team #1 GH-12 [x](https://evil.example) `|` www.evil.example a@b.example");
        assert_eq!(
            hostile,
            "&lt;b&gt;\\@\u{2060}team \\#\u{2060}1 GH\\-\u{2060}12 \\[x\\]\\(https\\:\u{2060}\\/\\/evil\\.example\\) \
             \\`&vert;\\` www\u{2060}\\.evil\\.example a\\@\u{2060}b\\.example"
        );
        assert_eq!(prose("+1.02 %, fine"), "\\+1\\.02 %, fine");
        assert_eq!(prose(r"\$x$"), "&bsol;＄x＄");
    }

    #[test]
    fn neither_commits_nor_pictograms_are_found_in_a_sentence() {
        let joints = |text: &str| prose(text).split(JOINT).map(str::len).collect::<Vec<_>>();
        assert_eq!(joints("3f2a9c1d7b0e4a"), [6, 6, 2]);
        assert_eq!(joints("123456 abcdef zoo"), [17]);
        assert_eq!(prose("a::b::c :+1:"), "a\\:\\:b\u{2060}\\:\\:c \\:\\+1\u{2060}\\:");
        assert_eq!(prose("note: fine"), "note\\: fine");
    }
}
