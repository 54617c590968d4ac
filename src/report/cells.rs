//! The cells of a matrix: what is to be built, what was built, and what that cost.

use serde::Serialize;

use super::numbers::NONE;
use super::page::Style;
use super::palette::Paint;
use super::table::{Align, Table};
use super::text::{clean, wrapped};
use crate::units;

/// Where notes begin: below the variant.
const NOTE_INDENT: usize = 13;

/// How far a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// In the cache: nothing to do.
    Ready,
    /// The same build as another cell.
    Same,
    /// Still to be built.
    ToBuild,
    /// Built just now.
    Built,
    /// It can't be built.
    Failed,
    /// This machine can't build or run it.
    Skipped,
}

impl Progress {
    fn shown(self) -> (&'static str, Paint) {
        match self {
            Self::Ready => ("= ready", Paint::Dim),
            Self::Same => ("= same", Paint::Dim),
            Self::ToBuild => ("+ build", Paint::Plain),
            Self::Built => ("✓ built", Paint::Green),
            Self::Failed => ("✗ failed", Paint::Red),
            Self::Skipped => ("– skipped", Paint::Yellow),
        }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellLine {
    /// The variant.
    pub variant: String,
    /// The source tree: `working tree` or a commit.
    pub source: String,
    /// How far it is.
    pub progress: Progress,
    /// CPU time of building it, nanoseconds: what it took, or is expected to take.
    pub cpu_ns: Option<f64>,
    /// Machine code of all its programs, bytes.
    pub text_bytes: Option<f64>,
    /// What else is to be said: why it failed, which cell it is the same as.
    pub note: String,
    /// Its programs' files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}

/// All cells, and what is said of them together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cells {
    /// What this is.
    pub title: String,
    /// The cells.
    pub cells: Vec<CellLine>,
    /// What is said below: sums, times, disk.
    pub summary: Vec<String>,
}

/// The cells as a table for a terminal.
#[must_use]
pub fn cells_terminal(cells: &Cells, style: Style) -> String {
    let sources = several_sources(cells);
    let mut table = Table::new(&[
        (Align::Left, ""),
        (Align::Left, "variant"),
        (Align::Left, if sources { "source" } else { "" }),
        (Align::Right, "CPU time"),
        (Align::Right, "code"),
    ]);
    for cell in &cells.cells {
        let (word, paint) = cell.progress.shown();
        let source = if sources { short(&cell.source) } else { String::new() };
        let plain = |text: String| (text, Paint::Plain);
        let (cpu, text) = numbers(cell);
        table.row(vec![(word.to_owned(), paint), plain(clean(&cell.variant)), plain(source), plain(cpu), plain(text)]);
        if !cell.note.is_empty() {
            let notes = wrapped(&clean(&cell.note), style.width, (NOTE_INDENT, NOTE_INDENT));
            notes.into_iter().for_each(|line| table.text(line, Paint::Dim));
        }
    }
    table.fit(1, style.width);
    let mut text = Paint::Bold.on(&cells.title, style.colour) + "\n\n" + &table.lines(style.colour) + "\n";
    for line in cells.summary.iter().flat_map(|line| wrapped(&clean(line), style.width, (0, 2))) {
        text += &line;
        text.push('\n');
    }
    text
}

/// The cells as a Markdown table.
#[must_use]
pub fn cells_markdown(cells: &Cells) -> String {
    let escaped = |text: &str| clean(text).replace('|', "\\|").replace('<', "&lt;").replace('`', "'");
    let mut text =
        format!("### {}\n\n|  | variant | source | CPU time | code | |\n|---|---|---|---:|---:|---|\n", cells.title);
    for cell in &cells.cells {
        let (cpu, size) = numbers(cell);
        let (variant, source, note) = (escaped(&cell.variant), escaped(&short(&cell.source)), escaped(&cell.note));
        text += &format!("| {} | `{variant}` | {source} | {cpu} | {size} | {note} |\n", cell.progress.shown().0);
    }
    text.push('\n');
    cells.summary.iter().for_each(|line| text += &format!("{}  \n", escaped(line)));
    text
}

fn numbers(cell: &CellLine) -> (String, String) {
    let shown = |value: Option<f64>, unit: fn(f64) -> String| value.map_or(NONE.to_owned(), unit);
    (shown(cell.cpu_ns, units::duration_ns), shown(cell.text_bytes, units::bytes))
}

fn several_sources(cells: &Cells) -> bool {
    cells.cells.windows(2).any(|pair| pair[0].source != pair[1].source)
}

/// Ten characters name a commit.
fn short(source: &str) -> String {
    let is_commit = source.len() >= 40 && source.chars().all(|c| c.is_ascii_hexdigit());
    if is_commit { source.chars().take(10).collect() } else { clean(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Cells {
        let cell = |variant: &str, progress, cpu_ns, note: &str| CellLine {
            variant: variant.to_owned(),
            source: "working tree".to_owned(),
            progress,
            cpu_ns,
            text_bytes: cpu_ns.map(|_| 365_144.0),
            note: note.to_owned(),
            programs: Vec::new(),
        };
        Cells {
            title: "what a run would build".to_owned(),
            cells: vec![
                cell("release", Progress::Ready, Some(14.9e9), ""),
                cell("conf", Progress::Same, None, "as release"),
                cell("lto=fat", Progress::ToBuild, None, ""),
                cell("target-cpu=x86-64-v4", Progress::Skipped, None, "this machine lacks avx512f | `<b>`"),
            ],
            summary: vec!["1 of 4 to build".to_owned()],
        }
    }

    #[test]
    fn a_terminal_shows_one_line_per_cell_and_its_note_below() {
        let shown = cells_terminal(&cells(), Style { colour: false, width: 80 });
        let expected = "\
what a run would build

             variant                 CPU time     code
  = ready    release                   14.9 s  357 KiB
  = same     conf                           –        –
             as release
  + build    lto=fat                        –        –
  – skipped  target-cpu=x86-64-v4           –        –
             this machine lacks avx512f | `<b>`

1 of 4 to build
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn markdown_can_not_be_broken_out_of() {
        let shown = cells_markdown(&cells());
        assert!(shown.contains("| – skipped | `target-cpu=x86-64-v4` | working tree | – | – | this machine lacks avx512f \\| '&lt;b>' |"), "{shown}");
    }
}
