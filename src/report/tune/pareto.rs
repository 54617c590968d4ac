//! What builds bring against what they cost: a scatter plot with the Pareto front as a stepped line. Layout in pixels; where
//! labels go is in `labels.rs`.

use anyhow::Result;
use plotters::element::Circle;
use plotters::prelude::RGBColor;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use crate::advise::{Advice, Cell, Cost};
use crate::report::drawing::{
    Area, Drawn, GRID, INK, MARGIN, MUTED, PAPER, Place, band, band_legend, head, outline, picture, stroke, write,
    write_upwards,
};
use crate::report::line::Standing;
use crate::report::marker::tint;
use crate::report::numbers::counted;
use crate::report::text::{clean, shortened};
use crate::samples::Better;
use crate::units;
use crate::verdict::Relative;

use super::labels::{Frame, Labelled, Side, Wanted, placed};
use super::phrase::setting;

const SIZE: (u32, u32) = (1_000, 620);
/// Left, top, right and bottom of what is plotted.
const PLOT: (i32, i32, i32, i32) = (92, 112, 970, 540);
/// Characters of a label.
const LABEL: usize = 44;

/// Of what is on the front.
const FRONT: RGBColor = tint(Standing::Improved);

/// A cell that has both numbers.
struct Point<'a> {
    cell: &'a Cell,
    ratio: f64,
    change: Relative,
    front: bool,
}

impl<'a> Point<'a> {
    fn of(cell: &'a Cell, cost: Cost) -> Option<Self> {
        let (ratio, change) = (*cell.costs.get(&cost)?, cell.overall?.change);
        Some(Self { cell, ratio, change, front: cell.front.contains(&cost) })
    }
}

/// All cells by a cost (as a ratio to the baseline's) and by their change over all cases, as an SVG picture of 1,000 by 620
/// pixels. `design` names the design. Cells whose cost was not measured are not in it.
///
/// # Errors
/// Where the picture can't be drawn.
pub fn pareto(advice: &Advice, cost: Cost, design: &str) -> Result<String> {
    let points: Vec<Point<'_>> = advice.cells.iter().filter_map(|cell| Point::of(cell, cost)).collect();
    picture("Pareto plot", SIZE, |area| draw(area, advice, (cost, design), &points))
}

fn draw(area: &Area<'_>, advice: &Advice, (cost, design): (Cost, &str), points: &[Point<'_>]) -> Drawn {
    let metric = clean(advice.metric.as_str());
    let (cells, cases) = (counted(points.len(), "cell"), counted(advice.cases, "case"));
    let title = format!("What builds bring and cost: {metric} against {}", noun(cost));
    head(area, &title, &format!("{cells}, {}, {cases}", clean(design)))?;
    if points.len() < 2 {
        return write(area, "Nothing to show: no cell has both numbers.", (MARGIN, PLOT.1), (13, INK, HPos::Left));
    }
    legend(area)?;
    let axes = Axes::of(points, advice.tolerance);
    axes.draw(area, advice.tolerance)?;
    captions(area, &metric, cost)?;
    whiskers(area, points, &axes)?;
    let front = staircase(points, &axes);
    stroke(area, &front, (FRONT, 2))?;
    for point in points {
        dot(area, axes.place(point), point.front)?;
    }
    labels(area, advice, points, (&axes, &front))
}

fn noun(cost: Cost) -> &'static str {
    match cost {
        Cost::BuildCpu => "CPU time of the build",
        Cost::BinaryFile => "size of the program's file",
        Cost::BinaryText => "size of the machine code",
        Cost::RssPeak => "peak of memory",
    }
}

/// From shares and ratios to pixels. Ratios are on a log scale: half is as far from one as double.
struct Axes {
    logs: (f64, f64),
    shares: (f64, f64),
}

impl Axes {
    /// Wide enough for all estimates, with room for labels; an interval may leave the picture.
    fn of(points: &[Point<'_>], tolerance: f64) -> Self {
        let range = |values: &dyn Fn(&Point<'_>) -> f64| {
            let values = points.iter().map(values).filter(|value| value.is_finite());
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (low, high) = range(&|point| point.change.estimate);
        Self {
            logs: padded(range(&|point| point.ratio.ln()), (0.15, 0.08)),
            shares: padded((low.min(-tolerance), high.max(tolerance)), (0.1, 0.1)),
        }
    }

    fn x(&self, ratio: f64) -> i32 {
        at(ratio.ln(), self.logs, (PLOT.0, PLOT.2))
    }

    /// More is further up.
    fn y(&self, share: f64) -> i32 {
        at(share, self.shares, (PLOT.3, PLOT.1))
    }

    fn place(&self, point: &Point<'_>) -> Place {
        (self.x(point.ratio), self.y(point.change.estimate))
    }

    fn draw(&self, area: &Area<'_>, tolerance: f64) -> Drawn {
        band(area, [(PLOT.0, self.y(tolerance)), (PLOT.2, self.y(-tolerance))])?;
        for (x, text) in self.ratios() {
            stroke(area, &[(x, PLOT.1), (x, PLOT.3 + 4)], (GRID, 1))?;
            write(area, &text, (x, PLOT.3 + 16), (11, MUTED, HPos::Center))?;
        }
        let (step, decimals) = step((self.shares.0 * 100.0, self.shares.1 * 100.0));
        for share in ticks(self.shares, step / 100.0) {
            let y = self.y(share);
            let (line, text) = if share == 0.0 {
                ((MUTED, 2), "0 %".to_owned())
            } else {
                ((GRID, 1), units::signed_percent(share, decimals))
            };
            stroke(area, &[(PLOT.0 - 4, y), (PLOT.2, y)], line)?;
            write(area, &text, (PLOT.0 - 10, y), (11, MUTED, HPos::Right))?;
        }
        Ok(())
    }

    /// The marked ratios: their columns and texts. Round ratios are few where all cells cost about the same.
    fn ratios(&self) -> Vec<(i32, String)> {
        let range = (self.logs.0.exp(), self.logs.1.exp());
        if range.1 < 2.0 * range.0 {
            let (step, decimals) = step(range);
            return ticks(range, step).iter().map(|ratio| (self.x(*ratio), format!("{ratio:.decimals$}x"))).collect();
        }
        let mut marked: Vec<(i32, String)> = Vec::new();
        // The rounder ones choose first.
        for ratio in ROUND.into_iter().filter(|ratio| (range.0..range.1).contains(ratio)) {
            let x = self.x(ratio);
            if marked.iter().all(|(other, _)| (other - x).abs() >= APART) {
                marked.push((x, format!("{ratio}x")));
            }
        }
        marked
    }
}

/// Ratios that may be marked, the rounder ones first, and how far apart their marks are at least.
const ROUND: [f64; 22] = [
    1.0, 2.0, 0.5, 10.0, 0.1, 5.0, 0.2, 100.0, 20.0, 50.0, 4.0, 0.25, 3.0, 1.5, 0.7, 0.8, 6.0, 8.0, 1.2, 2.5, 0.6, 0.9,
];
const APART: i32 = 60;

fn padded((low, high): (f64, f64), (before, behind): (f64, f64)) -> (f64, f64) {
    let reach = (high - low).max(1e-3);
    (low - before * reach, high + behind * reach)
}

fn at(value: f64, (low, high): (f64, f64), (from, to): (i32, i32)) -> i32 {
    let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
    from + (share * f64::from(to - from)).round() as i32
}

/// A round distance between ticks, at most eight of them, and the decimals that tell them apart.
fn step((low, high): (f64, f64)) -> (f64, usize) {
    let least = (high - low) / 8.0;
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|nice| nice * power >= least).unwrap_or(10.0) * power;
    (step, (-step.log10().floor()).max(0.0) as usize)
}

fn ticks((low, high): (f64, f64), step: f64) -> Vec<f64> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|at| at as f64 * step).collect()
}

fn captions(area: &Area<'_>, metric: &str, cost: Cost) -> Drawn {
    let caption = format!("less ← {}, against the baseline's → more", noun(cost));
    write(area, &caption, (i32::midpoint(PLOT.0, PLOT.2), PLOT.3 + 44), (12, MUTED, HPos::Center))?;
    let caption = format!("less ← {} → more", shortened(metric, 30));
    write_upwards(area, &caption, (26, i32::midpoint(PLOT.1, PLOT.3)), (12, MUTED, HPos::Center))
}

fn legend(area: &Area<'_>) -> Drawn {
    let y = 76;
    dot(area, (MARGIN + 6, y), true)?;
    write(area, "on the front: nothing is as good in both and better in one", (MARGIN + 20, y), (12, INK, HPos::Left))?;
    dot(area, (MARGIN + 392, y), false)?;
    write(area, "other cells", (MARGIN + 404, y), (12, INK, HPos::Left))?;
    band_legend(area, (MARGIN + 492, y))?;
    stroke(area, &[(MARGIN + 596, y - 8), (MARGIN + 596, y + 8)], (MUTED, 1))?;
    write(area, "95 % interval", (MARGIN + 606, y), (12, INK, HPos::Left))
}

fn whiskers(area: &Area<'_>, points: &[Point<'_>], axes: &Axes) -> Drawn {
    for point in points.iter().filter(|point| point.change.low.is_finite() && point.change.high.is_finite()) {
        let x = axes.x(point.ratio);
        let colour = if point.front { FRONT } else { MUTED };
        stroke(area, &[(x, axes.y(point.change.low)), (x, axes.y(point.change.high))], (colour, 1))?;
    }
    Ok(())
}

/// The front from the cheapest cell to the dearest, as the corners of a stepped line: whatever lies behind it is beaten.
fn staircase(points: &[Point<'_>], axes: &Axes) -> Vec<Place> {
    let mut front: Vec<Place> = points.iter().filter(|point| point.front).map(|point| axes.place(point)).collect();
    front.sort_unstable();
    let steps = front.windows(2).flat_map(|pair| [pair[0], (pair[1].0, pair[0].1)]);
    steps.chain(front.last().copied()).collect()
}

fn dot(area: &Area<'_>, place: Place, front: bool) -> Drawn {
    if front {
        area.draw(&Circle::new(place, 6, FRONT.filled()))?;
        return Ok(());
    }
    area.draw(&Circle::new(place, 4, PAPER.filled()))?;
    area.draw(&Circle::new(place, 4, outline(MUTED, 2)))?;
    Ok(())
}

/// The names of all cells on the front that have room, then of the others. The front has its free side on the left, and
/// where better is: nothing is there.
fn labels(area: &Area<'_>, advice: &Advice, points: &[Point<'_>], (axes, front): (&Axes, &[Place])) -> Drawn {
    let mut ordered: Vec<&Point<'_>> = points.iter().collect();
    ordered.sort_by_key(|point| !point.front);
    let better = if advice.metric.better() == Better::Lower { 1 } else { -1 };
    let wanted = ordered.iter().map(|point| Wanted {
        point: axes.place(point),
        text: shortened(&name(advice, point.cell), LABEL),
        front: point.front,
        down: if point.front { better } else { -better },
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let steps = front.windows(2).map(|pair| line(pair[0], pair[1]));
    let zero = axes.y(0.0);
    let lines: Vec<Frame> = steps.chain([line((PLOT.0, zero), (PLOT.2, zero))]).collect();
    for (point, label) in ordered.iter().zip(placed(&wanted, &lines, PLOT)) {
        let Some(label) = label else { continue };
        let (place, colour) = (axes.place(point), if point.front { INK } else { MUTED });
        if label.is_far(place) {
            let (across, down) = ((label.at.0 - place.0).signum(), (label.at.1 - place.1).signum());
            let ends = [(place.0 + 5 * across, place.1 + 5 * down), (label.at.0 - 4 * across, label.at.1 - 4 * down)];
            stroke(area, &ends, (MUTED, 1))?;
        }
        let Labelled { at, side, text } = label;
        let side = match side {
            Side::Left => HPos::Right,
            Side::Right => HPos::Left,
            Side::Middle => HPos::Center,
        };
        write(area, &text, at, (12, colour, side))?;
    }
    Ok(())
}

/// What a straight line covers.
fn line(one: Place, other: Place) -> Frame {
    (one.0.min(other.0) - 1, one.1.min(other.1) - 1, one.0.max(other.0) + 1, one.1.max(other.1) + 1)
}

/// A build by its settings, in as few words as tell it: `fat + jemalloc + pgo`.
fn name(advice: &Advice, cell: &Cell) -> String {
    let each: Vec<String> = cell.settings.iter().map(|(knob, value)| short(advice, knob, value)).collect();
    if each.is_empty() { "baseline".to_owned() } else { each.join(" + ") }
}

/// A value that is a word and belongs to one knob alone stands for the knob as well.
fn short(advice: &Advice, knob: &str, value: &str) -> String {
    let knobs = advice.effects.iter().filter(|effect| effect.value == value).count();
    let word = value.len() > 2 && value.starts_with(|c: char| c.is_ascii_alphabetic());
    match value {
        "true" => clean(knob),
        "false" => setting(knob, value),
        _ if word && knobs == 1 => clean(value),
        _ => setting(knob, value),
    }
}
