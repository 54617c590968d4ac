//! Building and running what is sampled.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::super::{Method, Options, Refused, Sampled, Sampler};
use crate::profile::symbols::Symbols;

/// How long is sampled: some 1,200 samples of a thread that has a CPU to itself.
const WHILE: Duration = Duration::from_millis(600);

/// A folder with the program, built with these flags.
pub(super) fn built(flags: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("work.rs");
    std::fs::write(&source, include_str!("work.rs")).unwrap();
    let program = folder.path().join("work");
    let mut rustc = command("rustc");
    rustc.args(["--edition", "2024", "-Copt-level=2"]).args(flags).arg("-o").arg(&program).arg(&source);
    let output = rustc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, program)
}

#[expect(clippy::disallowed_methods, reason = "a test samples a child that is nobody's worker, and ends it itself")]
pub(super) fn command(program: impl AsRef<Path>) -> Command {
    Command::new(program.as_ref())
}

/// A child that ends with the test.
pub(super) struct Running(pub(super) Child);

impl Running {
    pub(super) fn start(program: &Path, kind: &str) -> Self {
        let child = command(program).arg(kind).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let running = Self(child);
        // Until it is in its own code and no longer in the loader's.
        thread::sleep(Duration::from_millis(100));
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Samples one kind of work; `None` where the machine does not permit it, and the test has nothing to say.
pub(super) fn sampled(program: &Path, kind: &str, options: &Options) -> Option<Sampled> {
    let running = Running::start(program, kind);
    let mut sampler = permitted(Sampler::attach(running.0.id(), options))?;
    sampler.start().unwrap();
    thread::sleep(WHILE);
    sampler.stop().unwrap();
    let sampled = sampler.finish(&mut Symbols::new()).unwrap();
    assert!(sampled.samples > 10, "{} samples: {:?}", sampled.samples, sampled.notes);
    assert_eq!(sampled.stacks.values().sum::<u64>(), sampled.samples);
    Some(sampled)
}

pub(super) fn permitted<T>(result: anyhow::Result<T>) -> Option<T> {
    match result {
        Err(error) if error.is::<Refused>() => None,
        result => Some(result.unwrap()),
    }
}

pub(super) fn forced(method: Method) -> Options {
    Options { method: Some(method), ..Options::default() }
}

/// The share of samples whose stack has frames with these names in this order, not necessarily next to each other.
pub(super) fn share(sampled: &Sampled, names: &[&str]) -> f64 {
    let matching = sampled.stacks.iter().filter(|(line, _)| {
        let mut frames = line.split(';');
        names.iter().all(|name| frames.any(|frame| frame == *name))
    });
    matching.map(|(_, count)| *count).sum::<u64>() as f64 / sampled.samples as f64
}

/// The stacks that were seen most, without what they have in common with all others, for the message of a failed test.
pub(super) fn told(sampled: &Sampled) -> String {
    let mut most: Vec<(&String, &u64)> = sampled.stacks.iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let inner = |line: &str| {
        let frames: Vec<&str> = line.split(';').collect();
        let (first, last) = (&frames[..frames.len().min(4)], &frames[frames.len().saturating_sub(8)..]);
        format!("{} ... {}", first.join(";"), last.join(";"))
    };
    let lines = most.iter().take(12).map(|(line, count)| format!("\n{count} {}", inner(line)));
    format!(
        "{} samples, {} rooted, {} truncated{}",
        sampled.samples,
        sampled.rooted,
        sampled.truncated,
        lines.collect::<String>()
    )
}

/// Fails with the stacks at hand unless at least 99 % of them are complete, by the account of the unwinder and by the name
/// of their outermost function.
pub(super) fn assert_rooted(sampled: &Sampled) {
    let rooted = sampled.rooted as f64 / sampled.samples as f64;
    assert!(rooted >= 0.99, "{}", told(sampled));
    let roots = ["_start", "clone", "clone3", "__clone3", "thread_start"];
    let begins = |line: &str| line.split(';').nth(1).is_some_and(|name| roots.contains(&name));
    let named = sampled.stacks.iter().filter(|(line, _)| begins(line)).map(|(_, count)| *count).sum::<u64>();
    assert!(named as f64 >= 0.99 * sampled.samples as f64, "{named} begin at a root: {}", told(sampled));
}
