//! A page for a terminal, line by line, and what every report has on it.

use super::numbers::{NONE, counted};
use super::palette::Paint;
use super::text::wrapped;
use super::view::Broken;
use crate::samples::PlanChange;

/// How a terminal is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are wanted.
    pub colour: bool,
    /// Columns of the terminal. Below 90 the values are left out, below 65 the rows no longer fit.
    pub width: usize,
}

/// The text so far, and how the terminal wants it.
pub(super) struct Page {
    pub(super) style: Style,
    pub(super) text: String,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    /// A line in one piece, whatever its length.
    pub(super) fn line(&mut self, text: &str, paint: Paint) {
        self.text += &paint.on(text, self.style.colour);
        self.text.push('\n');
    }

    /// A text that may be long: broken between words, its first line and the later ones so far in.
    pub(super) fn wrapped(&mut self, text: &str, indents: (usize, usize), paint: Paint) {
        for line in wrapped(text, self.style.width, indents) {
            self.line(&line, paint);
        }
    }

    /// A line above what follows.
    pub(super) fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.wrapped(text, (0, 2), Paint::Bold);
    }

    /// What could not be measured, why, and the commands that show it again.
    pub(super) fn failures(&mut self, failures: &[Broken]) {
        if failures.is_empty() {
            return;
        }
        self.heading(&counted(failures.len(), "failure"));
        for failure in failures {
            self.wrapped(&format!("✗ {}", failure.what), (2, 4), Paint::Red);
            failure.why.iter().for_each(|line| self.wrapped(line, (4, 6), Paint::Plain));
            if let Some(command) = &failure.command {
                // In one piece: it is there to be copied.
                self.line(&format!("    $ {command}"), Paint::Dim);
            }
        }
    }

    /// What the plan says otherwise than the plan that judges.
    pub(super) fn plan_changes(&mut self, judge: Option<&str>, changes: &[PlanChange]) {
        let Some(judge) = judge.filter(|_| !changes.is_empty()) else { return };
        self.heading(&format!("judged by the plan of {judge}; the plan here says otherwise"));
        for change in changes {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| NONE.to_owned());
            let text = format!("{}: {} → {}", change.what, side(&change.before), side(&change.after));
            self.wrapped(&text, (2, 4), Paint::Plain);
        }
    }

    /// Variants and why they were not built.
    pub(super) fn skipped(&mut self, skipped: &[(String, String)]) {
        if !skipped.is_empty() {
            self.heading("variants that were not measured");
            skipped.iter().for_each(|(name, why)| self.wrapped(&format!("{name}: {why}"), (2, 4), Paint::Plain));
        }
    }
}
