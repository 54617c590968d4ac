//! Profiles for pprof and all that reads its format (go tool pprof, Grafana, Polar Signals, Firefox' profiler).
//!
//! The messages are those of <https://github.com/google/pprof/blob/main/proto/profile.proto>, as far as stacks need them.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use super::folded::{Folded, Stack, printable};
use wire::{Function, Label, Line, Location, Profile, Sample, ValueType};

/// What the counts of a profile mean.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What a count is of: `samples`, `alloc_space`, `alloc_objects`, `instructions`.
    pub sample_type: &'a str,
    /// Its unit: `count`, `bytes`.
    pub unit: &'a str,
    /// For samples: what passes between two of them. Every sample then has a second value, in this unit.
    pub period: Option<Period<'a>>,
    /// How long was recorded, where that is known.
    pub duration: Option<Duration>,
}

/// The distance of two samples.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// What it is measured in: `cpu`, `cycles`.
    pub kind: &'a str,
    /// Its unit: `nanoseconds`, `count`.
    pub unit: &'a str,
    /// How many of them.
    pub every: i64,
}

/// A profile as a compressed protocol buffer (`profile.pb.gz`). The thread is a label of the sample, not a frame: pprof
/// filters by it (`-tagfocus`). Equal profiles give equal bytes.
///
/// # Errors
/// Where it can't be compressed.
pub fn gz(folded: &Folded, options: &Options<'_>) -> Result<Vec<u8>> {
    let bytes = profile(folded, options).encode_to_vec();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes).and_then(|()| encoder.finish()).context("the profile can't be compressed")
}

fn profile(folded: &Folded, options: &Options<'_>) -> Profile {
    let mut tables = Tables::default();
    let mut types = vec![tables.value_type(options.sample_type, options.unit)];
    let period_type = options.period.map(|period| tables.value_type(period.kind, period.unit));
    types.extend(period_type);
    let thread = tables.string("thread");
    let samples = folded.stacks().map(|stack| sample(stack, options, thread, &mut tables)).collect();
    let default_sample_type = types.last().map_or(0, |last| last.r#type);
    Profile {
        sample_type: types,
        sample: samples,
        location: tables.functions.iter().map(|function| location(function.id)).collect(),
        function: tables.functions,
        string_table: tables.strings.names,
        duration_nanos: options.duration.map_or(0, |duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)),
        period_type,
        period: options.period.map_or(0, |period| period.every),
        default_sample_type,
    }
}

fn sample(stack: Stack<'_>, options: &Options<'_>, thread: i64, tables: &mut Tables) -> Sample {
    let count = i64::try_from(stack.count).unwrap_or(i64::MAX);
    let second = options.period.map(|period| count.saturating_mul(period.every));
    let label = Label { key: thread, str: tables.string(stack.thread()) };
    Sample {
        location_id: stack.functions().rev().map(|name| tables.function(name)).collect(), // The innermost first.
        value: [count].into_iter().chain(second).collect(),
        label: vec![label],
    }
}

/// A function has one location: folded stacks know no addresses.
fn location(function: u64) -> Location {
    Location { id: function, line: vec![Line { function_id: function }] }
}

/// What samples refer to by number.
#[derive(Default)]
struct Tables {
    strings: Strings,
    functions: Vec<Function>,
    known: HashMap<i64, u64>,
}

/// Texts by index; the first is always the empty one.
struct Strings {
    names: Vec<String>,
    known: HashMap<String, i64>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { names: vec![String::new()], known: HashMap::from([(String::new(), 0)]) }
    }
}

impl Tables {
    fn string(&mut self, text: &str) -> i64 {
        let Strings { names, known } = &mut self.strings;
        if let Some(index) = known.get(text) {
            return *index;
        }
        let index = i64::try_from(names.len()).unwrap_or(i64::MAX);
        names.push(text.to_owned());
        known.insert(text.to_owned(), index);
        index
    }

    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        ValueType { r#type: self.string(&printable(kind)), unit: self.string(&printable(unit)) }
    }

    /// The number of a function, from 1: 0 is none in this format.
    fn function(&mut self, name: &str) -> u64 {
        let name = self.string(name);
        *self.known.entry(name).or_insert_with(|| {
            let id = self.functions.len() as u64 + 1;
            self.functions.push(Function { id, name, system_name: name });
            id
        })
    }
}
