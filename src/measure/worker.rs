//! A worker as the sampling loop sees it, and the real one: a process behind a socket.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use perfplan_harness::protocol::{CONTROL, Command, Description, Reply, Sample, VERSION};

use crate::process::{self, Child, Spec, Usage};

/// Where a worker is put.
#[derive(Clone, Debug)]
pub struct Seat<'a> {
    /// The program, in the layout that was drawn.
    pub program: &'a Path,
    /// Words before the program: of a tool that runs it and watches.
    pub wrapper: &'a [OsString],
    /// Environment variables of the variant.
    pub env: &'a [(String, String)],
    /// Bytes by which the environment block is lengthened: the stack begins elsewhere in every process.
    pub padding: usize,
    /// The CPUs that it may run on.
    pub cpus: &'a [usize],
    /// How long it may take to answer.
    pub timeout: Duration,
}

/// Starts workers. The lowest layer of measuring: tests put a scripted one in its place.
pub trait Starter: Send {
    /// Starts a worker and waits until it says hello.
    ///
    /// # Errors
    /// Where it can't be started, or speaks another protocol.
    fn start(&mut self, seat: &Seat<'_>) -> Result<Box<dyn Worker>>;
}

/// One process that measures.
pub trait Worker {
    /// Its process id.
    fn pid(&self) -> u32;

    /// Tells the worker what to do.
    ///
    /// # Errors
    /// Where the worker is gone.
    fn send(&mut self, command: &Command) -> Result<()>;

    /// Waits for its answer.
    ///
    /// # Errors
    /// Where it does not answer in time, dies, or says that something went wrong.
    fn receive(&mut self) -> Result<Reply>;

    /// Ends it, and says what it used.
    ///
    /// # Errors
    /// Where it does not end.
    fn end(self: Box<Self>) -> Result<Usage>;
}

/// Asks for a batch or a count and waits for the sample.
pub(super) fn sample(worker: &mut dyn Worker, command: &Command) -> Result<Sample> {
    worker.send(command)?;
    match worker.receive()? {
        Reply::Sample(sample) => Ok(sample),
        other => bail!("the worker answered {other:?} where a sample was due"),
    }
}

/// Sets a case up; returns `ok` or why hardware counters are absent.
pub(super) fn set_up(worker: &mut dyn Worker, case: &str, size: &str, handicap: f64) -> Result<String> {
    worker.send(&Command::Setup { case: case.to_owned(), size: size.to_owned(), handicap })?;
    match worker.receive()? {
        Reply::Ready { counters } => Ok(counters),
        other => bail!("the worker answered {other:?} to a set-up"),
    }
}

/// Asks for the cases that there are.
pub(super) fn list(worker: &mut dyn Worker) -> Result<Vec<Description>> {
    worker.send(&Command::List)?;
    let mut cases = Vec::new();
    loop {
        match worker.receive()? {
            Reply::Case(case) => cases.push(case),
            Reply::Done => return Ok(cases),
            other => bail!("the worker answered {other:?} where its cases were due"),
        }
    }
}

/// How often a waiting perfplan looks whether it was interrupted.
const GLANCE: Duration = Duration::from_millis(200);

/// Starts real processes.
#[derive(Debug, Default)]
pub struct Processes;

impl Starter for Processes {
    fn start(&mut self, seat: &Seat<'_>) -> Result<Box<dyn Worker>> {
        let (ours, theirs) = UnixStream::pair().context("making a socket pair")?;
        ours.set_read_timeout(Some(GLANCE))?;
        let padding = "x".repeat(seat.padding);
        let mut spec = Spec::new(seat.program).behind(seat.wrapper).cpus(seat.cpus).env(PADDING, &padding);
        for (name, value) in seat.env {
            spec = spec.env(name, value);
        }
        let child =
            process::spawn_worker(&spec, OwnedFd::from(theirs), CONTROL).map_err(|error| unpadded(error, &padding))?;
        let mut worker = Process { child, lines: BufReader::new(ours), timeout: seat.timeout };
        let hello = worker.receive().map_err(|error| worker.without_hello(error, seat.program))?;
        match hello {
            Reply::Hello(VERSION) => Ok(Box::new(worker)),
            Reply::Hello(other) => bail!(
                "the program speaks version {other} of the worker protocol, this tool version {VERSION}: \
                 use the same release of perfplan-harness and cargo-perfplan"
            ),
            other => bail!("the program began with {other:?}"),
        }
    }
}

/// The environment variable that lengthens a worker's environment block.
const PADDING: &str = "PERFPLAN_PADDING";

/// The error without the page of padding in its command.
fn unpadded(error: anyhow::Error, padding: &str) -> anyhow::Error {
    if error.is::<process::Interrupted>() {
        return error;
    }
    anyhow::anyhow!("{}", format!("{error:#}").replace(&format!("{PADDING}={padding} "), ""))
}

/// A worker process.
struct Process {
    child: Child,
    lines: BufReader<UnixStream>,
    timeout: Duration,
}

/// The worker did not answer in time.
#[derive(Debug)]
struct Hung(Duration);

impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the worker did not answer for {} s and was ended", self.0.as_secs_f64())
    }
}

impl std::error::Error for Hung {}

impl Process {
    /// Why there was no hello.
    fn without_hello(&mut self, error: anyhow::Error, program: &Path) -> anyhow::Error {
        if error.is::<process::Interrupted>() {
            return error;
        }
        // A program that ends well without a word did what its own `main` says.
        let well = self.child.wait().is_ok_and(|(status, _)| status.success());
        let question = if well { " (is its `main` the harness' `Suite::main`?)" } else { "" };
        error.context(format!("{} does not work with perfplan{question}", program.display()))
    }

    /// What a dead worker left: how it ended, and its last words.
    fn obituary(&mut self) -> anyhow::Error {
        self.child.kill();
        let ended = self.child.wait().map_or_else(|error| format!("{error:#}"), |(status, _)| status.to_string());
        let words = self.child.stderr_tail();
        let words = words.trim();
        anyhow::anyhow!("the worker ended ({ended}){}{words}", if words.is_empty() { "" } else { ": " })
    }
}

impl Worker for Process {
    fn pid(&self) -> u32 {
        self.child.pid()
    }

    fn send(&mut self, command: &Command) -> Result<()> {
        match self.lines.get_mut().write_all(format!("{command}\n").as_bytes()) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.obituary()),
        }
    }

    fn receive(&mut self) -> Result<Reply> {
        let mut line = String::new();
        let deadline = Instant::now() + self.timeout;
        // The socket gives up every little while, so that Ctrl-C is noticed however long a batch takes.
        loop {
            match self.lines.read_line(&mut line) {
                Ok(0) => return Err(self.obituary()),
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::WouldBlock => process::check_interrupt()?,
                Err(_) => return Err(self.obituary()),
            }
            if Instant::now() > deadline {
                return Err(Hung(self.timeout).into());
            }
        }
        match line.parse().map_err(anyhow::Error::msg)? {
            Reply::Error(text) => bail!("{text}"),
            reply => Ok(reply),
        }
    }

    fn end(mut self: Box<Self>) -> Result<Usage> {
        self.send(&Command::End)?;
        Ok(self.child.wait()?.1)
    }
}
