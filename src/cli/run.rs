//! `cargo perfplan run`.

use std::path::Path;

use anyhow::{Context, Result};

use super::args::{OutputArgs, RunArgs};
use super::bar::Bar;
use super::console::Console;
use super::judged::{self, Shown};
use super::{Exit, baseline};
use crate::git::Repository;
use crate::measure::Processes;
use crate::pipeline::{self, Outcome, Request, Resume, Usage};
use crate::samples::Run;
use crate::store::{self, BaselineName, Baselines};
use crate::verdict::{self, Judgement};

pub(super) fn run(arguments: RunArgs, console: &Console) -> Result<Exit> {
    let RunArgs { choice, against, handicap, save, resume, strict, output } = arguments;
    let folder = std::env::current_dir().context("finding the current folder")?;
    // A name that can't be saved under is found out now, not after the measuring.
    let save = save.map(|name| name.parse::<BaselineName>().map_err(|error| Usage(error.to_string()))).transpose()?;
    if save.is_some() {
        baseline::repository(&folder)?;
    }
    let against = against.map(|name| Against::of(&folder, &name)).transpose()?;
    let request = Request {
        base: against.as_ref().and_then(Against::revision),
        handicaps: handicap,
        resume: resume.map(|id| id.map_or(Resume::Latest, Resume::Run)),
        ..choice.request(folder.clone())
    };
    let mut bar = Bar::new(console);
    let outcome = pipeline::run(&request, &mut Processes, &mut bar);
    bar.finish();
    let mut outcome = outcome?;
    let judgement = match &against {
        Some(Against::Stored(old)) => {
            outcome.run.against = judged::stored(old);
            against_stored(old, &outcome.run)?
        }
        _ => outcome.judgement.clone(),
    };
    let shown = Shown { run: &outcome.run, judgement: &judgement, differences: Vec::new() };
    shown.print(console, &output)?;
    shown.write(&outcome.folder)?;
    ended(&outcome, &output, console);
    if let Some(name) = save {
        baseline::save(&folder, &name, &outcome.run, console)?;
    }
    Ok(if outcome.interrupted { Exit::Interrupted } else { Exit::of(&judgement, strict) })
}

/// What the working tree is compared with.
enum Against {
    /// A commit, measured in the same rounds.
    Revision(String),
    /// Numbers of another run, because its commit is not to be had.
    Stored(Box<Run>),
}

impl Against {
    /// A branch, tag or commit of this name; else the baseline of this name, measured again at its commit if that is known.
    fn of(folder: &Path, name: &str) -> Result<Self> {
        let needs = "--against needs a git repository: the other side is a commit, or a baseline kept in git";
        let repository = Repository::around(folder).map_err(|error| Usage(format!("{needs}: {error:#}")))?;
        let unknown = match repository.resolve(name) {
            Ok(_) => return Ok(Self::Revision(name.to_owned())),
            Err(error) => error,
        };
        let Ok(baseline) = name.parse::<BaselineName>() else { return Err(Usage(format!("{unknown:#}")).into()) };
        let baselines = Baselines::of(&repository)?;
        if baselines.find(&baseline, None)?.is_none() {
            return Err(Usage(format!(
                "{unknown:#}\n  and no baseline has this name either (cargo perfplan baseline list)"
            ))
            .into());
        }
        let here = store::fingerprint(&crate::doctor::environment(folder))?;
        let (_, run) = baselines.load(&baseline, Some(&here))?;
        let commit = run.commit.as_deref().filter(|commit| repository.commit(commit).is_ok());
        Ok(match commit {
            Some(commit) => Self::Revision(commit.to_owned()),
            None => Self::Stored(Box::new(run)),
        })
    }

    fn revision(&self) -> Option<String> {
        match self {
            Self::Revision(name) => Some(name.clone()),
            Self::Stored(_) => None,
        }
    }
}

fn against_stored(old: &Run, new: &Run) -> Result<Judgement> {
    judged::refuse_other_machine(old, new, false)?;
    Ok(verdict::judge_stored(old, new, verdict::BETWEEN_RUNS))
}

fn ended(outcome: &Outcome, output: &OutputArgs, console: &Console) {
    if outcome.interrupted {
        console.say(&format!("interrupted; what was measured is kept: cargo perfplan run --resume={}", outcome.run.id));
    } else if output.out.is_none() {
        console.say(&format!("the run and its plots: {}", outcome.folder.display()));
    }
}
