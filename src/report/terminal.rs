//! The report for the person at the prompt.

use super::absolute::Absolute;
use super::line::{Group, Line, Standing};
use super::numbers::counted;
use super::page::{Page, Style};
use super::palette::Paint;
use super::table::{Align, Cell, Table, paired};
use super::text::{shortened, wrapped};
use super::view::View;

/// Where notes under a row begin: below its label.
const NOTE_INDENT: usize = 17;
/// The column of a table that is shortened when the rest needs the room.
const NAMES: usize = 1;
/// The column that a narrow terminal does without, and how wide one has to be for it.
const VALUES: usize = 4;
const WIDE: usize = 90;

/// The report as lines of text, with a line end behind the last one.
#[must_use]
pub fn terminal(view: &View, style: Style) -> String {
    let mut page = Page::new(style);
    page.head(view);
    if view.absolutes.is_empty() {
        page.rows(view);
    } else {
        page.absolutes(&view.absolutes);
    }
    page.blames(&view.blames);
    page.steps(&view.steps);
    page.plan_changes(view.judged_by.as_deref(), &view.plan_changes);
    page.differences(&view.differences);
    page.failures(&view.failures);
    page.missing(&view.missing);
    page.skipped(&view.skipped);
    page.foot(view);
    page.text
}

impl Page {
    fn head(&mut self, view: &View) {
        self.wrapped(&view.title, (0, 0), Paint::Bold);
        self.wrapped(&view.origin, (0, 0), Paint::Dim);
    }

    fn rows(&mut self, view: &View) {
        let shown: Vec<(&Group, &Line)> = view.groups.iter().flat_map(lines).collect();
        if !shown.is_empty() {
            self.text.push('\n');
            self.text += &table(&shown, self.style);
        }
        if !view.same_code.is_empty() {
            self.text.push('\n');
        }
        for same in &view.same_code {
            self.wrapped(&format!("= {}  {same}", Standing::SameCode.words()), (2, 4), Paint::Dim);
        }
        for (note, rows) in &view.footnotes {
            let holds = format!("note: {note} ({})", counted(*rows, "unchanged row"));
            self.wrapped(&holds, (2, 4), Paint::Dim);
        }
        if !shown.is_empty() {
            self.legend(&shown);
        }
    }

    fn legend(&mut self, shown: &[(&Group, &Line)]) {
        self.text.push('\n');
        let mut legend = "change: the candidate's value against the baseline's, + is more (of time: slower). interval: where the true \
                          change lies, at the row's share of the error of all rows together. sees: the smallest change that so many \
                          rounds find 19 times of 20."
            .to_owned();
        if shown.iter().any(|(_, line)| line.standing == Standing::Tolerated) {
            legend += " ≈ unchanged (real but tolerated): the interval excludes zero and lies within the tolerance.";
        }
        self.wrapped(&legend, (0, 0), Paint::Dim);
    }

    fn absolutes(&mut self, values: &[Absolute]) {
        self.text.push('\n');
        self.text += &absolute_table(values, self.style);
        self.text.push('\n');
        self.wrapped(
            "mean: per iteration, over rounds. spread: standard deviation between rounds.",
            (0, 0),
            Paint::Dim,
        );
    }

    fn differences(&mut self, differences: &[(String, String, String)]) {
        if differences.is_empty() {
            return;
        }
        self.heading("The environments differ");
        let mut table = Table::new(&[(Align::Left, "fact"), (Align::Left, "here"), (Align::Left, "there")]);
        for (name, here, there) in differences {
            table.row([name, here, there].map(|text| (text.clone(), Paint::Plain)).to_vec());
        }
        table.fit(2, self.style.width);
        table.fit(1, self.style.width);
        self.text += &table.lines(self.style.colour);
    }

    fn missing(&mut self, missing: &[String]) {
        if !missing.is_empty() {
            self.heading(&format!("{} missing: asked for, not measured", counted(missing.len(), "case")));
            self.wrapped(&missing.join(", "), (2, 2), Paint::Plain);
        }
    }

    fn foot(&mut self, view: &View) {
        self.text.push('\n');
        self.wrapped(&view.summary, (0, 0), Paint::Bold);
        if !view.false_alarms.is_empty() {
            self.wrapped(&format!("expected false alarms in this report: {}", view.false_alarms), (0, 0), Paint::Plain);
        }
        if !view.complete {
            self.wrapped("the run is not complete: `cargo perfplan run --resume` goes on", (0, 0), Paint::Yellow);
        }
    }
}

/// The rows of a case that have a line of their own.
fn lines(group: &Group) -> impl Iterator<Item = (&Group, &Line)> {
    group.lines.iter().filter(|line| line.standing != Standing::SameCode).map(move |line| (group, line))
}

fn table(shown: &[(&Group, &Line)], style: Style) -> String {
    let wide = style.width >= WIDE;
    let mut columns = vec![
        (Align::Left, "verdict"),
        (Align::Left, "case"),
        (Align::Right, "change"),
        (Align::Left, "interval"),
        (Align::Left, "baseline → candidate"),
        (Align::Right, "sees"),
    ];
    if !wide {
        columns.remove(VALUES);
    }
    let mut table = Table::new(&columns);
    let intervals = paired(&shown.iter().map(|(_, line)| line.interval.as_ref()).collect::<Vec<_>>(), " … ");
    let values = paired(&shown.iter().map(|(_, line)| line.values.as_ref()).collect::<Vec<_>>(), " → ");
    let mut headed = "";
    for (((group, line), interval), values) in shown.iter().zip(intervals).zip(values) {
        let alone = line.label.is_empty();
        if !alone && headed != group.case {
            table.text(shortened(&group.case, style.width), Paint::Bold);
            headed = &group.case;
        }
        let name = if alone { &group.case } else { &line.label };
        let mut cells = cells(line, name, [interval, values]);
        if !wide {
            cells.remove(VALUES);
        }
        table.row(cells);
        for note in line.notes.iter().filter(|_| line.standing.needs_eyes()) {
            for part in wrapped(note, style.width, (NOTE_INDENT, NOTE_INDENT)) {
                table.text(part, Paint::Dim);
            }
        }
    }
    table.fit(NAMES, style.width);
    table.lines(style.colour)
}

fn cells(line: &Line, name: &str, [interval, values]: [String; 2]) -> Vec<Cell> {
    let (paint, plain) = (Paint::of(line.standing), Paint::beside(line.standing));
    vec![
        (format!("{} {}", line.standing.mark(), line.standing.verdict()), paint),
        (name.to_owned(), plain),
        (line.change.clone(), paint),
        (interval, plain),
        (values, plain),
        (line.visible.clone(), plain),
    ]
}

fn absolute_table(values: &[Absolute], style: Style) -> String {
    let named = values.iter().any(|value| !value.arm.is_empty());
    let counted = values.iter().any(|value| value.allocations != super::numbers::NONE);
    let mut columns = vec![(Align::Left, "case"), (Align::Left, "metric")];
    columns.extend(named.then_some((Align::Left, "arm")));
    columns.extend([(Align::Right, "mean"), (Align::Right, "spread"), (Align::Right, "rounds")]);
    columns.extend(counted.then_some((Align::Right, "allocations")));
    let mut table = Table::new(&columns);
    for value in values {
        let mut cells = vec![value.case.clone(), value.metric.clone()];
        cells.extend(named.then(|| value.arm.clone()));
        cells.extend([value.mean.clone(), value.spread.clone(), value.rounds.to_string()]);
        cells.extend(counted.then(|| value.allocations.clone()));
        table.row(cells.into_iter().map(|text| (text, Paint::Plain)).collect());
    }
    table.fit(0, style.width);
    table.lines(style.colour)
}

#[cfg(test)]
mod tests {
    use super::super::text::width;
    use super::*;

    #[test]
    fn notes_stand_below_the_label() {
        let verdict = format!("  {} {}  ", Standing::Undecided.mark(), Standing::Undecided.verdict());
        assert_eq!(width(&verdict) + 2, NOTE_INDENT);
    }
}
