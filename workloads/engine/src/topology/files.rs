//! Where the topology is read from.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Files below `/sys/devices/system`, or what a test takes for them.
pub(super) trait Files {
    /// The text of a file; `None` where there is none or it is not for us, as in many containers.
    ///
    /// # Errors
    /// Where the file is there and can't be read.
    fn read(&self, path: &str) -> io::Result<Option<String>>;
}

/// A folder.
pub(super) struct Folder(pub(super) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        match std::fs::read_to_string(self.0.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_none_and_one_that_is_no_file_is_an_error() {
        let package = Folder(env!("CARGO_MANIFEST_DIR").into());
        assert!(package.read("Cargo.toml").unwrap().unwrap().contains("engine"));
        assert_eq!(package.read("cpu/online").unwrap(), None);
        assert!(package.read("src").is_err(), "a folder");
    }
}
