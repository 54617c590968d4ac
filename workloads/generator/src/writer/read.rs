//! Reading a shard's files back.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::shard;
use crate::record::Record;

/// The records in the complete parts of a shard, in the order they were written. Unfinished parts are not read.
///
/// # Errors
/// Where a part is missing before the last, can't be read, is damaged, or has a line that is no record.
pub(crate) fn read_back(folder: &Path, shard: u32) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for path in complete_parts(folder, shard)? {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        read_file(&path, &mut records).map_err(named)?;
    }
    Ok(records)
}

/// The complete parts of a shard, by number.
pub(super) fn complete_parts(folder: &Path, shard: u32) -> io::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(part) = entry.file_name().to_str().and_then(|name| shard::part_of(name, shard)) {
            parts.push((part, entry.path()));
        }
    }
    parts.sort_unstable();
    match parts.iter().zip(0..).find(|((part, _), expected)| part != expected) {
        Some((_, missing)) => {
            let text = format!("{}: part {missing} of shard {shard} is missing", folder.display());
            Err(io::Error::new(io::ErrorKind::NotFound, text))
        }
        None => Ok(parts.into_iter().map(|(_, path)| path).collect()),
    }
}

/// Adds the records of one file.
fn read_file(path: &Path, records: &mut Vec<Record>) -> io::Result<()> {
    let members = MultiGzDecoder::new(BufReader::new(File::open(path)?));
    for line in BufReader::new(members).lines() {
        let record = Record::parse(&line?);
        records.push(record.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?);
    }
    Ok(())
}
