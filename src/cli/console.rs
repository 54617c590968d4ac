//! What reaches the terminal: results on stdout, everything else on stderr, colour only where somebody looks.

use std::env;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::report::{Style, harmless};

/// The two streams and whether they are terminals.
#[derive(Debug)]
pub(super) struct Console {
    stdout_colour: bool,
    /// Whether progress may be drawn.
    pub(super) draws: bool,
    stderr_colour: bool,
    width: usize,
}

/// The width of text that goes into a file or a log.
const PLAIN_WIDTH: usize = 110;

impl Console {
    pub(super) fn new() -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = usize::from(console::Term::stdout().size().1);
        Self {
            stdout_colour: colour(stdout),
            stderr_colour: colour(stderr),
            draws: stderr,
            width: if stdout { width } else { PLAIN_WIDTH },
        }
    }

    /// How results are drawn.
    pub(super) fn style(&self) -> Style {
        Style { colour: self.stdout_colour, width: self.width }
    }

    /// Prints a result.
    ///
    /// # Errors
    /// Where it can't be written: a full disk is a failure, a reader that has gone away is none.
    pub(super) fn result(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("writing the result"),
            _ => Ok(()),
        }
    }

    /// Says something beside the result. What other programs said may be in it, so nothing of it can steer a terminal.
    pub(super) fn say(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
    }

    pub(super) fn warn(&self, text: &str) {
        self.put("warning:", "33", text);
    }

    pub(super) fn error(&self, error: &anyhow::Error) {
        self.put("error:", "31", &format!("{error:#}"));
    }

    fn put(&self, word: &str, code: &str, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{} {}", self.painted(word, code), harmless(text));
    }

    fn painted(&self, word: &str, code: &str) -> String {
        if self.stderr_colour { format!("\u{1b}[1;{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

/// `NO_COLOR` (no-color.org) and `CARGO_TERM_COLOR` have their say.
fn colour(terminal: bool) -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    match set("CARGO_TERM_COLOR").as_deref() {
        _ if set("NO_COLOR").is_some() => false,
        Some("always") => true,
        Some("never") => false,
        _ => terminal,
    }
}
