//! The arguments of `cargo perfplan import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;
use crate::samples::CaseId;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportCommand {
    /// End-of-test summaries of the load generator k6
    K6(K6Args),
}

#[derive(Debug, Args)]
#[command(after_help = "\
One file is one execution of the same test: the more of them, the more can be said. Claims take five at least.
`http_req_duration` becomes latency.p50, latency.p99 and so on, `http_reqs` becomes throughput; docs/claims.md has the rest.

Examples:
  k6 run --summary-trend-stats 'avg,med,p(95),p(99),max' --summary-export 1.json script.js   (and so on)
  cargo perfplan import k6 *.json --claim 'latency.p99 < 5ms'
  cargo perfplan import k6 *.json --case k6::checkout --save monday
  cargo perfplan compare monday tuesday         two that were saved: latency and throughput")]
pub(in crate::cli) struct K6Args {
    /// What `k6 run --summary-export FILE` or handleSummary() wrote
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// What the test is called here
    #[arg(long, value_name = "WORKLOAD::CASE", default_value = "k6::test")]
    pub(in crate::cli) case: CaseId,
    /// What is claimed of it (may be given several times)
    #[arg(long, value_name = "CLAIM")]
    pub(in crate::cli) claim: Vec<String>,
    /// Keep it as a baseline of this name
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) save: Option<String>,
    /// Exit with 5 when a claim is undecided
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
}
