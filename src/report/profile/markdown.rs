//! A profile for job summaries on GitHub.

use crate::report::markdown::{code, prose};
use crate::report::table::Align;

use super::shown::{Grid, Row, Shown};
use super::sides::Sides;

/// The same as GitHub-flavoured Markdown.
#[must_use]
pub fn profile_markdown(found: &Sides) -> String {
    let shown = Shown::of(found);
    let mut text = format!("### {}\n\n", prose(&shown.title));
    shown.taken.iter().for_each(|taken| text += &format!("{}<br>\n", prose(taken)));
    shown.notes.iter().for_each(|note| text += &format!("_note: {}_<br>\n", prose(note)));
    if shown.grids.is_empty() {
        text += "\nNothing was seen.\n";
    }
    shown.grids.iter().for_each(|grid| text += &table(grid));
    let legend =
        if shown.legend.is_empty() { String::new() } else { format!("\n<sub>{}</sub>\n", prose(&shown.legend)) };
    text + &legend
}

fn table(grid: &Grid) -> String {
    let headings: Vec<&str> = grid.columns.iter().map(|(_, heading)| *heading).collect();
    let rulers = grid.columns.iter().map(|(align, _)| if *align == Align::Right { "--:" } else { ":--" });
    let rulers: Vec<&str> = rulers.collect();
    let rows: String = grid.rows.iter().map(row).collect();
    format!("\n#### {}\n\n| {} |\n| {} |\n{rows}", grid.heading, headings.join(" | "), rulers.join(" | "))
}

fn row(row: &Row) -> String {
    let (numbers, name) = row.cells.split_at(row.cells.len().saturating_sub(1));
    format!("| {} | {} |\n", numbers.join(" | "), code(&name.concat()))
}
