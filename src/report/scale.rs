//! The horizontal scale of a forest plot: symmetric round zero, wide enough for most rows.

use crate::units;

use super::line::Line;

/// Of ten rows, nine fit whole: one wild row must not squeeze all others together.
const FITTING: f64 = 0.9;
/// The tolerance is seen with at least so many times its width.
const TOLERANCES: f64 = 2.5;
/// Where there is nothing to go by: 1 %.
const LEAST: f64 = 0.01;
/// A range below this can't be told from none.
const NARROWEST: f64 = 1e-9;
/// Ticks on each side of zero, at most.
const TICKS: f64 = 4.0;
/// Digits behind the point of a tick's percentage, at most: enough for the narrowest range.
const DECIMALS: f64 = 9.0;

/// Maps shares to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    range: f64,
    step: f64,
    left: i32,
    right: i32,
}

impl Scale {
    /// A scale for these rows between two pixel columns.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a Line> + Clone, (left, right): (i32, i32)) -> Self {
        let spans = lines.clone().filter_map(|line| line.span);
        let mut reaches: Vec<f64> =
            spans.map(|span| span.low.abs().max(span.high.abs())).filter(|r| r.is_finite()).collect();
        reaches.sort_by(f64::total_cmp);
        let fitting = (reaches.len() as f64 * FITTING).ceil() as usize;
        let reach = fitting.checked_sub(1).and_then(|at| reaches.get(at)).copied().unwrap_or(0.0);
        let tolerance = lines.map(|line| line.tolerance).filter(|t| t.is_finite()).fold(0.0, f64::max);
        let wanted = (reach * 1.05).max(tolerance * TOLERANCES);
        let range = if wanted > 0.0 { wanted.max(NARROWEST) } else { LEAST };
        let step = round_step(range / TICKS);
        Self { range, step, left, right }
    }

    /// The pixel column of a share; the edge for one beyond the range.
    pub(super) fn at(&self, share: f64) -> i32 {
        let place = (share / self.range).clamp(-1.0, 1.0);
        let half = f64::from(self.right - self.left) / 2.0;
        self.left + ((place + 1.0) * half).round() as i32
    }

    /// -1 or 1 for a share beyond the left or right end, else 0.
    pub(super) fn beyond(&self, share: f64) -> i32 {
        i32::from(share > self.range) - i32::from(share < -self.range)
    }

    /// The marked shares and their texts, from left to right.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let each_side = (self.range / self.step).floor() as i32;
        let decimals = (-(self.step * 100.0).log10().floor()).clamp(0.0, DECIMALS) as usize;
        let tick = |at: i32| (f64::from(at) * self.step, units::signed_percent(f64::from(at) * self.step, decimals));
        (-each_side..=each_side)
            .map(tick)
            .map(|(share, text)| (share, if share == 0.0 { "0 %".to_owned() } else { text }))
            .collect()
    }
}

/// The next larger of 1, 2, 5, 10, 20, 50, ... (also below 1).
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|nice| nice * power >= step * 0.999_999);
    nice.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::super::examples::line;
    use super::*;

    #[test]
    fn one_wild_row_does_not_squeeze_the_others() {
        let mut lines: Vec<Line> = (0..20).map(|_| line(0.005, 0.01)).collect();
        lines.push(line(3.0, 0.01));
        let scale = Scale::of(lines.iter(), (0, 200));
        assert!(scale.range < 0.03, "{scale:?}");
        assert_eq!((scale.beyond(3.0), scale.beyond(-3.0), scale.beyond(0.005)), (1, -1, 0));
        assert_eq!((scale.at(3.0), scale.at(0.0), scale.at(-3.0)), (200, 100, 0));
    }

    #[test]
    fn ticks_are_round_and_symmetric() {
        let texts = |reach, tolerance| {
            let lines = [line(reach, tolerance)];
            let ticks = Scale::of(lines.iter(), (0, 200)).ticks();
            ticks.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(0.0, 0.01), ["-2 %", "-1 %", "0 %", "+1 %", "+2 %"]);
        assert_eq!(texts(0.0, 0.0), ["-1.0 %", "-0.5 %", "0 %", "+0.5 %", "+1.0 %"]);
    }

    #[test]
    fn a_range_next_to_nothing_has_a_handful_of_short_ticks() {
        for reach in [f64::MIN_POSITIVE, 5e-324, 1e-30, 1e-9] {
            let lines = [line(reach, reach)];
            let ticks = Scale::of(lines.iter(), (0, 200)).ticks();
            assert!((3..=9).contains(&ticks.len()), "{reach}: {} ticks", ticks.len());
            assert!(ticks.iter().all(|(_, text)| text.len() <= 16), "{reach}: {ticks:?}");
        }
    }

    #[test]
    fn numbers_that_are_none_leave_a_scale_to_draw_with() {
        let lines = [line(f64::NAN, f64::INFINITY), line(f64::INFINITY, 0.0)];
        let scale = Scale::of(lines.iter(), (0, 200));
        assert_eq!(scale.range, LEAST);
        assert_eq!(scale.beyond(f64::INFINITY), 1);
    }
}
