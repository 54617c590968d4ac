//! The command line. clap stops here: what leaves this file are plain values.

mod import;
mod init;
mod profile;
mod publish;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use import::{ImportCommand, K6Args};
pub(super) use init::{InitArgs, Service};
pub(super) use profile::{Of, ProfileArgs, Stacks};
pub(super) use publish::PublishArgs;

use crate::pipeline::Request;
use crate::samples::Shard;
use crate::units;

const AFTER: &str = "\
Examples:
  cargo perfplan run                            measure all cases under all variants of the plan
  cargo perfplan run --against main             is the working tree slower than main?
  cargo perfplan run 'engine::pool/*' --quick   these cases, in a minute
  cargo perfplan selftest                       what can this machine see, and is it ever wrong?

Exit codes: 0 pass, 1 the tool or a part of the run failed, 2 usage or plan error,
            3 a gated row regressed (another revision, a baseline, a drill; variants are not gated),
            4 a claim of the plan was refuted, 5 undecided under --strict, 130 interrupted";

const PLAN_EXAMPLES: &str = "\
Examples:
  cargo perfplan plan                           the variants of the plan
  cargo perfplan plan --matrix                  all cells of the plan's [matrix]
  cargo perfplan plan --against main            and which of them the cache holds of another revision";

const BUILD_EXAMPLES: &str = "\
Examples:
  cargo perfplan build                          the variants of the plan
  cargo perfplan build --variant fat --format json
                                                the programs' files are in `programs`";

/// Is it faster, and can I believe it?
#[derive(Debug, Parser)]
#[command(name = "cargo perfplan", bin_name = "cargo perfplan", version, after_help = AFTER, max_term_width = 110)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a plan to begin with, and the workflows of a gate
    Init(InitArgs),
    /// Build, measure in lockstep, judge and report
    Run(RunArgs),
    /// Show what a run would build and measure, and what stands ready
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(CellsArgs),
    /// Build what a run would build, and measure nothing
    #[command(after_help = BUILD_EXAMPLES)]
    Build(CellsArgs),
    /// Throw away what was built; what was measured stays
    Clean(CleanArgs),
    /// Put the shards of a run beside each other, and report on all of it
    Merge(MergeArgs),
    /// Judge two runs against each other: files, run ids or baselines
    Compare(CompareArgs),
    /// Show a run again
    Report(ReportArgs),
    /// Where does the time go: sampled stacks of a case, a flamegraph, and what differs between two builds
    Profile(ProfileArgs),
    /// Put a run onto its pull request: a comment that is kept up to date, a check run, the job's summary
    Publish(PublishArgs),
    /// Keep runs in git, and share them
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Take in what another tool measured
    #[command(subcommand)]
    Import(ImportCommand),
    /// Measure every knob of the build, and say which to take: a patch for the manifests
    Tune(TuneArgs),
    /// Measure programs against themselves: how often is the verdict wrong, what is the smallest change seen?
    Selftest(SelftestArgs),
    /// Look at this machine: what makes measuring worse here, and what to do about it
    Doctor(DoctorArgs),
    /// Print the JSON Schema of run.json
    Schema,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo perfplan run engine                     all cases whose name contains `engine`
  cargo perfplan run --against HEAD~1           compare with the commit before
  cargo perfplan run --against main...          compare with where this branch left main
  cargo perfplan run --against nightly          compare with a stored baseline
  cargo perfplan run --variant fat,native       only these variants, against the plan's baseline
  cargo perfplan run --handicap 'generator::msisdn/*=2%'
                                                a fire drill: the gate must fire
  cargo perfplan run --matrix --shard 2/3       the second third of the matrix; `merge` puts all together
  cargo perfplan run --claims-only              is what the plan says of its steps true?
  cargo perfplan run --resume                   go on with the run that was broken off")]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) choice: ChoiceArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    /// Judge by the tolerances and waivers of the plan here, in place of those of the revision that it is compared with
    #[arg(long, requires = "against")]
    pub(super) own_gate: bool,
    /// A case's candidates really do this much more than they report (may be given several times)
    #[arg(long, value_name = "CASE=PERCENT")]
    pub(super) handicap: Vec<String>,
    /// Keep the run as a baseline of this name
    #[arg(long, value_name = "NAME")]
    pub(super) save: Option<String>,
    /// Go on with a run that was broken off: the latest one, or the one of this id
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    pub(super) resume: Option<Option<String>>,
    /// The claims of the plan's steps alone
    #[arg(long, conflicts_with_all = ["matrix", "handicap"])]
    pub(super) claims_only: bool,
    /// Exit with 5 when a row or a claim is undecided
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Which other side, and which machine's part of the whole.
#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    /// Compare the working tree with a branch, tag or commit, or with a stored baseline; `main...` is where this branch left main
    #[arg(long, value_name = "REV|NAME")]
    pub(super) against: Option<String>,
    /// Only this part, such as 2/3: the baseline and every third candidate. `merge` puts the parts of all machines together
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

/// What is measured, and how long.
#[derive(Debug, Args)]
pub(super) struct ChoiceArgs {
    /// Cases: part of a name, or a pattern with `*`; `!` in front leaves out
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    /// Only these variants of the plan (and its baseline)
    #[arg(long = "variant", value_name = "V", value_delimiter = ',')]
    pub(super) variants: Vec<String>,
    /// All cells of the plan's [matrix], in place of its variants
    #[arg(long)]
    pub(super) matrix: bool,
    /// Time for measuring, builds not included
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) budget: Option<Duration>,
    /// A first impression: small sizes, a short budget, few rounds. Decides large changes alone
    #[arg(long)]
    pub(super) quick: bool,
    /// Changes of wall time up to this are not worth a verdict, in place of the plan's tolerances
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(super) tolerance: Option<f64>,
    /// How many compilers may run at once; as many as there are CPUs without it
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// The plan's file
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
}

impl ChoiceArgs {
    /// The request that these arguments make, for the workspace around `folder`.
    pub(super) fn request(self, folder: PathBuf) -> Request {
        Request {
            folder,
            plan: self.plan,
            filters: self.filters,
            variants: self.variants,
            budget: self.budget,
            quick: self.quick,
            matrix: self.matrix,
            jobs: self.jobs.map(usize::from),
            tolerance: self.tolerance,
            ..Request::default()
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Put the report's files here as well
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people
    Text,
    /// The judgement, for programs
    Json,
    /// For comments and job summaries
    Markdown,
}

/// What `plan` and `build` look at.
#[derive(Debug, Args)]
pub(super) struct CellsArgs {
    #[command(flatten)]
    pub(super) choice: ChoiceArgs,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// The runs as well, and those of self-tests
    #[arg(long)]
    pub(super) runs: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each machine measures a part, with the baseline beside it: no comparison straddles two machines.

Examples:
  cargo perfplan run --matrix --shard 1/3       on one machine, and so on
  cargo perfplan merge artifacts                all runs in that folder, up to three folders down
  cargo perfplan merge one.json two.json three.json --save nightly")]
pub(super) struct MergeArgs {
    /// Files, run ids, or folders with runs in them
    #[arg(required = true, value_name = "RUN")]
    pub(super) runs: Vec<String>,
    /// Keep the merged run as a baseline of this name, when no shard is missing
    #[arg(long, value_name = "NAME")]
    pub(super) save: Option<String>,
    /// Exit with 5 where a row is undecided
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo perfplan compare old.json new.json
  cargo perfplan compare nightly latest         a stored baseline against the latest run here")]
pub(super) struct CompareArgs {
    /// The old side: a file, a run id, `latest`, or a baseline
    pub(super) old: String,
    /// The new side
    pub(super) new: String,
    /// Compare runs of different machines all the same
    #[arg(long)]
    pub(super) other_machine: bool,
    /// Exit with 5 where a row is undecided
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A file, a run id, `latest`, or a baseline
    #[arg(default_value = "latest")]
    pub(super) run: String,
    /// What became of the plan's steps, per commit: of this run, all that are kept here, and all baselines, as
    /// PERFORMANCE_SUMMARY.md has it
    #[arg(long)]
    pub(super) summary: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Keep a run (the latest one) under a name
    Save {
        /// The baseline's name
        name: String,
        /// A file, a run id, or `latest`
        #[arg(default_value = "latest")]
        run: String,
    },
    /// The baselines that are kept
    List,
    /// Show a baseline
    Show {
        /// The baseline's name
        name: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Forget a baseline
    Rm {
        /// The baseline's name
        name: String,
    },
    /// Send the baselines to a remote; what others sent meanwhile is kept
    Push {
        /// The remote
        #[arg(default_value = "origin")]
        remote: String,
    },
    /// Get the baselines of a remote
    Fetch {
        /// The remote
        #[arg(default_value = "origin")]
        remote: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Builds and measures the plan's [matrix], says what each knob bought and what it costs in build time, size and memory,
measures the recommended build once more by itself, and shows the patch.

Examples:
  cargo perfplan tune                           the whole matrix
  cargo perfplan tune engine --budget 20m       for these cases
  cargo perfplan tune --from latest --write     from a run that was made before; edits the manifests")]
pub(super) struct TuneArgs {
    #[command(flatten)]
    pub(super) choice: ChoiceArgs,
    /// Take a run of the matrix that was made before: a file, a run id, `latest`, or a baseline
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub(super) from: Option<String>,
    /// Go on with a run of the matrix that was broken off: the latest one, or the one of this id
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    pub(super) resume: Option<Option<String>>,
    /// Don't measure the recommended build by itself
    #[arg(long)]
    pub(super) no_confirm: bool,
    /// Apply the patch to the manifests
    #[arg(long)]
    pub(super) write: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each case is measured as a run measures it, in three kinds of trials:
  itself     the same program on both sides: any verdict but `unchanged` is false
  layouts    the same, each side with link orders of its own, as two builds have them
  handicap   one side really does more than it reports: the verdict must be `regressed`
With --change VARIANT a fourth: a build of the plan that does a known amount more.

Examples:
  cargo perfplan selftest                       on all cases, once
  cargo perfplan selftest --handicap 0.5% --trials 10 engine
  cargo perfplan selftest --kind layouts --trials 50")]
pub(super) struct SelftestArgs {
    #[command(flatten)]
    pub(super) choice: ChoiceArgs,
    /// How often each kind of trial is made
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) trials: usize,
    /// How much more the handicapped side does
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "1%")]
    pub(super) handicap: f64,
    /// Only these kinds
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(super) kind: Vec<Kind>,
    /// A variant that does a known amount more, and by how much
    #[arg(long, value_name = "VARIANT=PERCENT")]
    pub(super) change: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// The same program on both sides
    Itself,
    /// The same, with other link orders
    Layouts,
    /// One side does more than it reports
    Handicap,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The plan's file
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = units::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("a budget is above 0".to_owned()) } else { Ok(duration) }
}

fn percent(text: &str) -> Result<f64, String> {
    let share = units::parse_percent(text).map_err(|error| error.to_string())?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("above 0 % and at most 100 %".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_unit_is_explained() {
        let error = Cli::try_parse_from(["cargo perfplan", "run", "--budget", "5 parsecs"]).unwrap_err().to_string();
        assert!(error.contains("5 parsecs"), "{error}");
    }

    /// The commands that a text tells people to type, or has a machine run.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', '>', '*', '-']));
        let begins = |line: &str| {
            let (before, command) = line.split_once("cargo perfplan ")?;
            (before.is_empty() || before.ends_with("run: ") || before.ends_with("$(")).then(|| words(command))
        };
        lines.filter_map(begins).collect()
    }

    /// The words of a command, up to a pipe, a redirection or a comment. Variables are some value.
    fn words(command: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        let mut rest = command.chars();
        while let Some(c) = rest.next() {
            match (quote, c) {
                (Some(open), c) if open == c => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (Some('"') | None, '$') => {
                    let ends = |c: &char| !c.is_ascii_alphanumeric() && !"_{}[]@. ".contains(*c);
                    rest = rest.as_str()[rest.as_str().find(|c| ends(&c)).unwrap_or(rest.as_str().len())..].chars();
                    word.push_str("1m");
                }
                (None, '|' | '>' | ')' | '#' | ';' | '\\') => break,
                (None, ' ') => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
                (_, c) => word.push(c),
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        // Variables around a slash are a shard.
        words.into_iter().map(|word| word.replace("1m/1m", "1/1")).collect()
    }

    /// All files below a folder.
    fn files_below(folder: &std::path::Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn commands_in_the_readme_and_in_templates_are_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let workflows = ["templates", ".github"].map(|folder| files_below(&root.join(folder)));
        let mut seen = 0;
        for path in workflows.into_iter().flatten().chain([root.join("README.md")]) {
            for command in commands(&std::fs::read_to_string(&path).unwrap()) {
                let parsed = Cli::try_parse_from(std::iter::once("cargo perfplan".to_owned()).chain(command.clone()));
                assert!(parsed.is_ok(), "{}: {command:?}: {}", path.display(), parsed.unwrap_err());
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen} commands");
    }
}
