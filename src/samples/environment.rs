//! The machine and the tools that a run was made with.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts about the machine, by name: `cpu.model`, `kernel`, `rustc`, ... Facts that make numbers incomparable are kept
/// apart from those that only explain them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Facts that make up the machine's fingerprint: runs that differ in one are never compared silently.
    pub fingerprint: BTreeMap<String, String>,
    /// Facts that may explain a difference: governor, turbo, load, tool versions.
    pub circumstances: BTreeMap<String, String>,
    /// Metrics that this machine can't measure, with the reason.
    pub absent: BTreeMap<String, String>,
}

impl Environment {
    /// The facts in which two environments differ: name, here, there. Fingerprint facts first.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(String, String, String)> {
        let mut found = differing(&self.fingerprint, &other.fingerprint);
        found.extend(differing(&self.circumstances, &other.circumstances));
        found
    }

    /// Whether the numbers of both can be compared.
    #[must_use]
    pub fn comparable(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

fn differing(here: &BTreeMap<String, String>, there: &BTreeMap<String, String>) -> Vec<(String, String, String)> {
    let mut names: Vec<&String> = here.keys().chain(there.keys()).collect();
    names.sort();
    names.dedup();
    let value =
        |facts: &BTreeMap<String, String>, name: &String| facts.get(name).cloned().unwrap_or("absent".to_owned());
    names
        .into_iter()
        .filter(|name| here.get(*name) != there.get(*name))
        .map(|name| (name.clone(), value(here, name), value(there, name)))
        .collect()
}
