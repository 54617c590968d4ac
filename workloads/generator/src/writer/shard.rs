//! The files of a shard by name, and the account of its records.

use std::io;
use std::path::{Path, PathBuf};

use super::WriteError;
use super::contract::Toll;

/// What is behind the name of a part that is not complete.
const UNFINISHED: &str = ".partial";

/// The path of a part while it is written.
pub(super) fn partial(folder: &Path, shard: u32, part: u32) -> PathBuf {
    folder.join(format!("{}{part}{EXTENSION}{UNFINISHED}", prefix(shard)))
}

/// The path of a part when it is complete, from its path before.
pub(super) fn complete(partial: &Path) -> PathBuf {
    partial.with_extension("")
}

/// The number of the part of `shard` that a complete file's name stands for.
pub(super) fn part_of(name: &str, shard: u32) -> Option<u32> {
    name.strip_prefix(&prefix(shard))?.strip_suffix(EXTENSION)?.parse().ok()
}

const EXTENSION: &str = ".csv.gz";

fn prefix(shard: u32) -> String {
    format!("events_shard{shard}_part")
}

/// How many records of a shard came, and how many of them are safe. Every record that came and is not safe counts as lost
/// when the writing fails: no path from one to the other can be forgotten.
pub(super) struct Account {
    shard: u32,
    given: u64,
    safe: u64,
    failed: Option<PathBuf>,
}

impl Account {
    pub(super) fn of(shard: u32) -> Self {
        Self { shard, given: 0, safe: 0, failed: None }
    }

    /// Records have come.
    ///
    /// # Errors
    /// Where the writing has failed before.
    pub(super) fn give(&mut self, records: u64) -> Result<(), WriteError> {
        self.given += records;
        match self.failed.take() {
            None => Ok(()),
            Some(file) => Err(self.fail(&file, io::Error::other("writing it has failed before"))),
        }
    }

    /// Records that came are safe.
    pub(super) fn keep(&mut self, records: u64) {
        self.safe += records;
    }

    /// The error after which nothing is written any more.
    pub(super) fn fail(&mut self, file: &Path, cause: io::Error) -> WriteError {
        self.failed = Some(file.to_owned());
        let Toll { safe, lost } = self.toll();
        WriteError { shard: self.shard, file: file.to_owned(), safe, lost, cause }
    }

    /// What would be safe and lost if the writing ended now.
    pub(super) fn toll(&self) -> Toll {
        Toll { safe: self.safe, lost: self.given - self.safe }
    }
}
