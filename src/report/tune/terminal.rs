//! An advice for the person at the prompt.

use crate::report::page::{Page, Style};
use crate::report::palette::Paint;
use crate::report::table::{Align, Cell, Table, paired};
use crate::report::text::{shortened, width, wrapped};

use super::phrase::Phrase;
use super::reasons::Said;
use super::view::{COSTS, EffectLine, FittingLine, Tune};

/// Where notes under a row begin: below the knob.
const NOTE_INDENT: usize = 5;
/// The column of a value, which is shortened when the rest needs the room.
const VALUES: usize = 2;

/// The advice as lines of text, with a line end behind the last one. Workloads have columns of their own where the terminal is
/// wide enough.
#[must_use]
pub fn tune_terminal(tune: &Tune, style: Style) -> String {
    let mut page = Page::new(style);
    page.wrapped(&tune.title, (0, 0), Paint::Bold);
    page.wrapped(&plain(&tune.baseline), (0, 0), Paint::Dim);
    if !tune.effects.is_empty() {
        page.text.push('\n');
        page.text += &effects(tune, style);
        page.text.push('\n');
        page.wrapped(&tune.legend, (0, 0), Paint::Dim);
    }
    if !tune.interactions.is_empty() {
        page.heading("Two knobs together");
        tune.interactions.iter().for_each(|phrase| page.wrapped(&plain(phrase), (2, 4), Paint::Plain));
    }
    if !tune.fittings.is_empty() {
        page.heading("Guided builds where they were trained, and elsewhere");
        page.text += &fittings(&tune.fittings, style);
    }
    page.failures(&tune.failures);
    page.skipped(&tune.skipped);
    page.heading(&plain(&tune.outcome.headline));
    let expected = tune.confirmation.iter().chain(&tune.outcome.expected);
    expected.for_each(|phrase| page.wrapped(&plain(phrase), (2, 4), Paint::Plain));
    tune.outcome.reasons.iter().for_each(|said| page.reason(said));
    page.text
}

impl Page {
    fn reason(&mut self, said: &Said) {
        let mark = if said.taken { '✓' } else { '·' };
        let change = if said.change.is_empty() { String::new() } else { format!("  {}", said.change) };
        let paint = if said.taken { Paint::Green } else { Paint::Plain };
        self.wrapped(&format!("{mark} {}{change}", said.setting), (2, 4), paint);
        self.wrapped(&plain(&said.why), (6, 6), Paint::Dim);
    }
}

fn plain(phrase: &Phrase) -> String {
    phrase.text(str::to_owned)
}

/// The table with as many columns as fit: of the costs the less important ones go first, then the workloads.
fn effects(tune: &Tune, style: Style) -> String {
    // The column of a single workload would repeat the overall change.
    let workloads: &[String] = if tune.workloads.len() > 1 { &tune.workloads } else { &[] };
    let choices = [(workloads, COSTS.len()), (workloads, 3), (&[], COSTS.len()), (&[], 3), (&[], 2)];
    let tables = choices.map(|(workloads, costs)| effect_table(tune, workloads, costs, style));
    let fits = |table: &&Table| table.lines(false).lines().all(|line| width(line) <= style.width);
    if let Some(table) = tables.iter().find(fits) {
        return table.lines(style.colour);
    }
    let mut narrow = effect_table(tune, &[], 1, style);
    narrow.fit(VALUES, style.width);
    narrow.lines(style.colour)
}

fn effect_table(tune: &Tune, workloads: &[String], costs: usize, style: Style) -> Table {
    let mut columns = vec![
        (Align::Left, ""),
        (Align::Left, "knob"),
        (Align::Left, "value"),
        (Align::Right, "overall"),
        (Align::Left, "interval"),
    ];
    columns.extend(workloads.iter().map(|name| (Align::Right, name.as_str())));
    columns.extend(COSTS.iter().take(costs).map(|(_, heading)| (Align::Right, *heading)));
    let mut table = Table::new(&columns);
    let intervals = paired(&tune.effects.iter().map(|line| line.interval.as_ref()).collect::<Vec<_>>(), " … ");
    let mut headed = "";
    for (line, interval) in tune.effects.iter().zip(intervals) {
        let knob = if headed == line.knob { "" } else { &line.knob };
        headed = &line.knob;
        table.row(cells(line, knob, interval, (workloads.len(), costs)));
        for note in &line.notes {
            for part in wrapped(note, style.width, (NOTE_INDENT, NOTE_INDENT)) {
                table.text(part, Paint::Dim);
            }
        }
    }
    table
}

fn cells(line: &EffectLine, knob: &str, interval: String, (workloads, costs): (usize, usize)) -> Vec<Cell> {
    let (paint, plain) = (Paint::of(line.standing), Paint::beside(line.standing));
    let mut cells = vec![
        (line.standing.mark().to_string(), paint),
        (shortened(knob, 20), Paint::Plain),
        (line.value.clone(), Paint::Plain),
        (line.change.clone(), paint),
        (interval, plain),
    ];
    cells.extend(
        line.workloads.iter().take(workloads).chain(line.costs.iter().take(costs)).map(|text| (text.clone(), plain)),
    );
    cells
}

fn fittings(fittings: &[FittingLine], style: Style) -> String {
    let columns = ["variant", "trained on", "others", "difference"].map(|heading| (Align::Left, heading));
    let mut table = Table::new(&columns);
    for line in fittings {
        let cells = [&line.variant, &line.trained, &line.others, &line.difference];
        table.row(cells.into_iter().map(|text| (text.clone(), Paint::Plain)).collect());
    }
    table.fit(0, style.width);
    let text = table.lines(style.colour);
    if table.lines(false).lines().all(|line| width(line) <= style.width) { text } else { stacked(fittings, style) }
}

/// The same one below the other, for narrow terminals.
fn stacked(fittings: &[FittingLine], style: Style) -> String {
    let mut page = Page::new(style);
    for line in fittings {
        page.wrapped(&line.variant, (2, 4), Paint::Plain);
        for (what, text) in [("trained on", &line.trained), ("others", &line.others), ("difference", &line.difference)]
        {
            page.wrapped(&format!("{what}: {text}"), (4, 6), Paint::Plain);
        }
    }
    page.text
}
