//! Runs that are divided over several machines: what a shard says of the whole, and what a merged run says of its parts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, Environment, Failure, Run, RunId, Shard, Skipped};

/// What makes a run a shard of a divided one, or several of them put together. Either `shard` is there or `parts` are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Divided {
    /// What all shards were asked for, before it was divided: by name (`variants`, `filters`, ...) a word or a digest. Runs in
    /// which one differs are not shards of one run.
    pub plan: BTreeMap<String, String>,
    /// The command that measures all of it: with `--shard` behind it, a shard. Of a merged run, that of the first part.
    pub command: String,
    /// Which shard the run is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Comparisons that the other shards make. They share the error budget from the start, so that what is decided in a
    /// shard stays decided when all are put together. In a merged run, what missing shards may make; 0 where none is missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub elsewhere: usize,
    /// What was put together, in the order of the shards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A shard, as a merged run remembers it. What it measured and what failed in it say so: [`super::Measurement::part`],
/// [`Failure::part`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// Which shard.
    pub shard: Shard,
    /// The run that measured it.
    pub run: RunId,
    /// When that run started: seconds since 1970, UTC.
    pub started: u64,
    /// [`Run::asked`] of that run.
    pub asked: String,
    /// [`Divided::command`] of that run.
    pub command: String,
    /// [`Divided::elsewhere`] of that run.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub elsewhere: usize,
    /// The machine.
    pub environment: Environment,
    /// The cases that were asked of it.
    pub cases: Vec<CaseId>,
    /// The variants that were not built there, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Whether all that was asked of it has been done.
    pub complete: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl Run {
    /// Which shard of a divided run it is.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.divided.as_ref()?.shard
    }

    /// The shards that it was put together from; none where it was measured in one piece.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        self.divided.as_ref().map_or(&[], |divided| &divided.parts)
    }

    /// Shards that a merged run lacks, in whole or in part, as failures with the command that gets them.
    #[must_use]
    pub fn gaps(&self) -> Vec<Failure> {
        let Some(divided) = &self.divided else { return Vec::new() };
        let all = divided.parts.first().into_iter().flat_map(|part| part.shard.all());
        all.filter_map(|shard| gap(divided, shard)).collect()
    }
}

fn gap(divided: &Divided, shard: Shard) -> Option<Failure> {
    let (what, why, command) = match divided.parts.iter().find(|part| part.shard == shard) {
        Some(part) if part.complete => return None,
        Some(Part { run, command, .. }) => (
            format!("shard {shard} was broken off"),
            format!("run {run} did not measure all of its part"),
            format!("{command} --shard {shard} --resume={run}"),
        ),
        None => (
            format!("shard {shard} is missing"),
            "its part of the comparisons is not in this report".to_owned(),
            format!("{} --shard {shard}", divided.command),
        ),
    };
    Some(Failure { what, why, command: Some(command), case: None, arm: None, part: None })
}
