//! From a [`Spec`] to a running process group, and its end.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read, Write};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::forked::{CHANNEL, Launched, Step, Word, Words};
use super::guardian::{self, Watched};
use super::output::Status;
use super::run::watched;
use super::{Spec, Usage, machine, sys};

/// Where programs are looked for when the child has no `PATH`.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A child that leads a process group. Dropping it ends the group.
#[derive(Debug)]
pub(super) struct Leader {
    pid: libc::pid_t,
    ended: OwnedFd,
    begun_ns: u64,
    /// `None` from the moment that the child is to be reaped: then its number may soon be another's.
    watched: Option<Watched>,
    result: Option<(Status, Usage)>,
}

impl Leader {
    /// Starts the child. A `channel` is open in it as well; the variable of this name tells its number.
    pub(super) fn start(
        spec: &Spec,
        stdio: [BorrowedFd<'_>; 3],
        channel: Option<(BorrowedFd<'_>, &str)>,
    ) -> Result<Self> {
        let words = words(spec, channel.map(|(_, variable)| variable))?;
        let lent = spec.jobs.as_ref().map(|jobs| jobs.lent().as_fd());
        Self::launch(spec, &words, stdio, channel.map(|(fd, _)| fd).or(lent))
    }

    /// The same with the words of the command laid out before.
    pub(super) fn launch(
        spec: &Spec,
        words: &Words,
        stdio: [BorrowedFd<'_>; 3],
        channel: Option<BorrowedFd<'_>>,
    ) -> Result<Self> {
        let [stdin, stdout, stderr] = stdio.map(|fd| fd.as_raw_fd());
        let descriptors = [stdin, stdout, stderr, channel.map_or(-1, |fd| fd.as_raw_fd())];
        let failed = |(step, error)| not_started(spec, step, error);
        let (launched, watched) = guardian::launch(words, descriptors).map_err(failed)?;
        Self::of(launched, watched).with_context(|| format!("watching over {}", spec.command_line()))
    }

    /// Starts the child up to where its program would run. It waits there at the other end of the line that is returned.
    pub(super) fn hold(spec: &Spec, stdio: [BorrowedFd<'_>; 3]) -> Result<(Self, UnixStream)> {
        let words = words(spec, None)?;
        let [stdin, stdout, stderr] = stdio.map(|fd| fd.as_raw_fd());
        let descriptors = [stdin, stdout, stderr, spec.jobs.as_ref().map_or(-1, |jobs| jobs.lent().as_raw_fd())];
        let (ours, theirs) = UnixStream::pair().context("making a line to a child that waits")?;
        let theirs =
            sys::duplicate_above(theirs.as_fd(), CHANNEL + 1).context("making a line to a child that waits")?;
        let (launched, watched) = guardian::launch_held(&words, descriptors, theirs.as_raw_fd())
            .map_err(|error| not_started(spec, Step::Execute, error))?;
        drop(theirs);
        let mut child =
            Self::of(launched, watched).with_context(|| format!("watching over {}", spec.command_line()))?;
        child.hear(spec, &ours)?;
        Ok((child, ours))
    }

    /// Lets a child that is held run its program.
    pub(super) fn let_go(&mut self, spec: &Spec, mut line: UnixStream) -> Result<()> {
        self.begun_ns = sys::now_ns();
        // One that was killed meanwhile can't be told; how it ended is seen soon.
        let _ = line.write_all(&[1]);
        self.hear(spec, &line)
    }

    /// Waits for what a held child says: that it stands ready, that its program runs (it falls silent), or what failed.
    fn hear(&mut self, spec: &Spec, mut line: &UnixStream) -> Result<()> {
        let mut word = [0; size_of::<Word>()];
        if line.read_exact(&mut word).is_err() {
            return Ok(());
        }
        let (step, errno) = word.split_at(size_of::<libc::c_int>());
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, libc::c_int::from_ne_bytes);
        match Step::of(number(step)) {
            None => Ok(()),
            Some(step) => {
                self.finish(sys::now_ns()).context("reaping a child")?;
                Err(not_started(spec, step, io::Error::from_raw_os_error(number(errno))))
            }
        }
    }

    fn of(launched: Launched, watched: Watched) -> io::Result<Self> {
        let Launched { pid, begun_ns } = launched;
        match sys::pidfd(pid) {
            Ok(ended) => Ok(Self { pid, ended, begun_ns, watched: Some(watched), result: None }),
            Err(error) => {
                sys::kill_group(pid, libc::SIGKILL);
                drop(watched);
                sys::reap(pid)?;
                Err(error)
            }
        }
    }

    pub(super) fn pid(&self) -> libc::pid_t {
        self.pid
    }

    /// A descriptor that becomes readable when the child has ended.
    pub(super) fn ended(&self) -> RawFd {
        self.ended.as_raw_fd()
    }

    /// Sends a signal to the whole group, as long as the child is not reaped.
    pub(super) fn signal(&self, signal: libc::c_int) {
        if self.watched.is_some() {
            sys::kill_group(self.pid, signal);
        }
    }

    /// How the child ended, once it was reaped.
    pub(super) fn result(&self) -> Option<(Status, Usage)> {
        self.result
    }

    /// Waits until the child has ended, and leaves it to be reaped. To wait for it in the kernel's way would also catch it
    /// being stopped, where it is traced: that is the tracer's.
    pub(super) fn wait_for_end(&self) -> io::Result<()> {
        let mut fds = [watched(self.ended())];
        while fds[0].revents == 0 {
            sys::poll(&mut fds, None)?;
        }
        Ok(())
    }

    /// Ends what is left of the group, and reaps the child. `seen_ns` is when its end was noticed ([`sys::now_ns`]).
    pub(super) fn finish(&mut self, seen_ns: u64) -> io::Result<(Status, Usage)> {
        if let Some(result) = self.result {
            return Ok(result);
        }
        // While the dead leader is not reaped, nobody else can get its number; after that, nobody may use it.
        self.signal(libc::SIGKILL);
        self.wait_for_end()?;
        self.watched = None;
        let (status, usage) = sys::reap(self.pid)?;
        let result = (Status::from_wait(status), Usage::new(&usage, seen_ns.saturating_sub(self.begun_ns)));
        self.result = Some(result);
        Ok(result)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.watched.is_some() {
            // Whoever drops a living child has another error to tell of.
            let _ = self.finish(sys::now_ns());
        }
    }
}

/// The command in the words of the kernel. The variable `channel` tells the child where to find its channel.
pub(super) fn words(spec: &Spec, channel: Option<&str>) -> Result<Words> {
    let mut env = environment(spec);
    if let Some(jobs) = &spec.jobs {
        // Cargo looks into the first, make and rustc into the second.
        env.extend(["CARGO_MAKEFLAGS", "MAKEFLAGS"].map(|name| (name.into(), jobs.make_flags().into())));
    }
    if let Some(variable) = channel {
        env.insert(variable.into(), CHANNEL.to_string().into());
    }
    let path = env.get(OsStr::new("PATH")).map_or(OsStr::new(USUAL_PATH), OsString::as_os_str);
    let folder =
        std::path::absolute(spec.current_dir.as_deref().unwrap_or(Path::new("."))).context("finding the folder")?;
    Ok(Words {
        program: terminated(located(&spec.program, path)?.into_os_string())?,
        argv: std::iter::once(&spec.program).chain(&spec.args).cloned().map(terminated).collect::<Result<_>>()?,
        env: env.into_iter().map(setting).collect::<Result<_>>()?,
        folder: terminated(folder.into_os_string())?,
        cpus: affinity(spec)?,
    })
}

fn environment(spec: &Spec) -> BTreeMap<OsString, OsString> {
    let mut all: BTreeMap<_, _> = if spec.env_clear { BTreeMap::new() } else { env::vars_os().collect() };
    for (name, value) in &spec.env {
        match value {
            Some(value) => all.insert(name.clone(), value.clone()),
            None => all.remove(name),
        };
    }
    all
}

/// The file that a program's name stands for, where a child of the tool would find it.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH");
    located(name.as_ref(), path.as_deref().unwrap_or(OsStr::new(USUAL_PATH))).ok()
}

/// The file that a program's name stands for. A name with a slash is left as it is, for the child's folder to decide.
fn located(program: &OsStr, path: &OsStr) -> Result<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    // An empty part would mean the current folder; no program of ours is to be picked up there.
    let folders = env::split_paths(path).filter(|folder| !folder.as_os_str().is_empty());
    let mut files = folders.map(|folder| folder.join(program));
    let found = files.find(|file| is_executable(file));
    let found = found.ok_or_else(|| anyhow!("there is no program {program:?} in PATH ({})", path.display()))?;
    std::path::absolute(found).context("finding the current folder")
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn terminated(text: OsString) -> Result<CString> {
    CString::new(text.into_vec()).context("a word of a command holds a zero byte")
}

fn setting((mut name, value): (OsString, OsString)) -> Result<CString> {
    name.push("=");
    name.push(value);
    terminated(name)
}

fn affinity(spec: &Spec) -> Result<Option<libc::cpu_set_t>> {
    let cpus = if spec.cpus.is_empty() { machine::released() } else { Some(&*spec.cpus) };
    Ok(cpus.map(sys::cpu_set).transpose()?)
}

fn not_started(spec: &Spec, step: Step, error: io::Error) -> anyhow::Error {
    let what = match step {
        Step::Tie => "tying it to the tool".to_owned(),
        Step::Descriptors => "handing it its descriptors".to_owned(),
        Step::Pin => format!("keeping it on the CPUs {:?}", spec.cpus),
        Step::Folder => format!("entering {}", spec.current_dir.as_deref().unwrap_or(Path::new(".")).display()),
        Step::Execute => format!("executing {}", spec.program.display()),
    };
    anyhow::Error::new(error).context(what).context(format!("can't run {}", spec.command_line()))
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_the_path_that_was_searched() {
        let error = run(&Spec::new("no-such-program").env("PATH", "/nowhere:/bin")).unwrap_err();
        assert_eq!(error.to_string(), r#"there is no program "no-such-program" in PATH (/nowhere:/bin)"#);
    }

    #[test]
    fn what_failed_before_the_program_ran_is_said() {
        let says = |spec: Spec| format!("{:#}", run(&spec).unwrap_err());
        let entering = says(Spec::new("true").current_dir("/no/folder"));
        assert!(entering.contains("cd /no/folder && true: entering /no/folder: No such file"), "{entering}");
        let executing = says(Spec::new("/etc/passwd"));
        assert!(executing.contains("executing /etc/passwd: Permission denied"), "{executing}");
        let pinning = says(Spec::new("true").cpus(&[1023]));
        assert!(pinning.contains("keeping it on the CPUs [1023]: Invalid argument"), "{pinning}");
        let zero = says(Spec::new("true").arg("a\0b"));
        assert!(zero.contains("holds a zero byte"), "{zero}");
    }

    #[test]
    fn the_environment_is_the_tools_with_the_changes_asked_for() {
        let show = |spec: Spec| String::from_utf8(run(&spec).unwrap().check("env").unwrap().stdout).unwrap();
        assert_eq!(show(Spec::new("env").env_clear().env("B", "2").env("A", "1").env("B", "3")), "A=1\nB=3\n");
        let inherited = show(Spec::new("env").env_remove("HOME").env("PERFPLAN_TEST", "here"));
        assert!(inherited.contains("PERFPLAN_TEST=here\n") && inherited.contains("PATH="), "{inherited}");
        assert!(!inherited.contains("\nHOME="), "{inherited}");
    }

    #[test]
    fn a_relative_program_is_taken_from_the_childs_folder() {
        let output = run(&Spec::new("./sh").args(["-c", "pwd"]).current_dir("/bin")).unwrap().check("pwd").unwrap();
        assert_eq!(output.stdout.trim_ascii(), std::fs::canonicalize("/bin").unwrap().as_os_str().as_bytes());
    }
}
