//! `cargo perfplan import`.

use anyhow::{Context, Result};

use super::args::{ImportCommand, K6Args};
use super::console::Console;
use super::judged::Shown;
use super::{Exit, baseline};
use crate::pipeline::{self, Imported};
use crate::verdict;

pub(super) fn import(command: ImportCommand, console: &Console) -> Result<Exit> {
    match command {
        ImportCommand::K6(arguments) => k6(arguments, console),
    }
}

fn k6(arguments: K6Args, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let K6Args { files, case, claim, save, strict, output } = arguments;
    let save = save.as_deref().map(baseline::named).transpose()?;
    let run = pipeline::import_k6(&folder, &Imported { files, case, claims: claim })?;
    let judgement = verdict::judge(&run);
    let shown = Shown { run: &run, judgement: &judgement, differences: Vec::new() };
    shown.print(console, &output)?;
    // Not among the runs: `latest` is what was measured here.
    shown.keep(&folder, "imports", "the imported run", console)?;
    if let Some(name) = save {
        baseline::save(&folder, &name, &run, console)?;
    }
    Ok(Exit::of(&judgement, strict))
}
