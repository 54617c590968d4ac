//! A real worker for tests: a program with the harness in it, and the conversation with it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use perfplan_harness::protocol::{CONTROL, Command, Reply, Sample, Site};

use crate::process::{self, Child, Spec, spawn_worker};

const MAIN: &str = r#"
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use perfplan_harness::Suite;

perfplan_harness::allocator!();

#[inline(never)]
fn light(n: u64) -> u64 { (0..n).fold(1, |sum: u64, n| black_box(sum.wrapping_mul(31) ^ n)) }
#[inline(never)]
fn heavy(n: u64) -> u64 { (0..3 * n).fold(1, |sum: u64, n| black_box(sum.wrapping_mul(31) ^ n)) }
#[inline(never)]
fn even(n: u64) -> u64 { if n == 0 { 1 } else { black_box(odd(n - 1)).wrapping_add(light(10)) } }
#[inline(never)]
fn odd(n: u64) -> u64 { if n == 0 { 0 } else { black_box(even(n - 1)) } }

#[inline(never)]
fn three_boxes(n: u64) -> u64 { (0..3).map(|at| *one_box(at + n)).sum() }
#[inline(never)]
fn one_box(n: u64) -> Box<u64> { black_box(Box::new(n)) }
#[inline(never)]
fn text(n: u64) -> String { let mut text = black_box(String::with_capacity(10)); text.reserve_exact(40 + n as usize % 2); text }

fn main() -> std::process::ExitCode {
    let mut suite = Suite::new("small");
    suite.case("work", |_| |index: u64| light(1000).wrapping_add(heavy(1000)) ^ index);
    suite.case("recursion", |_| |index: u64| even(10) ^ index);
    suite.case("threads", |_| |index: u64| std::thread::scope(|scope| {
        let threads = [scope.spawn(|| light(1000)), scope.spawn(|| heavy(1000))];
        threads.into_iter().fold(index, |all, thread| all ^ thread.join().unwrap())
    }));
    suite.case("boxes", |_| |index: u64| three_boxes(index) + text(index).len() as u64);
    suite.case("files", |_| {
        let path = std::env::temp_dir().join(format!("perfplan-test-{}", std::process::id()));
        move |index: u64| {
            let mut file = File::create(&path).unwrap();
            for n in 0..5 { file.write_all(&[n, index as u8]).unwrap(); }
            drop(file);
            let mut read = Vec::with_capacity(64);
            File::open(&path).unwrap().read_to_end(&mut read).unwrap();
            std::fs::remove_file(&path).unwrap();
            read
        }
    }).about("writes, reads and removes a file");
    suite.main()
}
"#;

const MANIFEST: &str = r#"
[package]
name = "small"
edition = "2024"
[workspace]
[dependencies]
perfplan-harness = { path = HARNESS }
[profile.dev]
opt-level = 1
"#;

/// The program, built once and kept beside the test program, so that building it again is quick.
pub(in crate::profile) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().unwrap().join("profiled-program");
        fs::create_dir_all(folder.join("src")).unwrap();
        let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/harness");
        write(&folder.join("Cargo.toml"), &MANIFEST.replace("HARNESS", &format!("{harness:?}")));
        write(&folder.join("src/main.rs"), MAIN);
        let cargo = Spec::new("cargo").args(["build", "--offline", "--target-dir=target"]).current_dir(&folder);
        process::run(&cargo).unwrap().check("building the worker").unwrap();
        folder.join("target/debug/small")
    })
}

/// A file that already is as it should be keeps its time, so that nothing is built again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}

/// A worker that has a case set up and warmed.
pub(in crate::profile) struct Worker {
    pub(in crate::profile) child: Child,
    lines: BufReader<UnixStream>,
}

impl Worker {
    /// The program as it is.
    pub(in crate::profile) fn with(case: &str) -> Self {
        Self::of(&Spec::new(program()), case)
    }

    pub(in crate::profile) fn of(spec: &Spec, case: &str) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = spawn_worker(spec, theirs.into(), CONTROL).unwrap();
        let mut worker = Self { child, lines: BufReader::new(ours) };
        assert_eq!(worker.receive(), Reply::Hello(1));
        worker.send(&Command::Setup { case: case.to_owned(), size: "quick".to_owned(), handicap: 0.0 });
        assert!(matches!(worker.receive(), Reply::Ready { .. }));
        worker.sample(&Command::Batch(3));
        worker
    }

    fn send(&mut self, command: &Command) {
        writeln!(self.lines.get_mut(), "{command}").unwrap();
    }

    fn receive(&mut self) -> Reply {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.parse().unwrap_or_else(|error| panic!("{error}: {}", self.child.stderr_tail()))
    }

    pub(in crate::profile) fn sample(&mut self, command: &Command) -> Sample {
        self.send(command);
        match self.receive() {
            Reply::Sample(sample) => sample,
            other => panic!("{other}"),
        }
    }

    pub(in crate::profile) fn sites(&mut self, n: u64) -> Vec<Site> {
        self.send(&Command::Sites(n));
        let mut sites = Vec::new();
        loop {
            match self.receive() {
                Reply::Site(site) => sites.push(site),
                Reply::Sample(_) => return sites,
                other => panic!("{other}"),
            }
        }
    }

    pub(in crate::profile) fn end(mut self) {
        self.send(&Command::End);
        assert!(self.child.wait().unwrap().0.success(), "{}", self.child.stderr_tail());
    }
}
