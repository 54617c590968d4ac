//! The long report, for job summaries on GitHub.
//!
//! Untrusted text stands in code spans wherever it can: nothing inside one is a mention, a link, a reference or HTML.

mod escape;
mod section;

use super::arms::revision;
use super::line::{Group, Line, Standing};
use super::numbers::{NONE, counted};
use super::view::{Broken, View};
use super::{blame, steps};
use crate::verdict::Holds;

pub(super) use escape::{code, fenced, prose};
pub(super) use section::{Section, fitted};

/// The longest text that is ever returned, in bytes. GitHub takes 65,536 characters.
pub const LONGEST: usize = 60_000;

/// The report as GitHub-flavoured Markdown, at most [`LONGEST`] bytes: of what does not fit, the number is told.
#[must_use]
pub fn markdown(view: &View) -> String {
    let head = head(view);
    let [steps, open, confirmed] = steps::sections(&view.steps);
    let sections = [
        eyes(view),
        absolutes(view),
        blame::section(&view.blames),
        steps,
        open,
        confirmed,
        plan_changes(view),
        differences(view),
        failures(&view.failures),
        missing(view),
        skipped(&view.skipped),
        calm(view),
        environment(view),
    ];
    let room = LONGEST.saturating_sub(head.len());
    head + &fitted(&sections, room, 1)
}

fn head(view: &View) -> String {
    let mut text = format!(
        "### {}{}\n\n{}<br><sub>{}</sub>\n\n",
        icon(view),
        prose(&view.headline),
        prose(&view.title),
        code(&view.origin)
    );
    text += &format!("**{}**", prose(&view.summary));
    if !view.false_alarms.is_empty() {
        text += &format!("<br>expected false alarms in this report: {}", prose(&view.false_alarms));
    }
    if !view.complete {
        text += "<br>the run is not complete: `cargo perfplan run --resume` goes on";
    }
    text + "\n"
}

/// The worst of all rows and steps; nothing where nothing was judged.
fn icon(view: &View) -> &'static str {
    let rows = view.groups.iter().map(Group::standing).min();
    let undecided = view.steps.iter().any(|step| step.holds == Holds::Undecided);
    match rows {
        _ if view.steps.iter().any(|step| step.fails) => "❌ ",
        Some(Standing::Regressed) => "❌ ",
        Some(Standing::Improved) => "🚀 ",
        Some(Standing::Undecided) => "❔ ",
        _ if undecided => "❔ ",
        None if view.steps.is_empty() => "",
        _ => "✅ ",
    }
}

const HEADER: &str = "| verdict | case | change | interval | baseline → candidate | sees | notes |\n\
                      | :-- | :-- | --: | :-: | --: | --: | :-- |\n";

fn eyes(view: &View) -> Option<Section> {
    let rows = rows(view, |line| line.standing.needs_eyes());
    Section::new(format!("\n{HEADER}"), rows, "", "row")
}

pub(super) fn calm(view: &View) -> Option<Section> {
    let mut rows = rows(view, |line| !line.standing.needs_eyes() && line.standing != Standing::SameCode);
    let same =
        view.same_code.iter().map(|same| format!("| = {} | {} | | | | | |\n", Standing::SameCode.words(), code(same)));
    rows.extend(same);
    let count = view.groups.iter().flat_map(|group| &group.lines).filter(|line| !line.standing.needs_eyes()).count();
    let open = format!("\n<details><summary>{}</summary>\n\n{HEADER}", counted(count, "unchanged row"));
    Section::new(open, rows, "\n</details>\n", "line")
}

fn rows(view: &View, wanted: impl Fn(&Line) -> bool) -> Vec<String> {
    let all = view.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line)));
    all.filter(|(_, line)| wanted(line)).map(|(group, line)| row(group, line)).collect()
}

fn row(group: &Group, line: &Line) -> String {
    let standing = line.standing;
    let words = if standing.needs_eyes() { format!("**{}**", standing.words()) } else { standing.words().to_owned() };
    let label = if line.label.is_empty() { String::new() } else { format!(" {}", code(&line.label)) };
    let interval = line.interval.as_ref().map_or(String::new(), |(low, high)| format!("{low} … {high}"));
    let values = line.values.as_ref().map_or(String::new(), |(old, new)| format!("{old} → {new}"));
    let notes: Vec<String> = line.notes.iter().map(|note| prose(note)).collect();
    format!(
        "| {} {words} | {}{label} | {} | {interval} | {values} | {} | {} |\n",
        standing.mark(),
        code(&group.case),
        line.change,
        line.visible,
        notes.join("; ")
    )
}

pub(super) fn absolutes(view: &View) -> Option<Section> {
    let arm = |arm: &str| {
        if arm.is_empty() { String::new() } else { format!(" {}", code(arm)) }
    };
    let rows = view.absolutes.iter().map(|value| {
        let (case, arm, metric) = (code(&value.case), arm(&value.arm), code(&value.metric));
        let (mean, spread, allocations) = (&value.mean, &value.spread, &value.allocations);
        format!("| {case}{arm} | {metric} | {mean} | {spread} | {} | {allocations} |\n", value.rounds)
    });
    let header = "\n| case | metric | mean per iteration | spread between rounds | rounds | allocations |\n\
                  | :-- | :-- | --: | --: | --: | --: |\n";
    Section::new(header.to_owned(), rows.collect(), "", "row")
}

pub(super) fn differences(view: &View) -> Option<Section> {
    let rows = view.differences.iter();
    let rows = rows.map(|(name, here, there)| format!("| {} | {} | {} |\n", code(name), code(here), code(there)));
    let open = "\n#### The environments differ\n\n| fact | here | there |\n| :-- | :-- | :-- |\n";
    Section::new(open.to_owned(), rows.collect(), "", "fact")
}

/// What the plan says otherwise than the plan that judges.
pub(super) fn plan_changes(view: &View) -> Option<Section> {
    let side = |side: &Option<String>| side.as_deref().map_or_else(|| NONE.to_owned(), code);
    let rows = view.plan_changes.iter();
    let rows =
        rows.map(|change| format!("| {} | {} | {} |\n", code(&change.what), side(&change.before), side(&change.after)));
    let judge = view.judged_by.as_deref().map_or_else(String::new, |judge| format!(" of {}", code(&revision(judge))));
    let open = format!(
        "\n#### Judged by the plan{judge}; the plan here says otherwise\n\n| part | judged by | here |\n| :-- | :-- | :-- |\n"
    );
    Section::new(open, rows.collect(), "", "change")
}

/// What could not be measured, why, and the commands that show it again.
pub(super) fn failures(failures: &[Broken]) -> Option<Section> {
    let open = format!("\n#### {}\n", counted(failures.len(), "failure"));
    Section::new(open, failures.iter().map(failure).collect(), "", "failure")
}

/// One of them.
pub(super) fn failure(failure: &Broken) -> String {
    let command = failure.command.as_ref().map_or(String::new(), |command| fenced(std::slice::from_ref(command)));
    format!("\n✗ {}\n{}{command}", code(&failure.what), fenced(&failure.why))
}

/// Variants and why they were not built.
pub(super) fn skipped(skipped: &[(String, String)]) -> Option<Section> {
    let entries = skipped.iter().map(|(name, why)| format!("- {}: {}\n", code(name), code(why))).collect();
    let open = "\n#### Variants that were not measured\n\n".to_owned();
    Section::new(open, entries, "", "variant")
}

pub(super) fn missing(view: &View) -> Option<Section> {
    let entries = view.missing.iter().map(|case| format!("- {}\n", code(case))).collect();
    let open = format!("\n#### {} missing: asked for, not measured\n\n", counted(view.missing.len(), "case"));
    Section::new(open, entries, "", "case")
}

pub(super) fn environment(view: &View) -> Option<Section> {
    let fact = |(name, value): &(String, String)| format!("| {} | {} |\n", code(name), code(value));
    let absent = view.absent.iter().map(|(metric, why)| fact(&(metric.clone(), format!("not measured: {why}"))));
    let rows = view.environment.iter().map(fact).chain(absent).collect();
    let open = "\n<details><summary>environment</summary>\n\n| fact | value |\n| :-- | :-- |\n";
    Section::new(open.to_owned(), rows, "\n</details>\n", "fact")
}
