//! A small real project in a temporary folder, and the real tool on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// The project. A failed test leaves its folder behind, and says where.
pub struct Project {
    folder: Option<tempfile::TempDir>,
    /// Where other revisions are checked out.
    cache: tempfile::TempDir,
}

const MAIN: &str = r#"
use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn main() -> std::process::ExitCode {
    let mut suite = Suite::new("small");
    suite.case("sum", |_| |index: u64| (0..2_000_u64).fold(index, |sum, n| sum.wrapping_mul(31) ^ n)).about("adds");
    suite.case("boxes", |_| |index: u64| (0..50).map(|n| *Box::new(n ^ index)).fold(0, u64::wrapping_add)).about("allocates");
    EXTRA
    suite.main()
}
"#;

impl Project {
    /// A project with the cases `small::sum` and `small::boxes`, committed.
    pub fn new() -> Self {
        Self::with("")
    }

    /// The same with more cases: `extra` is Rust that has `suite` at hand.
    pub fn with(extra: &str) -> Self {
        let project = Self { folder: Some(tempfile::tempdir().unwrap()), cache: tempfile::tempdir().unwrap() };
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/harness");
        let manifest = format!(
            "[package]\nname = \"small\"\nedition = \"2024\"\n[workspace]\n[features]\nbroken = []\nslower = []\n\
             [dependencies]\nperfplan-harness = {{ path = {harness:?} }}\n"
        );
        project.write("Cargo.toml", &manifest);
        project.write(".gitignore", "target\n");
        project.write("src/main.rs", &MAIN.replace("EXTRA", extra));
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.cargo(&["generate-lockfile", "--offline"]);
        project.commit("begin");
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", message]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        done(command("git").args(arguments).current_dir(self.path()))
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        done(command("cargo").args(arguments).current_dir(self.path()))
    }

    /// The tool, called as cargo calls a subcommand.
    pub fn perfplan(&self, arguments: &[&str]) -> Told {
        Told::of(self.perfplan_command(arguments).output().unwrap())
    }

    pub fn perfplan_command(&self, arguments: &[&str]) -> Command {
        let mut command = command(env!("CARGO_BIN_EXE_cargo-perfplan"));
        command.arg("perfplan").args(arguments).current_dir(self.path()).env("XDG_CACHE_HOME", self.cache.path());
        // What a test's own cargo set must not reach the builds inside.
        for name in ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TERM_COLOR"] {
            command.env_remove(name);
        }
        command
    }

    /// The folders of all runs, oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path().join("target/perfplan/runs")) else { return Vec::new() };
        let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        runs
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = self.folder.take().map(tempfile::TempDir::keep);
            eprintln!("the project is kept at {kept:?}");
        }
    }
}

/// What the tool said.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Told {
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails, with all that was said, unless the exit code is this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails, with all that was said, unless the exit code is one of these.
    #[track_caller]
    pub fn exits_any(self, codes: &[i32]) -> Self {
        assert!(self.code.is_some_and(|code| codes.contains(&code)), "{self:?}");
        self
    }

    /// What was printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in\n{}", self.out))
    }

    /// Fails unless stdout or stderr has this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "no {text:?} in\n{}\n{}", self.out, self.err);
        self
    }
}

/// Waits for something that comes soon, or fails.
#[track_caller]
pub fn wait_until(what: &str, patience: Duration, mut come: impl FnMut() -> bool) {
    let end = Instant::now() + patience;
    while !come() {
        assert!(Instant::now() < end, "{what}: not within {patience:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// All processes with this in their environment, `NAME=value`, as folders below `/proc`: children inherit it.
pub fn processes(variable: &str) -> Vec<PathBuf> {
    let marked = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|other| other == variable.as_bytes())
    };
    fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(marked).collect()
}

/// Sends a process a signal by its name.
pub fn signal(process: &Child, name: &str) {
    done(command("kill").args(["-s", name, &process.id().to_string()]));
}

#[expect(clippy::disallowed_methods, reason = "tests start the tool and git as a user does")]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
