//! `cargo perfplan tune`.

use std::path::Path;

use anyhow::{Context, Result};

use super::args::{Format, TuneArgs};
use super::bar::Bar;
use super::console::Console;
use super::judged::{self, Shown};
use super::{Exit, judged::load};
use crate::advise::patch::{Note, diff};
use crate::measure::Processes;
use crate::pipeline::{self, Confirmed, Request, Resume, Tuned, Tuning};
use crate::report::{self, Confirmation, Tune};

pub(super) fn tune(arguments: TuneArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let request = Request {
        resume: arguments.resume.map(|id| id.map_or(Resume::Latest, Resume::Run)),
        ..arguments.choice.request(folder)
    };
    let made = arguments.from.as_deref().map(load).transpose()?;
    let mut bar = Bar::new(console);
    let tuned = pipeline::tune(&Tuning { request, made, confirm: !arguments.no_confirm }, &mut Processes, &mut bar);
    bar.finish();
    let tuned = tuned?;
    let better = tuned.advice.metric.better();
    let objection = tuned.confirmed.as_ref().and_then(|confirmed| confirmed.objection(better));
    let applied = arguments.write && !tuned.interrupted && objection.is_none();
    if applied {
        pipeline::apply(&tuned.root, &tuned.patch.edits)?;
    }
    let said = Said { tuned: &tuned, applied };
    console.result(&match arguments.output.format {
        Format::Text => said.terminal(console),
        Format::Markdown => said.markdown(),
        Format::Json => said.json()?,
    })?;
    let shown = Shown { run: &tuned.run, judgement: &tuned.judgement, differences: Vec::new() };
    for folder in tuned.folder.iter().chain(&arguments.output.out) {
        shown.write(folder)?;
        said.write(folder)?;
        console.say(&format!("report and plots: {}", folder.display()));
    }
    if applied {
        tuned.patch.edits.iter().for_each(|edit| console.say(&format!("written: {}", edit.path)));
    }
    if let Some(why) = &objection {
        console.warn(&format!("{why}{}", if arguments.write { "; nothing is written" } else { "" }));
    }
    Ok(match () {
        () if tuned.interrupted => Exit::Interrupted,
        () if objection.is_some() && arguments.write => Exit::Failed,
        () if tuned.judgement.failures.is_empty() => Exit::Pass,
        () => Exit::Failed,
    })
}

/// What is said of a tuning.
struct Said<'a> {
    tuned: &'a Tuned,
    applied: bool,
}

impl Said<'_> {
    fn view(&self) -> Tune {
        let Tuned { advice, run, design, confirmed, .. } = self.tuned;
        Tune::of(advice, run, design, confirmed.as_ref().map(confirmation).as_ref())
    }

    fn terminal(&self, console: &Console) -> String {
        let style = console.style();
        let mut beside = String::new();
        for note in self.notes() {
            let says = report::wrapped(&format!("{}: {}", note.knob, note.says), style.width, (0, 2));
            beside += &format!("\n{}\n", says.join("\n"));
            note.lines.iter().for_each(|line| beside += &format!("    {line}\n"));
        }
        if !self.tuned.patch.edits.is_empty() {
            let what = if self.applied { "written into the manifests" } else { "the patch (--write applies it)" };
            beside += &format!("\n{what}:\n\n{}", self.diffs());
        }
        // The report has its colours, and is harmless as it is.
        report::tune_terminal(&self.view(), style) + &report::harmless(&beside)
    }

    fn markdown(&self) -> String {
        let mut text = report::tune_markdown(&self.view());
        for note in self.notes() {
            text += &format!("\n- `{}`: {}\n", note.knob, note.says);
        }
        if !self.tuned.patch.edits.is_empty() {
            text += &format!("\n````diff\n{}````\n", self.diffs());
        }
        text
    }

    fn json(&self) -> Result<String> {
        let mut value: serde_json::Value =
            serde_json::from_str(&report::tune_json(&self.tuned.run, &self.tuned.advice, &self.tuned.design))?;
        value["confirmed"] = serde_json::json!(self.tuned.confirmed.as_ref().map(|confirmed| serde_json::json!({
            "run": confirmed.outcome.run.id, "settings": confirmed.settings, "change": confirmed.change,
        })));
        value["patch"] = serde_json::json!(self.diffs());
        Ok(serde_json::to_string_pretty(&value)?)
    }

    fn diffs(&self) -> String {
        self.tuned.patch.edits.iter().map(diff).collect()
    }

    fn notes(&self) -> impl Iterator<Item = &Note> {
        self.tuned.patch.by_hand.iter().chain(&self.tuned.patch.cautions)
    }

    /// The advice, its plots and the patch as files.
    fn write(&self, folder: &Path) -> Result<()> {
        let advice = &self.tuned.advice;
        let mut files = vec![("tune.md", self.markdown()), ("tune.json", self.json()?)];
        if !advice.effects.is_empty() {
            files.push(("plots/effects.svg", report::effects(advice, &self.tuned.design)?));
        }
        for (name, cost) in [
            ("plots/pareto-build.svg", crate::advise::Cost::BuildCpu),
            ("plots/pareto-size.svg", crate::advise::Cost::BinaryFile),
        ] {
            if advice.cells.iter().filter(|cell| cell.costs.contains_key(&cost) && cell.overall.is_some()).count() > 1 {
                files.push((name, report::pareto(advice, cost, &self.tuned.design)?));
            }
        }
        if !self.tuned.patch.edits.is_empty() {
            files.push(("tune.patch", self.diffs()));
        }
        for (name, text) in files {
            judged::write_file(&folder.join(name), &text)?;
        }
        Ok(())
    }
}

/// What the report says of the recommended build's own run.
fn confirmation(confirmed: &Confirmed) -> Confirmation {
    Confirmation { settings: confirmed.settings.clone(), change: confirmed.change }
}
