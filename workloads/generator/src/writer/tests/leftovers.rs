//! Files that somebody left unfinished.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{lines, members, records, written};
use crate::record::Record;
use crate::writer::read::complete_parts;
use crate::writer::{EventWriter, Folder, PerBatch, Writer, read_back};

/// Begins a second part and leaves it as `leave` does.
fn left<W: Writer>(leave: fn(W)) -> (Folder, Vec<Record>) {
    let (folder, records) = (Folder::temporary("test-left").unwrap(), records(100));
    let mut writer = W::create(folder.path(), 0, lines(&records[..60]).len() as u64).unwrap();
    records.chunks(20).for_each(|batch| writer.write(batch).unwrap());
    leave(writer);
    (folder, records)
}

fn check_left<W: Writer>(leave: fn(W)) {
    let (folder, records) = left(leave);
    assert!(folder.path().join("events_shard0_part1.csv.gz.partial").exists());
    assert_eq!(complete_parts(folder.path(), 0).unwrap(), [folder.path().join("events_shard0_part0.csv.gz")]);
    assert_eq!(read_back(folder.path(), 0).unwrap(), records[..60]);
}

#[test]
fn a_part_that_was_not_finished_is_not_taken_for_complete() {
    // A writer that is forgotten leaves what a killed process would; a dropped one writes what it has in its buffers.
    check_left::<EventWriter>(std::mem::forget);
    check_left::<PerBatch>(std::mem::forget);
    check_left::<EventWriter>(drop);
    check_left::<PerBatch>(drop);
}

#[test]
fn an_unfinished_part_of_an_earlier_run_is_replaced_not_continued() {
    fn check<W: Writer>() {
        let (folder, records) = left::<W>(std::mem::forget);
        let writer = W::create(folder.path(), 0, lines(&records[..60]).len() as u64).unwrap();
        written(writer, records.chunks(30)).unwrap();
        assert_eq!(complete_parts(folder.path(), 0).unwrap().len(), 2);
        assert_eq!(read_back(folder.path(), 0).unwrap(), records);
    }
    check::<EventWriter>();
    check::<PerBatch>();
}

#[test]
fn a_part_that_is_missing_or_damaged_is_an_error_not_the_end() {
    let (folder, records) = (Folder::temporary("test-damaged").unwrap(), records(90));
    let limit = lines(&records[..30]).len() as u64;
    written(<EventWriter>::create(folder.path(), 0, limit).unwrap(), [&records[..]]).unwrap();
    let middle = folder.path().join("events_shard0_part1.csv.gz");
    let whole = fs::read(&middle).unwrap();

    fs::write(&middle, &whole[..whole.len() - 1]).unwrap();
    let error = read_back(folder.path(), 0).unwrap_err().to_string();
    assert!(error.contains("events_shard0_part1.csv.gz: "), "{error}");

    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    fs::write(&middle, &other).unwrap();
    assert!(read_back(folder.path(), 0).is_err());

    fs::remove_file(&middle).unwrap();
    let error = read_back(folder.path(), 0).unwrap_err().to_string();
    assert!(error.ends_with("part 1 of shard 0 is missing"), "{error}");
}

/// Names the folder that a second process of this test writes into.
const FOLDER: &str = "GENERATOR_TEST_FOLDER";

/// Writes until it is killed, where the next test has started it.
#[test]
fn a_process_that_writes_for_the_next_test_to_kill() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let records = records(5_000);
    let mut writer = <EventWriter>::create(Path::new(&folder), 0, lines(&records[..2_500]).len() as u64).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        records.chunks(10).for_each(|batch| writer.write(batch).unwrap());
    }
}

#[test]
fn a_killed_process_leaves_whole_parts_and_one_that_says_it_is_not() {
    let folder = Folder::temporary("test-killed").unwrap();
    let test = "writer::tests::leftovers::a_process_that_writes_for_the_next_test_to_kill";
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(50);
    while complete_parts(folder.path(), 0).unwrap().len() < 3 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let complete = complete_parts(folder.path(), 0).unwrap();
    let all: Vec<OsString> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(complete.len() >= 3 && all.len() <= complete.len() + 1, "{all:?}");
    let read = read_back(folder.path(), 0).unwrap();
    assert!(read.len() > 5_000, "{} records", read.len());
    assert!(read.iter().zip(records(5_000).iter().cycle()).all(|(read, given)| read == given));
    let whole = complete.iter().all(|part| !members(&fs::read(part).unwrap()).1);
    assert!(whole, "a part that breaks off has the name of a complete one");
}
