//! Which records are in which file.

use std::fs;
use std::path::{Path, PathBuf};

use flate2::Crc;

use super::faulty::Faulty;
use super::{lines, members, records, written};
use crate::record::Record;
use crate::writer::contract::Part;
use crate::writer::{EventWriter, Folder, PerBatch, Writer, Written, read_back};

/// The parts that records belong into, worked out one record at a time.
fn expected(records: &[Record], limit: u64) -> Vec<Vec<Record>> {
    let (mut parts, mut filled): (Vec<Vec<Record>>, _) = (Vec::new(), 0);
    for &record in records {
        let line = lines(&[record]).len() as u64;
        match parts.last_mut() {
            Some(part) if filled + line <= limit => part.push(record),
            _ => {
                parts.push(vec![record]);
                filled = 0;
            }
        }
        filled += line;
    }
    parts
}

fn described(parts: &[Vec<Record>]) -> Written {
    let part = |records: &Vec<Record>| {
        let (text, mut crc) = (lines(records), Crc::new());
        crc.update(&text);
        Part { records: records.len() as u64, bytes: text.len() as u64, crc: crc.sum() }
    };
    Written { parts: parts.iter().map(part).collect() }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    names.into_iter().map(|name| name.into_string().unwrap()).collect()
}

/// Writes with `W` and compares every file, and what is said of it.
fn check<W: Writer>(records: &[Record], batch: usize, limit: u64) {
    let (folder, parts) = (Folder::temporary("test-rotation").unwrap(), expected(records, limit));
    let writer = W::create(folder.path(), 3, limit).unwrap();
    let said = written(writer, records.chunks(batch)).unwrap();
    assert_eq!(said, described(&parts), "limit {limit}, batches of {batch}");
    assert_eq!(said.records(), records.len() as u64);
    let mut all: Vec<String> = (0..parts.len()).map(|part| format!("events_shard3_part{part}.csv.gz")).collect();
    all.sort_unstable();
    assert_eq!(names(folder.path()), all, "limit {limit}, batches of {batch}");
    for (part, records) in parts.iter().enumerate() {
        let file = fs::read(folder.path().join(format!("events_shard3_part{part}.csv.gz"))).unwrap();
        let (members, torn) = members(&file);
        assert_eq!((members.concat(), torn), (lines(records), false), "part {part}, limit {limit}");
    }
    assert_eq!(read_back(folder.path(), 3).unwrap(), records);
}

#[test]
fn both_ways_write_all_records_in_order_into_the_same_parts_at_every_limit() {
    let records = records(60);
    let (first, all) = (lines(&records[..1]).len() as u64, lines(&records).len() as u64);
    let ten = lines(&records[..10]).len() as u64;
    // Less than a record, one record, the edges of ten records and of all, about four parts, and no limit at all.
    for limit in [0, 1, first - 1, first, ten - 1, ten, ten + 1, all / 4, all - 1, all, all + 1, u64::MAX] {
        for batch in [1, 7, 10, 60] {
            check::<EventWriter>(&records, batch, limit);
            check::<PerBatch>(&records, batch, limit);
        }
    }
}

#[test]
fn a_part_may_be_exactly_as_long_as_the_limit_and_not_a_byte_longer() {
    let records = records(20);
    let ten = lines(&records[..10]).len() as u64;
    assert_eq!(expected(&records[..10], ten).len(), 1);
    assert_eq!(expected(&records[..10], ten - 1).len(), 2);
    check::<EventWriter>(&records, 5, ten);
    check::<PerBatch>(&records, 5, ten - 1);
}

#[test]
fn larger_files_than_any_buffer_are_written_whole() {
    let records = records(20_000);
    check::<EventWriter>(&records, 3_000, 700_000);
    check::<PerBatch>(&records, 3_000, 700_000);
}

#[test]
fn who_writes_nothing_makes_no_file() {
    fn nothing<W: Writer>() {
        let folder = Folder::temporary("test-nothing").unwrap();
        let said = written(W::create(folder.path(), 0, 100).unwrap(), [&[] as &[Record], &[]]).unwrap();
        assert_eq!((said, names(folder.path())), (Written::default(), Vec::new()));
    }
    nothing::<EventWriter>();
    nothing::<PerBatch>();
}

#[test]
fn an_empty_batch_changes_nothing() {
    let (records, folder) = (records(10), Folder::temporary("test-empty").unwrap());
    let limit = lines(&records[..5]).len() as u64;
    let batches = [&[], &records[..5], &[], &records[5..], &[]];
    let said = written(EventWriter::<_>::on(Faulty::default(), folder.path(), 0, limit).unwrap(), batches).unwrap();
    assert_eq!(said, written(PerBatch::on(Faulty::default(), folder.path(), 0, limit).unwrap(), batches).unwrap());
    assert_eq!(said, described(&expected(&records, limit)));
}

#[test]
fn shards_of_one_folder_don_t_mix() {
    let (records, folder) = (records(30), Folder::temporary("test-shards").unwrap());
    for (shard, records) in [(1, &records[..10]), (11, &records[10..])] {
        written(<EventWriter>::create(folder.path(), shard, 300).unwrap(), [records]).unwrap();
    }
    assert_eq!(read_back(folder.path(), 1).unwrap(), records[..10]);
    assert_eq!(read_back(folder.path(), 11).unwrap(), records[10..]);
    assert_eq!(read_back(folder.path(), 2).unwrap(), []);
}

#[test]
fn the_persistent_writer_opens_a_file_once_and_the_other_one_for_every_batch() {
    let (records, folder) = (records(240), PathBuf::from("/folder"));
    let limit = lines(&records).len() as u64 * 3 / 5;
    let (before, after) = (Faulty::default(), Faulty::default());
    written(PerBatch::on(before.clone(), &folder, 0, limit).unwrap(), records.chunks(10)).unwrap();
    written(EventWriter::on(after.clone(), &folder, 0, limit).unwrap(), records.chunks(10)).unwrap();
    // One of the batches is cut in two.
    assert_eq!((before.opened(), after.opened()), (25, 2));
    let members_of = |files: Faulty| files.files().values().map(|file| members(file).0.len()).sum::<usize>();
    assert_eq!((members_of(before), members_of(after)), (25, 2));
}
