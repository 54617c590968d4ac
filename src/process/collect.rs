//! What becomes of the bytes that a child writes.

use anyhow::{Result, bail};

/// The most that is collected of a standard output, bytes.
const MOST: usize = 256 << 20;
/// How much of a standard error is kept, bytes.
pub(super) const TAIL: usize = 8 * 1024;
/// A line that is longer is handed on in parts, bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Takes bytes as they come.
pub(super) trait Sink {
    fn take(&mut self, bytes: &[u8]) -> Result<()>;
}

impl<A: Sink, B: Sink> Sink for (&mut A, &mut B) {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.take(bytes)?;
        self.1.take(bytes)
    }
}

/// Keeps everything, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Collected(Vec<u8>);

impl Collected {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Sink for Collected {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        if self.0.len() + bytes.len() > MOST {
            bail!("a child wrote more than {} MiB to its standard output and was ended", MOST >> 20);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Keeps the end.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    pub(super) fn text(&self) -> String {
        last(&self.0)
    }
}

impl Sink for Tail {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        // More than needed is kept for a while, so that little is moved.
        if self.0.len() > 4 * TAIL {
            self.0.drain(..self.0.len() - TAIL - 1);
        }
        Ok(())
    }
}

/// The last [`TAIL`] bytes, from the beginning of a line where there is one among them.
pub(super) fn last(bytes: &[u8]) -> String {
    let Some(cut) = bytes.len().checked_sub(TAIL).filter(|cut| *cut > 0) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    // The byte before the cut tells whether the cut is already the beginning of a line.
    let begin = bytes[cut - 1..].iter().position(|byte| *byte == b'\n').map_or(cut, |at| cut + at);
    let begin = if begin == bytes.len() { cut } else { begin };
    String::from_utf8_lossy(&bytes[begin..]).into_owned()
}

/// Hands lines on.
pub(super) struct Lines<'f> {
    unfinished: Vec<u8>,
    each: &'f mut dyn FnMut(&str),
}

impl<'f> Lines<'f> {
    pub(super) fn new(each: &'f mut dyn FnMut(&str)) -> Self {
        Self { unfinished: Vec::new(), each }
    }

    /// Hands on a last line without an end.
    pub(super) fn finish(&mut self) {
        if !self.unfinished.is_empty() {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        let line = self.unfinished.strip_suffix(b"\r").unwrap_or(&self.unfinished);
        (self.each)(&String::from_utf8_lossy(line));
        self.unfinished.clear();
    }
}

impl Sink for Lines<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.unfinished.extend_from_slice(part);
            if parts.peek().is_some() || self.unfinished.len() > LONGEST_LINE {
                self.hand_on();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_the_bytes_come() {
        let text = "one\r\ntwo\n\nlast";
        for size in 1..text.len() {
            let mut seen = Vec::new();
            let mut each = |line: &str| seen.push(line.to_owned());
            let mut lines = Lines::new(&mut each);
            text.as_bytes().chunks(size).for_each(|part| lines.take(part).unwrap());
            lines.finish();
            assert_eq!(seen, ["one", "two", "", "last"], "in parts of {size}");
        }
    }

    #[test]
    fn the_tail_is_the_end_from_the_beginning_of_a_line() {
        let whole: String = (0..10_000).map(|at| format!("line {at}\n")).collect();
        let mut tail = Tail::default();
        whole.as_bytes().chunks(77).for_each(|part| tail.take(part).unwrap());
        let text = tail.text();
        assert!(whole.ends_with(&text) && text.starts_with("line "), "{}", &text[..40]);
        assert!((TAIL - 20..=TAIL).contains(&text.len()), "{} bytes", text.len());
    }

    #[test]
    fn a_tail_of_one_long_line_is_cut_within_it() {
        assert_eq!(last(&[b'x'; 3 * TAIL]).len(), TAIL);
        assert_eq!(last(b"short\n"), "short\n");
    }

    #[test]
    fn a_child_that_writes_without_end_is_an_error() {
        let mut collected = Collected(vec![0; MOST - 1]);
        collected.take(b"a").unwrap();
        assert!(collected.take(b"b").unwrap_err().to_string().contains("more than 256 MiB"));
    }
}
