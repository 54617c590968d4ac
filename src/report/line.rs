//! The rows of a report as text, grouped by case, what needs eyes first.

use std::collections::BTreeSet;

use crate::samples::{CaseId, Metric, Waiver};
use crate::verdict::{Basis, Limit, Relative, Row, Verdict};

use super::arms::Naming;
use super::numbers::{self, NONE};
use super::text::clean;

/// A verdict as it is shown: unchanged rows differ in what a reader should know about them. In the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Worse beyond the tolerance.
    Regressed,
    /// Better beyond the tolerance.
    Improved,
    /// Can't be told yet.
    Undecided,
    /// Worse beyond the tolerance, and accepted by a waiver.
    Accepted,
    /// Unchanged within the tolerance, and the change is real.
    Tolerated,
    /// Unchanged within the tolerance.
    Unchanged,
    /// The same machine code on both sides.
    SameCode,
}

impl Standing {
    /// All standings, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Regressed,
        Self::Improved,
        Self::Undecided,
        Self::Accepted,
        Self::Tolerated,
        Self::Unchanged,
        Self::SameCode,
    ];

    pub(super) fn of(row: &Row) -> Self {
        match (row.verdict, row.basis) {
            (Verdict::Regressed, _) if row.waiver.is_some() => Self::Accepted,
            (Verdict::Regressed, _) => Self::Regressed,
            (Verdict::Improved, _) => Self::Improved,
            (Verdict::Undecided, _) => Self::Undecided,
            (Verdict::Unchanged, Basis::SameCode) => Self::SameCode,
            (Verdict::Unchanged, _) if row.tolerated_change() => Self::Tolerated,
            (Verdict::Unchanged, _) => Self::Unchanged,
        }
    }

    /// One character that tells it apart without colour.
    #[must_use]
    pub fn mark(self) -> char {
        match self {
            Self::Regressed => '✗',
            Self::Improved => '✓',
            Self::Undecided => '?',
            Self::Accepted => '~',
            Self::Tolerated => '≈',
            Self::Unchanged | Self::SameCode => '=',
        }
    }

    /// The verdict's own word.
    #[must_use]
    pub fn verdict(self) -> &'static str {
        match self {
            Self::Regressed | Self::Accepted => "regressed",
            Self::Improved => "improved",
            Self::Undecided => "undecided",
            Self::Tolerated | Self::Unchanged | Self::SameCode => "unchanged",
        }
    }

    /// The verdict with all that the standing adds to it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Accepted => "regressed (accepted)",
            Self::Tolerated => "unchanged (real but tolerated)",
            Self::SameCode => "unchanged (same code)",
            other => other.verdict(),
        }
    }

    /// Whether a person has to look at it.
    #[must_use]
    pub fn needs_eyes(self) -> bool {
        matches!(self, Self::Regressed | Self::Improved | Self::Undecided | Self::Accepted)
    }
}

/// One row. All texts are on one line each and free of control characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What is said of it.
    pub standing: Standing,
    /// What tells it apart from the other rows of its case: candidate, metric or both; may be empty.
    pub label: String,
    /// The change: `+1.02 %`; `~ +1.02 %` where it has no interval, a dash where nothing was measured.
    pub change: String,
    /// The ends of its interval: `+0.70` and `+1.30 %`.
    pub interval: Option<(String, String)>,
    /// Baseline's and candidate's value per iteration.
    pub values: Option<(String, String)>,
    /// The smallest change that could be seen: `0.40 %`.
    pub visible: String,
    /// What a reader must know beside; for undecided rows also what would decide them.
    pub notes: Vec<String>,
    /// The change as fractions, for plots.
    pub span: Option<Relative>,
    /// The tolerance as a fraction, for plots.
    pub tolerance: f64,
}

/// The rows of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Which case.
    pub case: String,
    /// Its rows, what needs eyes first.
    pub lines: Vec<Line>,
}

impl Group {
    /// The most urgent standing in it; a group has at least one row.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.lines.iter().map(|line| line.standing).min().unwrap_or(Standing::SameCode)
    }
}

/// The names that tell rows apart, over a whole report.
pub(super) struct Labels {
    naming: Naming,
    /// Whether two rows differ in nothing but the part of a merged run.
    parts: bool,
    candidates: bool,
    metrics: bool,
}

impl Labels {
    pub(super) fn of(rows: &[Row]) -> Self {
        let naming = Naming::of(rows.iter().flat_map(|row| [&row.candidate, &row.baseline]));
        let differ = |name: &dyn Fn(&Row) -> String| rows.windows(2).any(|pair| name(&pair[0]) != name(&pair[1]));
        let mut seen = BTreeSet::new();
        let parts = rows.iter().any(|row| !seen.insert((&row.case, &row.metric, naming.name(&row.candidate))));
        let candidates = parts || differ(&|row| naming.name(&row.candidate));
        Self { naming, parts, candidates, metrics: differ(&|row| row.metric.to_string()) }
    }

    /// The candidate's name, whether or not it tells rows apart.
    pub(super) fn candidate(&self, row: &Row) -> String {
        self.naming.name_in(row.part.filter(|_| self.parts), &row.candidate)
    }

    /// A row's label among `siblings` rows of its case. The only row of a case needs no metric when that is the usual one.
    pub(super) fn label(&self, row: &Row, siblings: usize) -> String {
        let metric = self.metrics && (siblings > 1 || row.metric != Metric::wall());
        let candidate = self.candidates.then(|| self.candidate(row));
        let parts = candidate.into_iter().chain(metric.then(|| clean(row.metric.as_str())));
        parts.collect::<Vec<_>>().join(" ")
    }
}

/// The rows by case, the cases with the most urgent rows first: there the largest changes first, else as the run has them.
pub(super) fn groups(rows: &[Row], labels: &Labels) -> Vec<Group> {
    let mut cases: Vec<(&CaseId, Vec<&Row>)> = Vec::new();
    let mut at = std::collections::BTreeMap::new();
    for row in rows {
        let place = *at.entry(&row.case).or_insert(cases.len());
        if place == cases.len() {
            cases.push((&row.case, Vec::new()));
        }
        cases[place].1.push(row);
    }
    let mut groups: Vec<Group> = cases.iter().map(|(case, rows)| group(case, rows, labels)).collect();
    groups.sort_by(|a, b| {
        let urgency = a.standing().cmp(&b.standing());
        urgency.then_with(|| magnitude(b).total_cmp(&magnitude(a)))
    });
    groups
}

fn group(case: &CaseId, rows: &[&Row], labels: &Labels) -> Group {
    let mut lines: Vec<Line> = rows.iter().map(|row| line(row, labels.label(row, rows.len()))).collect();
    lines.sort_by_key(|line| line.standing);
    Group { case: clean(&case.to_string()), lines }
}

/// How far the most urgent rows are from zero; 0 where nothing changed.
fn magnitude(group: &Group) -> f64 {
    let standing = group.standing();
    let urgent = group.lines.iter().filter(|line| line.standing == standing && standing < Standing::Undecided);
    urgent.filter_map(|line| line.span).map(|span| span.estimate.abs()).fold(0.0, f64::max)
}

fn line(row: &Row, label: String) -> Line {
    let shown = row.change.map(numbers::change);
    let value = |value| numbers::value(&row.metric, value);
    let mut notes: Vec<String> = row.notes.iter().map(|note| clean(note)).collect();
    if row.basis == Basis::Stored {
        notes.insert(0, "stored: the baseline was measured in another run".to_owned());
    }
    if row.verdict == Verdict::Undecided {
        notes.insert(0, what_decides(row));
    }
    if let Some(Waiver { commit, reason, expires, .. }) = &row.waiver {
        notes.insert(0, clean(&format!("accepted until {expires} (commit {commit}): {reason}")));
    }
    Line {
        standing: Standing::of(row),
        label,
        change: shown.as_ref().map_or_else(|| roughly(row), |(estimate, _, _)| estimate.clone()),
        interval: shown.map(|(_, low, high)| (low, high)),
        values: (row.rounds > 0).then(|| (value(row.baseline_value), value(row.candidate_value))),
        visible: row.smallest_visible.map_or(NONE.to_owned(), numbers::share),
        notes,
        span: row.change,
        tolerance: row.tolerance,
    }
}

/// Where there are too few rounds for an interval: the change of the mean.
fn roughly(row: &Row) -> String {
    let share = row.candidate_value / row.baseline_value - 1.0;
    if row.rounds == 0 || !share.is_finite() {
        return NONE.to_owned();
    }
    let (estimate, _, _) = numbers::change(Relative { estimate: share, low: share, high: share });
    format!("~ {estimate}")
}

/// An estimate so near the tolerance, as a share of it, sits on its edge: no number of rounds is a promise.
const EDGE: f64 = 0.05;

/// What would decide an undecided row, and what limits it. Widths shrink with the square root of the rounds.
fn what_decides(row: &Row) -> String {
    let limit = row.limited_by.map_or("", |limit| match limit {
        Limit::Blocks => "; limited by blocks: longer rounds help too",
        Limit::Processes => "; limited by processes",
        Limit::Layouts => "; limited by layouts: more link orders help",
        Limit::Runs => "",
    });
    let Some(change) = row.change else {
        return format!("too few rounds to tell: {}{limit}", row.rounds);
    };
    if row.limited_by == Some(Limit::Runs) {
        return "limited by runs: more rounds don't help, measuring both sides in one run does".to_owned();
    }
    // Around this estimate, the interval must fit between it and the tolerance (unchanged), or zero (changed).
    let distance = change.estimate.abs();
    let room = if distance > row.tolerance { distance } else { row.tolerance - distance };
    let factor = ((change.high - change.low) / 2.0 / room).powi(2);
    if factor <= 1.0 || (distance - row.tolerance).abs() < EDGE * row.tolerance {
        return format!(
            "close to the tolerance of {}: more rounds, or another tolerance, decide{limit}",
            numbers::chosen(row.tolerance)
        );
    }
    if factor > 1_000.0 || !factor.is_finite() {
        return format!(
            "more than 1000x the rounds, or a tolerance above {}, would decide{limit}",
            numbers::chosen(row.tolerance)
        );
    }
    format!(
        "about {}x the rounds would decide: {:.0} instead of {}{limit}",
        rounded_up(factor),
        row.rounds as f64 * factor,
        row.rounds
    )
}

/// Small factors with one decimal, large ones without, never too small.
fn rounded_up(factor: f64) -> f64 {
    if factor < 3.0 { (factor * 10.0).ceil() / 10.0 } else { factor.ceil() }
}
