//! Commands that read runs and say something of them: compare and report.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Exit;
use super::args::{CompareArgs, Format, OutputArgs, ReportArgs};
use super::console::Console;
use crate::build::Workspace;
use crate::git::Repository;
use crate::report;
use crate::samples::Run;
use crate::store::{BaselineName, Baselines, Runs, read_run};
use crate::verdict::{self, Judgement};

/// A judged run, ready to be shown.
pub(super) struct Shown<'a> {
    pub(super) run: &'a Run,
    pub(super) judgement: &'a Judgement,
    /// Facts in which the two sides' machines differ.
    pub(super) differences: Vec<(String, String, String)>,
}

impl Shown<'_> {
    fn view(&self) -> report::View {
        report::View::of(self.run, self.judgement).differing(self.differences.clone())
    }

    /// Prints the result, and puts the files where they were asked for.
    pub(super) fn print(&self, console: &Console, output: &OutputArgs) -> Result<()> {
        let text = match output.format {
            Format::Text => report::terminal(&self.view(), console.style()),
            Format::Markdown => report::markdown(&self.view()),
            Format::Json => report::json(self.run, self.judgement),
        };
        console.result(&text)?;
        output.out.as_ref().map_or(Ok(()), |folder| {
            self.write(folder)?;
            fs::write(folder.join("run.json"), serde_json::to_vec(self.run)?)
                .with_context(|| format!("writing {}", folder.join("run.json").display()))
        })
    }

    /// Keeps the run and its report in a folder of the workspace. Where there is no workspace, it is only shown.
    pub(super) fn keep(&self, folder: &Path, below: &str, what: &str, console: &Console) -> Result<()> {
        let Ok(workspace) = Workspace::of(folder) else { return Ok(()) };
        let kept = Runs::at(workspace.own().join(below)).keep(self.run)?;
        self.write(&kept)?;
        console.say(&format!("{what}: {}", kept.display()));
        Ok(())
    }

    /// Writes the report's files: Markdown, JSON, and the forest plot.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let view = self.view();
        let mut files =
            vec![("report.md", report::markdown(&view)), ("report.json", report::json(self.run, self.judgement))];
        if self.judgement.rows.iter().any(|row| row.change.is_some()) {
            files.push(("plots/forest.svg", report::forest(&view)?));
        }
        files.iter().try_for_each(|(name, text)| write_file(&folder.join(name), text))
    }
}

/// Writes a file, and makes the folders that lead to it.
pub(super) fn write_file(path: &Path, text: &str) -> Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.with_context(|| format!("writing {}", path.display()))
}

/// A file, a run's id, `latest`, or a baseline.
pub(super) fn load(what: &str) -> Result<Run> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    if Path::new(what).is_file() {
        return read_run(Path::new(what));
    }
    // Where there is no workspace there are no runs but files.
    let workspace =
        Workspace::of(&folder).with_context(|| format!("{what:?} is no file, and there is no workspace here"))?;
    let unknown = match Runs::at(workspace.own().join("runs")).load(what) {
        Ok(run) => return Ok(run),
        Err(error) => error,
    };
    let (Ok(repository), Ok(name)) = (Repository::around(&folder), what.parse::<BaselineName>()) else {
        return Err(unknown);
    };
    let baselines = Baselines::of(&repository)?;
    match baselines.find(&name, None)? {
        Some(_) => Ok(baselines.load(&name, None)?.1),
        None => Err(unknown),
    }
}

/// Runs of different machines are never compared silently.
pub(super) fn refuse_other_machine(old: &Run, new: &Run, allowed: bool) -> Result<()> {
    if allowed || old.environment.comparable(&new.environment) {
        return Ok(());
    }
    let differences = old.environment.differences(&new.environment);
    let lines: Vec<String> = differences.iter().map(|(name, old, new)| format!("  {name}: {old} / {new}")).collect();
    bail!(
        "the two runs are from different machines, and their times say nothing about the program:\n{}\n\
         Compare all the same with --other-machine",
        lines.join("\n")
    )
}

/// What reports call the numbers of an earlier run.
pub(super) fn stored(old: &Run) -> String {
    let commit = old.commit.as_ref().map_or(String::new(), |commit| format!(" at {commit}"));
    format!("run {}{commit}", old.id)
}

pub(super) fn compare(arguments: &CompareArgs, console: &Console) -> Result<Exit> {
    let (old, mut new) = (load(&arguments.old)?, load(&arguments.new)?);
    refuse_other_machine(&old, &new, arguments.other_machine)?;
    let judgement = verdict::judge_stored(&old, &new, verdict::BETWEEN_RUNS);
    let differences = old.environment.differences(&new.environment);
    new.against = stored(&old);
    Shown { run: &new, judgement: &judgement, differences }.print(console, &arguments.output)?;
    if judgement.rows.is_empty() && judgement.steps.is_empty() {
        bail!("{} and {} have no case in common that was measured with the same variant", arguments.old, arguments.new);
    }
    Ok(Exit::of(&judgement, arguments.strict))
}

pub(super) fn report(arguments: &ReportArgs, console: &Console) -> Result<Exit> {
    if arguments.summary {
        return summary(&arguments.run, console);
    }
    show(&load(&arguments.run)?, &arguments.output, console)
}

/// The outcome of the plan's steps in a run and in those that were made before it, here or wherever baselines come from.
fn summary(what: &str, console: &Console) -> Result<Exit> {
    let newest = load(what)?;
    let folder = std::env::current_dir().context("finding the current folder")?;
    let kept = Workspace::of(&folder).map(|workspace| Runs::at(workspace.own().join("runs")));
    let mut runs = kept.and_then(|runs| runs.before(&newest)).unwrap_or_default();
    let shared = Repository::around(&folder).and_then(|repository| Baselines::of(&repository)?.runs());
    runs.extend(shared.unwrap_or_default().into_iter().filter(|run| run.started < newest.started));
    runs.push(newest);
    runs.sort_by(|one, other| one.id.cmp(&other.id));
    runs.dedup_by(|one, other| one.id == other.id);
    let judgements: Vec<Judgement> = runs.iter().map(verdict::judge).collect();
    console.result(&report::performance_summary(&runs.iter().zip(&judgements).collect::<Vec<_>>()))?;
    Ok(Exit::Pass)
}

pub(super) fn show(run: &Run, output: &OutputArgs, console: &Console) -> Result<Exit> {
    let judgement = verdict::judge(run);
    Shown { run, judgement: &judgement, differences: Vec::new() }.print(console, output)?;
    Ok(Exit::Pass)
}
