//! A command that waits before its program runs, so that somebody can take a place beside it first.

use std::fmt;
use std::os::unix::net::UnixStream;

use anyhow::Result;

use super::collect::{Collected, Lines};
use super::run::Attended;
use super::spawn::Leader;
use super::{Output, Spec};

/// A process of its own group with all that the program will have (folder, descriptors, CPUs), up to the `exec` that makes it
/// the program. Dropping it ends it.
///
/// The tool makes it itself, [`super::Guardian`] or not: the thread that calls [`hold`] has to outlive it, and
/// [`super::Usage::max_rss_bytes`] counts in what the tool has.
pub struct Held {
    spec: Spec,
    attended: Attended,
    line: UnixStream,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = self.spec.command_line();
        f.debug_struct("Held").field("pid", &self.pid()).field("command", &command).finish_non_exhaustive()
    }
}

/// Starts a command and holds it before its program.
///
/// # Errors
/// Where it can't be started, or the tool was asked to end ([`super::Interrupted`]). A program that can't be executed is told
/// of by [`Held::go`].
pub fn hold(spec: &Spec) -> Result<Held> {
    let (attended, line) = Attended::start(spec, |stdio| Leader::hold(spec, stdio))?;
    Ok(Held { spec: spec.clone(), attended, line })
}

impl Held {
    /// Its process id, which is its group's and will be the program's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.attended.child.pid().unsigned_abs()
    }

    /// Lets it run its program to the end, and collects what that writes. Limits and times count from now on.
    ///
    /// # Errors
    /// As [`super::run`].
    pub fn go(self) -> Result<Output> {
        let Self { spec, mut attended, line } = self;
        attended.child.let_go(&spec, line)?;
        let mut stdout = Collected::default();
        let (status, usage, tail) = attended.supervise(&spec, &mut stdout, Lines::new(&mut |_| ()))?;
        Ok(Output::new(&spec, status, usage, stdout.into_bytes(), tail))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::process::{TimedOut, run};

    fn sh(script: &str) -> Spec {
        Spec::new("/bin/sh").args(["-c", script])
    }

    fn program_of(held: &Held) -> PathBuf {
        fs::read_link(format!("/proc/{}/exe", held.pid())).unwrap()
    }

    #[test]
    fn a_held_command_exists_and_its_program_runs_when_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo $$; cat; pwd; touch ran; ls /proc/self/fd | wc -l >&2; exit 3";
        let held = hold(&sh(script).stdin("in\n").current_dir(folder.path())).unwrap();
        let pid = held.pid();
        assert_eq!(program_of(&held), std::env::current_exe().unwrap(), "no other program yet");
        std::thread::sleep(Duration::from_millis(50));
        assert!(!folder.path().join("ran").exists());
        let output = held.go().unwrap();
        let place = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{pid}\nin\n{}\n", place.display()));
        assert_eq!((output.code, output.stderr_tail.as_str()), (Some(3), "4\n"), "the line to the tool is closed");
    }

    #[test]
    fn time_counts_from_when_it_is_let_go() {
        let held = hold(&sh("sleep 0.05").timeout(Duration::from_millis(400))).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let elapsed = Duration::from_nanos(held.go().unwrap().usage.elapsed_ns);
        assert!((Duration::from_millis(50)..Duration::from_millis(400)).contains(&elapsed), "{elapsed:?}");
        let late = hold(&sh("sleep 100").timeout(Duration::from_millis(100))).unwrap();
        assert!(late.go().unwrap_err().is::<TimedOut>());
    }

    #[test]
    fn a_held_command_that_is_dropped_or_killed_ends_without_having_run() {
        let held = hold(&sh("true")).unwrap();
        let process = PathBuf::from(format!("/proc/{}", held.pid()));
        drop(held);
        assert!(!process.exists());
        let held = hold(&sh("true")).unwrap();
        run(&sh("kill -9 $0").arg(held.pid().to_string())).unwrap().check("kill").unwrap();
        assert_eq!(held.go().unwrap().signal, Some(libc::SIGKILL));
    }

    #[test]
    fn what_fails_before_the_program_runs_is_told_as_of_any_child() {
        let entering = format!("{:#}", hold(&Spec::new("true").current_dir("/no/folder")).unwrap_err());
        assert!(entering.contains("cd /no/folder && true: entering /no/folder: No such file"), "{entering}");
        let executing = format!("{:#}", hold(&Spec::new("/etc/passwd")).unwrap().go().unwrap_err());
        assert!(executing.ends_with("executing /etc/passwd: Permission denied (os error 13)"), "{executing}");
        let finding = hold(&Spec::new("no-such-program")).unwrap_err().to_string();
        assert!(finding.starts_with("there is no program"), "{finding}");
    }

    #[test]
    fn several_are_held_at_once_and_let_go_in_any_order() {
        let held: Vec<Held> = (0..5).map(|n| hold(&sh(&format!("echo {n}"))).unwrap()).collect();
        for (n, one) in held.into_iter().enumerate().rev() {
            assert_eq!(one.go().unwrap().stdout, format!("{n}\n").as_bytes());
        }
    }
}
