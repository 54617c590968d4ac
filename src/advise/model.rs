//! Which sums of cells tell which effect: least squares on the log scale.
//!
//! ln(time of a cell / time of the baseline) = b + one term per knob value + one per pair of values that occur together,
//! the baseline's own values having none. The baseline takes part as a cell whose change is 0, and b takes up its noise, which
//! all changes share; without b every effect would be pulled by it. Effects of three and more knobs together are taken for
//! nothing. From a design that changes one knob at a time this is each cell's own change; from a full one the difference of
//! the means of all cells with and without a value (Box, Hunter & Hunter 2005, ch. 5).

use std::collections::BTreeMap;

use super::contrast::Contrast;
use super::grid::{CellHead, Grid, Settings};
use crate::stats;

/// A knob and its value.
pub(super) type Level = (String, String);

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Base,
    One(Level),
    Two(Level, Level),
}

impl Term {
    fn holds(&self, settings: &Settings) -> bool {
        let set = |(knob, value): &Level| settings.get(knob) == Some(value);
        match self {
            Self::Base => true,
            Self::One(level) => set(level),
            Self::Two(one, other) => set(one) && set(other),
        }
    }
}

/// The terms of a design, and the cells that tell them apart.
#[derive(Debug)]
pub(super) struct Model<'a> {
    grid: &'a Grid,
    terms: Vec<Term>,
}

/// A combination of the terms' coefficients.
pub(super) type Wanted = Vec<f64>;

impl<'a> Model<'a> {
    /// The model with one term per knob value, and with `pairs` also one per pair of values that occur together.
    pub(super) fn of(grid: &'a Grid, pairs: bool) -> Self {
        let levels: Vec<Level> =
            grid.knobs().iter().flat_map(|(knob, values)| values.iter().map(|v| (knob.clone(), v.clone()))).collect();
        let mut terms = vec![Term::Base];
        terms.extend(levels.iter().cloned().map(Term::One));
        let each = levels.iter().enumerate().flat_map(|(at, one)| levels[at + 1..].iter().map(move |two| (one, two)));
        let twos = each.filter(|(one, two)| one.0 != two.0).map(|(one, two)| Term::Two(one.clone(), two.clone()));
        let occurs = |term: &Term| grid.cells.iter().any(|cell| term.holds(&cell.settings));
        terms.extend(twos.filter(|term| pairs && occurs(term)));
        Self { grid, terms }
    }

    /// The pairs of values that have a term.
    pub(super) fn pairs(&self) -> Vec<(Level, Level)> {
        let pair = |term: &Term| match term {
            Term::Two(one, two) => Some((one.clone(), two.clone())),
            Term::Base | Term::One(_) => None,
        };
        self.terms.iter().filter_map(pair).collect()
    }

    fn sum(&self, weight: impl Fn(&Term) -> f64) -> Wanted {
        self.terms.iter().map(weight).collect()
    }

    /// What a value changes where all other knobs are as the baseline has them.
    pub(super) fn alone(&self, level: &Level) -> Wanted {
        self.sum(|term| if *term == Term::One(level.clone()) { 1.0 } else { 0.0 })
    }

    /// What a value changes on average over the values of every other knob, the baseline's own among them.
    pub(super) fn average(&self, level: &Level) -> Wanted {
        let knobs = self.grid.knobs();
        let share = |knob: &str| knobs.iter().find(|(k, _)| k == knob).map_or(0.0, |(_, v)| 1.0 / (v.len() + 1) as f64);
        self.sum(|term| match term {
            Term::One(one) if one == level => 1.0,
            Term::Two(one, two) if one == level => share(&two.0),
            Term::Two(one, two) if two == level => share(&one.0),
            _ => 0.0,
        })
    }

    /// By how much the combination of two values differs from the sum of both.
    pub(super) fn pair(&self, pair: &(Level, Level)) -> Wanted {
        self.sum(|term| if *term == Term::Two(pair.0.clone(), pair.1.clone()) { 1.0 } else { 0.0 })
    }

    /// What a whole build changes.
    pub(super) fn whole(&self, settings: &Settings) -> Wanted {
        self.sum(|term| if *term != Term::Base && term.holds(settings) { 1.0 } else { 0.0 })
    }

    /// The sums of cells that tell these combinations: nothing where even all cells together can't.
    pub(super) fn contrasts(&self, wanted: &[Wanted]) -> Vec<Option<Contrast>> {
        let cases = self.grid.cases.iter();
        let present: Vec<Vec<bool>> = cases.map(|case| case.cells.iter().map(Option::is_some).collect()).collect();
        let all = vec![true; self.grid.cells.len()];
        let mut solved: BTreeMap<&[bool], Vec<Option<Vec<f64>>>> = BTreeMap::new();
        for cells in present.iter().chain([&all]) {
            solved.entry(cells).or_insert_with(|| self.weights(cells, wanted));
        }
        let of = |cells: &[bool], at: usize| solved.get(cells).and_then(|weights| weights[at].as_deref());
        let contrast = |at: usize| Contrast(present.iter().map(|cells| of(cells, at).map(sparse)).collect());
        (0..wanted.len()).map(|at| of(&all, at).map(|_| contrast(at))).collect()
    }

    /// Per combination the weights of all cells; those that are not present have none.
    fn weights(&self, present: &[bool], wanted: &[Wanted]) -> Vec<Option<Vec<f64>>> {
        let row = |settings: &Settings| self.sum(|term| f64::from(u8::from(term.holds(settings))));
        let there: Vec<(usize, &CellHead)> =
            self.grid.cells.iter().enumerate().filter(|(cell, _)| present[*cell]).collect();
        let baseline = row(&Settings::new());
        let design: Vec<Wanted> =
            std::iter::once(baseline).chain(there.iter().map(|(_, cell)| row(&cell.settings))).collect();
        let place = |weights: Vec<f64>| {
            let mut all = vec![0.0; present.len()];
            there.iter().zip(&weights[1..]).for_each(|((cell, _), weight)| all[*cell] = *weight);
            all
        };
        stats::least_squares(&design, wanted).into_iter().map(|weights| weights.map(place)).collect()
    }
}

fn sparse(weights: &[f64]) -> Vec<(usize, f64)> {
    weights.iter().copied().enumerate().filter(|(_, weight)| weight.abs() > 1e-9).collect()
}
