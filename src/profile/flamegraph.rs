//! Flame graphs: stacks as an SVG picture that a browser can search and zoom, without anything from outside.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use inferno::flamegraph::color::{BackgroundColor, BasicPalette, Color, MultiPalette, StrokeColor};
use inferno::flamegraph::{self, Palette};

use super::folded::{Counted, Folded, LARGEST_TOTAL, Threads, printable};

/// Names a file on another server, which nothing needs and strict readers refuse.
const DOCTYPE: &str =
    r#"<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">"#;

/// Frames narrower than this are left out, in percent of the picture's width.
const NARROWEST: f64 = 0.02;

/// Round the frames of two profiles, most of which are white on a light ground.
const OUTLINE: Color = Color { r: 200, g: 200, b: 200 };

/// How a profile is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// A smaller line below it.
    pub subtitle: Option<&'a str>,
    /// What the widths are.
    pub counted: Counted,
    /// Whether every thread stands on its own.
    pub threads: Threads,
}

/// How two profiles are drawn as one.
#[derive(Clone, Copy, Debug)]
pub struct Differential<'a> {
    /// The line above the picture.
    pub title: &'a str,
    /// What the first profile is of: `main`.
    pub before: &'a str,
    /// What the second profile is of: `this branch`.
    pub after: &'a str,
    /// What the widths are.
    pub counted: Counted,
    /// Whether every thread stands on its own.
    pub threads: Threads,
    /// Whose counts the widths are. What one side does not have can't be seen in its picture: it takes both.
    pub widths: Side,
    /// Whether the other side's counts are scaled to the same total, so that colours show shares and not load.
    pub normalise: bool,
}

/// One of two profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first: shows what vanished or shrank.
    Before,
    /// The second: shows what came or grew.
    After,
}

/// A profile as an SVG picture. Samples and instructions are coloured by the kind of function: Rust's own library orange,
/// other Rust functions teal, all else olive; memory in greens. The same function has the same colour in every picture.
///
/// # Errors
/// Where there is no stack, or the counts come to more than 2^53.
pub fn svg(folded: &Folded, options: &Options<'_>) -> Result<String> {
    let drawn = folded.drawn(options.threads);
    check(&drawn, options.title)?;
    let lines = by_frames(&drawn).into_iter().map(|stack| format!("{stack} {}", drawn[stack])).collect();
    let mut settings = settings(options.title, options.counted);
    settings.subtitle = options.subtitle.map(printable);
    draw(&mut settings, lines)
}

/// Two profiles as one SVG picture: red functions grew, blue ones shrank, by what they did themselves, and white ones
/// did not change. The difference is after minus before, whosever widths are drawn (Gregg 2014, "Differential Flame Graphs").
///
/// # Errors
/// Where the side whose widths are drawn has no stack, or the counts of one come to more than 2^53.
pub fn differential(before: &Folded, after: &Folded, options: &Differential<'_>) -> Result<String> {
    let (before, after) = (before.drawn(options.threads), after.drawn(options.threads));
    let (wide, other, name) = match options.widths {
        Side::Before => (before, after, options.before),
        Side::After => (after, before, options.after),
    };
    let total = check(&wide, name)?;
    let all: BTreeMap<&str, u64> = wide.iter().chain(&other).map(|(stack, count)| (*stack, *count)).collect();
    let other_total = sum(&other);
    ensure!(other_total <= LARGEST_TOTAL, "{}: the counts come to more than 2^53", options.title);
    let scale = |count: u64| if options.normalise { scaled(count, (total, other_total)) } else { count };
    let counts = |stack: &str| (scale(other.get(stack).copied().unwrap_or(0)), wide.get(stack).copied().unwrap_or(0));
    let line = |stack: &str| {
        let (compared, drawn) = counts(stack);
        format!("{stack} {compared} {drawn}")
    };
    let lines = by_frames(&all).into_iter().map(line).collect();
    let mut settings = settings(options.title, options.counted);
    settings.subtitle = Some(printable(&caption(options, name)));
    settings.stroke_color = StrokeColor::Color(OUTLINE);
    settings.negate_differentials = options.widths == Side::Before;
    draw(&mut settings, lines)
}

/// What the colours and widths of a picture of two profiles mean.
fn caption(options: &Differential<'_>, widths: &str) -> String {
    let Differential { before, after, normalise, .. } = options;
    let (counted, scaled) = (options.counted.word(), if *normalise { ", scaled to the same total" } else { "" });
    format!(
        "{after} against {before}{scaled}: red grew, blue shrank, by their own {counted}; widths are those of {widths}"
    )
}

/// The total of a profile that can be drawn.
fn check(drawn: &BTreeMap<&str, u64>, name: &str) -> Result<u64> {
    let total = sum(drawn);
    ensure!(total > 0, "{name}: there is no stack to draw");
    ensure!(total <= LARGEST_TOTAL, "{name}: the counts come to more than 2^53");
    Ok(total)
}

fn sum(drawn: &BTreeMap<&str, u64>) -> u64 {
    drawn.values().fold(0, |sum, count| sum.saturating_add(*count))
}

/// A count in proportion to another total, to the nearest whole.
fn scaled(count: u64, (to, from): (u64, u64)) -> u64 {
    let (count, to, from) = (u128::from(count), u128::from(to), u128::from(from.max(1)));
    u64::try_from((2 * count * to + from) / (2 * from)).unwrap_or(u64::MAX)
}

/// Stacks frame by frame in order. By bytes, `a x` would come between `a` and `a;b` and cut the frame `a` in two.
fn by_frames<'a>(drawn: &BTreeMap<&'a str, u64>) -> Vec<&'a str> {
    let mut stacks: Vec<&str> = drawn.keys().copied().collect();
    stacks.sort_unstable_by(|one, other| one.split(';').cmp(other.split(';')));
    stacks
}

fn settings(title: &str, counted: Counted) -> flamegraph::Options<'static> {
    let mut settings = flamegraph::Options::default();
    settings.title = printable(title);
    counted.word().clone_into(&mut settings.count_name);
    settings.colors = match counted {
        Counted::Samples | Counted::Instructions => Palette::Multi(MultiPalette::Rust),
        Counted::Bytes | Counted::Allocations => Palette::Basic(BasicPalette::Green),
    };
    settings.bgcolors = Some(BackgroundColor::Grey);
    settings.deterministic = true;
    settings.min_width = NARROWEST;
    settings
}

/// The picture of lines that are in order.
fn draw(settings: &mut flamegraph::Options<'_>, lines: Vec<String>) -> Result<String> {
    // The only way to keep the order of the lines: a flame chart takes them as they come, from the last to the first.
    settings.flame_chart = true;
    let mut picture = Vec::new();
    flamegraph::from_lines(settings, lines.iter().rev().map(String::as_str), &mut picture)
        .with_context(|| format!("{}: the flame graph can't be drawn", settings.title))?;
    let picture = String::from_utf8(picture).context("the flame graph is no text")?;
    Ok(picture.replacen(DOCTYPE, "", 1))
}
