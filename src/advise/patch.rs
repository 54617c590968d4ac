//! The manifest patch: settings that are worth taking, as edits of the user's manifests. Text in, text out.
//!
//! ```text
//!   lto, codegen-units, opt-level, panic, debug        [profile.release] of the root manifest
//!   target-cpu, frame-pointers, linker, rustflags      the list of rustflags in force in .cargo/config.toml
//!   allocator, features                                [features] default of the measured packages
//!   profile, pgo, bolt, env                            no manifest has a key for it: by hand, with the command
//!   any knob that the baseline sets and the better build drops: by hand
//! ```
//!
//! A file's own formatting, comments and order stay: texts are edited at the bytes where a value stands, never written anew.
//! Above each changed key stands a comment with the evidence. It begins with `# perfplan:`, so that the next patch finds it
//! and replaces it.

mod by_hand;
mod config;
mod diff;
mod document;
mod error;
mod features;
mod flags;
mod list;
mod place;
mod profile;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use by_hand::{is_written, unwritten};
pub use diff::diff;
pub use error::PatchError;

use super::grid::UNSET;
use document::Drafts;

/// Where cargo looks for the configuration of a workspace, from its root.
const CONFIG: &str = ".cargo/config.toml";

/// A file: where it is and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the workspace's root, with slashes.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A package that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its manifest; the root manifest once more where the workspace is one package.
    pub manifest: File,
}

/// The machine that is built for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As rustc names it: `x86_64-unknown-linux-gnu`.
    pub triple: String,
    /// What `rustc --print cfg` says, a line each: it tells which `[target.'cfg(...)']` tables hold.
    pub cfg: Vec<String>,
}

/// What may be edited, and what must be known for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifests {
    /// The workspace's root manifest.
    pub root: File,
    /// Cargo's configuration at the workspace's root. Without one, `.cargo/config.toml` is made where it is needed.
    pub config: Option<File>,
    /// The configurations of the folders above and of cargo's home. They are read, never edited.
    pub outer: Vec<File>,
    /// The measured packages.
    pub packages: Vec<Package>,
    /// The machine that is built for.
    pub host: Host,
}

/// What is to be taken, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Values by knob, in the words of a plan: `lto` is `fat`.
    pub settings: BTreeMap<String, String>,
    /// By knob, what was measured, in one line: `lto = "fat": -4.1 % (-4.6 … -3.5 %) over 32 cases`.
    pub evidence: BTreeMap<String, String>,
}

impl Wanted {
    /// A setting, where it is wanted and can be written: a knob that is to be dropped has no value.
    fn setting(&self, knob: &str) -> Option<&str> {
        self.settings.get(knob).map(String::as_str).filter(|setting| !is_dropped(setting))
    }

    /// The evidence for a knob in one line that begins with the knob's name: the comment is found again by that.
    fn line(&self, knob: &str) -> String {
        let told = self.evidence.get(knob).map_or("", String::as_str);
        let told = told.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let told = told.collect::<Vec<_>>().join(" ");
        match told.strip_prefix(knob) {
            Some(rest) if !rest.starts_with(in_a_knob) => told,
            _ if told.is_empty() => format!("{knob} = {}", self.setting(knob).unwrap_or_default()),
            _ => format!("{knob}: {told}"),
        }
    }
}

/// Whether a value says that the better build leaves the knob alone.
fn is_dropped(setting: &str) -> bool {
    setting.is_empty() || setting == UNSET
}

/// Whether a character may be part of a knob's name.
fn in_a_knob(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, from the workspace's root, with slashes.
    pub path: String,
    /// What it says now; `None` where there is no such file.
    pub old: Option<String>,
    /// What it should say.
    pub new: String,
}

/// Something about one setting that a reader must know or do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The knob.
    pub knob: String,
    /// One sentence or two.
    pub says: String,
    /// Commands to run or lines to write, ready to be copied. May be empty.
    pub lines: Vec<String>,
}

impl Note {
    fn new(knob: &str, says: impl Into<String>, lines: impl IntoIterator<Item = String>) -> Self {
        Self { knob: knob.to_owned(), says: says.into(), lines: lines.into_iter().collect() }
    }
}

/// The manifest patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The files that change, by path. None where the manifests say it all already.
    pub edits: Vec<Edit>,
    /// What no edit can do, and what to do instead.
    pub by_hand: Vec<Note>,
    /// What changes besides the time when the edits are taken.
    pub cautions: Vec<Note>,
}

/// The edits that make `manifests` say what is `wanted`. Patching the result once more changes nothing but evidence.
///
/// # Errors
/// Where a file is no TOML, or a key that must be edited holds something that cargo would refuse as well.
pub fn patch(wanted: &Wanted, manifests: &Manifests) -> Result<Patch, PatchError> {
    let mut drafts = Drafts::default();
    let config = manifests.config.as_ref().map_or(CONFIG, |file| &file.path).to_owned();
    drafts.open(&manifests.root)?;
    match &manifests.config {
        Some(file) => drafts.open(file)?,
        None => drafts.create(&config),
    }
    for package in &manifests.packages {
        drafts.open(&package.manifest)?;
    }
    profile::edit(wanted, manifests, &config, &mut drafts)?;
    let config::Told { mut by_hand, mut cautions } = config::edit(wanted, manifests, &config, &mut drafts)?;
    by_hand.extend(features::edit(wanted, &manifests.packages, &mut drafts)?);
    by_hand.extend(by_hand::notes(wanted));
    cautions.extend(by_hand::cautions(wanted));
    Ok(Patch { edits: drafts.edits(), by_hand, cautions })
}
