//! A command that is run again and again to be timed: what can be done once is done once, and nobody reads along.

use std::fmt;
use std::fs::File;
use std::io::{PipeWriter, Seek};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};

use super::child::{stderr_file, written};
use super::collect::Sink;
use super::forked::Words;
use super::run::{self, Course, Source, watched};
use super::spawn::{self, Leader};
use super::{Output, Spec, Usage, check_interrupt, stray, sys};

/// How much of what a child writes is taken out of its pipe at once, bytes.
const BUFFER: usize = 64 * 1024;

/// A command with its words laid out, one pipe for its standard output and one file in memory for its standard error.
pub struct Repeated {
    spec: Spec,
    words: Words,
    /// What strays are known by.
    mark: String,
    /// Emptied and forgotten. `/dev/null` would do that too, but some programs notice and do less (GNU grep stops at the first
    /// match).
    from_stdout: Source,
    to_stdout: PipeWriter,
    stderr: File,
    buffer: Vec<u8>,
}

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated").field("command", &self.spec.command_line()).finish_non_exhaustive()
    }
}

/// Takes bytes and forgets them.
struct Nowhere;

impl Sink for Nowhere {
    fn take(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

impl Repeated {
    /// Makes the command ready. The environment is the tool's of this moment, with the changes asked for.
    ///
    /// # Errors
    /// Where the program is not in the `PATH`, or the system allows no pipe or file in memory.
    pub fn new(spec: Spec) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        sys::adopt_orphans().context("adopting what commands leave behind")?;
        let mark = format!("{}-{}", sys::own_pid(), COUNT.fetch_add(1, Ordering::Relaxed));
        let words = spawn::words(&spec.clone().env(stray::MARK, &mark), None)?;
        let (from_stdout, to_stdout) = run::pipe()?;
        Ok(Self { spec, words, mark, from_stdout, to_stdout, stderr: stderr_file()?, buffer: vec![0; BUFFER] })
    }

    /// Runs the command from start to end.
    ///
    /// # Errors
    /// Where it can't be started, does not end well, takes too long ([`super::TimedOut`]), or the tool was asked to end
    /// ([`super::Interrupted`]).
    pub fn run(&mut self) -> Result<Usage> {
        check_interrupt()?;
        self.stderr.rewind().context("emptying a file in memory")?;
        let stdio = [run::null()?, self.to_stdout.as_fd(), self.stderr.as_fd()];
        let mut child = Leader::launch(&self.spec, &self.words, stdio, None)?;
        let mut course = Course::new(self.spec.timeout);
        let seen = loop {
            let mut fds = [child.ended(), self.from_stdout.fd(), course.bell()].map(watched);
            sys::poll(&mut fds, course.left()).context("waiting for a child")?;
            if fds[0].revents != 0 {
                break sys::now_ns();
            }
            if fds[1].revents != 0 {
                self.from_stdout.read(&mut self.buffer, &mut Nowhere)?;
            }
            course.go_on(Instant::now(), &child);
        };
        let (status, usage) = child.finish(seen).context("reaping a child")?;
        stray::end(&self.mark);
        self.from_stdout.empty(&mut self.buffer, &mut Nowhere)?;
        course.ended(&self.spec, || written(&self.stderr))?;
        if status.success() {
            return Ok(usage);
        }
        let output = Output::new(&self.spec, status, usage, Vec::new(), written(&self.stderr));
        output.check("the command").map(|output| output.usage)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::TimedOut;

    fn shell(script: &str) -> Spec {
        Spec::new("sh").args(["-c", script])
    }

    #[test]
    fn every_run_is_the_same_and_what_is_written_is_forgotten() {
        let mut command = Repeated::new(shell("head -c 1000000 /dev/zero; echo words >&2")).unwrap();
        for _ in 0..3 {
            assert!(command.run().unwrap().elapsed_ns > 0);
            assert_eq!(written(&command.stderr).trim(), "words");
        }
    }

    #[test]
    fn its_standard_output_is_no_null_device() {
        let own = "case \"$(ls -l /proc/$$/fd/1)\" in *pipe:*) ;; *) exit 4;; esac";
        Repeated::new(shell(own)).unwrap().run().unwrap();
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_last_words_and_can_run_again() {
        let mut command = Repeated::new(shell("echo no such luck >&2; exit 3")).unwrap();
        for _ in 0..2 {
            let error = format!("{:#}", command.run().unwrap_err());
            assert!(error.contains("exit code 3") && error.contains("no such luck"), "{error}");
            assert_eq!(error.matches("no such luck").count(), 2, "in the command and once in the words: {error}");
        }
    }

    #[test]
    fn a_daemon_that_a_command_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let script =
            format!("setsid sh -c 'echo $$ > {0}; sleep 60 & wait' & until test -s {0}; do :; done", note.display());
        let mut command = Repeated::new(shell(&script)).unwrap();
        command.run().unwrap();
        let pid = std::fs::read_to_string(&note).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "the daemon {pid} lives on");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let mut command = Repeated::new(shell("sleep 60").timeout(Duration::from_millis(50))).unwrap();
        let error = command.run().unwrap_err();
        assert!(error.is::<TimedOut>(), "{error:#}");
    }
}
