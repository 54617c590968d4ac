//! What is lost when writing fails, and who says so.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::faulty::{Fault, Faulty};
use super::{lines, members, parsed, records, written};
use crate::record::Record;
use crate::writer::per_batch::{Appender, Namer};
use crate::writer::{EventWriter, Folder, PerBatch, WriteError, Writer, read_back, runtime, task};

const RECORDS: u64 = 400;
const BATCH: usize = 30;

fn limit(records: &[Record]) -> u64 {
    lines(records).len() as u64 / 3
}

/// A way of writing, on a faulty disk: how many records it was given, and what it says.
type Way = fn(&Faulty, &[Record]) -> (u64, Result<(), WriteError>);

fn run<W: Writer>(writer: Result<W, WriteError>, records: &[Record]) -> (u64, Result<(), WriteError>) {
    let mut given = 0;
    let work = || {
        let mut writer = writer?;
        for batch in records.chunks(BATCH) {
            given += batch.len() as u64;
            writer.write(batch)?;
        }
        writer.finish().map(|_| ())
    };
    let result = work();
    (given, result)
}

fn persistent(files: &Faulty, records: &[Record]) -> (u64, Result<(), WriteError>) {
    run(EventWriter::on(files.clone(), Path::new("/folder"), 7, limit(records)), records)
}

fn per_batch(files: &Faulty, records: &[Record]) -> (u64, Result<(), WriteError>) {
    run(PerBatch::on(files.clone(), Path::new("/folder"), 7, limit(records)), records)
}

/// The records in complete files, and those in whole members of unfinished ones. A complete file that has anything but
/// whole members fails the test.
fn readable(files: &Faulty) -> (Vec<Record>, Vec<Record>) {
    let (mut complete, mut unfinished) = (Vec::new(), Vec::new());
    for (path, file) in files.files() {
        let (members, torn) = members(&file);
        if path.extension().is_some_and(|extension| extension == "partial") {
            unfinished.extend(parsed(&members.concat()));
        } else {
            assert!(!torn && !members.is_empty(), "{} is complete by name", path.display());
            complete.extend(parsed(&members.concat()));
        }
    }
    (complete, unfinished)
}

/// Lets every step fail that the way takes where none does, and hands the result to `check`: the files, what was given, and
/// the error.
fn at_every_step(way: Way, fault: fn(usize) -> Fault, check: impl Fn(usize, &Faulty, u64, &WriteError)) {
    let (whole, records) = (Faulty::default(), records(RECORDS));
    way(&whole, &records).1.unwrap();
    assert!(whole.steps() > 30, "only {} steps", whole.steps());
    for step in 0..whole.steps() {
        let files = Faulty::with(fault(step));
        let (given, result) = way(&files, &records);
        let error = result.expect_err(&format!("step {step} fails silently"));
        assert_eq!(error.safe + error.lost, given, "step {step}: {error}");
        assert_eq!((error.shard, error.cause.kind()), (7, ErrorKind::StorageFull), "step {step}: {error}");
        let named = error.file == Path::new("/folder") || error.file.to_string_lossy().ends_with(".csv.gz.partial");
        assert!(named, "step {step}: {error}");
        check(step, &files, given, &error);
    }
}

#[test]
fn whichever_step_fails_the_persistent_writer_keeps_exactly_the_complete_files() {
    for fault in [Fault::Once, Fault::From] {
        at_every_step(persistent, fault, |step, files, _, error| {
            let (complete, _) = readable(files);
            assert!(
                complete == records(RECORDS)[..error.safe as usize],
                "{fault:?} {step}: {error}",
                fault = fault(step)
            );
        });
    }
}

#[test]
fn whichever_step_fails_once_a_writer_per_batch_keeps_exactly_the_whole_members() {
    at_every_step(per_batch, Fault::Once, |step, files, _, error| {
        let (complete, unfinished) = readable(files);
        let all = [complete, unfinished].concat();
        assert!(all == records(RECORDS)[..error.safe as usize], "step {step}: {error}, {} on disk", all.len());
        let torn = files.files().values().any(|file| members(file).1);
        assert!(!torn, "step {step} leaves a member that breaks off: {error}");
    });
}

#[test]
fn where_all_steps_fail_from_one_on_a_writer_per_batch_keeps_the_whole_members_at_least() {
    at_every_step(per_batch, Fault::From, |step, files, given, error| {
        let (complete, unfinished) = readable(files);
        let (all, expected) = ([complete, unfinished].concat(), records(given));
        assert!(all.len() as u64 >= error.safe, "step {step}: {error}, only {} on disk", all.len());
        assert!(expected.starts_with(&all), "step {step}: other records than were given");
    });
}

#[test]
fn at_most_a_batch_is_lost_before_and_at_most_a_part_after() {
    let records = records(RECORDS);
    let part = limit(&records) / lines(&records[..1]).len() as u64 + 20;
    at_every_step(per_batch, Fault::Once, |_, _, _, error| assert!(error.lost <= BATCH as u64, "{error}"));
    at_every_step(persistent, Fault::Once, |_, _, _, error| assert!(error.lost <= part + BATCH as u64, "{error}"));
}

#[test]
fn a_failure_in_the_middle_of_a_part_is_reported_by_the_batch_that_met_it() {
    // Step 3 is a write, when the first buffer is full.
    let (files, records) = (Faulty::with(Fault::Once(3)), records(3_000));
    let mut writer = EventWriter::on(files.clone(), Path::new("/folder"), 0, u64::MAX).unwrap();
    let mut batches = records.chunks(100).zip(1..);
    let (error, given) =
        batches.find_map(|(batch, n)| writer.write(batch).err().map(|error| (error, 100 * n))).unwrap();
    assert_eq!((error.safe, error.lost), (0, given), "{error}");
    assert!(batches.next().is_some(), "only the last batch met it: {error}");
    drop(writer);
    assert!(readable(&files).0.is_empty());
}

#[test]
fn after_a_failure_nothing_is_written_and_every_call_says_what_is_lost() {
    fn check<W: Writer>(writer: Result<W, WriteError>, files: &Faulty) {
        let (mut writer, records) = (writer.unwrap(), records(20));
        // Making the first file fails.
        assert_eq!(writer.write(&records[..10]).unwrap_err().lost, 10);
        let before = files.files();
        let again = writer.write(&records[10..15]).unwrap_err();
        assert_eq!((again.safe, again.lost), (0, 15));
        assert!(again.to_string().contains("writing it has failed before"), "{again}");
        assert_eq!(writer.write(&records[15..]).unwrap_err().lost, 20);
        let finished = writer.finish().unwrap_err();
        assert_eq!((finished.safe, finished.lost), (0, 20));
        assert_eq!(files.files(), before);
    }
    let files = || Faulty::with(Fault::Once(1));
    let (first, second) = (files(), files());
    check(EventWriter::on(first.clone(), Path::new("/folder"), 0, 1 << 20), &first);
    check(PerBatch::on(second.clone(), Path::new("/folder"), 0, 1 << 20), &second);
}

#[test]
fn a_writer_task_that_fails_counts_what_still_lay_in_the_channel() {
    let (records, folder) = (records(100), Path::new("/folder"));
    let runtime = runtime::shared().unwrap();
    // All is sent before the task reads. After: the first file can't be made.
    let writer = EventWriter::on(Faulty::with(Fault::From(1)), folder, 0, 1 << 20).unwrap();
    let (sender, receiver) = mpsc::channel(10);
    records.chunks(10).for_each(|batch| sender.try_send(batch.to_vec()).unwrap());
    let error = runtime.block_on(task::persistent(receiver, writer)).unwrap_err();
    assert_eq!((error.safe, error.lost), (0, 100), "{error}");
    assert!(sender.is_closed());

    // Before: the first batch is all that can be written.
    let whole = Faulty::default();
    PerBatch::on(whole.clone(), folder, 0, 1 << 20).unwrap().write(&records[..10]).unwrap();
    let appender = Appender::on(Faulty::with(Fault::From(whole.steps())), folder, 0).unwrap();
    let mut namer = Namer::new(folder, 0, 1 << 20);
    let (sender, receiver) = mpsc::channel(10);
    records.chunks(10).flat_map(|batch| namer.batches(batch)).for_each(|batch| sender.try_send(batch).unwrap());
    let error = runtime.block_on(task::per_batch(receiver, appender)).unwrap_err();
    assert_eq!((error.safe, error.lost), (10, 90), "{error}");
    assert!(sender.is_closed());
}

#[test]
fn an_error_names_the_shard_the_file_the_cause_and_both_counts() {
    let file = PathBuf::from("/out/events_shard3_part2.csv.gz.partial");
    let error = WriteError { shard: 3, file, safe: 1200, lost: 34, cause: ErrorKind::StorageFull.into() };
    assert_eq!(
        error.to_string(),
        "shard 3: /out/events_shard3_part2.csv.gz.partial: no storage space; 1200 records are safe, 34 are lost at most"
    );
    assert!(std::error::Error::source(&error).is_some_and(|cause| cause.is::<std::io::Error>()));
}

/// Writes two parts, of which the second is on a device that is always full.
fn full_device<W: Writer>(records: &[Record]) -> WriteError {
    let folder = Folder::temporary("test-full").unwrap();
    symlink("/dev/full", folder.path().join("events_shard0_part1.csv.gz.partial")).unwrap();
    let limit = lines(&records[..60]).len() as u64;
    let error = written(W::create(folder.path(), 0, limit).unwrap(), records.chunks(BATCH)).unwrap_err();
    assert_eq!(error.cause.kind(), ErrorKind::StorageFull, "{error}");
    assert!(error.file.ends_with("events_shard0_part1.csv.gz.partial"), "{error}");
    assert_eq!(read_back(folder.path(), 0).unwrap(), records[..60]);
    error
}

#[test]
fn a_full_disk_is_reported_and_costs_the_unfinished_part_alone() {
    let records = records(100);
    for error in [full_device::<PerBatch>(&records), full_device::<EventWriter>(&records)] {
        assert_eq!(error.safe, 60, "{error}");
        assert!((1..=40).contains(&error.lost), "{error}");
    }
}

#[test]
fn a_folder_that_is_none_or_goes_away_is_reported() {
    fn check<W: Writer>() {
        let folder = Folder::temporary("test-gone").unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let kind = |path: &Path| W::create(path, 0, 100).map(|_| ()).unwrap_err().cause.kind();
        assert_eq!(kind(&file), ErrorKind::NotADirectory);
        assert_eq!(kind(&folder.path().join("none")), ErrorKind::NotFound);

        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        let mut writer = W::create(&below, 0, 1).unwrap();
        fs::remove_dir(&below).unwrap();
        let error = writer.write(&records(2)).unwrap_err();
        assert_eq!((error.cause.kind(), error.safe, error.lost), (ErrorKind::NotFound, 0, 2), "{error}");
    }
    check::<EventWriter>();
    check::<PerBatch>();
}

#[test]
fn a_folder_that_may_not_be_written_is_reported() {
    let folder = Folder::temporary("test-read-only").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        eprintln!("not checked: this user may write into any folder");
        return;
    }
    let error = written(<EventWriter>::create(folder.path(), 0, 100).unwrap(), [&records(5)[..]]).unwrap_err();
    assert_eq!((error.cause.kind(), error.lost), (ErrorKind::PermissionDenied, 5), "{error}");
    let error = written(<PerBatch>::create(folder.path(), 0, 100).unwrap(), [&records(5)[..]]).unwrap_err();
    assert_eq!((error.cause.kind(), error.lost), (ErrorKind::PermissionDenied, 5), "{error}");
}
