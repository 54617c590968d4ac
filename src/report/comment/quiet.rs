//! What a run that finds nothing has looked at: silence alone could mean anything.

use crate::report::line::{Group, Line, Standing};
use crate::report::markdown::code;
use crate::report::numbers::{NONE, share};
use crate::report::view::View;
use crate::verdict::Relative;

use super::verdict;

/// How far from the baseline any unchanged row can be, and how large a change the bluntest of them would have shown. Empty where
/// no unchanged row was measured.
pub(super) fn bounds(view: &View) -> String {
    let unchanged = |line: &Line| matches!(line.standing, Standing::Unchanged | Standing::Tolerated);
    let measured: Vec<(&Group, &Line, Relative)> = verdict::lines(view)
        .filter(|(_, line)| unchanged(line))
        .filter_map(|(group, line)| line.span.map(|span| (group, line, span)))
        .filter(|(_, _, span)| reach(*span).is_finite())
        .collect();
    let farthest = measured.iter().max_by(|one, other| reach(one.2).total_cmp(&reach(other.2)));
    let widest = measured.iter().max_by(|one, other| width(one.2).total_cmp(&width(other.2)));
    let bound = farthest.map(|(group, line, span)| {
        format!(
            "No unchanged row is further than {} from its baseline ({}).",
            share(above(reach(*span))),
            name(group, line)
        )
    });
    let blunt = widest.filter(|(_, line, _)| line.visible != NONE).map(|(group, line, _)| {
        format!(" The one that sees least, {}, would have shown a change of {}.", name(group, line), line.visible)
    });
    bound.map_or_else(String::new, |bound| bound + &blunt.unwrap_or_default())
}

fn name(group: &Group, line: &Line) -> String {
    verdict::row(group, line, &code)
}

/// How far from zero the interval goes.
fn reach(span: Relative) -> f64 {
    span.low.abs().max(span.high.abs())
}

fn width(span: Relative) -> f64 {
    span.high - span.low
}

/// The next hundredth of a percent above: a bound is never shown smaller than it is.
fn above(share: f64) -> f64 {
    const STEPS: f64 = 10_000.0;
    // What is a whole number of steps but for the last bits of a float stays so.
    (share * STEPS - 1e-6).ceil() / STEPS
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{calm_rows, judgement, row, run, same_code};
    use super::*;
    use crate::verdict::{Row, Verdict};

    fn said(rows: Vec<Row>) -> String {
        bounds(&View::of(&run(&[]), &judgement(rows)))
    }

    #[test]
    fn the_bound_is_that_of_the_farthest_end_and_never_rounded_down() {
        let rows = vec![
            row("w::near", Verdict::Unchanged, 0.0, 0.006),
            row("w::far", Verdict::Unchanged, -0.005, 0.004_21),
            row("w::other", Verdict::Regressed, 0.3, 0.1),
        ];
        assert_eq!(
            said(rows),
            "No unchanged row is further than 0.93 % from its baseline (`w::far`). The one that sees least, `w::near`, would \
             have shown a change of 0.84 %."
        );
        assert!(said(calm_rows()).starts_with("No unchanged row is further than 0.71 % from its baseline"));
    }

    #[test]
    fn nothing_is_said_of_rows_that_were_not_measured() {
        assert_eq!(said(vec![same_code("w::a")]), "");
        assert_eq!(said(vec![row("w::wild", Verdict::Unchanged, f64::NAN, f64::INFINITY)]), "");
        assert_eq!(said(Vec::new()), "");
    }
}
