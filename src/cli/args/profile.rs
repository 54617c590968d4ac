//! The arguments of `profile`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Format, duration};

#[derive(Debug, Args)]
#[command(after_help = "\
Where does the time of a case go? Its stacks are sampled while it runs as it runs when it is measured.

Examples:
  cargo perfplan profile book/btree             the plan's baseline; the flamegraph's path is told
  cargo perfplan profile book/btree --variant fat
  cargo perfplan profile book/btree --against main --diff
                                                what the working tree changed, by function
  cargo perfplan profile orders/sort --variant native --diff
  cargo perfplan profile step::contacts --diff  both sides of a plan's step
  cargo perfplan profile ledger/hash --of allocations
                                                which call sites allocate
  cargo perfplan profile ledger/hash --of instructions
                                                exact counts, by valgrind

Files: folded stacks (the format that lasts), an SVG flamegraph, speedscope's and pprof's formats.")]
pub(crate) struct ProfileArgs {
    /// One case: its name or a part of it that no other case has
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Of this variant, in place of the plan's baseline
    #[arg(long, value_name = "V")]
    pub(crate) variant: Option<String>,
    /// Compare the working tree with a branch, tag or commit
    #[arg(long, value_name = "REV", requires = "diff")]
    pub(crate) against: Option<String>,
    /// Both sides, and the difference: of `--against`, of `--variant` and the plan's baseline, or of a step
    #[arg(long)]
    pub(crate) diff: bool,
    /// What is attributed to functions
    #[arg(long, value_enum, default_value_t = Of::Time)]
    pub(crate) of: Of,
    /// How long each side is sampled
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "3s")]
    pub(crate) time: Duration,
    /// How stacks are taken; the best that is permitted without it
    #[arg(long, value_enum)]
    pub(crate) stacks: Option<Stacks>,
    /// Samples per second
    #[arg(long, value_name = "HZ", default_value_t = 1997, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) frequency: u32,
    /// Small sizes
    #[arg(long)]
    pub(crate) quick: bool,
    /// The plan's file
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Put the files here, in place of a folder of their own below target/perfplan/profiles
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What is attributed to functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// CPU time, by sampling
    Time,
    /// Allocations, by call site
    Allocations,
    /// Instructions, counted by callgrind
    Instructions,
    /// System calls, by name
    Syscalls,
}

/// How stacks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stacks {
    /// Copies of the stack, unwound by the programs' unwind tables
    Dwarf,
    /// Frame pointers, followed by the kernel
    FramePointers,
    /// By the program `perf`
    Perf,
}
