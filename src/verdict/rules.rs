//! The rules, each a small pure function of numbers.

use crate::samples::Better;

use super::row::{Relative, Verdict};

/// The verdict on an interval, for a tolerance `d`:
///
/// ```text
///            -d          0          +d
///  ---[--x--]-|-----------|-----------|-----------   improved   (lower is better)
///  -----------|--[--x--]--|-----------|-----------   unchanged, a real change that is tolerated
///  -----------|---[-------x-----]-----|-----------   unchanged
///  -----------|-----------|------[----x----]------   undecided, until the estimate is beyond d: then
///  -----------|-----------|---------[-|--x----]---   regressed: excludes zero, estimate beyond d
///  -------[---|-----x-----|----------]|-----------   undecided
/// ```
#[must_use]
pub fn verdict(change: Relative, tolerance: f64, better: Better) -> Verdict {
    let excludes_zero = change.low > 0.0 || change.high < 0.0;
    if excludes_zero && change.estimate.abs() > tolerance {
        let worse = match better {
            Better::Lower => change.estimate > 0.0,
            Better::Higher => change.estimate < 0.0,
        };
        return if worse { Verdict::Regressed } else { Verdict::Improved };
    }
    if change.low > -tolerance && change.high < tolerance {
        return Verdict::Unchanged;
    }
    Verdict::Undecided
}

/// The relative change that an interval on the log scale means.
#[must_use]
pub fn relative(estimate: f64, low: f64, high: f64) -> Relative {
    Relative { estimate: estimate.exp_m1(), low: low.exp_m1(), high: high.exp_m1() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(low: f64, estimate: f64, high: f64) -> Verdict {
        verdict(Relative { estimate, low, high }, 0.01, Better::Lower)
    }

    #[test]
    fn each_line_of_the_drawing_holds() {
        assert_eq!(of(-0.03, -0.02, -0.015), Verdict::Improved);
        assert_eq!(of(-0.008, -0.005, -0.002), Verdict::Unchanged);
        assert_eq!(of(-0.005, 0.0, 0.005), Verdict::Unchanged);
        assert_eq!(of(0.004, 0.01, 0.016), Verdict::Undecided);
        assert_eq!(of(0.004, 0.012, 0.02), Verdict::Regressed);
        assert_eq!(of(-0.02, -0.005, 0.01), Verdict::Undecided);
    }

    #[test]
    fn more_can_be_better() {
        let more = Relative { estimate: 0.05, low: 0.04, high: 0.06 };
        assert_eq!(verdict(more, 0.01, Better::Higher), Verdict::Improved);
        assert_eq!(verdict(more, 0.01, Better::Lower), Verdict::Regressed);
    }

    #[test]
    fn an_interval_with_zero_in_it_never_alarms() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..10_000 {
            let (low, high) = (-rng.f64(), rng.f64());
            let estimate = low + (high - low) * rng.f64();
            assert!(!matches!(of(low, estimate, high), Verdict::Regressed | Verdict::Improved));
        }
    }
}
