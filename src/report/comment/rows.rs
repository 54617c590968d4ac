//! The rows that a person has to look at.

use crate::report::blame::{BlameView, FunctionLine};
use crate::report::line::{Group, Line, Standing};
use crate::report::markdown::{Section, code, prose};
use crate::report::numbers::counted;
use crate::report::text::shortened;
use crate::report::view::View;

use super::verdict;

/// So many functions are named beside a row; the fold has all that were found.
const MOST_FUNCTIONS: usize = 3;
/// The longest name of a function there.
const LONGEST_FUNCTION: usize = 70;
/// More rows that are no cause for alarm than this are folded.
const MOST_SHORT: usize = 5;

/// What regressed, and why.
pub(super) fn regressed(view: &View) -> Option<Section> {
    let row = |(group, line): (&Group, &Line)| {
        let why = why(line, blame_of(view, group, line));
        format!(
            "| {} | {} | **{}** | {} | {} | {why} |\n",
            line.standing.mark(),
            name(group, line),
            tight(&line.change),
            interval(line),
            values(line)
        )
    };
    let header =
        "\n| | case | change | interval | baseline → candidate | why |\n| :-- | :-- | --: | :-: | --: | :-- |\n";
    table(view, Standing::Regressed, header, row)
}

/// What can't be told, and what would tell.
pub(super) fn undecided(view: &View) -> Option<Section> {
    let row = |(group, line): (&Group, &Line)| {
        let notes = sentences(&line.notes).join("<br>");
        let (mark, name, interval) = (line.standing.mark(), name(group, line), interval(line));
        format!("| {mark} | {name} | {} | {interval} | {} | {notes} |\n", tight(&line.change), tight(&line.visible))
    };
    let header = "\n| | case | change | interval | sees | what would decide |\n| :-- | :-- | --: | :-: | --: | :-- |\n";
    table(view, Standing::Undecided, header, row)
}

/// What regressed and may.
pub(super) fn accepted(view: &View) -> Option<Section> {
    list(view, Standing::Accepted, |line| sentences(&line.notes).join("; "))
}

/// What improved, in short.
pub(super) fn improved(view: &View) -> Option<Section> {
    list(view, Standing::Improved, values)
}

fn of(view: &View, standing: Standing) -> impl Iterator<Item = (&Group, &Line)> {
    verdict::lines(view).filter(move |(_, line)| line.standing == standing)
}

fn heading(view: &View, standing: Standing) -> String {
    format!("{} {}", counted(of(view, standing).count(), "row"), standing.words())
}

fn table(view: &View, standing: Standing, header: &str, row: impl Fn((&Group, &Line)) -> String) -> Option<Section> {
    let section = Section::new(header.to_owned(), of(view, standing).map(row).collect(), "", "row")?;
    Some(section.headed(&heading(view, standing)))
}

fn list(view: &View, standing: Standing, beside: impl Fn(&Line) -> String) -> Option<Section> {
    let item = |(group, line): (&Group, &Line)| {
        let interval = Some(interval(line)).filter(|interval| !interval.is_empty());
        let interval = interval.map_or_else(String::new, |interval| format!(" ({interval})"));
        let beside = Some(beside(line)).filter(|beside| !beside.is_empty());
        let beside = beside.map_or_else(String::new, |beside| format!(": {beside}"));
        format!("- {} **{}**{interval}{beside}\n", name(group, line), tight(&line.change))
    };
    let items: Vec<String> = of(view, standing).map(item).collect();
    let (count, heading) = (items.len(), heading(view, standing));
    let section = Section::new("\n".to_owned(), items, "", "row")?;
    Some(if count > MOST_SHORT { section.folded(&heading) } else { section.headed(&heading) })
}

fn name(group: &Group, line: &Line) -> String {
    verdict::row(group, line, &code)
}

fn interval(line: &Line) -> String {
    line.interval.as_ref().map_or_else(String::new, |(low, high)| tight(&format!("{low} … {high}")))
}

fn values(line: &Line) -> String {
    line.values.as_ref().map_or_else(String::new, |(old, new)| format!("{} → {}", tight(old), tight(new)))
}

/// A number that no narrow cell parts from its unit.
fn tight(number: &str) -> String {
    number.replace(' ', "\u{a0}")
}

fn sentences(texts: &[String]) -> Vec<String> {
    texts.iter().filter(|text| !text.is_empty()).map(|text| prose(text)).collect()
}

fn blame_of<'v>(view: &'v View, group: &Group, line: &Line) -> Option<&'v BlameView> {
    view.blames.iter().find(|blame| blame.case == group.case && blame.label == line.label)
}

/// What the counters say, the functions, and what a reader must know beside.
fn why(line: &Line, blame: Option<&BlameView>) -> String {
    let mut said = Vec::new();
    if let Some(blame) = blame {
        said.extend(sentences(&[blame.conclusion.clone(), blame.within.clone()]));
        let told = blame.functions.iter().filter(|function| function.told);
        said.extend(told.take(MOST_FUNCTIONS).map(function));
    }
    said.extend(sentences(&line.notes));
    said.join("<br>")
}

fn function(line: &FunctionLine) -> String {
    let (low, high) = &line.interval;
    let interval = tight(&format!("({low} … {high})"));
    format!("{} {} {interval}", code(&shortened(&line.name, LONGEST_FUNCTION)), tight(&line.change))
}
