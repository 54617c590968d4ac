//! The one file that is read out of an archive.
//!
//! ```text
//!   header, data │ header, data │ ... │ directory: name, sizes, where │ end: where the directory is
//! ```
//!
//! An archive says most things twice, and programs differ in which they believe. So only archives are read about which all
//! agree: they begin with the first entry and end with the end record, no bytes belong to two entries, and an entry's own
//! header says what the directory says of it. What `actions/upload-artifact` writes is of this kind.

use std::io::Read;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, Error, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive, ZipSliceEntry};

/// The largest archive that is looked into, in bytes.
pub const LARGEST_ARCHIVE: usize = 256 << 20;
/// The most entries of an archive.
const MOST_ENTRIES: usize = 10_000;
/// The largest file that is unpacked, in bytes.
const LARGEST: u64 = 64 << 20;
/// Up to so many bytes it does not matter how well they were packed.
const SMALL: u64 = 1 << 20;
/// The most that a file is unpacked to, in multiples of what it was packed to. Runs reach four, indented ones ten; what is
/// made to swell reaches a thousand.
const MOST_TIMES: u64 = 100;
/// The file that is looked for.
const RUN: &[u8] = b"run.json";
/// The longest name of the folder that it may lie in, in bytes.
const LONGEST_FOLDER: usize = 200;

type Archive<'a> = ZipSliceArchive<&'a [u8]>;

/// The unpacked `run.json`, checked against the checksum that the archive has of it.
///
/// # Errors
/// What makes the archive or its entry one that is not read.
pub(super) fn run_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    if bytes.len() > LARGEST_ARCHIVE {
        return Err(format!("{} bytes are more than 256 MiB", bytes.len()));
    }
    ends_plainly(bytes)?;
    let archive = ZipArchive::from_slice(bytes).map_err(unreadable)?;
    let records = records(&archive)?;
    disjoint(&archive, &records)?;
    let mut candidates = records.iter().filter(|record| is_run(name(record)));
    match (candidates.next(), candidates.next()) {
        (None, _) => Err("it has no run.json".to_owned()),
        (Some(record), None) => {
            let shown = shown(name(record));
            unpacked(&archive, record).map_err(|wrong| format!("the entry {shown} {wrong}"))
        }
        (Some(one), Some(other)) => {
            Err(format!("it has more than one run.json: {} and {}", shown(name(one)), shown(name(other))))
        }
    }
}

fn unreadable(error: Error) -> String {
    format!("it can't be read as a zip archive: {error}")
}

/// The archive ends with the record of its end, without a comment; the directory lies right before that, and both are those
/// of an archive below 4 GiB.
fn ends_plainly(bytes: &[u8]) -> Result<(), String> {
    const END: usize = 22;
    const LOCATOR: usize = 20;
    let no_end = || "it can't be read as a zip archive: it does not end with the record of its end".to_owned();
    let (before, end) = bytes.split_last_chunk::<END>().ok_or_else(no_end)?;
    let short = |at: usize| u64::from(u16::from_le_bytes([end[at], end[at + 1]]));
    let long = |at: usize| short(at) | short(at + 2) << 16;
    if !end.starts_with(b"PK\x05\x06") || short(20) != 0 {
        return Err(no_end());
    }
    // What is here is far too small to need the other kind of directory, and its reader could be told two stories.
    let other_end = before.len().checked_sub(LOCATOR).is_some_and(|at| before[at..].starts_with(b"PK\x06\x07"));
    if other_end || short(4) != 0 || short(6) != 0 || short(8) != short(10) {
        return Err("its directory is that of an archive in parts, or of more than 4 GiB".to_owned());
    }
    if long(16) + long(12) != before.len() as u64 {
        return Err("its directory does not lie where its end says".to_owned());
    }
    Ok(())
}

/// All entries that the directory lists: as many as it says.
fn records<'a>(archive: &'a Archive<'_>) -> Result<Vec<ZipFileHeaderRecord<'a>>, String> {
    let entries = archive.entries().take(MOST_ENTRIES + 1);
    let records = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if records.len() > MOST_ENTRIES {
        return Err(format!("it has more than {MOST_ENTRIES} entries"));
    }
    if records.len() as u64 != archive.entries_hint() {
        return Err(format!("it has {} entries and says {}", records.len(), archive.entries_hint()));
    }
    Ok(records)
}

/// Entries follow each other from the first byte on, and end before the directory begins.
fn disjoint(archive: &Archive<'_>, records: &[ZipFileHeaderRecord<'_>]) -> Result<(), String> {
    let range = |record: &ZipFileHeaderRecord<'_>| {
        let entry = archive.get_entry(record.wayfinder()).map_err(unreadable)?;
        Ok((record.local_header_offset(), entry.compressed_data_range().1))
    };
    let mut ranges = records.iter().map(range).collect::<Result<Vec<_>, String>>()?;
    ranges.sort_unstable();
    if ranges.first().is_some_and(|(start, _)| *start != 0) {
        return Err("its first entry is not at its beginning".to_owned());
    }
    let starts = ranges.iter().skip(1).map(|(start, _)| *start).chain([archive.directory_offset()]);
    match ranges.iter().zip(starts).find(|((_, end), next)| end > next) {
        Some(((start, _), _)) => Err(format!("the entry at byte {start} overlaps with what follows")),
        None => Ok(()),
    }
}

fn name<'a>(record: &ZipFileHeaderRecord<'a>) -> &'a [u8] {
    record.file_path().as_bytes()
}

/// A name from an archive, quoted, and shortened where it is long.
fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 100;
    format!("{:?}", String::from_utf8_lossy(&name[..name.len().min(LONGEST)]))
}

/// Whether some system would take the entry for a `run.json`, or for something inside of one: some end names at a NUL or
/// have other marks between folders, don't tell capitals from small letters, or drop dots and spaces from the end.
fn is_run(name: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'/' | b'\\' | b':' | 0);
    let bare = |part: &[u8]| {
        let kept = part.iter().rposition(|byte| !matches!(byte, b'.' | b' ')).map_or(0, |last| last + 1);
        part[..kept].trim_ascii_start().eq_ignore_ascii_case(RUN)
    };
    name.split(is_mark).any(bare)
}

/// Whether it lies where it belongs: at the root, or in a folder with a plain name.
fn is_in_place(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+=".contains(byte);
    let folder = match name.strip_suffix(RUN) {
        Some([]) => return true,
        Some([folder @ .., b'/']) => folder,
        _ => return false,
    };
    !folder.is_empty() && folder.len() <= LONGEST_FOLDER && !folder.starts_with(b".") && folder.iter().all(plain)
}

/// What is in an entry that is a plain file, packed in one of two ways.
fn unpacked(archive: &Archive<'_>, record: &ZipFileHeaderRecord<'_>) -> Result<Vec<u8>, String> {
    if !is_in_place(name(record)) {
        return Err("is neither run.json nor FOLDER/run.json".to_owned());
    }
    is_plain_file(record)?;
    let entry = archive.get_entry(record.wayfinder()).map_err(|error| error.to_string())?;
    same_in_header(record, &entry)?;
    let (packed, size) = (entry.data(), record.uncompressed_size_hint());
    if size > LARGEST {
        return Err("is larger than 64 MiB: split the run with filters".to_owned());
    }
    if size > SMALL && size / MOST_TIMES > packed.len() as u64 {
        return Err(format!("is packed {MOST_TIMES} times, as no run is"));
    }
    let json = match record.compression_method() {
        CompressionMethod::STORE => packed.to_vec(),
        CompressionMethod::DEFLATE => inflated(packed, size)?,
        other => return Err(format!("is packed by method {}, which is neither 0 nor 8", other.as_u16())),
    };
    if json.len() as u64 != size || rawzip::crc32(&json) != record.crc32() {
        return Err("is not what the directory says of it: another size, or another checksum".to_owned());
    }
    Ok(json)
}

fn is_plain_file(record: &ZipFileHeaderRecord<'_>) -> Result<(), String> {
    let flags = record.flags();
    if flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked() {
        return Err("is encrypted".to_owned());
    }
    // The upper half is what Unix calls the mode, whichever system is said to have made the entry; 0 says nothing.
    match record.external_attributes() >> 28 {
        0 | 0o10 => Ok(()),
        0o12 => Err("is a symbolic link".to_owned()),
        _ => Err("is no plain file".to_owned()),
    }
}

/// The entry's own header says what the directory says; sizes may be missing there where they are told behind the data.
fn same_in_header(record: &ZipFileHeaderRecord<'_>, entry: &ZipSliceEntry<'_>) -> Result<(), String> {
    let header = entry.local_header();
    let own = (header.crc32(), header.compressed_size_hint(), header.uncompressed_size_hint());
    let listed = (record.crc32(), record.compressed_size_hint(), record.uncompressed_size_hint());
    let later = record.flags().has_data_descriptor();
    let sizes = own == listed || (later && own == (0, 0, 0));
    let same = header.file_path().as_bytes() == name(record)
        && header.flags() == record.flags()
        && header.compression_method() == record.compression_method();
    if same && sizes { Ok(()) } else { Err("is described in another way by its own header".to_owned()) }
}

/// Unpacks no more than is announced, whatever is in there; and nothing may be left.
fn inflated(packed: &[u8], size: u64) -> Result<Vec<u8>, String> {
    let mut decoder = DeflateDecoder::new(packed);
    let mut json = Vec::new();
    // One byte more than announced tells that there is more.
    let read = decoder.by_ref().take(size + 1).read_to_end(&mut json);
    read.map_err(|error| format!("can't be unpacked: {error}"))?;
    if json.len() as u64 > size || decoder.total_in() != packed.len() as u64 {
        return Err("holds more than the directory says".to_owned());
    }
    Ok(json)
}
