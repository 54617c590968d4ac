//! Names that are safe in folded lines and in everything drawn of them.

use std::borrow::Cow;

/// A frame without a name.
pub(super) const UNKNOWN: &str = "[unknown]";

/// Keeps a number in its place at the end of a name.
const NO_BREAK: char = '\u{a0}';

/// A name as a frame: see [`Folded`](super::Folded).
pub(super) fn frame(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    if !name.is_empty() && name != "#" && name.bytes().all(plain) {
        return Cow::Borrowed(name);
    }
    let shown = printable(name).replace(';', ":");
    let mut text = shown.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((_, last)) = text.rsplit_once(' ')
        && last.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let space = text.len() - last.len() - 1;
        text.replace_range(space..=space, NO_BREAK.encode_utf8(&mut [0; 2]));
    }
    if text == "#" || text.starts_with("# ") {
        text.insert(0, '\\'); // A line that begins with "# " is a comment.
    }
    if text.is_empty() { Cow::Borrowed(UNKNOWN) } else { Cow::Owned(text) }
}

/// A text for people: white space is a space, and what neither a terminal nor XML 1.0 may see is U+FFFD.
pub(in crate::profile) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        NO_BREAK => NO_BREAK,
        c if c.is_whitespace() => ' ',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}
