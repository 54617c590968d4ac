//! A worker followed, against a count by hand and against `strace`.

use perfplan_harness::protocol::Command;

use super::fixture::{Worker, program};
use super::*;
use crate::process::trace::Tracer;
use crate::process::{self, Spec, find_program};

fn of(pairs: &[(&str, f64)]) -> BTreeMap<Metric, f64> {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), *value)).collect()
}

#[test]
fn counts_become_metrics_per_iteration_and_their_sum() {
    let counts = Counts::from([("openat".to_owned(), 30), ("syscall-999".to_owned(), 1)]);
    let expected = of(&[("syscalls.openat", 3.0), ("syscalls.syscall-999", 0.1), ("syscalls", 3.1)]);
    assert_eq!(metrics(&counts, 10), expected);
    assert_eq!(metrics(&Counts::new(), 10), of(&[("syscalls", 0.0)]));
}

fn traced(n: u64) -> Counts {
    let mut worker = Worker::with("files");
    let tracer = Tracer::attach(worker.child.pid()).unwrap();
    worker.sample(&Command::Trace(n));
    let counts = tracer.finish().unwrap();
    worker.end();
    counts
}

#[test]
fn a_workers_system_calls_are_those_that_its_source_makes() {
    let found = metrics(&traced(20), 20);
    // Created and opened; five writes; read until nothing comes; closed twice; removed.
    let each = [("openat", 2.0), ("write", 5.0), ("close", 2.0), ("unlink", 1.0)];
    for (name, calls) in each {
        assert_eq!(found.get(&format!("syscalls.{name}").parse().unwrap()), Some(&calls), "{name} of {found:?}");
    }
    assert!(found[&"syscalls.read".parse().unwrap()] >= 2.0, "{found:?}");
    let sum: f64 = found.iter().filter(|(name, _)| name.as_str() != "syscalls").map(|(_, value)| value).sum();
    assert!((found[&"syscalls".parse().unwrap()] - sum).abs() < 1e-9);
}

/// The calls between the fences in what `strace` wrote.
fn by_strace(n: u64) -> Option<Counts> {
    find_program("strace")?;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let spec = Spec::new("strace").args(["-f", "-o"]).arg(&log).arg(program());
    let mut worker = Worker::of(&spec, "files");
    worker.sample(&Command::Trace(n));
    worker.end();
    let text = std::fs::read_to_string(log).unwrap();
    let calls: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let fences: Vec<usize> =
        calls.iter().enumerate().filter(|(_, call)| call.starts_with("prctl(0x70464e43")).map(|at| at.0).collect();
    let [begin, end] = fences[..] else { panic!("{} fences", fences.len()) };
    let mut counts = Counts::new();
    for call in &calls[begin + 1..end] {
        *counts.entry(call.split('(').next().unwrap().to_owned()).or_default() += 1;
    }
    Some(counts)
}

#[test]
fn a_workers_system_calls_are_those_that_strace_sees_between_the_fences() {
    if let Some(expected) = by_strace(20) {
        assert_eq!(traced(20), expected);
    }
}

#[test]
fn a_command_under_another_tool_is_still_a_child_that_ends() {
    let (output, counts) = process::trace::run(&Spec::new(program()).arg("list")).unwrap();
    assert!(output.check("list").unwrap().stdout.starts_with(b"work "));
    assert_eq!(counts["execve"], 1);
}
