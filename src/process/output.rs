//! What a finished child left.

use std::fmt;

use anyhow::{Result, bail};

use super::{Spec, Usage};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It returned this code; 0 is success.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Status {
    pub(super) fn from_wait(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }

    /// Whether it returned 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match signal_hook::low_level::signal_name(*signal) {
                Some(name) => write!(f, "ended by {name}"),
                None => write!(f, "ended by signal {signal}"),
            },
        }
    }
}

/// A child that ended by itself, well or not.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it; `None` where it returned.
    pub signal: Option<i32>,
    /// All that it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// The last few KiB that it wrote to its standard error.
    pub stderr_tail: String,
    /// What it used.
    pub usage: Usage,
    command: String,
}

impl Output {
    pub(super) fn new(spec: &Spec, status: Status, usage: Usage, stdout: Vec<u8>, stderr_tail: String) -> Self {
        let (code, signal) = match status {
            Status::Code(code) => (Some(code), None),
            Status::Signal(signal) => (None, Some(signal)),
        };
        Self { code, signal, stdout, stderr_tail, usage, command: spec.command_line() }
    }

    /// How it ended.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.signal {
            Some(signal) => Status::Signal(signal),
            // Whatever no signal ended has a code.
            None => Status::Code(self.code.unwrap_or_default()),
        }
    }

    /// Whether it returned 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status().success()
    }

    /// The output of a child that returned 0.
    ///
    /// # Errors
    /// Where it did not: says what failed (`what`), how, the command to run it again, and the end of its standard
    /// error.
    pub fn check(self, what: &str) -> Result<Self> {
        if self.success() {
            return Ok(self);
        }
        bail!("{what} failed: {}{}", self.status(), account(&self.command, &self.stderr_tail))
    }
}

/// The command, and what it said last.
pub(super) fn account(command: &str, stderr_tail: &str) -> String {
    let tail = stderr_tail.trim_end();
    let separator = if tail.is_empty() { "" } else { "\n" };
    format!("\ncommand: {command}{separator}{tail}")
}
