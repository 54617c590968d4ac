//! All rows in one picture: a forest plot. Layout in pixels; the scale is in `scale.rs`, the shapes in `marker.rs`.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, PathElement, RGBColor, Rectangle, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, ShapeStyle, TextStyle};

use super::line::{Group, Line, Standing};
use super::marker::{INK, marker, tint};
use super::scale::Scale;
use super::text::shortened;
use super::view::View;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 1_000;
const ROW: i32 = 22;
/// Where the rows begin, below title, origin, legend and the upper axis.
const TOP: i32 = 118;
/// Below the rows: the lower axis.
const BOTTOM: i32 = 52;
const MARGIN: i32 = 20;
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

const MUTED: RGBColor = RGBColor(107, 114, 128);
const GRID: RGBColor = RGBColor(229, 231, 235);
const BAND: RGBColor = RGBColor(219, 234, 247);

/// All rows as an SVG picture, 1,000 pixels wide, a line of 22 pixels per row: estimate and interval in percent, the
/// tolerance shaded. Intervals beyond the range that suits most rows end in an arrow.
///
/// # Errors
/// Where the picture can't be drawn.
pub fn forest(view: &View) -> Result<String> {
    let mut text = String::new();
    let rows: Vec<(&Group, &Line)> =
        view.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line))).collect();
    let height = TOP + ROW * i32::try_from(rows.len().max(1))? + BOTTOM;
    let area = SVGBackend::with_string(&mut text, (WIDTH, u32::try_from(height)?)).into_drawing_area();
    draw(&area, view, &rows).map_err(|error| anyhow!("the forest plot could not be drawn: {error}"))?;
    drop(area);
    Ok(text)
}

pub(super) type Drawn = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn draw(area: &Area<'_>, view: &View, rows: &[(&Group, &Line)]) -> Drawn {
    area.fill(&RGBColor(255, 255, 255))?;
    write(area, &shortened(&view.title, 88), (MARGIN, 24), (18, INK, HPos::Left), true)?;
    write(area, &shortened(&view.origin, 130), (MARGIN, 46), (12, MUTED, HPos::Left), false)?;
    if rows.is_empty() {
        return write(area, "No row to show: nothing was compared.", (MARGIN, TOP), (13, INK, HPos::Left), false);
    }
    legend(area, rows)?;
    let scale = Scale::of(rows.iter().map(|(_, line)| *line), PLOT);
    background(area, rows, &scale)?;
    axes(area, rows.len(), &scale)?;
    for (at, (_, line)) in rows.iter().enumerate() {
        row(area, line, middle(at), &scale)?;
    }
    names(area, rows)?;
    area.present()?;
    Ok(())
}

/// The vertical middle of a row.
fn middle(at: usize) -> i32 {
    TOP + ROW * i32::try_from(at).unwrap_or(0) + ROW / 2
}

fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    (size, colour, side): (i32, RGBColor, HPos),
    bold: bool,
) -> Drawn {
    // The backend divides by 1.24.
    let font = ("Helvetica, Arial, sans-serif", f64::from(size) * 1.24).into_font();
    let font = if bold { font.style(plotters::style::FontStyle::Bold) } else { font };
    let style = TextStyle::from(font).color(&colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

fn stroke(area: &Area<'_>, from: (i32, i32), to: (i32, i32), (colour, width): (RGBColor, u32)) -> Drawn {
    area.draw(&PathElement::new(
        [from, to],
        ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: width },
    ))?;
    Ok(())
}

/// Only what occurs is explained.
fn legend(area: &Area<'_>, rows: &[(&Group, &Line)]) -> Drawn {
    let y = 74;
    let mut x = MARGIN + 6;
    for standing in Standing::ALL.into_iter().filter(|standing| rows.iter().any(|(_, line)| line.standing == *standing))
    {
        marker(area, standing, (x, y))?;
        let words = standing.words();
        write(area, words, (x + 12, y), (12, INK, HPos::Left), false)?;
        x += 36 + advance(words);
    }
    area.draw(&Rectangle::new([(x, y - 7), (x + 16, y + 7)], BAND.filled()))?;
    write(area, "tolerance", (x + 22, y), (12, INK, HPos::Left), false)
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
        area.draw(&Rectangle::new([(left, top), (right, top + ROW)], BAND.filled()))?;
        let previous = at.checked_sub(1).map(|before| rows[before].0);
        let begins = previous.is_some_and(|before| before.case != group.case);
        if begins && (group.lines.len() > 1 || previous.is_some_and(|before| before.lines.len() > 1)) {
            stroke(area, (MARGIN, top), (980, top), (GRID, 1))?;
        }
    }
    Ok(())
}

fn axes(area: &Area<'_>, rows: usize, scale: &Scale) -> Drawn {
    let (top, bottom) = (TOP, middle(rows) - ROW / 2);
    for (share, text) in scale.ticks() {
        let x = scale.at(share);
        let line = if share == 0.0 { (MUTED, 2) } else { (GRID, 1) };
        stroke(area, (x, top - 4), (x, bottom + 4), line)?;
        write(area, &text, (x, top - 14), (11, MUTED, HPos::Center), false)?;
        write(area, &text, (x, bottom + 14), (11, MUTED, HPos::Center), false)?;
    }
    let caption = "less ← change from the baseline, estimate and interval → more";
    write(area, caption, (i32::midpoint(PLOT.0, PLOT.1), bottom + 34), (12, MUTED, HPos::Center), false)
}

fn row(area: &Area<'_>, line: &Line, y: i32, scale: &Scale) -> Drawn {
    numbers(area, line, y)?;
    let Some(span) = line.span else {
        let same = line.standing == Standing::SameCode;
        return if same { marker(area, line.standing, (scale.at(0.0), y)) } else { Ok(()) };
    };
    let colour = tint(line.standing);
    stroke(area, (scale.at(span.low), y), (scale.at(span.high), y), (colour, 2))?;
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
    write(area, &line.change, (NUMBERS.0, y), (11, ink, HPos::Right), false)?;
    write(area, &interval, (NUMBERS.1, y), (11, ink, HPos::Left), false)
}

/// Arrowheads at the edges that an interval goes beyond.
fn arrow(area: &Area<'_>, (low, high): (i32, i32), y: i32, colour: RGBColor) -> Drawn {
    let mut sides = vec![low, high];
    sides.dedup();
    for side in sides.into_iter().filter(|side| *side != 0) {
        let edge = if side < 0 { PLOT.0 } else { PLOT.1 };
        let head = vec![(edge + 9 * side, y), (edge, y - 5), (edge, y + 5)];
        area.draw(&plotters::element::Polygon::new(head, colour.filled()))?;
    }
    Ok(())
}

fn names(area: &Area<'_>, rows: &[(&Group, &Line)]) -> Drawn {
    let labelled = rows.iter().any(|(_, line)| !line.label.is_empty());
    let room = if labelled { CASE_BESIDE_LABEL } else { CASE };
    let mut last: Option<&Group> = None;
    for (at, (group, line)) in rows.iter().enumerate() {
        if last.is_none_or(|last| last.case != group.case) {
            write(area, &shortened(&group.case, room), (MARGIN, middle(at)), (12, INK, HPos::Left), false)?;
        }
        last = Some(group);
        let label = shortened(&line.label, LABEL);
        write(area, &label, (PLOT.0 - 16, middle(at)), (12, MUTED, HPos::Right), false)?;
    }
    Ok(())
}
