//! Commands around building: `plan`, `build`, `clean`.

use std::time::Duration;

use anyhow::{Context, Result};

use super::Exit;
use super::against::Against;
use super::args::{CellsArgs, ChoiceArgs, CleanArgs, Format, ScopeArgs};
use super::bar::Bar;
use super::console::Console;
use crate::build::{self, Made, Taken, Workspace};
use crate::measure::Processes;
use crate::pipeline::{self, Preview, Request, State};
use crate::report::{self, CellLine, Cells, Progress};
use crate::samples::Skipped;
use crate::units;

pub(super) fn plan(arguments: CellsArgs, console: &Console) -> Result<Exit> {
    let request = request(arguments.choice, arguments.scope)?;
    let preview = pipeline::preview(&request)?;
    show(&planned(&preview), arguments.format, console)?;
    Ok(Exit::Pass)
}

pub(super) fn build(arguments: CellsArgs, console: &Console) -> Result<Exit> {
    let request = request(arguments.choice, arguments.scope)?;
    let begun = std::time::Instant::now();
    let mut bar = Bar::new(console);
    let built = pipeline::build(&request, &mut Processes, &mut bar);
    bar.finish();
    let built = built?;
    let mut cells: Vec<CellLine> = built
        .cells
        .iter()
        .map(|(cell, made)| {
            let line = line(cell, Progress::Built);
            match made {
                Ok(made) => with(line, made),
                Err(failure) => CellLine { progress: Progress::Failed, note: complaint(&failure.why), ..line },
            }
        })
        .collect();
    cells.extend(built.skipped.iter().map(skipped));
    let count = |progress| cells.iter().filter(|cell| cell.progress == progress).count();
    let failed = count(Progress::Failed);
    let summary = vec![format!(
        "{} built, {} ready before, {failed} failed, {} skipped; {:.1} s",
        count(Progress::Built),
        count(Progress::Ready),
        count(Progress::Skipped),
        begun.elapsed().as_secs_f64()
    )];
    show(&Cells { title: "what was built".to_owned(), cells, summary }, arguments.format, console)?;
    Ok(if failed > 0 { Exit::Failed } else { Exit::Pass })
}

/// The request that a run with these arguments makes.
fn request(choice: ChoiceArgs, scope: ScopeArgs) -> Result<Request> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let against = scope.against.map(|name| Against::of(&folder, &name)).transpose()?;
    let base = against.as_ref().and_then(Against::revision);
    Ok(Request { base, shard: scope.shard, ..choice.request(folder) })
}

pub(super) fn clean(arguments: &CleanArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let own = Workspace::of(&folder)?.own();
    let gone = build::clean(&own, arguments.runs)?;
    let lines = gone.iter().filter(|taken| taken.bytes > 0).map(|taken| size_line(taken.name, taken.bytes));
    let total = gone.iter().map(|taken| taken.bytes).sum();
    console.result(&lines.chain([size_line("in all", total)]).collect::<Vec<_>>().join("\n"))?;
    Ok(Exit::Pass)
}

fn size_line(name: &str, bytes: u64) -> String {
    format!("{:>10}  {name}", units::bytes(bytes as f64))
}

fn show(cells: &Cells, format: Format, console: &Console) -> Result<()> {
    console.result(&match format {
        Format::Text => report::cells_terminal(cells, console.style()),
        Format::Markdown => report::cells_markdown(cells),
        Format::Json => serde_json::to_string_pretty(cells)?,
    })
}

fn line(cell: &crate::matrix::Cell, progress: Progress) -> CellLine {
    CellLine {
        variant: cell.variant.name.to_string(),
        source: cell.source.to_string(),
        progress,
        cpu_ns: None,
        text_bytes: None,
        note: String::new(),
        programs: Vec::new(),
    }
}

fn skipped(skipped: &Skipped) -> CellLine {
    let (variant, note) = (skipped.variant.to_string(), skipped.why.clone());
    let (source, programs) = (crate::samples::WORKING_TREE.to_owned(), Vec::new());
    CellLine { variant, source, progress: Progress::Skipped, cpu_ns: None, text_bytes: None, note, programs }
}

fn with(line: CellLine, made: &Made) -> CellLine {
    let text = made.artifacts.iter().flat_map(|artifact| &artifact.sizes);
    let text: f64 = text.filter(|(metric, _)| metric.as_str() == "binary.text").map(|(_, bytes)| bytes).sum();
    let cost = made.cost;
    let note = if cost.is_whole() || cost.crates == 0 {
        String::new()
    } else {
        format!("{} of {} crates compiled", cost.compiled, cost.crates)
    };
    CellLine {
        progress: if made.cached { Progress::Ready } else { Progress::Built },
        cpu_ns: Some(nanoseconds(cost.cpu)),
        text_bytes: Some(text),
        note,
        programs: made.artifacts.iter().map(|artifact| artifact.program.display().to_string()).collect(),
        ..line
    }
}

/// What cargo complained of first; all that it said stands above.
fn complaint(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("error")).or(text.lines().next()).unwrap_or_default().to_owned()
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}

fn planned(preview: &Preview) -> Cells {
    let names: Vec<String> = preview.cells.iter().map(|(cell, _)| cell.variant.name.to_string()).collect();
    let mut cells: Vec<CellLine> = preview
        .cells
        .iter()
        .map(|(cell, state)| match state {
            State::Ready(cost) => CellLine { cpu_ns: Some(nanoseconds(cost.cpu)), ..line(cell, Progress::Ready) },
            State::Like(other) => CellLine { note: format!("as {}", names[*other]), ..line(cell, Progress::Same) },
            State::Build(cost) => {
                CellLine { cpu_ns: cost.map(|cost| nanoseconds(cost.cpu)), ..line(cell, Progress::ToBuild) }
            }
            State::Fails(why) => CellLine { note: why.clone(), ..line(cell, Progress::Failed) },
        })
        .collect();
    cells.extend(preview.skipped.iter().map(skipped));
    Cells { title: "what a run would build".to_owned(), cells, summary: summary(preview) }
}

fn summary(preview: &Preview) -> Vec<String> {
    let count = |wanted: fn(&State) -> bool| preview.cells.iter().filter(|(_, state)| wanted(state)).count();
    let (time, unknown) = preview.building();
    let to_build = count(|state| matches!(state, State::Build(_)));
    let mut build = format!("to build: {to_build} of {} cells", preview.cells.len());
    if to_build > unknown {
        let known = units::duration_ns(nanoseconds(time) / preview.jobs as f64);
        build += &format!(", about {known} on {} CPUs by what they took before", preview.jobs);
    }
    if unknown > 0 {
        build += &format!("; {unknown} were never built here");
    }
    let workloads: Vec<&str> = preview.workloads.iter().map(|workload| workload.name.as_str()).collect();
    let measuring = units::duration_ns(nanoseconds(preview.budget));
    let taken: u64 = preview.taken.iter().map(|taken: &Taken| taken.bytes).sum();
    let mut lines = vec![
        build,
        format!("to measure: {}, at most {measuring}", workloads.join(", ")),
        format!("on disk: {} (cargo perfplan clean)", units::bytes(taken as f64)),
    ];
    if let Some(design) = &preview.design {
        lines.insert(0, format!("design: {}", design.meaning()));
        lines.extend(design.excluded.iter().map(|excluded| format!("left out: {}", excluded.name)));
    }
    lines
}
