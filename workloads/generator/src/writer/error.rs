//! A shard that could not be written.

use std::path::PathBuf;
use std::{error, fmt, io};

/// Why the writing of a shard ended, and what that costs.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) shard: u32,
    /// What could not be made, written, renamed or reached.
    pub(crate) file: PathBuf,
    /// How many records, from the first on, lie in complete files, or in complete gzip members of a file that isn't.
    pub(crate) safe: u64,
    /// How many records are lost at most: all others that the writer was given. A part of them may be in a `.partial` file.
    pub(crate) lost: u64,
    pub(crate) cause: io::Error,
}

impl WriteError {
    /// The error where another `records` are lost, which the writer never saw.
    pub(super) fn and_lost(self, records: u64) -> Self {
        Self { lost: self.lost + records, ..self }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, file, safe, lost, cause } = self;
        write!(f, "shard {shard}: {}: {cause}; {safe} records are safe, {lost} are lost at most", file.display())
    }
}

impl error::Error for WriteError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.cause)
    }
}
