//! Numbers as this report prints them.

use crate::samples::{Metric, Unit};
use crate::units;
use crate::verdict::Relative;

/// What stands where there is no number.
pub(super) const NONE: &str = "–";

/// A change and the two ends of its interval, with equally many decimals: `+1.02 %`, `+0.70`, `+1.30 %`.
pub(super) fn change(change: Relative) -> (String, String, String) {
    let largest = [change.estimate, change.low, change.high].into_iter().map(f64::abs).fold(0.0, f64::max);
    let decimals = decimals(largest);
    let shown = |share| units::signed_percent(share, decimals);
    let low = shown(change.low);
    let low = low.strip_suffix(" %").unwrap_or(&low).to_owned();
    (shown(change.estimate), low, shown(change.high))
}

/// A change and its interval as one text: `-6.20 % (-6.80 … -5.60 %)`.
pub(super) fn with_interval(relative: Relative) -> String {
    let (estimate, low, high) = change(relative);
    format!("{estimate} ({low} … {high})")
}

/// A share without a sign: `0.40 %`.
pub(super) fn share(share: f64) -> String {
    units::percent(share, decimals(share.abs()))
}

/// Two digits behind the point tell small changes apart; in large ones they would be noise.
fn decimals(share: f64) -> usize {
    match share {
        share if share < 0.0995 => 2,
        share if share < 0.995 => 1,
        _ => 0,
    }
}

/// A share that a person chose, as it was chosen: `1 %`, `0.25 %`.
pub(super) fn chosen(share: f64) -> String {
    const MOST: usize = 6;
    let exact = |decimals: &usize| {
        let scaled = share * 10_f64.powi(i32::try_from(*decimals).unwrap_or(0) + 2);
        (scaled - scaled.round()).abs() < 1e-6
    };
    units::percent(share, (0..MOST).find(exact).unwrap_or(MOST))
}

/// A value of a metric in its unit; a dash where there is none.
pub(super) fn value(metric: &Metric, value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    match metric.unit() {
        Unit::Nanoseconds => units::duration_ns(value),
        Unit::Bytes => units::bytes(value),
        Unit::Count => units::count(value),
        Unit::PerSecond => units::count(value) + "/s",
        Unit::Share => units::percent(value, if value < 0.1 { 2 } else { 1 }),
    }
}

/// A relative difference by itself: `+11.2 %`.
pub(super) fn signed(share: f64) -> String {
    units::signed_percent(share, decimals(share.abs()))
}

/// How much more the second value is than the first, as a share of it; `None` where that says nothing.
pub(super) fn difference(before: f64, after: f64) -> Option<f64> {
    let share = after / before - 1.0;
    (before > 0.0 && share.is_finite()).then_some(share)
}

/// A difference of durations: `+120 ns`.
pub(super) fn signed_duration(nanoseconds: f64) -> String {
    if !nanoseconds.is_finite() {
        return NONE.to_owned();
    }
    let sign = if nanoseconds > 0.0 { "+" } else { "" };
    format!("{sign}{}", units::duration_ns(nanoseconds))
}

/// The ends of an interval. Where both have the same unit, it stands behind the second one alone.
pub(super) fn ends(low: String, high: String) -> (String, String) {
    let bare = match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => number.to_owned(),
        _ => low,
    };
    (bare, high)
}

/// A count and its noun: `1 row`, `3 rows`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_changes_are_shown_without_digits_that_are_noise() {
        let shown = |estimate: f64, low, high| change(Relative { estimate, low, high });
        let texts = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(shown(0.0102, 0.007, 0.013), texts("+1.02 %", "+0.70", "+1.30 %"));
        assert_eq!(shown(-0.25, -0.3, -0.2), texts("-25.0 %", "-30.0", "-20.0 %"));
        assert_eq!(shown(2.5, -0.004, 3.0), texts("+250 %", "0", "+300 %"));
    }

    #[test]
    fn an_interval_names_its_unit_once() {
        let shown = |low, high| ends(signed_duration(low), signed_duration(high));
        assert_eq!(shown(110.0, 130.0), ("+110".to_owned(), "+130 ns".to_owned()));
        assert_eq!(shown(-990.0, 1_020.0), ("-990 ns".to_owned(), "+1.02 µs".to_owned()));
        assert_eq!(signed_duration(f64::NAN), NONE);
    }

    #[test]
    fn a_difference_from_nothing_is_none() {
        assert_eq!([difference(2.0, 3.0), difference(0.0, 3.0), difference(1.0, f64::NAN)], [Some(0.5), None, None]);
    }

    #[test]
    fn tolerances_are_shown_as_they_were_chosen() {
        assert_eq!(
            [0.01, 0.0025, 0.05, 0.1, 0.0, 0.00125].map(chosen),
            ["1 %", "0.25 %", "5 %", "10 %", "0 %", "0.125 %"]
        );
    }

    #[test]
    fn a_value_has_its_metrics_unit_and_nothing_is_never_zero() {
        let shown = |metric: &str, number| value(&metric.parse().unwrap(), number);
        assert_eq!(shown("wall", 1_203_000.0), "1.20 ms");
        assert_eq!(shown("rss.peak", 65_536.0), "64.0 KiB");
        assert_eq!(shown("throughput", 12_345.0), "12.3k/s");
        assert_eq!(shown("alloc.count", 3.0), "3");
        assert_eq!(shown("wall", f64::NAN), NONE);
    }
}
