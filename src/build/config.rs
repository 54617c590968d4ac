//! The two settings of the user's cargo configuration that the tool's own settings would hide.

use std::env;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Settings that must be handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UserConfig {
    /// The linker that is configured for the host.
    pub(super) linker: Option<String>,
    /// Flags for rustc, from the environment or the configuration.
    pub(super) rustflags: Vec<String>,
    /// Whether there are lists of flags for targets by `cfg`, which only cargo can join with others.
    pub(super) joined: bool,
}

/// Reads what applies in `root` for the target `host`, as cargo does: the environment first, then `.cargo/config.toml` from
/// the folder upwards, then cargo's home. A file that can't be read is cargo's to complain about.
pub(super) fn user_config(root: &Path, host: &str) -> UserConfig {
    let files: Vec<Table> =
        configurations(root).iter().filter_map(|path| std::fs::read_to_string(path).ok()?.parse().ok()).collect();
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let linker_variable = format!("CARGO_TARGET_{}_LINKER", host.to_uppercase().replace('-', "_"));
    let linker = variable(&linker_variable)
        .or_else(|| files.iter().find_map(|file| text(at(file, &["target", host, "linker"])?)));
    let flags = |path: &[&str]| files.iter().find_map(|file| list(at(file, path)?));
    let rustflags = variable("CARGO_ENCODED_RUSTFLAGS")
        .map(|flags| flags.split('\x1f').map(str::to_owned).collect())
        .or_else(|| variable("RUSTFLAGS").map(|flags| words(&flags)))
        .or_else(|| flags(&["target", host, "rustflags"]))
        .or_else(|| flags(&["build", "rustflags"]))
        .unwrap_or_default();
    let environment = variable("CARGO_ENCODED_RUSTFLAGS").or_else(|| variable("RUSTFLAGS")).is_some();
    let by_cfg = |file: &Table| {
        let targets = file.get("target").and_then(Value::as_table).into_iter().flatten();
        targets.into_iter().any(|(name, table)| name.starts_with("cfg(") && table.get("rustflags").is_some())
    };
    let as_text = |file: &Table| at(file, &["target", host, "rustflags"]).is_some_and(Value::is_str);
    let joined = !environment && files.iter().any(by_cfg) && !files.iter().any(as_text);
    UserConfig { linker, rustflags, joined }
}

/// The user's own flags for rustc that apply in `root` for the target `host`.
#[must_use]
pub fn rustflags(root: &Path, host: &str) -> Vec<String> {
    user_config(root, host).rustflags
}

/// Where cargo looks for its configuration in `root`: the nearest place first, its home last.
#[must_use]
pub fn configurations(root: &Path) -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    root.ancestors().map(|folder| folder.join(".cargo")).chain(home).map(|folder| folder.join("config.toml")).collect()
}

fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(flags) => Some(words(flags)),
        Value::Array(flags) => Some(flags.iter().filter_map(text).collect()),
        _ => None,
    }
}

fn words(flags: &str) -> Vec<String> {
    flags.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_targets_by_cfg_are_left_to_cargo() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".cargo/config.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let joined = |text: &str| {
            std::fs::write(&path, text).unwrap();
            user_config(folder.path(), "t").joined
        };
        assert!(joined("[target.'cfg(unix)']\nrustflags = [\"-Ca\"]"));
        assert!(!joined("[target.t]\nrustflags = [\"-Ca\"]"));
        assert!(!joined("[target.'cfg(unix)']\nrustflags = [\"-Ca\"]\n[target.t]\nrustflags = \"-Cb\""));
    }

    #[test]
    fn the_nearest_file_wins_and_both_spellings_of_flags_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        for (at, text) in [
            (folder.path().join(".cargo"), "[build]\nrustflags = \"-C a -C b\"\n[target.t]\nlinker = \"far\""),
            (inner.join(".cargo"), "[target.t]\nlinker = \"near\""),
        ] {
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("config.toml"), text).unwrap();
        }
        let config = user_config(&inner, "t");
        assert_eq!(config.linker.as_deref(), Some("near"));
        assert_eq!(config.rustflags, ["-C", "a", "-C", "b"]);
    }
}
