//! The flags for rustc in cargo's configuration.
//!
//! Cargo takes one source of flags: `target.<triple>.rustflags` joined with those of all `target.<cfg>` that hold, and
//! `build.rustflags` only where all of these are empty
//! (<https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags>). A new list of the first kind would silence one of
//! the second, so flags go where the present ones are in force.

use std::str::FromStr;

use cargo_metadata::cargo_platform::{Cfg, Platform};
use toml_edit::{Item, Value};

use super::document::{Draft, Drafts, item, quoted, read};
use super::flags::{Fit, Flag, fit, split};
use super::{Host, Manifests, Note, PatchError, Wanted};

/// A list of flags: where it stands, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flags {
    path: Vec<String>,
    words: Vec<String>,
    /// Whether the words stand in one string, with blanks between.
    string: bool,
}

impl Flags {
    fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn for_target(&self) -> bool {
        self.path[0] == "target"
    }
}

/// What is to be told of the flags.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Flags that stand in no file that can be edited.
    pub(super) by_hand: Vec<Note>,
    /// What else changes.
    pub(super) cautions: Vec<Note>,
}

/// Puts the wanted flags into the list in force. What stands in a file that can't be edited is left to the user.
pub(super) fn edit(
    wanted: &Wanted,
    manifests: &Manifests,
    config: &str,
    drafts: &mut Drafts,
) -> Result<Told, PatchError> {
    let mut told = Told::default();
    let outer = outer_flags(manifests)?;
    let draft = drafts.at(config);
    for (knob, flag) in flags(wanted) {
        let line = wanted.line(knob);
        let (home, own) = in_force(draft, &outer, &manifests.host)?;
        if replace(draft, &own, &flag, knob, &line)? {
            continue;
        }
        let home: Vec<&str> = home.iter().map(String::as_str).collect();
        let here = own.iter().find(|list| list.path() == home);
        match outer.iter().find(|(_, list)| list.path() == home && list.string) {
            // A string here would replace the one there, and an array beside a string is an error to cargo.
            Some((path, _)) if here.is_none() => told.by_hand.push(elsewhere(knob, &flag, path, &home)),
            _ => {
                add(draft, &home, here, &flag)?;
                draft.note(&home, knob, &line)?;
                told.cautions.extend((knob == "target-cpu" && home[0] == "build").then(for_all_targets));
            }
        }
    }
    Ok(told)
}

/// Gives a flag the place of its old value in all lists that have one, as the last one counts; `false` where none has.
fn replace(draft: &mut Draft, lists: &[Flags], flag: &Flag, knob: &str, line: &str) -> Result<bool, PatchError> {
    let mut found = false;
    for list in lists {
        let instead = match fit(&list.words, flag) {
            Fit::Missing => continue,
            Fit::There => Vec::new(),
            Fit::Instead(words) => words,
        };
        found = true;
        let changes = !instead.is_empty();
        rewrite(draft, list, instead)?;
        if changes || draft.noted(&list.path(), knob)? {
            draft.note(&list.path(), knob, line)?;
        }
    }
    Ok(found)
}

/// The wanted flags by knob, as a build of that variant gets them.
fn flags(wanted: &Wanted) -> Vec<(&'static str, Flag)> {
    let one = |knob: &'static str, flag: String| (knob, Flag(vec![flag]));
    let kept = |kept: &str| format!("-Cforce-frame-pointers={}", if kept == "true" { "yes" } else { "no" });
    let rustflags = wanted.setting("rustflags").map(split).unwrap_or_default();
    let mut flags: Vec<_> = rustflags.into_iter().map(|flag| ("rustflags", flag)).collect();
    flags.extend(wanted.setting("target-cpu").map(|cpu| one("target-cpu", format!("-Ctarget-cpu={cpu}"))));
    flags.extend(wanted.setting("frame-pointers").map(|yes| one("frame-pointers", kept(yes))));
    flags.extend(wanted.setting("linker").map(|linker| one("linker", format!("-Clink-arg=-fuse-ld={linker}"))));
    flags
}

/// Where a new flag goes, and the lists of this file that are in force.
fn in_force(draft: &Draft, outer: &[(String, Flags)], host: &Host) -> Result<(Vec<String>, Vec<Flags>), PatchError> {
    let own = all_flags(draft.document()?.as_item(), host, |path| draft.unfit(path, "flags as a string or an array"))?;
    let any = |target: bool| {
        let mut lists = own.iter().chain(outer.iter().map(|(_, list)| list));
        lists.any(|list| list.for_target() == target && !list.words.is_empty())
    };
    let target = any(true) || !any(false);
    let home = if target { vec!["target", &host.triple, "rustflags"] } else { vec!["build", "rustflags"] };
    let home = home.into_iter().map(str::to_owned).collect();
    Ok((home, own.into_iter().filter(|list| list.for_target() == target).collect()))
}

/// The lists of the files that can't be edited, each with its file.
fn outer_flags(manifests: &Manifests) -> Result<Vec<(String, Flags)>, PatchError> {
    let mut found = Vec::new();
    for file in &manifests.outer {
        let unfit = |path: &[&str]| {
            let problem = format!("`{}`: expected flags as a string or an array", path.join("."));
            PatchError::at(&file.path, &file.text, None, &problem)
        };
        let lists = all_flags(read(&file.path, &file.text)?.as_item(), &manifests.host, unfit)?;
        found.extend(lists.into_iter().map(|list| (file.path.clone(), list)));
    }
    Ok(found)
}

/// All lists of a configuration that may hold on this machine.
fn all_flags(root: &Item, host: &Host, unfit: impl Fn(&[&str]) -> PatchError) -> Result<Vec<Flags>, PatchError> {
    let cfg: Vec<Cfg> = host.cfg.iter().filter_map(|line| line.trim().parse().ok()).collect();
    let holds = |name: &str| Platform::from_str(name).is_ok_and(|platform| platform.matches(&host.triple, &cfg));
    let tables = root.get("target").and_then(Item::as_table_like);
    let names = tables.into_iter().flat_map(|table| table.iter()).map(|(name, _)| name).filter(|name| holds(name));
    let targets = names.map(|name| vec!["target", name, "rustflags"]);
    let mut found = Vec::new();
    for path in targets.chain([vec!["build", "rustflags"]]) {
        let Some(written) = item(root, &path) else { continue };
        let list = written.as_value().and_then(words).ok_or_else(|| unfit(&path))?;
        let path = path.into_iter().map(str::to_owned).collect();
        found.push(Flags { path, words: list, string: written.is_str() });
    }
    Ok(found)
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(flags) => Some(flags.value().split_whitespace().map(str::to_owned).collect()),
        Value::Array(flags) => flags.iter().map(|flag| flag.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Says other words in a list.
fn rewrite(draft: &mut Draft, list: &Flags, instead: Vec<(usize, String)>) -> Result<(), PatchError> {
    if instead.is_empty() {
        return Ok(());
    }
    if !list.string {
        return instead.into_iter().try_for_each(|(at, word)| draft.replace(&list.path(), at, &quoted(&word)));
    }
    let mut words = list.words.clone();
    for (at, word) in instead {
        words[at] = word;
    }
    draft.set(&list.path(), &quoted(&words.join(" ")))
}

/// Adds a flag to the list `home`, as the string or the array that it is.
fn add(draft: &mut Draft, home: &[&str], list: Option<&Flags>, flag: &Flag) -> Result<(), PatchError> {
    match list.filter(|list| list.string) {
        Some(list) => {
            let words: Vec<&str> = list.words.iter().chain(&flag.0).map(String::as_str).collect();
            draft.set(home, &quoted(&words.join(" ")))
        }
        None => flag.0.iter().try_for_each(|word| draft.push(home, &quoted(word))),
    }
}

fn elsewhere(knob: &str, flag: &Flag, path: &str, home: &[&str]) -> Note {
    let home = home.join(".");
    let says = format!("the flags in force are `{home}` of {path}, outside this workspace: add to them there");
    Note::new(knob, says, [flag.0.join(" ")])
}

fn for_all_targets() -> Note {
    let says = "the flags in force are `build.rustflags`, which hold for every target: a build for another kind of processor \
                fails until they stand under `[target.<triple>]`";
    Note::new("target-cpu", says, [])
}
