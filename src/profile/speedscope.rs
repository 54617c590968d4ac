//! Profiles for speedscope.app, in its own file format: <https://www.speedscope.app/file-format-schema.json>.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Serialize;

use super::folded::{Counted, Folded, printable};

const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// All profiles of a file, and the frames that they share.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: &'static str,
    name: String,
    active_profile_index: usize,
    shared: Shared<'a>,
    profiles: Vec<Profile>,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Frame<'a> {
    name: &'a str,
}

/// A profile of the kind "sampled": stacks as indices of frames, the outermost first, and what each weighs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    r#type: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Vec<Vec<usize>>,
    weights: Vec<u64>,
}

/// Frames in the order in which they first occur.
#[derive(Default)]
struct Frames<'a> {
    names: Vec<Frame<'a>>,
    known: HashMap<&'a str, usize>,
}

impl<'a> Frames<'a> {
    fn index(&mut self, name: &'a str) -> usize {
        *self.known.entry(name).or_insert_with(|| {
            self.names.push(Frame { name });
            self.names.len() - 1
        })
    }
}

/// Profiles by name as one file of JSON, each chosen from the menu at the top of speedscope. Threads are the outermost
/// frames. The format has a unit for bytes; samples, allocations and instructions are plain numbers.
#[must_use]
pub fn json(profiles: &[(&str, &Folded)], counted: Counted) -> String {
    let mut frames = Frames::default();
    let sampled = profiles.iter().map(|(name, folded)| profile(name, folded, counted, &mut frames)).collect();
    let file = File {
        schema: SCHEMA,
        exporter: concat!("cargo-perfplan@", env!("CARGO_PKG_VERSION")),
        name: printable(&profiles.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
        active_profile_index: 0,
        shared: Shared { frames: frames.names },
        profiles: sampled,
    };
    #[expect(clippy::expect_used, reason = "only maps whose keys are no strings can't be JSON, and there are none")]
    let text = serde_json::to_string(&file).expect("a profile is JSON");
    text
}

fn profile<'a>(name: &str, folded: &'a Folded, counted: Counted, frames: &mut Frames<'a>) -> Profile {
    let (samples, weights) =
        folded.stacks().map(|stack| (stack.frames().map(|frame| frames.index(frame)).collect(), stack.count)).unzip();
    let unit = if counted == Counted::Bytes { "bytes" } else { "none" };
    let name = format!("{} ({})", printable(name), counted.word());
    Profile { r#type: "sampled", name, unit, start_value: 0, end_value: folded.total(), samples, weights }
}
