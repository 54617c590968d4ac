//! Sampling by the program `perf`, which may have been given rights that this process has not.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::event::Clock;
use super::observer::{Observer, Seen};
use super::options::Options;
use super::recording::Recording;
use crate::process::{Child, Spec, find_program, spawn_worker};

/// The most that perf may take to answer, or to write its file at the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tells perf the number of the descriptor that it is spoken to by.
const CONTROL: &str = "PERFPLAN_CONTROL";
/// `perf record` with that descriptor, both for commands and for answers. A shell puts the number in.
const COMMAND: &str = r#"exec perf record --control "fd:$PERFPLAN_CONTROL,$PERFPLAN_CONTROL" "$@""#;
/// What perf answers when it has done what it was told.
const DONE: &[u8] = b"ack\n";

/// A `perf record` that is attached to a process and waits.
#[derive(Debug)]
pub(super) struct PerfProgram {
    child: Child,
    control: UnixStream,
    file: Scratch,
    pid: u32,
    on_exec: bool,
}

/// A file that goes when this does.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is gone already, or there is nothing that could be done.
        let _ = fs::remove_file(&self.0);
    }
}

impl PerfProgram {
    /// Attaches to a process. Stacks are copied where this perf knows how to, else it follows frame pointers.
    ///
    /// # Errors
    /// Where there is no `perf`, or it is not permitted either.
    pub(super) fn attach(pid: u32, options: &Options) -> Result<Self> {
        if find_program("perf").is_none() {
            bail!("there is no perf in PATH");
        }
        let copied = format!("dwarf,{}", options.stack_copy());
        Self::with(pid, options, &copied).or_else(|_| Self::with(pid, options, "fp"))
    }

    fn with(pid: u32, options: &Options, stacks: &str) -> Result<Self> {
        let name = format!("perfplan-{}-{pid}.perf.data", std::process::id());
        let file = Scratch(std::env::temp_dir().join(name));
        let words =
            ["-c", COMMAND, "perf", "--delay", "-1", "--call-graph", stacks, "--freq", &options.rate().to_string()];
        let mut spec = Spec::new("sh").args(words).arg("--pid").arg(pid.to_string()).arg("--output").arg(&file.0);
        if !options.kernel {
            spec = spec.arg("--all-user");
        }
        let (control, theirs) = UnixStream::pair().context("making a socket")?;
        control.set_read_timeout(Some(PATIENCE)).context("setting a time limit")?;
        let child = spawn_worker(&spec.timeout(PATIENCE), OwnedFd::from(theirs), CONTROL)?;
        let mut perf = Self { child, control, file, pid, on_exec: options.on_exec };
        // Changes nothing yet; the answer says that perf has attached.
        if let Err(error) = perf.tell("disable") {
            // Behind that perf explains at length what this tool says in its own words.
            let said: Vec<String> = perf.child.stderr_tail().lines().take(2).map(str::to_owned).collect();
            return Err(error.context(format!("perf record can't attach: {}", said.join(" "))));
        }
        if options.on_exec {
            perf.tell("enable")?;
        }
        Ok(perf)
    }

    /// Begins to sample.
    ///
    /// # Errors
    /// Where perf has ended or does not answer.
    pub(super) fn start(&mut self) -> Result<()> {
        self.tell("enable")
    }

    /// Pauses.
    ///
    /// # Errors
    /// As [`PerfProgram::start`].
    pub(super) fn stop(&mut self) -> Result<()> {
        self.tell("disable")
    }

    /// Ends perf, and says what it saw, what drove its samples, and whether it saw the kernel.
    ///
    /// # Errors
    /// Where perf failed.
    pub(super) fn finish(mut self) -> Result<(Seen, Clock, bool)> {
        // A perf whose process has ended may have ended as well, with its file complete.
        let stopped = self.tell("stop");
        let (status, _) = self.child.wait().context("waiting for perf record")?;
        if !status.success() {
            stopped?;
            bail!("perf record failed: {status}\n{}", self.child.stderr_tail());
        }
        let file = fs::read(&self.file.0).context("reading what perf recorded")?;
        let recording = Recording::parse(&file)?;
        let mut observer = Observer::default();
        if self.on_exec {
            observer.await_exec(self.pid);
        }
        for timed in recording.records {
            observer.see(timed.record);
        }
        Ok((observer.into_seen(), recording.clock, recording.kernel))
    }

    /// Gives perf a command, and waits until it has done it.
    fn tell(&mut self, command: &str) -> Result<()> {
        let answered = writeln!(self.control, "{command}").and_then(|()| {
            let mut answer: Vec<u8> = Vec::new();
            let mut buffer = [0; 16];
            while !answer.windows(DONE.len()).any(|part| part == DONE) {
                match self.control.read(&mut buffer)? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    count => answer.extend(&buffer[..count]),
                }
            }
            Ok(())
        });
        answered.with_context(|| format!("perf record does not answer to `{command}`"))
    }
}
