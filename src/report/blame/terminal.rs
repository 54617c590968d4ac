//! Why rows changed, for the person at the prompt.

use crate::report::numbers::counted;
use crate::report::page::{Page, Style};
use crate::report::palette::Paint;
use crate::report::table::{Align, Cell, Table, paired};

use super::view::{BlameView, CounterLine, FunctionLine};

/// The column of a function's name, which is shortened when the rest needs the room, and that of its share with what it called,
/// which goes before.
const NAMES: usize = 2;
const TOTAL: usize = 4;
const UNEXPLAINED: &str = "no function's own time differs by so much that it explains the change";

impl Page {
    /// The reasons of every changed row that was looked into.
    pub(in crate::report) fn blames(&mut self, blames: &[BlameView]) {
        if blames.is_empty() {
            return;
        }
        self.heading("Why it changed");
        blames.iter().for_each(|blame| self.blame(blame));
        let legend = "time: how much more of an iteration is spent in the function itself, with a 95 % interval over sampling rounds; \
                      dim where that includes zero.";
        self.wrapped(legend, (0, 0), Paint::Dim);
    }

    fn blame(&mut self, blame: &BlameView) {
        let label = if blame.label.is_empty() { String::new() } else { format!(" {}", blame.label) };
        let mark = blame.standing.mark();
        let heading = format!("{mark} {}{label} {}, {} per iteration", blame.case, blame.change, blame.time);
        self.wrapped(&heading, (0, 2), Paint::of(blame.standing));
        for sentence in [&blame.conclusion, &blame.within] {
            if !sentence.is_empty() {
                self.wrapped(sentence, (2, 2), Paint::Bold);
            }
        }
        self.text.push('\n');
        match blame.functions.as_slice() {
            [] => self.wrapped(UNEXPLAINED, (2, 2), Paint::Plain),
            functions => self.text += &shown(functions, self.style),
        }
        self.text.push('\n');
        self.counters(blame);
        blame.stacks.iter().for_each(|note| self.wrapped(note, (2, 4), Paint::Dim));
        // In one piece: it is there to be copied.
        self.line(&format!("  $ {}", blame.command), Paint::Dim);
        self.text.push('\n');
    }

    fn counters(&mut self, blame: &BlameView) {
        if blame.counters.is_empty() {
            return;
        }
        self.text += &counters(&blame.counters).lines(self.style.colour);
        if blame.more_counters > 0 {
            let more = format!("{} differ too: the run's file has all", counted(blame.more_counters, "more counter"));
            self.wrapped(&more, (2, 2), Paint::Dim);
        }
        self.text.push('\n');
    }
}

/// With the shares that include callees where they fit.
fn shown(lines: &[FunctionLine], style: Style) -> String {
    let whole = functions(lines, true);
    if whole.widest() <= style.width {
        return whole.lines(style.colour);
    }
    let mut narrow = functions(lines, false);
    narrow.fit(NAMES, style.width);
    narrow.lines(style.colour)
}

fn functions(lines: &[FunctionLine], total: bool) -> Table {
    let mut columns = vec![
        (Align::Right, "time"),
        (Align::Left, "interval"),
        (Align::Left, "function"),
        (Align::Left, "own share"),
        (Align::Left, "with callees"),
    ];
    if !total {
        columns.remove(TOTAL);
    }
    let mut table = Table::new(&columns);
    let pairs = |side: fn(&FunctionLine) -> &(String, String), between| {
        paired(&lines.iter().map(|line| Some(side(line))).collect::<Vec<_>>(), between)
    };
    let intervals = pairs(|line| &line.interval, " … ");
    let shares = pairs(|line| &line.own, " → ").into_iter().zip(pairs(|line| &line.total, " → "));
    for ((line, interval), (own, with_callees)) in lines.iter().zip(intervals).zip(shares) {
        let paint = if line.told { Paint::Plain } else { Paint::Dim };
        let cells = [line.change.clone(), interval, line.name.clone(), own, with_callees];
        let cells: Vec<Cell> = cells.into_iter().take(columns.len()).map(|text| (text, paint)).collect();
        table.row(cells);
    }
    table
}

fn counters(lines: &[CounterLine]) -> Table {
    let mut table = Table::new(&[
        (Align::Left, "per iteration"),
        (Align::Right, "before"),
        (Align::Right, "after"),
        (Align::Right, "change"),
    ]);
    for line in lines {
        let cells = [&line.metric, &line.before, &line.after, &line.change];
        table.row(cells.map(|text| (text.clone(), Paint::Plain)).to_vec());
    }
    table
}
