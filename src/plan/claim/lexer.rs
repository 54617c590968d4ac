//! The parts of a claim's text: words, numbers, signs.

use std::ops::Range;

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name, a keyword or a unit.
    Word(&'t str),
    /// Digits, with or without a point and more digits.
    Number(&'t str),
    /// A sign of the language.
    Sign(Sign),
    /// A sign that other languages have, and what to write here.
    Slip(&'static str),
    /// Any other character.
    Odd,
    /// The end of the text.
    End,
}

/// The signs of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    Range,
    PlusMinus,
    Plus,
    Minus,
    Percent,
    Slash,
    Open,
    Close,
    Comma,
}

/// A part and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lexeme<'t> {
    pub(super) token: Token<'t>,
    pub(super) span: Range<usize>,
}

const UNEQUAL: &str = "an interval can show that two values are the same within a tolerance, or that one is the smaller, \
                       but not that they merely differ: write < or >, whichever is meant";
const NEARLY: &str = "write == and the tolerance: == before +- 1%";

/// All signs, those first that begin with another one.
const SIGNS: [(&str, Token<'static>); 31] = [
    ("===", Token::Slip("write ==")),
    ("+/-", Token::Sign(Sign::PlusMinus)),
    ("...", Token::Slip("write two dots: in 10ns .. 50ns")),
    ("..=", Token::Slip("write two dots: both ends are included")),
    ("!=", Token::Slip(UNEQUAL)),
    ("<>", Token::Slip(UNEQUAL)),
    ("=<", Token::Slip("write <=")),
    ("=>", Token::Slip("write >=")),
    ("~=", Token::Slip(NEARLY)),
    ("<=", Token::Sign(Sign::LessEqual)),
    (">=", Token::Sign(Sign::GreaterEqual)),
    ("==", Token::Sign(Sign::Equal)),
    ("+-", Token::Sign(Sign::PlusMinus)),
    ("..", Token::Sign(Sign::Range)),
    ("=", Token::Slip("write ==")),
    ("~", Token::Slip(NEARLY)),
    ("\u{2248}", Token::Slip(NEARLY)),
    ("\u{2260}", Token::Slip(UNEQUAL)),
    ("\u{2264}", Token::Sign(Sign::LessEqual)),
    ("\u{2265}", Token::Sign(Sign::GreaterEqual)),
    ("\u{b1}", Token::Sign(Sign::PlusMinus)),
    ("\u{d7}", Token::Word("x")),
    ("<", Token::Sign(Sign::Less)),
    (">", Token::Sign(Sign::Greater)),
    ("+", Token::Sign(Sign::Plus)),
    ("-", Token::Sign(Sign::Minus)),
    ("%", Token::Sign(Sign::Percent)),
    ("/", Token::Sign(Sign::Slash)),
    ("(", Token::Sign(Sign::Open)),
    (")", Token::Sign(Sign::Close)),
    (",", Token::Sign(Sign::Comma)),
];

/// A text being read from left to right. No part of it is looked at more than a few times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The text between two places that lexemes named.
    pub(super) fn slice(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or("")
    }

    /// Where the part ends that was taken last.
    pub(super) fn behind(&self) -> usize {
        self.at
    }

    /// The next part, which stays the next one.
    pub(super) fn peek(&self) -> Lexeme<'t> {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let (token, length) = token(rest);
        Lexeme { token, span: start..start + length }
    }

    /// Takes the next part.
    pub(super) fn next(&mut self) -> Lexeme<'t> {
        let lexeme = self.peek();
        self.at = lexeme.span.end;
        lexeme
    }

    /// Takes the next part if it is this one.
    pub(super) fn takes(&mut self, wanted: Token<'_>) -> bool {
        let found = self.peek().token == wanted;
        if found {
            self.next();
        }
        found
    }

    /// Takes all up to the next comma, parenthesis or end, without the white space around it: names of functions have
    /// signs of their own.
    pub(super) fn argument(&mut self) -> (&'t str, Range<usize>) {
        let rest = &self.text[self.at..];
        let end = self.at + rest.find([',', '(', ')']).unwrap_or(rest.len());
        let start = end - self.text[self.at..end].trim_start().len();
        self.at = end;
        let argument = self.text[start..end].trim_end();
        (argument, start..start + argument.len())
    }
}

/// The part at the start of a text, and its length in bytes.
fn token(text: &str) -> (Token<'_>, usize) {
    let Some(first) = text.chars().next() else { return (Token::End, 0) };
    if first.is_ascii_digit() {
        let length = number(text);
        return (Token::Number(&text[..length]), length);
    }
    if first.is_alphanumeric() || first == '_' {
        let length = word(text);
        return (Token::Word(&text[..length]), length);
    }
    let sign = SIGNS.iter().find(|(sign, _)| text.starts_with(sign));
    sign.map_or((Token::Odd, first.len_utf8()), |(sign, token)| (*token, sign.len()))
}

/// The length of the number at the start. A point belongs to it where a digit follows: `10..50` are two numbers.
fn number(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or("");
        from + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
    };
    let whole = digits(0);
    let fraction = text[whole..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if fraction { digits(whole + 1) } else { whole }
}

/// The length of the word at the start. Points and hyphens are inside words only: `latency.p99.9`, `cache-misses`; and
/// `before-30%` is a difference.
fn word(text: &str) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let inner = matches!(c, '.' | '-') && text[at + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let difference = c == '-' && &text[..at] == "before";
        if !(c.is_alphanumeric() || c == '_' || inner) || difference {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        std::iter::from_fn(|| Some(lexer.next().token).filter(|token| *token != Token::End)).collect()
    }

    #[test]
    fn points_and_hyphens_belong_to_the_words_and_numbers_around_them() {
        use Token::{Number, Odd, Word};
        let range = Token::Sign(Sign::Range);
        assert_eq!(tokens("latency.p99.9"), [Word("latency.p99.9")]);
        assert_eq!(tokens("0.90x..0.95x"), [Number("0.90"), Word("x"), range, Number("0.95"), Word("x")]);
        assert_eq!(tokens("10..50ns"), [Number("10"), range, Number("50"), Word("ns")]);
        assert_eq!(tokens("cache-misses"), [Word("cache-misses")]);
        let difference = [Word("before"), Token::Sign(Sign::Minus), Number("30"), Token::Sign(Sign::Percent)];
        assert_eq!(tokens("before-30%"), difference);
        assert_eq!(tokens(".5"), [Odd, Number("5")]);
        assert_eq!(tokens("µs \u{1f980}"), [Word("µs"), Odd]);
    }

    #[test]
    fn every_sign_is_found_before_those_that_it_begins_with() {
        for (sign, token) in SIGNS {
            assert_eq!(tokens(sign), [token], "{sign}");
        }
    }

    #[test]
    fn places_are_in_bytes_and_white_space_is_none() {
        let mut lexer = Lexer::new(" µ\t<= ");
        assert_eq!(lexer.next().span, 1..3);
        assert_eq!(lexer.next().span, 4..6);
        assert_eq!(lexer.next(), Lexeme { token: Token::End, span: 7..7 });
        let mut lexer = Lexer::new("  a b , c");
        assert_eq!((lexer.argument(), lexer.next().span), (("a b", 2..5), 6..7));
    }
}
