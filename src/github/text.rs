//! Text from elsewhere, made fit for one line of a log.

/// The text in one line of at most `most` characters, without control characters and without those that change the
/// direction of writing or can't be seen.
pub(super) fn clean(text: &str, most: usize) -> String {
    let visible: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect();
    let mut line = String::with_capacity(most);
    for (count, c) in visible.split_whitespace().flat_map(|word| word.chars().chain([' '])).enumerate() {
        if count > most {
            let cut = line.char_indices().nth(most.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
            line.truncate(cut);
            line.push('…');
            return line;
        }
        line.push(c);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Control characters, and of the format characters (Unicode, category Cf) those that reorder or hide text.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_one_line_without_what_cannot_be_seen() {
        assert_eq!(clean(" a\r\n::error::b\u{1b}[31m\t\u{202e}c\u{0}", 40), "a ::error::b [31m c");
        assert_eq!(clean("", 40), "");
        assert_eq!(clean("\n\u{feff}", 40), "");
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        assert_eq!(clean("ääää", 4), "ääää");
        assert_eq!(clean("äääää", 4), "äää…");
        assert_eq!(clean("aaaa b", 4), "aaa…");
        assert_eq!(clean(&"x".repeat(1 << 20), 300).chars().count(), 300);
    }
}
