//! A small project, upstream and as somebody changes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MAIN: &str = r#"
use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn work(index: u64, times: u64) -> u64 {
    (0..times).fold(index, |sum, n| sum.wrapping_mul(31) ^ n)
}

fn main() -> std::process::ExitCode {
    let mut suite = Suite::new("small");
    suite.case("sum", |_| |index: u64| work(index, 2_000)).about("adds");
    suite.main()
}
"#;

/// Small changes are nobody's business here: rows are decided soon.
const PLAN: &str = "[gate]\ntolerance = \"20%\"\n";

/// Where pull requests go.
pub struct Upstream {
    folder: tempfile::TempDir,
}

impl Upstream {
    /// A repository with one commit on `main`.
    pub fn new() -> Self {
        let upstream = Self { folder: tempfile::tempdir().unwrap() };
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/harness");
        upstream.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"small\"\nedition = \"2024\"\n[workspace]\n\
                 [dependencies]\nperfplan-harness = {{ path = {harness:?} }}\n"
            ),
        );
        upstream.write(".gitignore", "target\n");
        upstream.write("perfplan.toml", PLAN);
        upstream.write("src/main.rs", MAIN);
        upstream.git(&["init", "--quiet", "--initial-branch=main"]);
        // The runner's checkout fetches single commits, as GitHub lets it.
        upstream.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        done(command("cargo").args(["generate-lockfile", "--offline"]).current_dir(upstream.path()));
        upstream.commit("begin");
        upstream
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes what the case does.
    pub fn turns(&self, from: &str, to: &str) {
        let source = fs::read_to_string(self.path().join("src/main.rs")).unwrap();
        assert!(source.contains(from));
        self.write("src/main.rs", &source.replace(from, to));
    }

    /// Commits all, and returns the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }

    /// The tool, called as cargo calls a subcommand: its exit code and all that it said.
    pub fn perfplan(&self, folder: &str, arguments: &[&str]) -> (i32, String) {
        let mut command = command(env!("CARGO_BIN_EXE_cargo-perfplan"));
        let output = command.arg("perfplan").args(arguments).current_dir(self.path().join(folder)).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), said)
    }
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    done(command("git").args(arguments).current_dir(folder)).trim().to_owned()
}

#[expect(clippy::disallowed_methods, reason = "tests start the tool, git and bash as a user and a runner do")]
pub fn command(program: &str) -> Command {
    Command::new(program)
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All files below a folder, with the folders' names before them, `.git` and `target` left out.
pub fn tree(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let seen = entries.filter(|path| !path.ends_with(".git") && !path.ends_with("target"));
    let mut files: Vec<PathBuf> = seen.flat_map(|path| if path.is_dir() { tree(&path) } else { vec![path] }).collect();
    files.sort();
    files
}
