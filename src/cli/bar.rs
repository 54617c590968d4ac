//! Progress on stderr: a moving line on a terminal, a line per step elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use crate::progress::{Event, Listener};
use crate::report::harmless;

/// Shows what happens.
pub(super) struct Bar<'c> {
    console: &'c Console,
    bar: ProgressBar,
}

/// How often the line moves by itself.
const TICK: Duration = Duration::from_millis(500);

impl<'c> Bar<'c> {
    pub(super) fn new(console: &'c Console) -> Self {
        let target = if console.draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is a constant that indicatif takes; without it the default would do.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self { console, bar }
    }

    /// Clears the line.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        self.bar.suspend(|| self.console.say(text));
    }
}

impl Listener for Bar<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::BuildStarted { at, of, variant, source } => {
                self.bar.enable_steady_tick(TICK);
                self.bar.set_message(format!("building {variant} of {source} ({} of {of})", at + 1));
            }
            Event::BuildLine(line) => self.bar.set_message(harmless(&console::strip_ansi_codes(line.trim()))),
            Event::BuildFinished { variant, cached, elapsed } => {
                if !cached {
                    self.line(&format!("built {variant} in {:.1} s", elapsed.as_secs_f64()));
                }
            }
            Event::Measuring { undecided, unmeasured, elapsed, budget } => {
                // While rounds run, nothing else may: the line moves with them, not by a clock of its own.
                self.bar.disable_steady_tick();
                let left = budget.saturating_sub(*elapsed).as_secs();
                let open = if *unmeasured > 0 {
                    format!("{unmeasured} cases to come")
                } else {
                    format!("{undecided} rows undecided")
                };
                self.bar.set_message(format!("measuring: {open}; at most {}:{:02} left", left / 60, left % 60));
                self.bar.tick();
            }
            Event::Round => self.bar.tick(),
            Event::Finding(text) => self.line(&harmless(text)),
            Event::Counting(case) => self.bar.set_message(format!("counting {case}")),
            Event::Explaining(case) => self.bar.set_message(format!("looking into the change of {case}")),
            Event::Unexplained { case, why } => self.line(&format!("no reason found for the change of {case}: {why}")),
            Event::Failed(failure) => self.line(&format!("failed: {}: {}", failure.what, failure.why)),
        }
    }
}
