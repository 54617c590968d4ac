//! The arguments of `cargo perfplan init`.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Without --ci: a commented perfplan.toml, where the workspace has none.

Examples:
  cargo perfplan init --ci github --dry-run     what would be written?
  cargo perfplan init --ci github               a gate for pull requests, baselines, a nightly self-test
  cargo perfplan init --ci github --branch trunk --force
                                                and replace files that differ")]
pub(in crate::cli) struct InitArgs {
    /// Workflows for this service too
    #[arg(long, value_enum)]
    pub(in crate::cli) ci: Option<Service>,
    /// The branch whose runs are kept
    #[arg(long, value_name = "BRANCH", default_value = "main", requires = "ci", value_parser = branch)]
    pub(in crate::cli) branch: String,
    /// Replace files that are there and differ
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

/// Where checks of pull requests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Service {
    /// GitHub Actions
    Github,
}

/// Branches of these letters need no quotes in a workflow, and are no patterns there.
fn branch(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a branch of letters, digits, `.`, `_`, `-` and `/`; write another one into the file".to_owned())
    }
}
