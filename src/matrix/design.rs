//! Designs of experiments: which combinations of the knobs' values are built, so that what every knob buys can be told.

mod fraction;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use fraction::Fraction;
use names::Names;

use crate::plan::{Axis, DesignKind, Exclusion, Plan, Setting, Variant};
use crate::samples::VariantName;

/// The most cells of a design: every one is a build.
const MOST_CELLS: usize = 512;

/// The variants that a matrix comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// How the combinations were chosen.
    pub kind: DesignKind,
    /// The plan's baseline variant, then those that are derived from it. No two are built and run alike; names are unique.
    pub variants: Vec<Variant>,
    /// The resolution that a fractional design reaches, before combinations were left out. `None` for the other kinds, and
    /// where the fraction came out as every combination.
    pub resolution: Option<u8>,
    /// The rows of the design: what of them is neither among `variants` nor `excluded` came to the same as another row.
    pub runs: usize,
    /// The combinations that the plan leaves out.
    pub excluded: Vec<Excluded>,
}

/// A combination that is not built.
#[derive(Clone, Debug, PartialEq)]
pub struct Excluded {
    /// The name that it would have.
    pub name: VariantName,
    /// What leaves it out.
    pub by: Exclusion,
}

impl Design {
    /// What the design can tell, as one sentence without a full stop.
    #[must_use]
    pub fn meaning(&self) -> String {
        let clear = match (self.kind, self.resolution) {
            (DesignKind::OneAtATime, _) => "each knob's effect is seen alone, interactions are not seen",
            (DesignKind::Full, _) | (DesignKind::Fractional, None) => {
                "every combination: all effects are clear of each other"
            }
            (DesignKind::Fractional, Some(..=3)) => {
                "main effects are clear of each other, but not of two-knob interactions"
            }
            (DesignKind::Fractional, Some(4)) => "main effects are clear of each other and of two-knob interactions",
            (DesignKind::Fractional, Some(_)) => "main effects and two-knob interactions are clear of each other",
        };
        if self.kind == DesignKind::OneAtATime {
            return clear.to_owned();
        }
        let repeated = self.runs.saturating_sub(self.variants.len() + self.excluded.len());
        // Repeats of a fraction keep its levels in proportion; built once, they are to be counted as often as they occur.
        let repeats = match (self.resolution, repeated) {
            (None, _) | (_, 0) => String::new(),
            (_, 1) => "; that counts 1 run that came to the same as another".to_owned(),
            (_, repeated) => format!("; that counts {repeated} runs that came to the same as others"),
        };
        let left_out = match self.excluded.len() {
            0 => String::new(),
            1 => "; that holds before 1 combination was left out".to_owned(),
            left_out => format!("; that holds before {left_out} combinations were left out"),
        };
        format!("{clear}{repeats}{left_out}")
    }
}

/// The design that the plan's matrix asks for. Of the plan's variants, only the baseline plays a part: every other variant is
/// the baseline with knobs turned, its cases, environment and demands on results included, and is measured unasked.
///
/// # Errors
/// Where there would be more than 512 cells (a full design is counted before combinations are left out), no fraction of that
/// size is found that reaches the resolution, or the plan has no variant by the name of its baseline. The text says what to
/// ask for instead.
pub fn design(plan: &Plan) -> Result<Design, String> {
    let baseline = plan.variant(&plan.baseline);
    let baseline = baseline.ok_or_else(|| format!("there is no variant {:?}", plan.baseline.as_str()))?;
    let matrix = &plan.matrix;
    // The baseline's own value is a level as well, the first.
    let levels: Vec<usize> = matrix.axes.iter().map(|axis| axis.values.len() + 1).collect();
    let mut resolution = None;
    let rows = match matrix.design {
        DesignKind::OneAtATime => one_at_a_time(&levels)?,
        DesignKind::Full => full(&levels)?,
        DesignKind::Fractional => {
            let fraction = fraction(&levels, matrix.resolution)?;
            resolution = fraction.resolution().and_then(|resolution| u8::try_from(resolution).ok());
            fraction.runs().collect()
        }
    };
    let (variants, excluded) = variants(baseline, &matrix.axes, &rows, &matrix.exclude)?;
    Ok(Design { kind: matrix.design, variants, resolution, runs: rows.len(), excluded })
}

/// A level per axis, 0 for the baseline's own value and k for the k-th of the axis.
type Row = Vec<usize>;

fn one_at_a_time(levels: &[usize]) -> Result<Vec<Row>, String> {
    let cells = 1 + levels.iter().map(|levels| levels - 1).sum::<usize>();
    if cells > MOST_CELLS {
        return Err(format!("the matrix has {cells} cells, and {MOST_CELLS} are the most: name fewer values"));
    }
    let changed = |axis: usize, level: usize| {
        let mut row = vec![0; levels.len()];
        row[axis] = level;
        row
    };
    let each = (0..levels.len()).flat_map(|axis| (1..levels[axis]).map(move |level| changed(axis, level)));
    Ok(std::iter::once(vec![0; levels.len()]).chain(each).collect())
}

/// Every combination, the last axis turning fastest.
fn full(levels: &[usize]) -> Result<Vec<Row>, String> {
    let cells = levels.iter().fold(1_u128, |cells, levels| cells.saturating_mul(*levels as u128));
    if cells > MOST_CELLS as u128 {
        return Err(format!(
            "a full design of this matrix has {cells} cells, and {MOST_CELLS} are the most: write design = \"fractional\" in \
             [matrix], or name fewer values"
        ));
    }
    let longer = |rows: Vec<Row>, levels: &usize| -> Vec<Row> {
        rows.iter().flat_map(|row| (0..*levels).map(|level| [row.as_slice(), &[level]].concat())).collect()
    };
    Ok(levels.iter().fold(vec![Row::new()], longer))
}

fn fraction(levels: &[usize], resolution: u8) -> Result<Fraction, String> {
    Fraction::find(levels, resolution.into(), MOST_CELLS.ilog2()).ok_or_else(|| {
        format!(
            "no fractional design of resolution {resolution} with at most {MOST_CELLS} runs was found for this matrix: ask \
             for a lower resolution in [matrix], or name fewer values"
        )
    })
}

/// The rows as variants, what comes to the same taken once, and what is left out.
fn variants(
    baseline: &Variant,
    axes: &[Axis],
    rows: &[Row],
    exclude: &[Exclusion],
) -> Result<(Vec<Variant>, Vec<Excluded>), String> {
    let mut seen = BTreeSet::from([baseline.resolved()]);
    let mut names = Names::new(&baseline.name);
    let (mut variants, mut excluded) = (vec![baseline.clone()], Vec::new());
    for row in rows {
        let settings = settings(axes, row);
        let turned = settings.iter().fold(baseline.clone(), |variant, setting| variant.with(setting));
        if !seen.insert(turned.resolved()) {
            continue;
        }
        let name = names.name(&settings)?;
        match exclude.iter().find(|exclusion| exclusion.hits(&turned)) {
            Some(by) => excluded.push(Excluded { name, by: by.clone() }),
            None => variants.push(Variant { name, explicit: false, ..turned }),
        }
    }
    Ok((variants, excluded))
}

/// What a row sets beside what the baseline variant has.
fn settings<'a>(axes: &'a [Axis], row: &Row) -> Vec<&'a Setting> {
    axes.iter().zip(row).filter_map(|(axis, level)| Some(&axis.values[level.checked_sub(1)?])).collect()
}
