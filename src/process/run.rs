//! Running a child to its end.

use std::fmt;
use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libc::{POLLIN, pollfd};

use super::collect::{Collected, Lines, Sink, Tail};
use super::interrupt::{self, Interrupted, check_interrupt};
use super::output::{Output, Status, account};
use super::spawn::Leader;
use super::{Spec, Usage, sys};

/// How long a child that was asked to end may take before it is made to.
const GRACE: Duration = Duration::from_secs(2);
/// Reads of one buffer each that empty a pipe whose writers are gone: the kernel lets pipes grow to a mebibyte.
const LAST_READS: usize = 32;
/// What one read takes, bytes: as much as a pipe usually holds.
const BUFFER: usize = 64 * 1024;

/// A child took longer than it was given, and its process group was ended.
#[derive(Clone, Debug)]
pub struct TimedOut {
    /// The limit of the [`Spec`].
    pub limit: Duration,
    /// The command, runnable in a shell.
    pub command: String,
    /// The last few KiB that it wrote to its standard error.
    pub stderr_tail: String,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = account(&self.command, &self.stderr_tail);
        write!(f, "it took longer than {} s and was ended{account}", self.limit.as_secs_f64())
    }
}

impl std::error::Error for TimedOut {}

/// Runs a child and collects what it writes. How it ended is for the caller to judge ([`Output::check`]).
///
/// # Errors
/// Where it can't be started, writes more than 256 MiB to its standard output, takes too long ([`TimedOut`]), or the
/// tool is asked to end ([`Interrupted`]). In all these cases its process group is gone.
pub fn run(spec: &Spec) -> Result<Output> {
    run_with(spec, &mut |_| ())
}

/// Like [`run`], and hands on every line that the child writes to its standard error as it comes, without its end.
///
/// # Errors
/// As [`run`].
pub fn run_with(spec: &Spec, on_stderr: &mut dyn FnMut(&str)) -> Result<Output> {
    let mut stdout = Collected::default();
    let (status, usage, tail) = supervise(spec, &mut stdout, Lines::new(on_stderr))?;
    Ok(Output::new(spec, status, usage, stdout.into_bytes(), tail))
}

/// Like [`run`], but hands on the lines of the standard output as they come, without their ends, and collects none.
///
/// # Errors
/// As [`run`], without a limit on the standard output.
pub fn run_lines(spec: &Spec, on_stdout: &mut dyn FnMut(&str)) -> Result<Output> {
    let mut stdout = Lines::new(on_stdout);
    let (status, usage, tail) = supervise(spec, &mut stdout, Lines::new(&mut |_| ()))?;
    stdout.finish();
    Ok(Output::new(spec, status, usage, Vec::new(), tail))
}

/// Runs the child; returns how it ended, what it used, and the end of what it wrote to its standard error.
fn supervise(spec: &Spec, stdout: &mut dyn Sink, lines: Lines<'_>) -> Result<(Status, Usage, String)> {
    let (attended, ()) = Attended::start(spec, |stdio| Ok((Leader::start(spec, stdio, None)?, ())))?;
    attended.supervise(spec, stdout, lines)
}

/// A child, and the pipes that it writes into.
pub(super) struct Attended {
    pub(super) child: Leader,
    from_stdout: Source,
    from_stderr: Source,
}

impl Attended {
    /// The child that `start` makes with these descriptors, and what else it returns.
    pub(super) fn start<T>(
        spec: &Spec,
        start: impl FnOnce([BorrowedFd<'_>; 3]) -> Result<(Leader, T)>,
    ) -> Result<(Self, T)> {
        check_interrupt()?;
        let (from_stdout, to_stdout) = pipe()?;
        let (from_stderr, to_stderr) = pipe()?;
        let stdin = stdin(spec)?;
        let stdin = match &stdin {
            Some(file) => file.as_fd(),
            None => null()?,
        };
        let (child, rest) = start([stdin, to_stdout.as_fd(), to_stderr.as_fd()])?;
        Ok((Self { child, from_stdout, from_stderr }, rest))
    }

    /// Stays until the child has ended; returns how, what it used, and the end of what it wrote to its standard error.
    pub(super) fn supervise(
        mut self,
        spec: &Spec,
        stdout: &mut dyn Sink,
        mut lines: Lines<'_>,
    ) -> Result<(Status, Usage, String)> {
        let mut tail = Tail::default();
        let mut course = Course::new(spec.timeout);
        let mut buffer = vec![0; BUFFER];
        let seen = loop {
            let mut fds =
                [self.child.ended(), self.from_stdout.fd(), self.from_stderr.fd(), course.bell()].map(watched);
            sys::poll(&mut fds, course.left()).context("waiting for a child")?;
            let happened = fds.map(|fd| fd.revents != 0);
            if happened[0] {
                break sys::now_ns();
            }
            if happened[1] {
                self.from_stdout.read(&mut buffer, stdout)?;
            }
            if happened[2] {
                self.from_stderr.read(&mut buffer, &mut (&mut tail, &mut lines))?;
            }
            course.go_on(Instant::now(), &self.child);
        };
        let (status, usage) = self.child.finish(seen).context("reaping a child")?;
        self.from_stdout.empty(&mut buffer, stdout)?;
        self.from_stderr.empty(&mut buffer, &mut (&mut tail, &mut lines))?;
        lines.finish();
        course.ended(spec, || tail.text())?;
        Ok((status, usage, tail.text()))
    }
}

pub(super) fn watched(fd: RawFd) -> pollfd {
    pollfd { fd, events: POLLIN, revents: 0 }
}

/// Waits for a worker's end, which the caller has asked for. Once this fails, the worker's group is gone.
pub(super) fn wait(child: &mut Leader, limit: Option<Duration>) -> Result<Option<(Status, Usage)>> {
    let mut course = Course::new(limit);
    loop {
        let mut fds = [child.ended(), course.bell()].map(watched);
        sys::poll(&mut fds, course.left()).context("waiting for a child")?;
        if fds[0].revents != 0 {
            let result = child.finish(sys::now_ns()).context("reaping a child")?;
            return match course.ending {
                None => Ok(Some(result)),
                Some(Ending::Interrupted) => Err(Interrupted.into()),
                Some(Ending::TimedOut(_)) => Ok(None),
            };
        }
        course.go_on(Instant::now(), child);
    }
}

/// Waits for the end of a child that was killed.
pub(super) fn reap(child: &mut Leader) -> Result<(Status, Usage)> {
    child.wait_for_end().context("waiting for a child")?;
    child.finish(sys::now_ns()).context("reaping a child")
}

/// Why a child is being ended.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Interrupted,
    TimedOut(Duration),
}

/// How far a child's life is: running, asked to end, made to end.
#[derive(Debug)]
pub(super) struct Course {
    limit: Option<Duration>,
    ending: Option<Ending>,
    deadline: Option<Instant>,
}

impl Course {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        // A limit beyond what the clock can hold is none.
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { limit, ending: None, deadline }
    }

    /// What to wake up for beside the child. Once rung, the bell rings on: then it is no longer listened to.
    pub(super) fn bell(&self) -> RawFd {
        if self.ending.is_none() { interrupt::bell() } else { -1 }
    }

    pub(super) fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Asks the group to end when that is due, and ends it when asking was not enough.
    pub(super) fn go_on(&mut self, now: Instant, child: &Leader) {
        let due = self.deadline.is_some_and(|deadline| now >= deadline);
        match (self.ending, self.limit) {
            (None, _) if interrupt::requested() => self.ask(Ending::Interrupted, now, child),
            (None, Some(limit)) if due => self.ask(Ending::TimedOut(limit), now, child),
            (Some(_), _) if due => {
                child.signal(libc::SIGKILL);
                self.deadline = None;
            }
            _ => {}
        }
    }

    /// Whether the child ended by itself.
    pub(super) fn ended(&self, spec: &Spec, stderr_tail: impl FnOnce() -> String) -> Result<()> {
        match self.ending {
            None => Ok(()),
            Some(Ending::Interrupted) => Err(Interrupted.into()),
            Some(Ending::TimedOut(limit)) => {
                Err(TimedOut { limit, command: spec.command_line(), stderr_tail: stderr_tail() }.into())
            }
        }
    }

    fn ask(&mut self, ending: Ending, now: Instant, child: &Leader) {
        child.signal(libc::SIGTERM);
        self.ending = Some(ending);
        self.deadline = Some(now + GRACE);
    }
}

/// The reading end of a pipe, until the other end is closed.
pub(super) struct Source(Option<PipeReader>);

impl Source {
    pub(super) fn fd(&self) -> RawFd {
        self.0.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Reads once; whether there may be more.
    pub(super) fn read(&mut self, buffer: &mut [u8], sink: &mut dyn Sink) -> Result<bool> {
        let Some(pipe) = &mut self.0 else { return Ok(false) };
        match pipe.read(buffer) {
            Ok(0) => self.0 = None,
            Ok(count) => {
                sink.take(&buffer[..count])?;
                return Ok(true);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("reading what a child writes"),
        }
        Ok(false)
    }

    /// Reads what is left, and does not wait for a stranger who kept the other end open.
    pub(super) fn empty(&mut self, buffer: &mut [u8], sink: &mut dyn Sink) -> Result<()> {
        let mut reads = 0;
        while reads < LAST_READS && self.read(buffer, sink)? {
            reads += 1;
        }
        Ok(())
    }
}

pub(super) fn pipe() -> Result<(Source, io::PipeWriter)> {
    let (reader, writer) = io::pipe().context("making a pipe")?;
    sys::set_nonblocking(reader.as_fd()).context("making a pipe")?;
    Ok((Source(Some(reader)), writer))
}

/// A file in memory with what the child is to read: nobody has to feed a pipe.
fn stdin(spec: &Spec) -> Result<Option<File>> {
    let Some(bytes) = &spec.stdin else { return Ok(None) };
    let fill = || {
        let mut file = sys::memory_file(c"stdin", bytes.len() as u64)?;
        file.write_all(bytes)?;
        file.rewind()?;
        io::Result::Ok(file)
    };
    fill().map(Some).context("laying out a child's standard input")
}

/// `/dev/null`, for reading and writing, opened once.
pub(super) fn null() -> Result<BorrowedFd<'static>> {
    static NULL: OnceLock<File> = OnceLock::new();
    if let Some(file) = NULL.get() {
        return Ok(file.as_fd());
    }
    let file = File::options().read(true).write(true).open("/dev/null").context("opening /dev/null")?;
    Ok(NULL.get_or_init(|| file).as_fd())
}
