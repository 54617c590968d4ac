//! What is to be run.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Jobs;

/// A command: program, arguments, surroundings, limits.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    /// In the order given; `None` removes the variable.
    pub(super) env: Vec<(OsString, Option<OsString>)>,
    pub(super) env_clear: bool,
    pub(super) current_dir: Option<PathBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) cpus: Vec<usize>,
    pub(super) stdin: Option<Vec<u8>>,
    pub(super) jobs: Option<Jobs>,
}

impl Spec {
    /// The program `program` without arguments, in the tool's environment and folder, without a time limit.
    ///
    /// A name without a slash is looked up in the child's `PATH`; a relative path is taken from the child's folder.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            env_clear: false,
            current_dir: None,
            timeout: None,
            cpus: Vec::new(),
            stdin: None,
            jobs: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Puts another program's words before the command, which that program then runs. Without words nothing changes.
    #[must_use]
    pub fn behind(mut self, words: &[OsString]) -> Self {
        if let Some((program, arguments)) = words.split_first() {
            let own = std::mem::replace(&mut self.program, program.clone());
            self.args.splice(0..0, arguments.iter().cloned().chain([own]));
        }
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Starts from an empty environment; variables that were set before this call are forgotten.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.env.clear();
        self.env_clear = true;
        self
    }

    /// The folder that the child runs in.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.current_dir = Some(folder.as_ref().to_owned());
        self
    }

    /// How long the child may take before its process group is ended.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// The CPUs that the child may run on, by the kernel's numbers; none means all that the tool was started with.
    #[must_use]
    pub fn cpus(mut self, cpus: &[usize]) -> Self {
        self.cpus = cpus.to_vec();
        self
    }

    /// What the child reads from its standard input; nothing unless this is called.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Makes the child take turns with whoever else shares these: cargo, rustc and make do. It counts as having one turn,
    /// which the caller took for it.
    #[must_use]
    pub fn sharing(mut self, jobs: &Jobs) -> Self {
        self.jobs = Some(jobs.clone());
        self
    }

    /// The command as a line that does the same in a shell: folder, changed environment, program, arguments.
    #[must_use]
    pub fn command_line(&self) -> String {
        let mut line = String::new();
        if let Some(folder) = &self.current_dir {
            line += &format!("cd {} && ", quoted(folder.as_os_str()));
        }
        line += &self.env_words();
        let words: Vec<String> = std::iter::once(&self.program).chain(&self.args).map(|word| quoted(word)).collect();
        line + &words.join(" ")
    }

    /// `env -i -u GONE A=b `, as far as anything changes; of several settings of a variable the last counts.
    fn env_words(&self) -> String {
        let mut options = if self.env_clear { "-i ".to_owned() } else { String::new() };
        let mut settings = String::new();
        for (at, (name, value)) in self.env.iter().enumerate() {
            if self.env[at + 1..].iter().any(|(later, _)| later == name) {
                continue;
            }
            match value {
                Some(value) => settings += &format!("{}={} ", name.display(), quoted(value)),
                None if !self.env_clear => options += &format!("-u {} ", quoted(name)),
                None => {}
            }
        }
        let prefix = if options.is_empty() { "" } else { "env " };
        format!("{prefix}{options}{settings}")
    }
}

/// A word as a POSIX shell takes it; bytes that don't print are escaped the way bash, zsh and ksh understand
/// (`$'\x1f'`).
fn quoted(word: &OsStr) -> String {
    let bytes = word.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:=,+@%^".contains(byte);
    match word.to_str() {
        Some(text) if !text.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Some(text) if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(bytes),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut word = "$'".to_owned();
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => word.extend(['\\', char::from(*byte)]),
            0x20..0x7f => word.push(char::from(*byte)),
            // Writing into a String does not fail.
            _ => drop(write!(word, "\\x{byte:02x}")),
        }
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_one_that_a_shell_runs() {
        let spec =
            Spec::new("cargo").args(["build", "it's", "", "a b"]).env("A", "x y").env_remove("B").current_dir("/t m");
        assert_eq!(spec.command_line(), r"cd '/t m' && env -u B A='x y' cargo build 'it'\''s' '' 'a b'");
    }

    #[test]
    fn bytes_that_do_not_print_are_escaped() {
        assert_eq!(Spec::new("x").env("F", "a\x1fb'").command_line(), r"F=$'a\x1fb\'' x");
    }

    #[test]
    fn of_two_settings_of_a_variable_the_last_is_shown() {
        assert_eq!(Spec::new("x").env("A", "1").env("A", "2").command_line(), "A=2 x");
        assert_eq!(Spec::new("x").env("A", "1").env_clear().env("B", "2").command_line(), "env -i B=2 x");
    }
}
