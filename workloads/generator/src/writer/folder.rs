//! A folder for a time.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A new folder below the one for temporary files, open to this user alone, and gone with all in it when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// `name` tells people whose it is.
    ///
    /// # Errors
    /// Where it can't be made.
    pub(crate) fn temporary(name: &str) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let (process, number) = (std::process::id(), NEXT.fetch_add(1, Relaxed));
            let path = std::env::temp_dir().join(format!("generator-{name}-{process}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                // Of a process that was killed and had this one's id; or somebody else's, and then not to be used.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed now is the temporary folder's to clear away.
        let _ = fs::remove_dir_all(&self.0);
    }
}
