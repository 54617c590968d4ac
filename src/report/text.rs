//! Text from files, made harmless and made to fit.

/// Characters that move the cursor, hide text, or turn its direction, so that a reader sees something else than is there.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}')
        || matches!(c, '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, with white space as single characters and a visible mark in place of whatever a terminal, a page
/// or a reader would be misled by.
pub(super) fn clean(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if hidden(c) => '\u{fffd}',
        c => c,
    };
    text.trim().chars().map(shown).collect()
}

/// The text with its line ends, and a visible mark in place of everything else that would mislead a terminal: for what other
/// programs said.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { c } else { mark(c) }).collect()
}

/// The lines of a text, each made harmless. Of a long text its beginning and its end are kept, at most `most` lines.
pub(super) fn clean_lines(text: &str, most: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let harmless = |line: &&str| line.trim_end().chars().map(|c| if c == '\t' { ' ' } else { c }).map(mark).collect();
    if lines.len() <= most {
        return lines.iter().map(harmless).collect();
    }
    let (head, tail) = (most / 3, most - most / 3 - 1);
    let left_out = format!("… {} lines left out …", lines.len() - head - tail);
    let before = lines[..head].iter().map(harmless);
    before.chain([left_out]).chain(lines[lines.len() - tail..].iter().map(harmless)).collect()
}

fn mark(c: char) -> char {
    if hidden(c) { '\u{fffd}' } else { c }
}

/// How many columns a text takes, counting one per character.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text in at most `most` characters, its middle left out: beginnings and ends of names tell them apart.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let length = width(text);
    if length <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let (head, tail) = (kept / 2, kept - kept / 2);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// The text in lines of at most `most` characters where its words allow that; the first begins with `indent` spaces, all others
/// with `hang`.
#[must_use]
pub fn wrapped(text: &str, most: usize, (indent, hang): (usize, usize)) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut begun = false;
    for word in text.split(' ') {
        if begun && width(&line) + 1 + width(word) > most {
            lines.push(std::mem::replace(&mut line, " ".repeat(hang)));
        } else if begun {
            line.push(' ');
        }
        line.push_str(word);
        begun = true;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_turns_the_text_is_made_visible() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{9b}d\n\te\u{7}"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d  e\u{fffd}");
        assert_eq!(clean(" überprüft µs … "), "überprüft µs …");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("generator::redb/cached", 13), "genera…cached");
        assert_eq!(shortened("short", 5), "short");
        assert_eq!(shortened("äöüß", 3), "ä…ß");
    }

    #[test]
    fn long_texts_lose_their_middle_lines() {
        let text: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
        let kept = clean_lines(&text.join("\n"), 6);
        assert_eq!(kept, ["line 0", "line 1", "… 25 lines left out …", "line 27", "line 28", "line 29"]);
        assert_eq!(clean_lines("  a\n\n b\u{1b}", 6), ["  a", " b\u{fffd}"]);
    }

    #[test]
    fn lines_break_between_words_and_hang() {
        assert_eq!(wrapped("one two three four", 9, (0, 2)), ["one two", "  three", "  four"]);
        assert_eq!(wrapped("unbreakablyLong x", 4, (1, 0)), [" unbreakablyLong", "x"]);
    }
}
