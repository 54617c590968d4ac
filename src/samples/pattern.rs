//! Patterns: which functions and which system calls are meant.

use std::fmt;
use std::str::FromStr;

/// The longest pattern, in bytes.
const LONGEST: usize = 200;
/// The most segments of a pattern of functions: one bit each.
const MOST_SEGMENTS: usize = 64;
/// What inferno puts behind the names of the kernel's functions.
const KERNEL: &str = "_[k]";

/// A pattern for whole names: `open*`. A `*` stands for any text, also for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// Whether all of `name` fits. Takes time in proportion to the two lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0, name)
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.*".contains(c);
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(plain) {
            return Err(format!("a name is 1 to {LONGEST} letters, digits, _ - . and * for any text: {text:?}"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A pattern for functions: `get_subscriber_at`, `core::fmt`, `generator::redb::*`.
///
/// It matches a function when its segments stand in a row anywhere among the segments of the function's demangled name;
/// a `*` stands for any text inside one segment. Types count: `<generator::redb::Db as Store>::get` is matched by
/// `generator::redb`, by `Db::get` and by `Store::get`, and `Vec<T, A>::push` by `Vec::push` and by `T`. What closures and
/// the like are called is a segment in braces: `{{closure}}`, `{closure#0}`, `{closure*}`.
///
/// ```
/// use perfplan::samples::PathPattern;
///
/// let formatting: PathPattern = "core::fmt".parse().unwrap();
/// assert!(formatting.matches("core::fmt::num::imp::fmt_u64"));
/// assert!(formatting.matches("<u64 as core::fmt::Display>::fmt"));
/// assert!(!formatting.matches("my_core::fmt::write"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern {
    /// One to [`MOST_SEGMENTS`], none empty.
    segments: Vec<String>,
}

impl PathPattern {
    /// Whether the function of this demangled name is meant. Takes time in proportion to the name's length.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut rest = name.strip_suffix(KERNEL).unwrap_or(name);
        let mut scan = Scan { pattern: self, path: Path::default(), open: Vec::new() };
        while let Some((piece, length)) = piece(rest) {
            if scan.meets(piece) {
                return true;
            }
            rest = &rest[length..];
        }
        false
    }

    /// The bits of the segments that `segment` fits, among those in `wanted`.
    fn fitting(&self, segment: &str, wanted: u64) -> u64 {
        let bit = |(at, pattern): (usize, &String)| {
            let fitting = (wanted >> at) & 1 == 1 && fits(pattern, segment);
            u64::from(fitting) << at
        };
        self.segments.iter().enumerate().map(bit).sum()
    }
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.*{}#".contains(c);
        let segments: Vec<String> = text.split("::").map(str::to_owned).collect();
        if text.len() > LONGEST || segments.len() > MOST_SEGMENTS {
            return Err(format!(
                "a pattern of functions has at most {LONGEST} letters and {MOST_SEGMENTS} segments: {text:?}"
            ));
        }
        match segments.iter().all(|segment| !segment.is_empty() && segment.chars().all(plain)) {
            true => Ok(Self { segments }),
            false => Err(format!(
                "a pattern of functions is made of segments with :: between them, each of letters, digits, \
                 _ - . {{ }} # and * for any text: {text:?}"
            )),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.segments.join("::"))
    }
}

/// Whether all of `text` fits a pattern in which `*` is any text, also none. The parts between stars are taken as early as they come,
/// which never spoils a later match, so that no part of the text is read again.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else { return false };
    let mut left = Some(inner);
    for part in middle.split('*') {
        left = left.and_then(|text| text.find(part).map(|at| &text[at + part.len()..]));
    }
    left.is_some()
}

/// A piece of a demangled name.
#[derive(Clone, Copy)]
enum Piece<'n> {
    Segment(&'n str),
    /// `::`
    Join,
    Open(Bracket),
    Close,
    /// Anything else ends a path.
    Break,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Angle,
    Other,
}

/// The first piece of a name and its length in bytes; `None` at the end.
fn piece(name: &str) -> Option<(Piece<'_>, usize)> {
    let first = name.chars().next()?;
    if name.starts_with("::") {
        return Some((Piece::Join, 2));
    }
    if name.starts_with("->") {
        return Some((Piece::Break, 2));
    }
    let single = match first {
        '<' => Piece::Open(Bracket::Angle),
        '(' | '[' => Piece::Open(Bracket::Other),
        '>' | ')' | ']' => Piece::Close,
        '{' => return Some(segment(name, braced(name))),
        c if is_letter(c) => return Some(segment(name, word(name))),
        _ => Piece::Break,
    };
    Some((single, first.len_utf8()))
}

fn segment(name: &str, length: usize) -> (Piece<'_>, usize) {
    (Piece::Segment(&name[..length]), length)
}

/// What segments are made of; `~` is a destructor's in C++.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '~' | '-')
}

/// The length of the word at the start. C++ has operators in names, whose brackets are none.
fn word(name: &str) -> usize {
    let end = name.find(|c| !is_letter(c)).unwrap_or(name.len());
    let end = name[..end].strip_suffix('-').filter(|_| name[end..].starts_with('>')).map_or(end, str::len);
    if &name[..end] != "operator" {
        return end;
    }
    let rest = &name[end..];
    let symbol = |c: char| "<>=!+-*/&|^%~,".contains(c);
    let symbols = match rest.get(..2) {
        Some("()" | "[]") => 2,
        _ => rest.find(|c| !symbol(c)).unwrap_or(rest.len()),
    };
    end + symbols
}

/// The length of the segment in braces at the start: up to its own closing brace, or to the end where there is none.
fn braced(name: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in name.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    name.len()
}

/// How much of the pattern the path read so far ends with.
#[derive(Clone, Copy, Default)]
struct Path {
    /// Bit i: the first i + 1 segments of the pattern stand in a row and end here.
    matched: u64,
    /// Whether the path has a segment already.
    begun: bool,
}

/// A bracket that is open.
struct Group {
    bracket: Bracket,
    /// The path that it interrupts.
    outer: Path,
    /// How the paths inside it end.
    ends: u64,
    /// Whether what follows it belongs to the types in it: `<A as B>::f` is `A::f` and `B::f`, `Vec<A>::f` is not `A::f`.
    owns: bool,
}

/// A name being read: every path in it at once, by one bit per segment of the pattern (Baeza-Yates and Gonnet 1992).
struct Scan<'p> {
    pattern: &'p PathPattern,
    path: Path,
    open: Vec<Group>,
}

impl Scan<'_> {
    /// Takes the next piece; true when the pattern is complete.
    fn meets(&mut self, piece: Piece<'_>) -> bool {
        match piece {
            Piece::Segment(segment) => return self.segment(segment),
            Piece::Join => {}
            Piece::Break => self.end_path(),
            Piece::Open(bracket) => {
                let owns = bracket == Bracket::Angle && !self.path.begun;
                self.open.push(Group { bracket, outer: self.path, ends: 0, owns });
                self.path = Path::default();
            }
            Piece::Close => self.close(),
        }
        false
    }

    fn segment(&mut self, segment: &str) -> bool {
        if let Some(group) = self.open.last_mut().filter(|group| group.bracket == Bracket::Angle)
            && !self.path.begun
            && matches!(segment, "as" | "impl")
        {
            group.owns = true;
            return false;
        }
        let matched = self.pattern.fitting(segment, (self.path.matched << 1) | 1);
        self.path = Path { matched, begun: true };
        (matched >> (self.pattern.segments.len() - 1)) & 1 == 1
    }

    fn end_path(&mut self) {
        if let Some(group) = self.open.last_mut() {
            group.ends |= self.path.matched;
        }
        self.path = Path::default();
    }

    fn close(&mut self) {
        self.end_path();
        if let Some(Group { outer, ends, owns, .. }) = self.open.pop() {
            let matched = if owns { outer.matched | ends } else { outer.matched };
            self.path = Path { matched, begun: true };
        }
    }
}

#[cfg(test)]
mod tests;
