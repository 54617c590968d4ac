//! All rows in one picture: a forest plot. Layout in pixels; the scale is in `scale.rs`, the shapes in `marker.rs`.

use anyhow::Result;
use plotters::element::Polygon;
use plotters::prelude::RGBColor;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::drawing::{Area, Drawn, GRID, INK, MARGIN, MUTED, band, band_legend, head, picture, stroke, write};
use super::line::{Group, Line, Standing};
use super::marker::{marker, tint};
use super::scale::Scale;
use super::text::shortened;
use super::view::View;

const WIDTH: u32 = 1_000;
const ROW: i32 = 22;
/// Where the rows begin, below title, origin, legend and the upper axis.
const TOP: i32 = 118;
/// Below the rows: the lower axis.
const BOTTOM: i32 = 52;
/// Left and right end of the plotted range.
const PLOT: (i32, i32) = (390, 790);
/// Numbers stand to the right of it: changes end here, intervals begin there.
const NUMBERS: (i32, i32) = (862, 870);
/// How far inside its edge the marker of an estimate beyond the range stands.
const INSIDE: i32 = 9;
/// Characters of a case's name that fit without and with a label behind it, and of the label.
const CASE: usize = 50;
const CASE_BESIDE_LABEL: usize = 30;
const LABEL: usize = 20;

/// What a forest plot shows.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) origin: &'a str,
    pub(super) groups: &'a [Group],
}

/// All rows as an SVG picture, 1,000 pixels wide, a line of 22 pixels per row: estimate and interval in percent, the
/// tolerance shaded. Intervals beyond the range that suits most rows end in an arrow.
///
/// # Errors
/// Where the picture can't be drawn.
pub fn forest(view: &View) -> Result<String> {
    Chart { title: &view.title, origin: &view.origin, groups: &view.groups }.picture()
}

impl Chart<'_> {
    /// All lines of all groups as an SVG picture.
    ///
    /// # Errors
    /// Where it can't be drawn.
    pub(super) fn picture(&self) -> Result<String> {
        let rows: Vec<(&Group, &Line)> =
            self.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line))).collect();
        let height = TOP + ROW * i32::try_from(rows.len().max(1))? + BOTTOM;
        picture("forest plot", (WIDTH, u32::try_from(height)?), |area| self.draw(area, &rows))
    }

    fn draw(&self, area: &Area<'_>, rows: &[(&Group, &Line)]) -> Drawn {
        head(area, self.title, self.origin)?;
        if rows.is_empty() {
            return write(area, "No row to show: nothing was compared.", (MARGIN, TOP), (13, INK, HPos::Left));
        }
        legend(area, rows)?;
        let scale = Scale::of(rows.iter().map(|(_, line)| *line), PLOT);
        background(area, rows, &scale)?;
        axes(area, rows.len(), &scale)?;
        for (at, (_, line)) in rows.iter().enumerate() {
            row(area, line, middle(at), &scale)?;
        }
        names(area, rows)
    }
}

/// The vertical middle of a row.
fn middle(at: usize) -> i32 {
    TOP + ROW * i32::try_from(at).unwrap_or(0) + ROW / 2
}

/// Only what occurs is explained.
fn legend(area: &Area<'_>, rows: &[(&Group, &Line)]) -> Drawn {
    let y = 74;
    let mut x = MARGIN + 6;
    for standing in Standing::ALL.into_iter().filter(|standing| rows.iter().any(|(_, line)| line.standing == *standing))
    {
        marker(area, standing, (x, y))?;
        let words = standing.words();
        write(area, words, (x + 12, y), (12, INK, HPos::Left))?;
        x += 36 + advance(words);
    }
    band_legend(area, (x, y))
}

/// About how far a text of 12 pixels reaches.
fn advance(text: &str) -> i32 {
    i32::try_from(text.chars().count() * 13 / 2).unwrap_or(0)
}

/// The tolerance of each row, and a thin line where a case with several rows begins or ends.
fn background(area: &Area<'_>, rows: &[(&Group, &Line)], scale: &Scale) -> Drawn {
    for (at, (group, line)) in rows.iter().enumerate() {
        let top = middle(at) - ROW / 2;
        let (left, right) = (scale.at(-line.tolerance), scale.at(line.tolerance));
        band(area, [(left, top), (right, top + ROW)])?;
        let previous = at.checked_sub(1).map(|before| rows[before].0);
        let begins = previous.is_some_and(|before| before.case != group.case);
        if begins && (group.lines.len() > 1 || previous.is_some_and(|before| before.lines.len() > 1)) {
            stroke(area, &[(MARGIN, top), (980, top)], (GRID, 1))?;
        }
    }
    Ok(())
}

fn axes(area: &Area<'_>, rows: usize, scale: &Scale) -> Drawn {
    let (top, bottom) = (TOP, middle(rows) - ROW / 2);
    for (share, text) in scale.ticks() {
        let x = scale.at(share);
        let line = if share == 0.0 { (MUTED, 2) } else { (GRID, 1) };
        stroke(area, &[(x, top - 4), (x, bottom + 4)], line)?;
        write(area, &text, (x, top - 14), (11, MUTED, HPos::Center))?;
        write(area, &text, (x, bottom + 14), (11, MUTED, HPos::Center))?;
    }
    let caption = "less ← change from the baseline, estimate and interval → more";
    write(area, caption, (i32::midpoint(PLOT.0, PLOT.1), bottom + 34), (12, MUTED, HPos::Center))
}

fn row(area: &Area<'_>, line: &Line, y: i32, scale: &Scale) -> Drawn {
    numbers(area, line, y)?;
    let Some(span) = line.span else {
        let same = line.standing == Standing::SameCode;
        return if same { marker(area, line.standing, (scale.at(0.0), y)) } else { Ok(()) };
    };
    let colour = tint(line.standing);
    stroke(area, &[(scale.at(span.low), y), (scale.at(span.high), y)], (colour, 2))?;
    arrow(area, (scale.beyond(span.low), scale.beyond(span.high)), y, colour)?;
    marker(area, line.standing, (scale.at(span.estimate) - INSIDE * scale.beyond(span.estimate), y))
}

fn numbers(area: &Area<'_>, line: &Line, y: i32) -> Drawn {
    let ink = if line.standing.needs_eyes() { INK } else { MUTED };
    let interval = match &line.interval {
        Some((low, high)) => format!("({low} … {high})"),
        None if line.standing == Standing::SameCode => "same code".to_owned(),
        None => "not measured".to_owned(),
    };
    write(area, &line.change, (NUMBERS.0, y), (11, ink, HPos::Right))?;
    write(area, &interval, (NUMBERS.1, y), (11, ink, HPos::Left))
}

/// Arrowheads at the edges that an interval goes beyond.
fn arrow(area: &Area<'_>, (low, high): (i32, i32), y: i32, colour: RGBColor) -> Drawn {
    let mut sides = vec![low, high];
    sides.dedup();
    for side in sides.into_iter().filter(|side| *side != 0) {
        let edge = if side < 0 { PLOT.0 } else { PLOT.1 };
        let head = vec![(edge + 9 * side, y), (edge, y - 5), (edge, y + 5)];
        area.draw(&Polygon::new(head, colour.filled()))?;
    }
    Ok(())
}

fn names(area: &Area<'_>, rows: &[(&Group, &Line)]) -> Drawn {
    let labelled = rows.iter().any(|(_, line)| !line.label.is_empty());
    let room = if labelled { CASE_BESIDE_LABEL } else { CASE };
    let mut last: Option<&Group> = None;
    for (at, (group, line)) in rows.iter().enumerate() {
        if last.is_none_or(|last| last.case != group.case) {
            write(area, &shortened(&group.case, room), (MARGIN, middle(at)), (12, INK, HPos::Left))?;
        }
        last = Some(group);
        let label = shortened(&line.label, LABEL);
        write(area, &label, (PLOT.0 - 16, middle(at)), (12, MUTED, HPos::Right))?;
    }
    Ok(())
}
