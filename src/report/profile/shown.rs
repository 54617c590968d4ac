//! What every renderer shows, as text: a few tables whose last column is a name.

use crate::report::absolute::deviation;
use crate::report::blame::{EXACT, taken};
use crate::report::numbers::{self, NONE};
use crate::report::table::{Align, paired};
use crate::report::text::clean;
use crate::samples::{FunctionShare, Profile};
use crate::units;

use super::difference::{self, Function, Shares, average, own, total};
use super::sides::{ProfileSide, Sides};

/// More functions than this nobody reads.
const MOST: usize = 15;
/// Of counts they are shorter, and so may be more.
const MOST_COUNTS: usize = 30;
/// Decimals of a percentage: sampling knows no more.
const DECIMALS: usize = 1;

/// A table. All texts are on one line each and free of control characters.
pub(super) struct Grid {
    pub(super) heading: &'static str,
    /// The last one is of names.
    pub(super) columns: Vec<(Align, &'static str)>,
    pub(super) rows: Vec<Row>,
}

/// A cell per column, and whether the row is within the noise.
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) noise: bool,
}

/// What was found.
pub(super) struct Shown {
    pub(super) title: String,
    /// How it was taken.
    pub(super) taken: Vec<String>,
    /// What a reader has to know of it.
    pub(super) notes: Vec<String>,
    pub(super) grids: Vec<Grid>,
    /// How the tables are to be read.
    pub(super) legend: String,
}

impl Shown {
    pub(super) fn of(found: &Sides) -> Self {
        let case = clean(&found.case.to_string());
        match found.sides.as_slice() {
            [] => Self { title: case, ..Self::blank() },
            [side] => Self { title: format!("{case}, {}", clean(side.title)), ..one(side) },
            [before, after, ..] => {
                let title = format!("{case}, {} → {}", clean(before.title), clean(after.title));
                Self { title, ..two(before, after) }
            }
        }
    }

    fn blank() -> Self {
        let (title, legend) = (String::new(), String::new());
        Self { title, taken: Vec::new(), notes: Vec::new(), grids: Vec::new(), legend }
    }
}

fn one(side: &ProfileSide) -> Shown {
    let mut shown = Shown::blank();
    if let Some(profile) = side.profile {
        shown.taken.push(taken(profile));
        shown.notes = profile.notes.iter().map(|note| clean(note)).collect();
        shown.grids.push(functions("In the function itself", profile, (own, total), "with callees"));
        shown.grids.push(functions("In the function and what it calls", profile, (total, own), "itself"));
        shown.legend = format!("share: of all {}.", noun(profile));
        if is_spread(profile) {
            shown.legend += " ±: standard deviation between rounds.";
        }
    }
    shown.grids.push(counts(side.counts));
    shown.grids.retain(|grid| !grid.rows.is_empty());
    shown
}

fn two(before: &ProfileSide, after: &ProfileSide) -> Shown {
    let mut shown = Shown::blank();
    if let (Some(old), Some(new)) = (before.profile, after.profile) {
        for (side, profile) in [(before, old), (after, new)] {
            let title = clean(side.title);
            shown.taken.push(format!("{title}: {}", taken(profile)));
            shown.notes.extend(profile.notes.iter().map(|note| format!("{title}: {}", clean(note))));
        }
        shown.grids.push(differing(&difference::functions(old, new), is_spread(old) || is_spread(new)));
        shown.legend = legend(noun(new), is_spread(old) || is_spread(new));
    }
    shown.grids.push(differing_counts(before.counts, after.counts));
    shown.grids.retain(|grid| !grid.rows.is_empty());
    shown
}

fn legend(noun: &str, spread: bool) -> String {
    let noise = "±: the larger standard deviation between rounds of both sides; smaller differences may be noise. ";
    format!(
        "points: how many more of a hundred {noun} are in the function itself, after against before. {}Shares are of each side's \
         own total: where that changed, equal shares are not equal amounts.",
        if spread { noise } else { "" }
    )
}

/// What shares are of.
fn noun(profile: &Profile) -> &str {
    if profile.method == EXACT { &profile.event } else { "samples" }
}

/// Whether there are rounds between which shares differ.
fn is_spread(profile: &Profile) -> bool {
    profile.functions.iter().any(|function| deviation(&function.own).is_some())
}

fn percent(share: f64) -> String {
    units::percent(share, DECIMALS)
}

/// The functions with the largest shares of one kind, beside which those of the other kind stand.
fn functions(heading: &'static str, profile: &Profile, shares: (Shares, Shares), beside: &'static str) -> Grid {
    let mut sorted: Vec<&FunctionShare> = profile.functions.iter().collect();
    sorted.sort_by(|a, b| average(shares.0(b)).total_cmp(&average(shares.0(a))));
    let spread = is_spread(profile);
    let mut columns = vec![(Align::Right, "share")];
    columns.extend(spread.then_some((Align::Right, "±")));
    columns.extend([(Align::Right, beside), (Align::Left, "function")]);
    let row = |function: &FunctionShare| {
        let mut cells = vec![percent(average(shares.0(function)))];
        let between = || deviation(shares.0(function)).map_or_else(|| NONE.to_owned(), percent);
        cells.extend(spread.then(between));
        cells.extend([percent(average(shares.1(function))), clean(&function.name)]);
        Row { cells, noise: false }
    };
    Grid { heading, columns, rows: sorted.into_iter().take(MOST).map(row).collect() }
}

fn differing(lines: &[Function], spread: bool) -> Grid {
    let lines = &lines[..lines.len().min(MOST)];
    let mut columns = vec![(Align::Right, "points")];
    columns.extend(spread.then_some((Align::Right, "±")));
    columns.extend([(Align::Left, "itself"), (Align::Left, "with callees"), (Align::Left, "function")]);
    let both = |of: Shares| {
        let share =
            |side: Option<&FunctionShare>| side.map_or_else(|| NONE.to_owned(), |side| percent(average(of(side))));
        let pairs: Vec<(String, String)> = lines.iter().map(|line| (share(line.before), share(line.after))).collect();
        paired(&pairs.iter().map(Some).collect::<Vec<_>>(), " → ")
    };
    let rows = lines.iter().zip(both(own)).zip(both(total)).map(|((line, itself), callees)| {
        let between = line.spread();
        let mut cells = vec![signed(line.points())];
        cells.extend(spread.then(|| between.map_or_else(|| NONE.to_owned(), |points| format!("{points:.DECIMALS$}"))));
        cells.extend([itself, callees, clean(line.name)]);
        Row { cells, noise: between.is_some_and(|between| line.points().abs() <= between) }
    });
    Grid { heading: "What differs", columns, rows: rows.collect() }
}

/// Points with their sign: `+9.3`. What rounds to zero has none.
fn signed(points: f64) -> String {
    let text = units::signed_percent(points / 100.0, DECIMALS);
    text.strip_suffix(" %").map_or(text.clone(), str::to_owned)
}

const COUNTED: &str = "Per iteration";

/// What was counted, the most first.
fn counts(counts: &[(String, f64)]) -> Grid {
    let mut sorted: Vec<&(String, f64)> = counts.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let row = |(name, value): &(String, f64)| Row { cells: vec![amount(name, *value), clean(name)], noise: false };
    let columns = vec![(Align::Right, "count"), (Align::Left, "of")];
    Grid { heading: COUNTED, columns, rows: sorted.into_iter().take(MOST_COUNTS).map(row).collect() }
}

fn differing_counts(before: &[(String, f64)], after: &[(String, f64)]) -> Grid {
    let row = |(name, old, new): (&str, f64, f64)| {
        let change = numbers::difference(old, new).map_or_else(|| NONE.to_owned(), numbers::signed);
        Row { cells: vec![amount(name, old), amount(name, new), change, clean(name)], noise: old == new }
    };
    let right = ["before", "after", "change"].map(|heading| (Align::Right, heading));
    let columns = right.into_iter().chain([(Align::Left, "of")]).collect();
    let all = difference::counts(before, after).into_iter();
    Grid { heading: COUNTED, columns, rows: all.take(MOST_COUNTS).map(row).collect() }
}

fn amount(name: &str, value: f64) -> String {
    name.parse().map_or_else(|_| units::count(value), |metric| numbers::value(&metric, value))
}
