//! Putting one more entry between brackets or braces, in the style of what stands there.

use std::ops::Range;

/// `text` with `entry` behind the `last` one of the `list`, whose bytes include its brackets.
pub(super) fn append(text: &str, list: Range<usize>, last: Option<Range<usize>>, entry: &str) -> String {
    let (inside, close) = (list.start + 1, list.end.saturating_sub(1));
    let Some(last) = last else {
        return first(text, inside, close, entry);
    };
    let comma = comma(text, last.end, close);
    let behind = comma.map_or(last.end, |at| at + 1);
    let line_start = line_start(text, last.start);
    let indent = &text[line_start..last.start];
    match text[behind..close].find('\n') {
        Some(rest) if indent.trim().is_empty() => {
            let next_line = behind + rest + 1;
            let (missing, trailing) = if comma.is_some() { ("", ",") } else { (",", "") };
            let line = format!("{indent}{entry}{trailing}{}", newline(text));
            [&text[..last.end], missing, &text[last.end..next_line], &line, &text[next_line..]].concat()
        }
        _ if comma.is_some() => splice(text, behind..behind, &format!(" {entry},")),
        _ => splice(text, behind..behind, &format!(", {entry}")),
    }
}

fn first(text: &str, inside: usize, close: usize, entry: &str) -> String {
    let entry = if text[..inside].ends_with('{') { format!(" {entry} ") } else { entry.to_owned() };
    // Blanks alone give way; a comment stays.
    let blank = text[inside..close].trim().is_empty();
    splice(text, inside..if blank { close } else { inside }, &entry)
}

/// The comma that follows an entry, before or behind comments.
fn comma(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut comment = false;
    for (at, c) in text[from..to].char_indices() {
        match c {
            '#' => comment = true,
            '\n' => comment = false,
            ',' if !comment => return Some(from + at),
            _ => {}
        }
    }
    None
}

/// `text` with other bytes in place of those of `span`.
pub(super) fn splice(text: &str, span: Range<usize>, with: &str) -> String {
    [&text[..span.start], with, &text[span.end..]].concat()
}

/// Where the line of the byte `at` begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// How the lines of a text end.
pub(super) fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list that `text` ends with, whose last entry is the last `a` in it.
    fn appended(text: &str) -> String {
        let last = text.rfind('a').map(|at| at..at + 1);
        append(text, text.find(['[', '{']).unwrap()..text.len(), last, "b")
    }

    #[test]
    fn an_entry_takes_the_style_of_the_list() {
        for (before, after) in [
            ("[]", "[b]"),
            ("[ ]", "[b]"),
            ("{}", "{ b }"),
            ("[ # none\n]", "[b # none\n]"),
            ("[a]", "[a, b]"),
            ("[a ]", "[a, b ]"),
            ("[ a, ]", "[ a, b, ]"),
            ("{ a }", "{ a, b }"),
            ("[\n  a\n]", "[\n  a,\n  b\n]"),
            ("[\n  a,\n]", "[\n  a,\n  b,\n]"),
            ("[\n  a, # why, so\n]", "[\n  a, # why, so\n  b,\n]"),
            ("[\n  a # why, so\n]", "[\n  a, # why, so\n  b\n]"),
            ("[\n  a # why, so\n  ,\n]", "[\n  a # why, so\n  ,\n  b,\n]"),
            ("[\r\n\ta,\r\n]", "[\r\n\ta,\r\n\tb,\r\n]"),
            ("[x,\n  a]", "[x,\n  a, b]"),
            ("[x, a,\n]", "[x, a, b,\n]"),
        ] {
            assert_eq!(appended(before), after, "{before:?}");
        }
    }
}
