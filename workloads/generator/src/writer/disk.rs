//! What writers do to a file system: a narrow door, so that tests can make every step behind it fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A file system.
pub(crate) trait Files: Clone + Default + Send + 'static {
    type File: Write + Send;

    /// Whether a folder is there.
    fn check_folder(&self, path: &Path) -> io::Result<()>;
    /// A new file, or an old one made empty.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// A file that is there, to be written at its end.
    fn append(&self, path: &Path) -> io::Result<Self::File>;
    /// Cuts a file off after `length` bytes.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Gives a file another name, in place of the file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk;

impl Files for Disk {
    type File = File;

    fn check_folder(&self, path: &Path) -> io::Result<()> {
        let is_folder = fs::metadata(path)?.is_dir();
        is_folder.then_some(()).ok_or_else(|| io::ErrorKind::NotADirectory.into())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn append(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(length)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}
