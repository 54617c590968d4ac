//! Sampling by the program `perf`, which may have been given rights that this process has not.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::event::Clock;
use super::observer::{Observer, Seen};
use super::options::Options;
use super::recording::Recording;
use crate::process::{Child, Spec, check_interrupt, find_program, spawn_worker};

/// The most that perf may take to answer, or to write its file at the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that perf may take to attach.
const ATTACHING: Duration = Duration::from_secs(5);
/// How often one who waits for an answer looks whether the tool is to end.
const GLANCE: Duration = Duration::from_millis(50);
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
    folder: Scratch,
    pid: u32,
    on_exec: bool,
}

/// A folder that goes when this does. Nobody else may look into it, or has made it before.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("perfplan-{:016x}", fastrand::u64(..)));
        DirBuilder::new().mode(0o700).create(&path).with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self(path))
    }

    fn file(&self) -> PathBuf {
        self.0.join("perf.data")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is gone already, or there is nothing that could be done.
        let _ = fs::remove_dir_all(&self.0);
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
        Self::with(pid, options, &copied).or_else(|error| {
            // Whoever does not answer at all does not answer to other words either.
            if has_hung_up(&error) { Self::with(pid, options, "fp") } else { Err(error) }
        })
    }

    fn with(pid: u32, options: &Options, stacks: &str) -> Result<Self> {
        let folder = Scratch::new()?;
        let words =
            ["-c", COMMAND, "perf", "--delay", "-1", "--call-graph", stacks, "--freq", &options.rate().to_string()];
        let mut spec = Spec::new("sh").args(words).arg("--pid").arg(pid.to_string()).arg("--output").arg(folder.file());
        if !options.kernel {
            spec = spec.arg("--all-user");
        }
        let (control, theirs) = UnixStream::pair().context("making a socket")?;
        control.set_read_timeout(Some(GLANCE)).context("setting a time limit")?;
        let child = spawn_worker(&spec.timeout(PATIENCE), OwnedFd::from(theirs), CONTROL)?;
        let mut perf = Self { child, control, folder, pid, on_exec: options.on_exec };
        // Changes nothing yet; the answer says that perf has attached.
        if let Err(error) = perf.tell("disable", ATTACHING) {
            // Behind that perf explains at length what this tool says in its own words.
            let said: Vec<String> = perf.child.stderr_tail().lines().take(2).map(str::to_owned).collect();
            return Err(error.context(format!("perf record can't attach: {}", said.join(" "))));
        }
        if options.on_exec {
            perf.tell("enable", PATIENCE)?;
        }
        Ok(perf)
    }

    /// Begins to sample.
    ///
    /// # Errors
    /// Where perf has ended or does not answer.
    pub(super) fn start(&mut self) -> Result<()> {
        self.tell("enable", PATIENCE)
    }

    /// Pauses. One that has ended samples no more; whether it was well then is told by [`PerfProgram::finish`].
    ///
    /// # Errors
    /// Where perf does not answer.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.tell("disable", PATIENCE).or_else(|error| if has_hung_up(&error) { Ok(()) } else { Err(error) })
    }

    /// Ends perf, and says what it saw, what drove its samples, and whether it saw the kernel.
    ///
    /// # Errors
    /// Where perf failed.
    pub(super) fn finish(mut self) -> Result<(Seen, Clock, bool)> {
        // A perf whose process has ended may have ended as well, with its file complete.
        let stopped = self.tell("stop", PATIENCE);
        let (status, _) = self.child.wait().context("waiting for perf record")?;
        if !status.success() {
            stopped?;
            bail!("perf record failed: {status}\n{}", self.child.stderr_tail());
        }
        let file = fs::read(self.folder.file()).context("reading what perf recorded")?;
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
    fn tell(&mut self, command: &str, patience: Duration) -> Result<()> {
        let silent = || format!("perf record does not answer to `{command}`");
        writeln!(self.control, "{command}").with_context(silent)?;
        await_answer(&mut self.control, patience).with_context(silent)
    }
}

/// Reads until perf says that it is done. The channel's own time limit says how often is looked around.
fn await_answer(mut control: impl Read, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    let mut answer: Vec<u8> = Vec::new();
    let mut buffer = [0; 16];
    while !answer.windows(DONE.len()).any(|part| part == DONE) {
        match control.read(&mut buffer) {
            Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(count) => answer.extend(&buffer[..count]),
            Err(error) if is_pause(&error) => {
                check_interrupt()?;
                if Instant::now() > deadline {
                    bail!("nothing for {} s", patience.as_secs());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Whether perf has closed its end, as it does when it ends.
fn has_hung_up(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn channel() -> (UnixStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        (ours, theirs)
    }

    #[test]
    fn an_answer_in_pieces_is_one() {
        let (ours, mut theirs) = channel();
        theirs.write_all(b"\0ac").unwrap();
        theirs.write_all(b"k\n\0").unwrap();
        await_answer(ours, Duration::ZERO).unwrap();
    }

    #[test]
    fn silence_is_told_from_an_end() {
        let (ours, theirs) = channel();
        let silence = await_answer(&ours, Duration::from_millis(20)).unwrap_err();
        assert!(!has_hung_up(&silence), "{silence:#}");
        drop(theirs);
        let end = await_answer(&ours, Duration::from_millis(20)).context("more words").unwrap_err();
        assert!(has_hung_up(&end), "{end:#}");
    }

    #[test]
    fn the_scratch_folder_is_ones_own_and_goes() {
        let (first, second) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(first.0, second.0);
        assert_eq!(fs::metadata(&first.0).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(first.file(), "recorded").unwrap();
        let path = first.0.clone();
        drop(first);
        assert!(!path.exists());
    }
}
