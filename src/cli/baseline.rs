//! `cargo perfplan baseline`.

use std::path::Path;

use anyhow::{Context, Result};

use super::Exit;
use super::args::BaselineCommand;
use super::console::Console;
use super::judged;
use crate::git::Repository;
use crate::pipeline::Usage;
use crate::samples::Run;
use crate::store::{BaselineName, Baselines, Entry};

pub(super) fn baseline(command: BaselineCommand, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    if let BaselineCommand::Save { name, run } = &command {
        save(&folder, &named(name)?, &judged::load(run)?, console)?;
        return Ok(Exit::Pass);
    }
    let repository = repository(&folder)?;
    let baselines = Baselines::of(&repository)?;
    match command {
        BaselineCommand::Save { .. } => {}
        BaselineCommand::List => console.result(&list(&baselines.list()?))?,
        BaselineCommand::Show { name, output } => {
            return judged::show(&baselines.load(&named(&name)?, None)?.1, &output, console);
        }
        BaselineCommand::Rm { name } => {
            baselines.remove(&named(&name)?)?;
            console.say(&format!("baseline {name} is forgotten; `cargo perfplan baseline push` tells the others"));
        }
        BaselineCommand::Push { remote } => {
            let sent = baselines.push(&remote)?;
            console.say(&if sent { format!("sent to {remote}") } else { format!("{remote} has all of them already") });
        }
        BaselineCommand::Fetch { remote } => {
            let changed = baselines.fetch(&remote)?;
            console.say(&if changed {
                format!("merged what {remote} has")
            } else {
                format!("{remote} has nothing new")
            });
        }
    }
    Ok(Exit::Pass)
}

/// Why a part of a run is no baseline.
pub(super) const PARTIAL: &str = "a shard is no baseline: comparing with it would find most variants or cases missing; \
                                  put all shards together (cargo perfplan merge RUN... --save NAME)";

/// Keeps a run under a name.
pub(super) fn save(folder: &Path, name: &BaselineName, run: &Run, console: &Console) -> Result<()> {
    if run.shard().is_some() || !run.gaps().is_empty() {
        return Err(Usage(PARTIAL.to_owned()).into());
    }
    let repository = repository(folder)?;
    let entry = Baselines::of(&repository)?.save(name, run)?;
    console.say(&format!("saved as baseline {} (run {})", entry.name, entry.run));
    Ok(())
}

pub(super) fn repository(folder: &Path) -> Result<Repository> {
    Repository::around(folder).context("baselines are kept in the git repository of the workspace")
}

/// The name of a baseline, as it was given.
pub(super) fn named(name: &str) -> Result<BaselineName> {
    Ok(name.parse().map_err(|error: <BaselineName as std::str::FromStr>::Err| Usage(error.to_string()))?)
}

fn list(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "no baselines; `cargo perfplan run --save NAME` keeps one".to_owned();
    }
    let widest = entries.iter().map(|entry| entry.name.as_str().len()).max().unwrap_or(0);
    let line = |entry: &Entry| {
        let commit = entry.commit.as_deref().map_or("no commit", |commit| &commit[..commit.len().min(12)]);
        format!(
            "{:widest$}  run {}  {commit}  machine {}",
            entry.name.as_str(),
            entry.run,
            &entry.fingerprint[..entry.fingerprint.len().min(8)]
        )
    };
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}
