//! Whether all who build this get the same compiler.

use std::fs;
use std::path::Path;

use toml::Table;

use super::finding::{Finding, Severity, Subject};

/// What decides which compiler is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toolchain {
    /// What the nearest `rust-toolchain.toml` or `rust-toolchain` asks for: a channel such as `1.95.0`, or the folder of a
    /// toolchain.
    pub asked: Option<String>,
    /// What rustup was told to use whatever that file says: `RUSTUP_TOOLCHAIN`. rustup sets it for all that cargo starts, to
    /// what it has chosen itself.
    pub active: Option<String>,
}

impl Toolchain {
    /// What applies in the folder `root`: the nearest file there or above it, and the environment.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        let active = std::env::var("RUSTUP_TOOLCHAIN").ok().filter(|name| !name.is_empty());
        Self { asked: asked(root), active }
    }
}

/// In one folder the old name comes first, as it does for rustup.
fn asked(root: &Path) -> Option<String> {
    let files =
        root.ancestors().flat_map(|folder| ["rust-toolchain", "rust-toolchain.toml"].map(|name| folder.join(name)));
    files.filter_map(|file| fs::read_to_string(file).ok()).next().and_then(|text| channel(&text))
}

/// The channel or folder that a file names; the old kind of file is a channel's name and nothing else.
fn channel(text: &str) -> Option<String> {
    if let Ok(table) = text.parse::<Table>() {
        let toolchain = table.get("toolchain")?;
        let value = toolchain.get("channel").or_else(|| toolchain.get("path"))?;
        return value.as_str().map(str::to_owned);
    }
    let name = text.trim();
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

/// What there is to say about the choice of the compiler.
#[must_use]
pub fn toolchain_findings(toolchain: &Toolchain) -> Vec<Finding> {
    let found = match (&toolchain.asked, &toolchain.active) {
        (Some(asked), Some(active)) if !names(active, asked) => overridden(asked, active),
        (Some(asked), _) if moves(asked) => {
            unpinned(&format!("rust-toolchain.toml asks for {asked}, which is another compiler every few weeks"))
        }
        (Some(_), _) => return Vec::new(),
        (None, Some(active)) if moves(active) => {
            unpinned(&format!("no file says which compiler builds this ({active} does)"))
        }
        (None, _) => unpinned("no file says which compiler builds this"),
    };
    vec![found.about(Subject::Build)]
}

/// Whether rustup's full name of a toolchain is the one that a file asks for: `1.95.0-x86_64-unknown-linux-gnu` is `1.95.0`,
/// and also `1.95`.
fn names(full: &str, asked: &str) -> bool {
    full.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.'])) || asked.contains('/')
}

/// Whether a channel is another compiler tomorrow: `stable`, `beta` and `nightly` without a date, and `1.95`, which has
/// patches, less often.
fn moves(channel: &str) -> bool {
    ["stable", "beta", "nightly"].iter().any(|name| {
        channel
            .strip_prefix(name)
            .is_some_and(|rest| !rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn unpinned(what: &str) -> Finding {
    let why = "another compiler makes another program: a baseline from before an update can't be compared with a run after \
        it";
    let fix = "rust-toolchain.toml:\n[toolchain]\nchannel = \"VERSION\"  # what rustc --version says, or nightly-DATE";
    Finding::new("unpinned-toolchain", Severity::Note, what, why, fix)
}

fn overridden(asked: &str, active: &str) -> Finding {
    let what = format!("rust-toolchain.toml asks for {asked}, but {active} builds");
    let why = "who takes the numbers for those of the project's own compiler is wrong";
    let fix = "unset RUSTUP_TOOLCHAIN, and leave the +TOOLCHAIN out behind cargo";
    Finding::new("toolchain-overridden", Severity::Warning, what, why, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(asked: Option<&str>, active: Option<&str>) -> Vec<&'static str> {
        let owned = |name: Option<&str>| name.map(str::to_owned);
        let toolchain = Toolchain { asked: owned(asked), active: owned(active) };
        toolchain_findings(&toolchain).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_version_is_pinned_and_a_channel_that_moves_is_not() {
        for pinned in ["1.95.0", "1.95", "nightly-2026-04-01", "beta-2026-04-01-x86_64-unknown-linux-gnu", "/opt/rust"]
        {
            assert!(ids(Some(pinned), None).is_empty(), "{pinned}");
        }
        for moving in ["stable", "nightly", "beta", "stable-x86_64-unknown-linux-gnu"] {
            assert_eq!(ids(Some(moving), None), ["unpinned-toolchain"], "{moving}");
        }
        assert_eq!(ids(None, None), ["unpinned-toolchain"]);
        assert_eq!(ids(None, Some("1.95.0-x86_64-unknown-linux-gnu")), ["unpinned-toolchain"]);
    }

    #[test]
    fn what_rustup_sets_itself_overrides_nothing() {
        assert!(ids(Some("1.95.0"), Some("1.95.0-x86_64-unknown-linux-gnu")).is_empty());
        assert!(ids(Some("1.95"), Some("1.95.0-x86_64-unknown-linux-gnu")).is_empty());
        assert!(ids(Some("/opt/rust"), Some("/opt/rust")).is_empty());
        assert_eq!(ids(Some("1.9"), Some("1.95.0")), ["toolchain-overridden"]);
        assert_eq!(ids(Some("1.95.0"), Some("nightly-x86_64-unknown-linux-gnu")), ["toolchain-overridden"]);
    }

    #[test]
    fn the_nearest_file_of_either_kind_is_read() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a");
        fs::create_dir(&inner).unwrap();
        fs::write(root.path().join("rust-toolchain"), "1.70.0\n").unwrap();
        assert_eq!(asked(&inner).as_deref(), Some("1.70.0"));
        fs::write(inner.join("rust-toolchain.toml"), "[toolchain]\nchannel = \"nightly\"").unwrap();
        assert_eq!(asked(&inner).as_deref(), Some("nightly"));
    }
}
