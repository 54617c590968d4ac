//! The files that callgrind writes ("Callgrind Format Specification", valgrind manual, chapter 6.3).

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};

use super::names::{level, readable};

/// The event that is read: instructions executed.
const EVENT: &str = "Ir";

/// Instructions of one function, in all its recursions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// In the function itself.
    pub own: u64,
    /// In the function and all that it called. In a recursion that callgrind does not tell apart, at most the dump's total.
    pub inclusive: u64,
}

/// What callgrind wrote at one moment: all costs since the dump before, or since they were set to zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// The dump's number in its process, from 1.
    pub part: u64,
    /// Why it was written, in callgrind's words: `Program termination`, `Client Request`.
    pub trigger: String,
    /// Instructions of all functions.
    pub total: u64,
    /// By name: demangled, without hashes; `[FILE]` for all code of a file that has no names.
    pub functions: BTreeMap<String, Cost>,
}

impl Dump {
    /// Whether the program asked for it, as the harness does after the work.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.trigger.starts_with("Client Request")
    }
}

/// Reads a file of callgrind's, with one dump or several. Bytes that are no UTF-8 are replaced.
///
/// The sum over all functions is held against the file's `totals`. Where there are none it is held against the `summary`, which
/// is not looked at otherwise: after a request to set costs to zero it still counts what other threads had done before.
///
/// # Errors
/// With the line's number, where the file is not in the format, has no event `Ir`, breaks off, or its sums don't agree.
pub fn parse(bytes: &[u8]) -> Result<Vec<Dump>> {
    let mut parser = Parser::default();
    let text = String::from_utf8_lossy(bytes);
    for (at, line) in text.lines().enumerate() {
        parser.line(line.trim()).with_context(|| format!("line {} of callgrind's file: {line:?}", at + 1))?;
    }
    parser.close().context("the end of callgrind's file")?;
    ensure!(!parser.dumps.is_empty(), "a file of callgrind's without costs");
    Ok(parser.dumps)
}

#[derive(Default)]
struct Parser {
    dumps: Vec<Dump>,
    /// Names by number, over all parts of the file.
    functions: HashMap<u64, String>,
    objects: HashMap<u64, String>,
    part: Part,
}

/// What was read of a dump so far.
#[derive(Default)]
struct Part {
    dump: Dump,
    /// Words at the beginning of a line of costs that say where.
    positions: usize,
    /// The place of the event among the costs; `None` until the events are named.
    event: Option<usize>,
    summary: Option<u64>,
    totals: Option<u64>,
    object: String,
    function: Option<String>,
    called: String,
    /// Whether the next line is the inclusive cost of a call.
    in_call: bool,
    /// By function as callgrind names it, each recursion apart, and object.
    costs: HashMap<(String, String), Entry>,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    own: u64,
    calls: u64,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<()> {
        match line.bytes().next() {
            None | Some(b'#') => Ok(()),
            Some(b'0'..=b'9' | b'+' | b'-' | b'*') => self.part.cost(line),
            Some(_) => match line.find(['=', ':']) {
                Some(at) if line.as_bytes()[at] == b'=' => self.place(&line[..at], line[at + 1..].trim()),
                Some(at) => self.header(&line[..at], line[at + 1..].trim()),
                None => bail!("it is neither a name nor a cost"),
            },
        }
    }

    fn header(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "version" => ensure!(value == "1", "version {value} of the format is not known"),
            "part" => {
                self.close()?;
                self.part.dump.part = number(value)?;
            }
            "positions" => self.part.positions = value.split_whitespace().count(),
            "events" => {
                let event = value.split_whitespace().position(|event| event == EVENT);
                self.part.event = Some(event.context("it does not count instructions (Ir)")?);
            }
            "summary" => self.part.summary = Some(self.part.value(value.split_whitespace())?),
            "totals" => self.part.totals = Some(self.part.value(value.split_whitespace())?),
            "desc" => {
                if let Some(trigger) = value.strip_prefix("Trigger:") {
                    trigger.trim().clone_into(&mut self.part.dump.trigger);
                }
            }
            // The command, the creator, caches: what was run is known, and how.
            _ => {}
        }
        Ok(())
    }

    fn place(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "ob" => self.part.object = name(&mut self.objects, value)?,
            "cob" => drop(name(&mut self.objects, value)?),
            "fn" => self.part.function = Some(name(&mut self.functions, value)?),
            "cfn" => self.part.called = name(&mut self.functions, value)?,
            "calls" => self.part.in_call = true,
            // Source files, and jumps, whose next line has no costs.
            "fl" | "fi" | "fe" | "cfi" | "cfl" | "jump" | "jcnd" => {}
            _ => bail!("{key:?} is no word of the format"),
        }
        Ok(())
    }

    /// Ends a part, if one has begun.
    fn close(&mut self) -> Result<()> {
        let part = std::mem::take(&mut self.part);
        if part.event.is_some() {
            self.dumps.push(part.dump()?);
        }
        Ok(())
    }
}

impl Part {
    /// A line of costs, or of what one call cost.
    fn cost(&mut self, line: &str) -> Result<()> {
        // Without a line `positions` it is one: the source's line.
        let cost = self.value(line.split_whitespace().skip(self.positions.max(1)))?;
        let in_call = std::mem::take(&mut self.in_call);
        let function = self.function.as_ref().context("a cost of no function")?;
        // A call of itself is part of what its first call cost.
        if in_call && *function == self.called {
            return Ok(());
        }
        let entry = self.costs.entry((function.clone(), self.object.clone())).or_default();
        let sum = if in_call { &mut entry.calls } else { &mut entry.own };
        *sum = sum.checked_add(cost).context("the costs are larger than 64 bits hold")?;
        Ok(())
    }

    /// The event's value among several; those at the end that are zero are left out.
    fn value<'w>(&self, mut values: impl Iterator<Item = &'w str>) -> Result<u64> {
        let event = self.event.context("a cost before the line `events`")?;
        values.nth(event).map_or(Ok(0), number)
    }

    fn dump(self) -> Result<Dump> {
        let mut dump = self.dump;
        let mut sum = 0_u64;
        for ((function, object), entry) in &self.costs {
            sum = sum.checked_add(entry.own).context("the costs are larger than 64 bits hold")?;
            let (name, level) = level(function);
            let cost = dump.functions.entry(readable(name, object).into_owned()).or_default();
            cost.own += entry.own;
            // What deeper recursions cost is part of what the outermost cost.
            if level == 1 {
                cost.inclusive = cost.inclusive.saturating_add(entry.own).saturating_add(entry.calls);
            }
        }
        let (what, due) = match (self.totals, self.summary) {
            (Some(totals), _) => ("totals", totals),
            (None, Some(summary)) => ("summary", summary),
            (None, None) => bail!("the file breaks off: it has no totals"),
        };
        ensure!(sum == due, "the functions' costs come to {sum}, and the file's {what} say {due}");
        dump.total = sum;
        dump.functions.values_mut().for_each(|cost| cost.inclusive = cost.inclusive.clamp(cost.own, sum));
        Ok(dump)
    }
}

fn number(word: &str) -> Result<u64> {
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    parsed.with_context(|| format!("{word:?} is no count"))
}

/// A name, which `(7) name` gives a number and `(7)` says again.
fn name(known: &mut HashMap<u64, String>, value: &str) -> Result<String> {
    let compressed = value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let compressed = compressed.and_then(|(id, rest)| Some((id.parse::<u64>().ok()?, rest.trim())));
    match compressed {
        None => Ok(value.to_owned()),
        Some((id, "")) => known.get(&id).cloned().with_context(|| format!("no name has the number {id}")),
        Some((id, name)) => {
            known.insert(id, name.to_owned());
            Ok(name.to_owned())
        }
    }
}
