//! What no manifest can say, and what else changes when a setting is taken.

use std::collections::BTreeMap;

use super::profile::profile;
use super::{Note, Wanted, is_dropped};

/// The knobs that end up in manifests.
pub(super) const EDITED: [&str; 11] = [
    "opt-level",
    "lto",
    "codegen-units",
    "panic",
    "debug",
    "target-cpu",
    "frame-pointers",
    "linker",
    "rustflags",
    "allocator",
    "features",
];

/// Whether a manifest or cargo's configuration has a place for the knob; [`unwritten`] also knows which of its values have
/// none.
#[must_use]
pub fn is_written(knob: &str) -> bool {
    EDITED.contains(&knob)
}

/// The settings that no patch can write down: cargo has no key for them and does not build so by itself, or the better build
/// drops what the baseline sets. For each of them a patch has a note by hand, one for `pgo` and `bolt` together.
pub fn unwritten(settings: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    let usual =
        |knob: &str, setting: &str| matches!((knob, setting), ("pgo" | "bolt", "false") | ("profile", "release"));
    settings.iter().filter(move |(knob, setting)| is_dropped(setting) || (!is_written(knob) && !usual(knob, setting)))
}

/// Each of these with what to do instead.
pub(super) fn notes(wanted: &Wanted) -> Vec<Note> {
    unwritten(&wanted.settings).filter_map(|(knob, setting)| note(wanted, knob, setting)).collect()
}

fn note(wanted: &Wanted, knob: &str, setting: &str) -> Option<Note> {
    let on = |knob| wanted.setting(knob) == Some("true");
    let dropped = "the plan's baseline variant sets it and the better build does not: remove it there, and where manifests set it";
    let (says, lines) = match (knob, setting) {
        (_, setting) if is_dropped(setting) => (dropped, Vec::new()),
        // One build is guided by both.
        ("bolt", _) if on("pgo") => return None,
        ("pgo", _) if on("bolt") => ("cargo has no key for a guided build", guided(&["pgo", "bolt"])),
        ("pgo", _) => ("cargo has no key for a build that a profile guides", guided(&["pgo"])),
        ("bolt", _) => ("cargo has no key for ordering a program's code behind the linker", guided(&["bolt"])),
        ("profile", name) => {
            ("no manifest chooses the profile of a build", vec![format!("cargo build --profile {name}")])
        }
        ("env", pairs) => ("set it where the program is started", vec![format!("export {}", assignments(pairs))]),
        (knob, setting) => ("cargo has no key for it", vec![format!("{knob} = {setting:?}")]),
    };
    Some(Note::new(knob, says, lines))
}

/// The plan's variant that builds so, and the command that builds it.
fn guided(knobs: &[&str]) -> Vec<String> {
    let plan = ["[[variant]]", "name = \"guided\""].map(str::to_owned).into_iter();
    let settings = knobs.iter().map(|knob| format!("{knob} = true"));
    plan.chain(settings).chain(["cargo perfplan build --variant guided".to_owned()]).collect()
}

/// `A=1 B=c d` as a shell takes it: a word without `=` belongs to the value before it.
fn assignments(pairs: &str) -> String {
    let mut found: Vec<(String, String)> = Vec::new();
    for word in pairs.split(' ') {
        match (word.split_once('='), found.last_mut()) {
            (Some((name, value)), _) if is_variable(name) => found.push((name.to_owned(), value.to_owned())),
            (_, Some((_, value))) => *value = format!("{value} {word}"),
            (_, None) => {}
        }
    }
    found.iter().map(|(name, value)| format!("{name}={}", shell(value))).collect::<Vec<_>>().join(" ")
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn shell(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/=+%@".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

/// What changes besides the time.
pub(super) fn cautions(wanted: &Wanted) -> Vec<Note> {
    let mut found = Vec::new();
    if wanted.setting("panic") == Some("abort") {
        let says = "a panic ends the program: `catch_unwind` catches nothing, destructors don't run, and a panicking thread \
                    takes the others with it. Tests under `cargo test` still unwind, so they don't show it";
        found.push(Note::new("panic", says, []));
    }
    match wanted.setting("target-cpu") {
        Some("native") => {
            let says =
                "the program only runs on machines like this one: elsewhere it may end with an illegal instruction";
            found.push(Note::new("target-cpu", says, []));
        }
        Some(cpu) => {
            let says = format!("the program only runs on processors that have all of {cpu}");
            found.push(Note::new("target-cpu", says, []));
        }
        None => {}
    }
    if profile(wanted) == "dev" && wanted.setting("opt-level").is_some() {
        let says = "the profile `dev` is also what `cargo build` and `cargo test` use: they get slower to build";
        found.push(Note::new("opt-level", says, []));
    }
    found
}
