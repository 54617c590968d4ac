//! The arguments of `publish`.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo perfplan publish                        in a job of the pull request itself: its latest run
  cargo perfplan publish --artifact perfplan-run
                                                in a workflow on workflow_run: the run that the other workflow left behind
  cargo perfplan publish --dry-run              what the comment of the latest run would say

It needs GITHUB_TOKEN, and `permissions: pull-requests: write, checks: write`. What the token
may not do is told, and the next place says it: comment, check run, commit status, summary of
the job. The exit code is 0 when it is told, 1 when GitHub failed: the verdict is the exit code
of `run`, and the conclusion of the check run.")]
pub(in crate::cli) struct PublishArgs {
    /// A run: its id, its file, or the latest
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(in crate::cli) run: String,
    /// The artifact of the workflow run that started this one. Nothing in it is believed but its numbers
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub(in crate::cli) artifact: Option<String>,
    /// What tells this comment from those of other plans
    #[arg(long, value_name = "NAME", default_value = "perfplan")]
    pub(in crate::cli) name: String,
    /// The login that comments made with the token have, where that is an app's: only those are updated
    #[arg(long, value_name = "LOGIN")]
    pub(in crate::cli) author: Option<String>,
    /// Print the comment and publish nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}
