//! The two builds of the criterion bench.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const PACKAGE: &str = "against-criterion";
const BENCH: &str = "kernels";

/// Copies of the bench programs: cargo may replace its own when it builds again.
#[derive(Debug)]
pub struct Programs {
    /// Where the copies lie, below cargo's target folder.
    pub folder: PathBuf,
    /// As it is.
    pub plain: PathBuf,
    /// With the feature `one-percent-more`.
    pub extra: PathBuf,
}

/// Builds both.
///
/// # Errors
/// Where cargo fails, and where both builds are the same program: then there would be nothing to find.
pub fn build() -> Result<Programs> {
    let folder = target()?.join(PACKAGE);
    // Names of one length: the length of a program's path moves its stack, and with it its times (Mytkowicz et al. 2009,
    // "Producing wrong data without doing anything obviously wrong").
    let plain = keep(&bench(&[])?, &folder.join("plain"))?;
    let extra = keep(&bench(&["--features", "one-percent-more"])?, &folder.join("extra"))?;
    if fs::read(&plain)? == fs::read(&extra)? {
        bail!(
            "{} and {} are the same program: the feature one-percent-more does nothing",
            plain.display(),
            extra.display()
        );
    }
    Ok(Programs { folder, plain, extra })
}

/// Builds the bench as `cargo bench` does and says where the program lies.
fn bench(features: &[&str]) -> Result<PathBuf> {
    let messages = cargo(
        &["bench", "--no-run", "--message-format=json-render-diagnostics", "--package", PACKAGE, "--bench", BENCH],
        features,
    )?;
    executable(&messages).with_context(|| format!("cargo named no program for the bench {BENCH}"))
}

/// The bench's program, out of cargo's messages (one JSON object per line).
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut ours =
        messages.filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == BENCH);
    ours.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

fn keep(program: &Path, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join(BENCH);
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    fs::copy(program, &copy).with_context(|| format!("copying {} to {}", program.display(), copy.display()))?;
    Ok(copy)
}

/// Cargo's target folder.
fn target() -> Result<PathBuf> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version=1"], &[])?;
    let metadata: Value = serde_json::from_str(&metadata).context("reading what cargo metadata printed")?;
    metadata["target_directory"].as_str().map(PathBuf::from).context("cargo metadata names no target folder")
}

/// What cargo prints on stdout; stderr is passed on, since building takes a while.
#[expect(clippy::disallowed_methods, reason = "no part of the tool: cargo ends with this program's terminal")]
fn cargo(arguments: &[&str], features: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("cargo {} {}: {}", arguments.join(" "), features.join(" "), output.status);
    }
    String::from_utf8(output.stdout).context("cargo printed no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_is_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"against_criterion"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"kernels"},"executable":"/target/release/deps/kernels-1f"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/target/release/deps/kernels-1f")));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
