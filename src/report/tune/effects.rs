//! What each knob value changed, as a picture: the forest plot with a knob in place of a case.

use anyhow::Result;

use crate::advise::Advice;
use crate::report::forest::Chart;
use crate::report::line::{Group, Line};

use super::view::{EffectLine, baseline, lines, title};

/// The effects of all knob values as an SVG picture, 1,000 pixels wide, a line of 22 pixels per value: change and 95 % interval
/// in percent, by knob, the tolerance shaded. `design` names the design.
///
/// # Errors
/// Where the picture can't be drawn.
pub fn effects(advice: &Advice, design: &str) -> Result<String> {
    let mut groups: Vec<Group> = Vec::new();
    for effect in lines(advice) {
        let line = line(&effect, advice.tolerance);
        match groups.iter_mut().find(|group| group.case == effect.knob) {
            Some(group) => group.lines.push(line),
            None => groups.push(Group { case: effect.knob, lines: vec![line] }),
        }
    }
    let origin = baseline(&advice.baseline).text(str::to_owned) + "; geometric means with 95 % intervals";
    Chart { title: &title(advice, design), origin: &origin, groups: &groups }.picture()
}

fn line(effect: &EffectLine, tolerance: f64) -> Line {
    Line {
        standing: effect.standing,
        label: effect.value.clone(),
        change: effect.change.clone(),
        interval: effect.interval.clone(),
        values: None,
        visible: String::new(),
        notes: Vec::new(),
        span: effect.span,
        tolerance,
    }
}
