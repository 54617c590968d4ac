//! The command line: reads arguments, calls the pipeline, prints the result, chooses the exit code.

mod against;
mod args;
mod bar;
mod baseline;
mod console;
mod doctor;
mod import;
mod init;
mod judged;
mod merge;
mod planned;
mod profile;
mod publish;
mod run;
mod selftest;
mod tune;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::pipeline::Usage;
use crate::process::{Interrupted, interrupt};
use crate::verdict::{Holds, Judgement, Verdict};
use crate::{plan, samples};
use args::{Cli, Command};
use console::Console;

/// How a command ended. The numbers are documented and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All is well.
    Pass = 0,
    /// The tool failed, or a part of the run did.
    Failed = 1,
    /// The arguments or the plan are wrong.
    Usage = 2,
    /// A gated row regressed.
    Regressed = 3,
    /// A claim of the plan was refuted.
    Refuted = 4,
    /// A row or a claim is undecided, under `--strict`.
    Undecided = 5,
    /// Ctrl-C or a termination signal.
    Interrupted = 130,
}

impl Exit {
    /// The worst that a judgement says, in the order of its worth to a gate.
    fn of(judgement: &Judgement, strict: bool) -> Self {
        if judgement.regressed() {
            Self::Regressed
        } else if !judgement.failures.is_empty() {
            Self::Failed
        } else if judgement.refuted() {
            Self::Refuted
        } else if strict && judgement.count(Verdict::Undecided) + judgement.claims(Holds::Undecided) > 0 {
            Self::Undecided
        } else {
            Self::Pass
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Does what the arguments say. `unguarded` is why children would outlive a killed tool, if they would.
pub fn main(arguments: impl Iterator<Item = OsString>, unguarded: Option<anyhow::Error>) -> ExitCode {
    let console = Console::new();
    if let Some(error) = unguarded {
        console.warn(&format!("should this tool be killed, its children may live on: {error:#}"));
    }
    let arguments = unprefixed(arguments);
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results, anything else is a complaint: clap knows where each goes.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Pass.into() };
        }
    };
    match interrupt::install().and_then(|()| dispatch(cli.command, &arguments[1..], &console)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console.error(&error);
            exit_of(&error).into()
        }
    }
}

/// Cargo calls `cargo-perfplan perfplan ARGUMENTS`; the alias in this repository leaves the second word out.
fn unprefixed(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.first().is_some_and(|word| word == "perfplan") {
        arguments.remove(0);
    }
    arguments.insert(0, "cargo perfplan".into());
    arguments
}

/// Does what a command says; `words` are its arguments as they were given.
fn dispatch(command: Command, words: &[OsString], console: &Console) -> Result<Exit> {
    match command {
        Command::Init(arguments) => init::init(&arguments, console),
        Command::Run(arguments) => run::run(arguments, words, console),
        Command::Plan(arguments) => planned::plan(arguments, console),
        Command::Build(arguments) => planned::build(arguments, console),
        Command::Clean(arguments) => planned::clean(&arguments, console),
        Command::Merge(arguments) => merge::merge(arguments, console),
        Command::Import(command) => import::import(command, console),
        Command::Compare(arguments) => judged::compare(&arguments, console),
        Command::Profile(arguments) => profile::profile(arguments, console),
        Command::Publish(arguments) => publish::publish(&arguments, console),
        Command::Report(arguments) => judged::report(&arguments, console),
        Command::Baseline(command) => baseline::baseline(command, console),
        Command::Selftest(arguments) => selftest::selftest(arguments, console),
        Command::Tune(arguments) => tune::tune(arguments, console),
        Command::Doctor(arguments) => doctor::doctor(&arguments, console),
        Command::Schema => {
            console.result(&serde_json::to_string_pretty(&schemars::schema_for!(samples::Run))?)?;
            Ok(Exit::Pass)
        }
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if error.is::<Interrupted>() {
        Exit::Interrupted
    } else if error.is::<Usage>() || error.is::<plan::PlanError>() {
        Exit::Usage
    } else {
        Exit::Failed
    }
}
