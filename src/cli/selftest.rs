//! `cargo perfplan selftest`: makes the trials and adds them up.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::json;

use super::Exit;
use super::args::{Format, Kind as Named, SelftestArgs};
use super::bar::Bar;
use super::console::Console;
use crate::compare::Spread;
use crate::measure::Processes;
use crate::pipeline::{self, Kind, SelfTest, Trial, Usage};
use crate::samples::CaseId;
use crate::{stats, units};

pub(super) fn selftest(arguments: SelftestArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let test = SelfTest {
        kinds: kinds(&arguments)?,
        repetitions: arguments.trials,
        request: arguments.choice.request(folder),
    };
    let mut bar = Bar::new(console);
    let mut trials = Vec::new();
    // Every pass adds to what is known, so an interrupted self-test still tells what it saw.
    let ended = pipeline::selftest(&test, &mut Processes, &mut bar, &mut |pass| trials.extend_from_slice(pass));
    bar.finish();
    console.result(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(&trials.iter().map(as_json).collect::<Vec<_>>())?,
        Format::Text | Format::Markdown => table(&trials),
    })?;
    ended.map(|()| Exit::Pass)
}

fn kinds(arguments: &SelftestArgs) -> Result<Vec<Kind>> {
    let change = arguments.change.as_deref().map(change).transpose()?;
    let default = if change.is_some() { vec![] } else { vec![Named::Itself, Named::Layouts, Named::Handicap] };
    let named = if arguments.kind.is_empty() { default } else { arguments.kind.clone() };
    let kind = |named: &Named| match named {
        Named::Itself => Kind::Itself,
        Named::Layouts => Kind::Layouts,
        Named::Handicap => Kind::Handicap(arguments.handicap),
    };
    Ok(named.iter().map(kind).chain(change).collect())
}

/// `VARIANT=1%`.
fn change(text: &str) -> Result<Kind> {
    let (variant, share) =
        text.split_once('=').ok_or_else(|| Usage(format!("a change is VARIANT=1%, not {text:?}")))?;
    let share = units::parse_percent(share).map_err(|error| Usage(error.to_string()))?;
    Ok(Kind::Change { variant: variant.to_owned(), share })
}

fn as_json(trial: &Trial) -> serde_json::Value {
    json!({
        "kind": name(&trial.kind),
        "truth": trial.kind.truth(),
        "case": trial.case,
        "verdict": trial.verdict,
        "estimate": trial.estimate,
        "standard_error": trial.error,
        "measured_s": trial.measured.as_secs_f64(),
        "inside": trial.inside,
        "rounds": trial.rounds,
        "visible_10s": trial.visible.map(|visible| visible.0),
        "visible_60s": trial.visible.map(|visible| visible.1),
        "variance": trial.spread.map(|spread| json!({
            "blocks": spread.blocks, "processes": spread.processes, "layouts": spread.layouts,
        })),
    })
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Itself => "itself",
        Kind::Layouts => "layouts",
        Kind::Handicap(_) => "handicap",
        Kind::Change { .. } => "change",
    }
}

/// One line per kind and case, then one per kind.
fn table(trials: &[Trial]) -> String {
    let mut groups: BTreeMap<(&str, &CaseId), Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        groups.entry((name(&trial.kind), &trial.case)).or_default().push(trial);
    }
    let widest = trials.iter().map(|trial| trial.case.to_string().len()).max().unwrap_or(4);
    let mut lines = vec![format!(
        "{:9} {:widest$} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}  {}",
        "trial", "case", "false", "found", "median", "longest", "sees 10s", "sees 60s", "limited by"
    )];
    lines.extend(groups.iter().map(|((kind, case), group)| line(kind, &case.to_string(), widest, group)));
    for kind in ["itself", "layouts", "handicap", "change"] {
        let group: Vec<&Trial> = trials.iter().filter(|trial| name(&trial.kind) == kind).collect();
        if let Some(first) = group.first() {
            lines.push(total(kind, first.kind.truth(), &group));
        }
    }
    lines.join("\n")
}

fn line(kind: &str, case: &str, widest: usize, group: &[&Trial]) -> String {
    let n = group.len();
    let truth = group[0].kind.truth(); // A group is made of at least one trial.
    let wrong = group.iter().filter(|trial| trial.is_false()).count();
    let found = group.iter().filter(|trial| trial.is_found()).count();
    let found = if truth > 0.0 { format!("{found}/{n}") } else { "-".to_owned() };
    let (median, longest) = times(group);
    let visible = |pick: fn(&(f64, f64)) -> f64| {
        let seen: Vec<f64> = group.iter().filter_map(|trial| trial.visible.as_ref().map(pick)).collect();
        if seen.is_empty() { "-".to_owned() } else { units::percent(stats::median(&seen), 2) }
    };
    format!(
        "{kind:9} {case:widest$} {:>7} {found:>7} {:>7.1} s {:>7.1} s {:>9} {:>9}  {}",
        format!("{wrong}/{n}"),
        median,
        longest,
        visible(|seen| seen.0),
        visible(|seen| seen.1),
        limited_by(group),
    )
}

fn times(group: &[&Trial]) -> (f64, f64) {
    let seconds: Vec<f64> = group.iter().map(|trial| trial.measured.as_secs_f64()).collect();
    (stats::median(&seconds), seconds.iter().copied().fold(0.0, f64::max))
}

/// The level of variance that makes up most of the error, over the trials of a group.
fn limited_by(group: &[&Trial]) -> &'static str {
    let sum = |pick: fn(&Spread) -> f64| group.iter().filter_map(|trial| trial.spread.as_ref().map(pick)).sum::<f64>();
    let levels = [(sum(|s| s.blocks), "blocks"), (sum(|s| s.processes), "processes"), (sum(|s| s.layouts), "layouts")];
    levels.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or("-", |(_, level)| level)
}

fn total(kind: &str, truth: f64, group: &[&Trial]) -> String {
    let n = group.len();
    let wrong = group.iter().filter(|trial| trial.is_false()).count();
    let inside = group.iter().map(|trial| trial.inside).sum::<f64>() / n as f64;
    let (median, longest) = times(group);
    let found = group.iter().filter(|trial| trial.is_found()).count();
    let found = if truth > 0.0 {
        format!(", {found} of {n} found ({} more work)", units::percent(truth, 2))
    } else {
        String::new()
    };
    format!(
        "{kind}: {wrong} false verdicts of {n}{found}; measured {median:.1} s per row (longest {longest:.1} s), {} inside batches",
        units::percent(inside, 0)
    )
}
