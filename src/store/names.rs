//! Names of baselines, and what stands under a name for one kind of machine.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::samples::RunId;

/// The version of the files under `names/`.
const FORMAT: u32 = 1;
/// How those files end. No part of a name does, so that no name can hide another's.
const SUFFIX: &str = ".json";
/// The folder of those files.
pub(super) const FOLDER: &str = "names/";

/// Words that commands take for something else wherever a baseline could stand.
const RESERVED: [&str; 2] = ["latest", "HEAD"];

/// The name of a baseline: `main`, `release/1.4`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaselineName(String);

impl BaselineName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaselineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for BaselineName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.+=".contains(c);
        let good = |part: &str| {
            !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(SUFFIX) && part.chars().all(plain)
        };
        if RESERVED.contains(&text) {
            return Err(format!("{text} always means something else: choose another name for the baseline"));
        }
        if text.len() > 100 || !text.split('/').all(good) {
            return Err(format!(
                "the name of a baseline has up to 100 letters, digits and _-.+=, in parts between slashes that neither \
                 begin with a dot or a dash nor end in {SUFFIX}: {text:?}"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A run that was saved under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: BaselineName,
    /// Which kind of machine it is from: see [`super::fingerprint`].
    pub fingerprint: String,
    /// The run.
    pub run: RunId,
    /// The commit that was measured, where there was a repository; with `+` behind it when it had changes.
    pub commit: Option<String>,
    /// When it was saved: seconds since 1970, UTC.
    pub saved_at: u64,
}

/// The file `names/<name>/<fingerprint>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    format: u32,
    /// When it came to be so: seconds since 1970, and later than what it replaced, however clocks may differ.
    pub(super) at: u64,
    /// What was saved; `None` where it was removed.
    pub(super) saved: Option<Saved>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) run: RunId,
    pub(super) commit: Option<String>,
}

impl Slot {
    /// The slot that replaces `before` at the time `now`.
    pub(super) fn after(before: Option<&Self>, now: u64, saved: Option<Saved>) -> Self {
        let at = before.map_or(now, |before| now.max(before.at.saturating_add(1)));
        Self { format: FORMAT, at, saved }
    }

    pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = || format!("{path} among the baselines is damaged");
        let head: Head = serde_json::from_slice(bytes).with_context(damaged)?;
        if head.format > FORMAT {
            bail!("{path} has format {}, newer than {FORMAT}: update the tool", head.format);
        }
        let slot: Self = serde_json::from_slice(bytes).with_context(damaged)?;
        // It may have come from anybody who can push.
        let commit = slot.saved.as_ref().and_then(|saved| saved.commit.as_deref());
        if commit.is_some_and(|commit| !is_hex(commit.strip_suffix('+').unwrap_or(commit))) {
            bail!("{path} among the baselines is damaged: its commit is none");
        }
        Ok(slot)
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// As a user sees it; `None` where it was removed.
    pub(super) fn entry(self, name: BaselineName, fingerprint: &str) -> Option<Entry> {
        let Saved { run, commit } = self.saved?;
        Some(Entry { name, fingerprint: fingerprint.to_owned(), run, commit, saved_at: self.at })
    }

    /// The later of two; of two at the same time, a saved one before a removed one.
    pub(super) fn later(self, other: Self) -> Self {
        let key = |slot: &Self| (slot.at, slot.saved.as_ref().map(|saved| (saved.run.clone(), saved.commit.clone())));
        if key(&other) > key(&self) { other } else { self }
    }
}

/// The path of a name's file.
pub(super) fn path_of(name: &BaselineName, fingerprint: &str) -> String {
    format!("{FOLDER}{name}/{fingerprint}{SUFFIX}")
}

/// Name and fingerprint of a path; `None` where it is no name's file.
pub(super) fn of_path(path: &str) -> Option<(BaselineName, &str)> {
    let (name, file) = path.strip_prefix(FOLDER)?.rsplit_once('/')?;
    let fingerprint = file.strip_suffix(SUFFIX).filter(|fingerprint| is_hex(fingerprint))?;
    Some((name.parse().ok()?, fingerprint))
}

/// Whether a text can be a commit's id or a fingerprint.
fn is_hex(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_climb_or_hide_others_are_refused() {
        for bad in ["latest", "HEAD", "", "a//b", "../a", "a/.git", "-x", "a b", "a/b.json", "x\n", "a/"] {
            assert!(bad.parse::<BaselineName>().is_err(), "{bad:?} was accepted");
        }
        for good in ["main", "release/1.4", "a_b-c+d=e"] {
            let name: BaselineName = good.parse().unwrap();
            assert_eq!(of_path(&path_of(&name, "f00d")), Some((name.clone(), "f00d")));
        }
    }

    #[test]
    fn the_later_slot_wins_from_either_side() {
        let saved = |run: &str| Some(Saved { run: run.parse().unwrap(), commit: None });
        let slots = [
            Slot::after(None, 5, saved("a")),
            Slot::after(None, 5, saved("b")),
            Slot::after(None, 5, None),
            Slot::after(None, 6, None),
        ];
        for one in &slots {
            for other in &slots {
                assert_eq!(one.clone().later(other.clone()), other.clone().later(one.clone()));
            }
        }
        assert_eq!(slots[0].clone().later(slots[3].clone()), slots[3]);
        assert_eq!(slots[0].clone().later(slots[2].clone()), slots[0]);
    }

    #[test]
    fn a_slot_is_later_than_what_it_replaces_even_if_the_clock_went_back() {
        let before = Slot::after(None, 100, None);
        assert_eq!(Slot::after(Some(&before), 7, None).at, 101);
    }

    #[test]
    fn what_a_stranger_pushed_is_no_commit_and_no_fingerprint_unless_it_looks_like_one() {
        let slot = |commit: &str| format!(r#"{{"format":1,"at":1,"saved":{{"run":"a","commit":"{commit}"}}}}"#);
        assert!(Slot::parse("names/x/abcd.json", slot("0123abcd+").as_bytes()).is_ok());
        for bad in ["aaaaaaaaaaa\u{20ac}", "\\u001b]0;x", ""] {
            assert!(Slot::parse("names/x/abcd.json", slot(bad).as_bytes()).is_err(), "{bad:?} was taken");
        }
        assert_eq!(of_path("names/x/\u{1b}[31m.json"), None);
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let error = Slot::parse("names/x/y.json", br#"{"format":9,"what":1}"#).unwrap_err();
        assert!(error.to_string().contains("format 9"), "{error}");
    }
}
