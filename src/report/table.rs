//! Columns of text, aligned, with lines of free text between the rows.

use super::palette::Paint;
use super::text::{shortened, width};

/// Between columns.
const GAP: &str = "  ";
/// A column is never shortened below this: less tells nothing.
const NARROWEST: usize = 12;

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A text and how it stands out.
pub(super) type Cell = (String, Paint);

enum Entry {
    Row(Vec<Cell>),
    Text(Vec<Cell>),
}

/// Rows of cells under their aligned columns.
pub(super) struct Table {
    columns: Vec<Align>,
    entries: Vec<Entry>,
}

impl Table {
    /// An empty table with these columns under these headings.
    pub(super) fn new(columns: &[(Align, &str)]) -> Self {
        let headings = columns.iter().map(|(_, heading)| ((*heading).to_owned(), Paint::Dim)).collect();
        Self { columns: columns.iter().map(|(align, _)| *align).collect(), entries: vec![Entry::Row(headings)] }
    }

    /// Adds a row; it has a cell per column.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.entries.push(Entry::Row(cells));
    }

    /// Adds a line that keeps to no column.
    pub(super) fn text(&mut self, text: String, paint: Paint) {
        self.pieces(vec![(text, paint)]);
    }

    /// The same, with pieces that stand out differently.
    pub(super) fn pieces(&mut self, pieces: Vec<Cell>) {
        self.entries.push(Entry::Text(pieces));
    }

    /// How wide the rows are.
    pub(super) fn widest(&self) -> usize {
        self.widths().iter().map(|column| GAP.len() + column).sum()
    }

    /// Shortens the cells of one column in their middle until the rows fit into `most` characters.
    pub(super) fn fit(&mut self, column: usize, most: usize) {
        let widths = self.widths();
        let others: usize = widths.iter().sum::<usize>() - widths[column] + GAP.len() * widths.len();
        let room = most.saturating_sub(others).max(NARROWEST);
        for entry in &mut self.entries {
            if let Entry::Row(cells) = entry {
                cells[column].0 = shortened(&cells[column].0, room);
            }
        }
    }

    /// The lines, each begun with a gap.
    pub(super) fn lines(&self, colour: bool) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for entry in &self.entries {
            match entry {
                Entry::Row(cells) => text += &self.line(cells, &widths, colour),
                Entry::Text(pieces) => pieces.iter().for_each(|(piece, paint)| text += &paint.on(piece, colour)),
            }
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[Cell], widths: &[usize], colour: bool) -> String {
        let last = cells.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0);
        let mut line = String::new();
        for (at, ((text, paint), align)) in cells.iter().zip(&self.columns).enumerate().take(last + 1) {
            let space = " ".repeat(widths[at].saturating_sub(width(text)));
            let painted = paint.on(text, colour);
            line += GAP;
            line += &match align {
                Align::Left if at == last => painted,
                Align::Left => painted + &space,
                Align::Right => space + &painted,
            };
        }
        line
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for entry in &self.entries {
            if let Entry::Row(cells) = entry {
                cells.iter().zip(&mut widths).for_each(|((text, _), widest)| *widest = width(text).max(*widest));
            }
        }
        widths
    }
}

/// Pairs of texts as one column: both sides aligned to the right, `between` in the middle. `None` stays empty.
pub(super) fn paired(pairs: &[Option<&(String, String)>], between: &str) -> Vec<String> {
    let widest = |side: fn(&(String, String)) -> &String| {
        pairs.iter().flatten().map(|pair| width(side(pair))).max().unwrap_or(0)
    };
    let (left, right) = (widest(|pair| &pair.0), widest(|pair| &pair.1));
    let joined = |(first, second): &(String, String)| format!("{first:>left$}{between}{second:>right$}");
    pairs.iter().map(|pair| pair.map_or_else(String::new, joined)).collect()
}
