//! A profile for the person at the prompt.

use crate::report::page::{Page, Style};
use crate::report::palette::Paint;
use crate::report::table::Table;

use super::shown::{Grid, Shown};
use super::sides::Sides;

/// The functions of a case with their shares, and what was counted; of two builds, what differs, the largest difference first.
#[must_use]
pub fn profile(found: &Sides, style: Style) -> String {
    let shown = Shown::of(found);
    let mut page = Page::new(style);
    page.wrapped(&shown.title, (0, 0), Paint::Bold);
    shown.taken.iter().for_each(|taken| page.wrapped(taken, (0, 2), Paint::Dim));
    shown.notes.iter().for_each(|note| page.wrapped(&format!("note: {note}"), (0, 2), Paint::Yellow));
    if shown.grids.is_empty() {
        page.heading("Nothing was seen");
    }
    for grid in &shown.grids {
        page.heading(grid.heading);
        page.text += &table(grid, style);
    }
    if !shown.legend.is_empty() {
        page.text.push('\n');
        page.wrapped(&shown.legend, (0, 0), Paint::Dim);
    }
    page.text
}

fn table(grid: &Grid, style: Style) -> String {
    let mut table = Table::new(&grid.columns);
    for row in &grid.rows {
        let paint = if row.noise { Paint::Dim } else { Paint::Plain };
        table.row(row.cells.iter().map(|cell| (cell.clone(), paint)).collect());
    }
    table.fit(grid.columns.len() - 1, style.width);
    table.lines(style.colour)
}
