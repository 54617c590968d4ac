//! What both ways of writing promise.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use perfplan_harness::{Checksum, Digest};

use super::{WriteError, shard};
use crate::record::Record;

/// The fastest compression that is one. Both ways have the same, and the plan names none: a better one would take longer on
/// both sides alike, and hide what opening and closing cost behind it.
pub(super) const LEVEL: Compression = Compression::fast();

/// Writes the records of one shard, in the order they come.
///
/// After an error nothing more is written: every later call fails as well, and counts what it was given as lost.
pub(crate) trait Writer: Sized {
    /// Makes ready to write `shard` into `folder`. Parts are cut after at most `rotate_bytes` bytes before compression. No
    /// file is made before the first record; one that has the name of a part is replaced when that part is begun or
    /// completed.
    ///
    /// # Errors
    /// Where `folder` is none, or can't be reached.
    fn create(folder: &Path, shard: u32, rotate_bytes: u64) -> Result<Self, WriteError>;

    /// Writes a batch of records. They are in the current part, which is not complete yet.
    ///
    /// # Errors
    /// Where a file can't be made, written or renamed.
    fn write(&mut self, records: &[Record]) -> Result<(), WriteError>;

    /// How many records are safe so far and how many would be lost at most, if nothing more were written.
    fn toll(&self) -> Toll;

    /// Completes the last part, and says what was written.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish(self) -> Result<Written, WriteError>;
}

/// What becomes of a shard's records where its writing ends before it is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toll {
    /// How many records, from the first on, lie in complete files, or in complete gzip members of a file that isn't.
    pub(crate) safe: u64,
    /// How many records are lost at most: all others that the writer was given. A part of them may be in a `.partial` file.
    pub(crate) lost: u64,
}

/// What a shard has become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The complete parts, from number 0.
    pub(crate) parts: Vec<Part>,
}

/// One complete file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) records: u64,
    /// Its size before compression.
    pub(crate) bytes: u64,
    /// The CRC-32 of these bytes, as in the trailer of a gzip file that has one member.
    pub(crate) crc: u32,
}

impl Written {
    /// The records of all parts.
    pub(crate) fn records(&self) -> u64 {
        self.parts.iter().map(|part| part.records).sum()
    }

    /// Removes the files of all parts from `folder`, where they were written as those of `shard`.
    ///
    /// # Errors
    /// Where one can't be removed.
    pub(crate) fn remove(&self, folder: &Path, shard: u32) -> Result<()> {
        (0..self.parts.len() as u32).try_for_each(|part| {
            let path = shard::complete(&shard::partial(folder, shard, part));
            fs::remove_file(&path).with_context(|| path.display().to_string())
        })
    }
}

impl Digest for Written {
    fn digest(&self, checksum: &mut Checksum) {
        self.parts.digest(checksum);
    }
}

impl Digest for Part {
    fn digest(&self, checksum: &mut Checksum) {
        (self.records, self.bytes, self.crc).digest(checksum);
    }
}
