//! Folded stacks, the form in which profiles last: Brendan Gregg's format, one line per stack with its count.
//!
//! ```text
//!   worker-3;main;generator::run;generator::redb::get_subscriber_at 412
//!   └ thread └ outermost function                └ innermost        └ samples, bytes, allocations, ...
//! ```

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail, ensure};

pub(super) use text::printable;

/// The largest file that is read, in bytes.
const LARGEST: usize = 256 << 20;
/// The longest line, in bytes.
const LONGEST: usize = 1 << 20;
/// The most stacks of one file.
const MOST: usize = 1_000_000;
/// The most frames of one stack.
const DEEPEST: usize = 10_000;
/// The largest sum of counts: what a float, and with it JavaScript, holds exactly.
pub(super) const LARGEST_TOTAL: u64 = 1 << 53;

/// What a profile counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Samples, taken in equal distances of time or cycles.
    Samples,
    /// Bytes allocated.
    Bytes,
    /// Calls of the allocator.
    Allocations,
    /// Instructions executed.
    Instructions,
}

impl Counted {
    /// The plural word: `samples`, `bytes`, `allocations`, `instructions`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Bytes => "bytes",
            Self::Allocations => "allocations",
            Self::Instructions => "instructions",
        }
    }
}

/// Whether the stacks of different threads are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// Every thread's name stands below its stacks.
    #[default]
    Apart,
    /// The thread's name is left out, and equal stacks of different threads are one.
    Together,
}

/// Stacks and how often each was seen. The first frame of a stack is its thread, and no function.
///
/// Frames are made safe for the format when they come in: `;` becomes `:`, other white space and runs of it one space,
/// control characters U+FFFD; a name that ends in a number gets a no-break space before it, because readers of the
/// format take a number at the end of a line for a count; and a name with nothing in it is `[unknown]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    stacks: BTreeMap<String, u64>,
}

/// One stack of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack<'a> {
    folded: &'a str,
    /// How often it was seen, or what it weighs. Never 0.
    pub count: u64,
}

impl<'a> Stack<'a> {
    /// All frames with `;` between them, the thread first.
    #[must_use]
    pub fn folded(self) -> &'a str {
        self.folded
    }

    /// The name of the thread.
    #[must_use]
    pub fn thread(self) -> &'a str {
        self.folded.split(';').next().unwrap_or_default()
    }

    /// All frames, the thread first, the innermost function last.
    pub fn frames(self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.folded.split(';')
    }

    /// The functions, the outermost first. None where a thread's stack is not known.
    pub fn functions(self) -> impl DoubleEndedIterator<Item = &'a str> {
        self.folded.split_once(';').map(|(_, functions)| functions.split(';')).into_iter().flatten()
    }
}

impl Folded {
    /// Reads stacks from text, a line each. Empty lines and lines that begin with `# ` are passed over, counts of equal
    /// stacks are added up.
    ///
    /// # Errors
    /// With the line's number, where a line has no count at its end or no frame before it; and where the text is larger
    /// than 256 MiB, a line longer than 1 MiB, a stack deeper than 10,000 frames, the stacks more than a million or their
    /// counts together more than 2^53.
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(text.len() <= LARGEST, "{} bytes of folded stacks are more than 256 MiB", text.len());
        let (mut folded, mut total) = (Self::default(), 0_u64);
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with("# ") {
                continue;
            }
            let (frames, count) = split(line).with_context(|| format!("line {} is no folded stack", at + 1))?;
            total = total.saturating_add(count);
            ensure!(total <= LARGEST_TOTAL, "line {}: the counts so far come to more than 2^53", at + 1);
            folded.add(frames.split(';'), count);
            ensure!(folded.stacks.len() <= MOST, "line {}: more than {MOST} stacks", at + 1);
        }
        Ok(folded)
    }

    /// Adds what one stack was seen: its thread, then its functions, the outermost first.
    pub fn add<'f>(&mut self, frames: impl IntoIterator<Item = &'f str>, count: u64) {
        let mut stack = String::new();
        for (at, frame) in frames.into_iter().enumerate() {
            if at > 0 {
                stack.push(';');
            }
            stack += &text::frame(frame);
        }
        if stack.is_empty() {
            stack += text::UNKNOWN;
        }
        self.put(stack, count);
    }

    /// Adds all stacks of another profile.
    pub fn merge(&mut self, other: &Self) {
        other.stacks.iter().for_each(|(stack, count)| self.put(stack.clone(), *count));
    }

    /// Frames that are safe already.
    fn put(&mut self, stack: String, count: u64) {
        if count > 0 {
            let sum = self.stacks.entry(stack).or_insert(0);
            *sum = sum.saturating_add(count);
        }
    }

    /// The sum of all counts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.stacks.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether there is no stack.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stacks.is_empty()
    }

    /// All stacks, in the order of their text.
    pub fn stacks(&self) -> impl Iterator<Item = Stack<'_>> {
        self.stacks.iter().map(|(folded, count)| Stack { folded, count: *count })
    }

    /// Stacks as they are drawn, with or without their threads, and their counts. A thread without functions is
    /// `[unknown]` where threads are together.
    pub(super) fn drawn(&self, threads: Threads) -> BTreeMap<&str, u64> {
        let mut drawn = BTreeMap::new();
        for stack in self.stacks() {
            let text = match threads {
                Threads::Apart => stack.folded,
                Threads::Together => stack.folded.split_once(';').map_or(text::UNKNOWN, |(_, functions)| functions),
            };
            let sum: &mut u64 = drawn.entry(text).or_default();
            *sum = sum.saturating_add(stack.count);
        }
        drawn
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stacks.iter().try_for_each(|(stack, count)| writeln!(f, "{stack} {count}"))
    }
}

/// Folded lines without their counts, and the counts. Equal stacks are added up.
impl<S: AsRef<str>> FromIterator<(S, u64)> for Folded {
    fn from_iter<I: IntoIterator<Item = (S, u64)>>(stacks: I) -> Self {
        let mut folded = Self::default();
        stacks.into_iter().for_each(|(stack, count)| folded.add(stack.as_ref().split(';'), count));
        folded
    }
}

/// The frames of a line, and its count.
fn split(line: &str) -> Result<(&str, u64)> {
    ensure!(line.len() <= LONGEST, "it is {} bytes long", line.len());
    let Some((frames, count)) = line.trim_end().rsplit_once(' ') else { bail!("it has no count at its end") };
    let count = count.parse().with_context(|| format!("{count:?} is no count"))?;
    ensure!(!frames.trim().is_empty(), "it has no frame before the count");
    ensure!(frames.split(';').count() <= DEEPEST, "it has more than {DEEPEST} frames");
    Ok((frames, count))
}
