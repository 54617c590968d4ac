//! `generator generate` as a person starts it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Starts the program, whose databases lie in `temporary`.
#[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
fn start(temporary: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
    command.arg("generate").args(arguments).env("TMPDIR", temporary);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The exit code, and what is said on stdout and stderr.
fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The sorted names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The user's own folder.
fn own_folder(temporary: &Path) -> PathBuf {
    let own = names(temporary).into_iter().find(|name| name.starts_with("perfplan-generator-")).unwrap();
    temporary.join(own)
}

fn databases(temporary: &Path) -> Vec<String> {
    names(&own_folder(temporary)).into_iter().filter(|name| name.ends_with(".redb")).collect()
}

#[test]
fn a_day_is_generated_and_summed_up() {
    let temporary = temporary();
    let out = temporary.path().join("new/folder");
    let folder = out.to_str().unwrap();
    let size = ["--subscribers", "300", "--shards", "2", "--rotate", "800k", "--out", folder];
    let (code, said, faults) = ended(start(temporary.path(), &size));
    assert_eq!((code, &*faults), (Some(0), ""), "{said}");
    // One chunk of subscribers for the first worker, two for the second.
    let parts = ["events_shard0_part0.csv.gz", "events_shard1_part0.csv.gz", "events_shard1_part1.csv.gz"];
    let statistics = ["stats_shard0.json", "stats_shard1.json"];
    assert_eq!(names(&out), [&parts[..], &statistics].concat());
    for words in [" records of 300 subscribers in ", " records/s", "peak resident memory ", "cache hit rate "] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn processes_that_start_at_once_make_one_database_and_the_same_files_before_and_after() {
    let temporary = temporary();
    let run = |name: &str, naive: bool| {
        let out = temporary.path().join(name);
        let size = ["--subscribers", "2k", "--shards", "1", "--out", out.to_str().unwrap(), "--naive"];
        (start(temporary.path(), if naive { &size } else { &size[..6] }), out)
    };
    let started = [run("a", false), run("b", true), run("c", false)];
    let statistics = started.map(|(child, out)| {
        let (code, _, faults) = ended(child);
        assert_eq!((code, &*faults), (Some(0), ""));
        fs::read_to_string(out.join("stats_shard0.json")).unwrap()
    });
    assert!(statistics.iter().all(|text| *text == statistics[0]));
    let all = names(&own_folder(temporary.path()));
    assert_eq!(databases(temporary.path()).len(), 1, "{all:?}");
    assert!(!all.iter().any(|name| name.ends_with(".unfinished")), "{all:?}");
}

#[test]
fn the_database_of_another_seed_goes_at_the_end_unless_it_is_to_be_kept() {
    let temporary = temporary();
    let left = |name: &str, more: &[&str]| {
        let out = temporary.path().join(name);
        let size = ["--subscribers", "20", "--shards", "1", "--out", out.to_str().unwrap()];
        let (code, _, faults) = ended(start(temporary.path(), &[&size, more].concat()));
        assert_eq!((code, &*faults), (Some(0), ""));
        databases(temporary.path()).iter().map(|name| name.rsplit_once('-').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left("a", &["--seed", "7"]), [""; 0]);
    assert_eq!(left("b", &["--seed", "7", "--keep"]), ["seed7.redb"]);
    assert_eq!(left("c", &[]), ["seed1.redb", "seed7.redb"]);
    assert_eq!(left("d", &["--seed", "7"]), ["seed1.redb"]);
}

#[test]
fn wrong_arguments_are_explained_and_exit_with_2() {
    let temporary = temporary();
    for (arguments, fault) in [
        (&["--subscribers", "many", "--out", "x"][..], "--subscribers \"many\" is no whole number from 2 to 10000000"),
        (&["--subscribers", "10"], "--out DIR is missing"),
        (&["--quickly"], "unknown argument \"--quickly\""),
    ] {
        let (code, said, faults) = ended(start(temporary.path(), arguments));
        assert_eq!((code, &*said), (Some(2), ""));
        assert!(faults.starts_with(fault) && faults.contains("generate --subscribers N --out DIR"), "{faults}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_or_is_not_empty_exits_with_1() {
    let temporary = temporary();
    let file = temporary.path().join("file");
    fs::write(&file, "").unwrap();
    for (out, fault) in [(file.join("below"), "Not a directory"), (temporary.path().to_owned(), "is not empty")] {
        let size = ["--subscribers", "10", "--out", out.to_str().unwrap()];
        let (code, said, faults) = ended(start(temporary.path(), &size));
        assert_eq!((code, &*said), (Some(1), ""));
        assert!(faults.contains(out.to_str().unwrap()) && faults.contains(fault), "{faults}");
    }
}

#[test]
fn help_is_no_fault() {
    let temporary = temporary();
    let (code, said, _) = ended(start(temporary.path(), &["--help"]));
    assert_eq!(code, Some(0));
    assert!(said.starts_with("generate --subscribers N --out DIR"), "{said}");
}
