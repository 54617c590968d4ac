//! The steps of a plan for the person at the prompt.

use crate::report::page::{Page, Style};
use crate::report::palette::Paint;
use crate::report::table::{Align, Table, paired};
use crate::report::text::{width, wrapped};
use crate::verdict::Holds;

use super::view::{ClaimLine, StepView};
use super::words::{mark, paint, word};

/// Where claims begin below their step, and where what is said of them begins on a line of its own.
const INDENT: usize = 4;
const BELOW: usize = 8;
/// The column of a step's name, which is shortened when the rest needs the room, and that of its values, which go before.
const NAMES: usize = 1;
const VALUES: usize = 2;
/// Between a claim and what is said of it.
const GAP: usize = 2;

impl Page {
    /// The steps, each with its claims below.
    pub(in crate::report) fn steps(&mut self, steps: &[StepView]) {
        if steps.is_empty() {
            return;
        }
        self.heading("Steps of the plan");
        self.text += &rendered(steps, self.style);
        self.text.push('\n');
        let legend = "change: wall time per iteration after the step against before it, + is slower. A claim is confirmed where its \
                      whole interval satisfies it, refuted where the whole interval violates it.";
        self.wrapped(legend, (0, 0), Paint::Dim);
    }
}

/// With the values where they fit.
fn rendered(steps: &[StepView], style: Style) -> String {
    let whole = table(steps, true, style);
    if whole.widest() <= style.width {
        return whole.lines(style.colour);
    }
    let mut narrow = table(steps, false, style);
    narrow.fit(NAMES, style.width);
    narrow.lines(style.colour)
}

fn table(steps: &[StepView], values: bool, style: Style) -> Table {
    let mut columns = vec![
        (Align::Left, "outcome"),
        (Align::Left, "step"),
        (Align::Right, "before → after"),
        (Align::Right, "change"),
        (Align::Left, "interval"),
    ];
    if !values {
        columns.remove(VALUES);
    }
    let mut table = Table::new(&columns);
    let intervals = paired(&steps.iter().map(|step| step.interval.as_ref()).collect::<Vec<_>>(), " … ");
    let reach = reach(steps, style);
    for ((step, interval), shown) in steps.iter().zip(intervals).zip(walls(steps)) {
        let paint = paint(step.holds);
        let plain = |text: String| (text, Paint::Plain);
        let outcome = format!("{} {}", mark(step.holds), word(step.holds));
        let mut cells =
            vec![(outcome, paint), plain(step.id.clone()), plain(shown), plain(step.change.clone()), plain(interval)];
        if !values {
            cells.remove(VALUES);
        }
        table.row(cells);
        for about in [&step.about, &step.known].into_iter().filter(|text| !text.is_empty()) {
            wrapped(about, style.width, (INDENT, INDENT)).into_iter().for_each(|line| table.text(line, Paint::Dim));
        }
        step.claims.iter().for_each(|line| claim(&mut table, line, reach, style));
    }
    table
}

/// Before and after as one text per step; a step without a case before it has one value.
fn walls(steps: &[StepView]) -> Vec<String> {
    let two = |step: &StepView| step.values.clone().filter(|(before, _)| !before.is_empty());
    let both: Vec<Option<(String, String)>> = steps.iter().map(two).collect();
    let joined = paired(&both.iter().map(Option::as_ref).collect::<Vec<_>>(), " → ");
    let alone = |step: &StepView| step.values.as_ref().map_or_else(String::new, |(_, after)| after.clone());
    steps.iter().zip(joined).map(|(step, joined)| if joined.is_empty() { alone(step) } else { joined }).collect()
}

/// Up to this length claims are filled up with spaces, so that what is said of them begins in one column: the length with which
/// the most claims have it beside them.
fn reach(steps: &[StepView], style: Style) -> usize {
    let claims: Vec<&ClaimLine> = steps.iter().flat_map(|step| &step.claims).collect();
    let beside = |reach: usize| claims.iter().filter(|claim| is_beside(claim, reach, style)).count();
    claims.iter().map(|claim| width(&claim.claim)).max_by_key(|length| (beside(*length), *length)).unwrap_or(0)
}

/// Whether what is said of a claim has room on its line. Claims beyond the reach stand as they are.
fn is_beside(line: &ClaimLine, reach: usize, style: Style) -> bool {
    INDENT + GAP + width(&line.claim).max(reach) + GAP + width(&line.says()) <= style.width
}

fn claim(table: &mut Table, line: &ClaimLine, reach: usize, style: Style) {
    let says = line.says();
    let (colour, text) = match line.holds {
        Holds::Confirmed => (Paint::Dim, Paint::Dim),
        open => (paint(open), Paint::Plain),
    };
    let marked = (format!("{}{}", " ".repeat(INDENT), mark(line.holds)), colour);
    if is_beside(line, reach, style) {
        let space = " ".repeat(reach.saturating_sub(width(&line.claim)) + GAP);
        table.pieces(vec![marked, (format!(" {}{space}{says}", line.claim), text)]);
        return;
    }
    let hang = INDENT + GAP;
    let mut lines = wrapped(&line.claim, style.width, (hang, hang)).into_iter();
    let first = lines.next().unwrap_or_default();
    table.pieces(vec![marked, (format!(" {}", first.trim_start()), text)]);
    lines.chain(wrapped(&says, style.width, (BELOW, BELOW))).for_each(|part| table.text(part, text));
}
