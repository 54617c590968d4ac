//! Cells (a source tree built as a variant) and the arms of a case.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::{Filters, Variant};
use crate::samples::{Arm, CaseId, WORKING_TREE};

/// Which source tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The working tree, as it stands.
    WorkingTree,
    /// A commit, by its full id.
    Commit(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkingTree => f.write_str(WORKING_TREE),
            Self::Commit(id) => f.write_str(id),
        }
    }
}

/// One thing to build: a source tree as a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The source tree.
    pub source: Source,
    /// How to build it.
    pub variant: Variant,
    /// Index of the cell that it is compared with; `None` for a baseline.
    pub against: Option<usize>,
}

/// A drill: one case's candidates really do more than they report.
#[derive(Clone, Debug, PartialEq)]
pub struct Drill {
    /// The cases it is for.
    pub cases: Filters,
    /// How much more, as a share.
    pub share: f64,
}

/// All cells of a run. Without a base revision every other variant is compared with `variants[0]`; with one, every variant
/// of the working tree is compared with the same variant of the base.
#[must_use]
pub fn cells(variants: &[Variant], base: Option<&str>) -> Vec<Cell> {
    let cell = |source: Source, variant: &Variant, against| Cell { source, variant: variant.clone(), against };
    match base {
        None => {
            let against = |at: usize| (at > 0).then_some(0);
            variants.iter().enumerate().map(|(at, variant)| cell(Source::WorkingTree, variant, against(at))).collect()
        }
        Some(commit) => {
            let pair = |(at, variant): (usize, &Variant)| {
                [
                    cell(Source::Commit(commit.to_owned()), variant, None),
                    cell(Source::WorkingTree, variant, Some(2 * at)),
                ]
            };
            variants.iter().enumerate().flat_map(pair).collect()
        }
    }
}

/// The arms of a case, with the cell that each one runs. `codes` is the machine code of every cell's program, `None` where
/// the cell could not be built. A drill handicaps the candidates of another revision; between variants it adds an arm, the
/// baseline handicapped.
#[must_use]
pub fn arms(case: &CaseId, cells: &[Cell], codes: &[Option<String>], drills: &[Drill]) -> Vec<(usize, Arm)> {
    let share = drills.iter().find(|drill| drill.cases.matches(case)).map_or(0.0, |drill| drill.share);
    let revisions = cells.iter().any(|cell| matches!(cell.source, Source::Commit(_)));
    let mut places = BTreeMap::new();
    let mut arms: Vec<(usize, Arm)> = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let Some(code) = &codes[at] else { continue };
        let against = match cell.against {
            // What it is compared with could not be built, so neither is it measured.
            Some(baseline) if !places.contains_key(&baseline) => continue,
            baseline => baseline.map(|baseline| places[&baseline]),
        };
        if !cell.variant.only.matches(case) {
            continue;
        }
        places.insert(at, arms.len());
        let handicap = if against.is_some() && revisions { share } else { 0.0 };
        arms.push((at, arm(cell, code, against, handicap)));
    }
    if share > 0.0 && !revisions && !arms.is_empty() {
        let (at, baseline) = arms[0].clone();
        arms.push((at, Arm { handicap: share, against: Some(0), ..baseline }));
    }
    arms
}

fn arm(cell: &Cell, code: &str, against: Option<usize>, handicap: f64) -> Arm {
    Arm {
        knobs: cell.variant.knobs(),
        revision: cell.source.to_string(),
        against,
        handicap,
        code: code.to_owned(),
        other_results: !cell.variant.same_results,
        env: cell.variant.env.clone(),
        ..Arm::plain(cell.variant.name.clone())
    }
}

/// Reads `CASE=2%` drills.
///
/// # Errors
/// Where a drill has no `=`, no percentage, or one that is not above 0 and at most 100 %.
pub fn drills(texts: &[String]) -> Result<Vec<Drill>, String> {
    texts.iter().map(|text| drill(text)).collect()
}

fn drill(text: &str) -> Result<Drill, String> {
    let (case, share) = text.rsplit_once('=').ok_or_else(|| format!("a handicap is CASE=2%, not {text:?}"))?;
    let share = crate::units::parse_percent(share).map_err(|error| error.to_string())?;
    if !(share > 0.0 && share <= 1.0) {
        return Err(format!("a handicap is above 0 % and at most 100 %: {text:?}"));
    }
    Ok(Drill { cases: Filters::new(&[case])?, share })
}
