//! `cargo perfplan merge`.

use std::path::Path;

use anyhow::{Context, Result};

use super::args::MergeArgs;
use super::console::Console;
use super::judged::{self, Shown};
use super::{Exit, baseline};
use crate::pipeline::Usage;
use crate::samples::{self, Run};
use crate::store::runs_below;
use crate::verdict;

pub(super) fn merge(arguments: MergeArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let MergeArgs { runs, save, strict, output } = arguments;
    let save = save.as_deref().map(baseline::named).transpose()?;
    let mut shards = Vec::new();
    for what in &runs {
        shards.extend(load(what)?);
    }
    let run = samples::merge(shards).map_err(|error| Usage(error.to_string()))?;
    let judgement = verdict::judge(&run);
    let shown = Shown { run: &run, judgement: &judgement, differences: Vec::new() };
    shown.print(console, &output)?;
    shown.keep(&folder, "runs", "the merged run and its plots", console)?;
    let gaps = run.gaps();
    for gap in &gaps {
        console.warn(&format!("{}: {}", gap.what, gap.command.as_deref().unwrap_or_default()));
    }
    match save {
        Some(name) if gaps.is_empty() => baseline::save(&folder, &name, &run, console)?,
        Some(name) => console.warn(&format!("not saved as baseline {name}: shards are missing")),
        None => {}
    }
    Ok(Exit::of(&judgement, strict))
}

/// The runs of a folder, or the one that is meant otherwise.
fn load(what: &str) -> Result<Vec<Run>> {
    let path = Path::new(what);
    if path.is_dir() { runs_below(path) } else { Ok(vec![judged::load(what)?]) }
}
