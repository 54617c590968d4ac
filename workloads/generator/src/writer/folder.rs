//! A folder for a time.

use std::fs::{self, DirBuilder, DirEntry, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, Result};

use crate::own_folder::own_folder;

/// What the names of such folders begin with; a name, the process and a number follow.
const WORK: &str = "work-";

/// A new folder in the user's own, and gone with all in it when this is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    /// The folder itself, locked for as long as it is used.
    _held: File,
}

impl Folder {
    /// `name` tells people whose it is. The first in a process sweeps away what dead processes left behind.
    ///
    /// # Errors
    /// Where it can't be made.
    pub(crate) fn temporary(name: &str) -> Result<Self> {
        static SWEPT: Once = Once::new();
        let own = own_folder()?;
        SWEPT.call_once(|| sweep(&own));
        Self::within(&own, name)
    }

    fn within(own: &Path, name: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let (process, number) = (std::process::id(), NEXT.fetch_add(1, Relaxed));
            let path = own.join(format!("{WORK}{name}-{process}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                // Of a process that was killed and had this one's id.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made.with_context(|| path.display().to_string())?,
            }
            let held = File::open(&path).and_then(|folder| folder.lock().map(|()| folder));
            return Ok(Self { _held: held.with_context(|| path.display().to_string())?, path });
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed now is swept away by a later process.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of work in `own` that nobody uses any more, as far as that can be done.
fn sweep(own: &Path) {
    let entries = fs::read_dir(own).into_iter().flatten().flatten();
    for dead in entries.filter(is_dead) {
        let _ = fs::remove_dir_all(dead.path());
    }
}

/// Whether this is a folder of work whose process is gone. It may be alive where its id can't be seen, in another container
/// with the same folder for temporary files: then it holds the lock.
fn is_dead(entry: &DirEntry) -> bool {
    let (name, is_folder) = (entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let process = name.to_str().and_then(|name| name.strip_prefix(WORK)?.rsplit('-').nth(1)?.parse::<u32>().ok());
    let gone = process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists());
    is_folder && gone && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// No process has this id: Linux gives none above 4,194,304.
    const DEAD: u32 = 4_194_305;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn folders_of_dead_processes_are_swept_away_and_nothing_else() {
        let own = tempfile::tempdir().unwrap();
        let make = |name: &str| fs::create_dir(own.path().join(name)).unwrap();
        let living = Folder::within(own.path(), "test").unwrap();
        [format!("work-writer-{DEAD}-0"), format!("work-a-b-{DEAD}-12")].iter().for_each(|name| make(name));
        fs::write(own.path().join(format!("work-writer-{DEAD}-0/events_shard0_part0.csv.gz.partial")), "x").unwrap();
        let others = [format!("mine-{DEAD}-0"), "work-".to_owned(), "work-writer-x-0".to_owned()];
        others.iter().for_each(|name| make(name));
        let (file, link) = (format!("work-writer-{DEAD}-7"), format!("work-writer-{DEAD}-8"));
        fs::write(own.path().join(&file), "").unwrap();
        symlink(own.path().join("work-"), own.path().join(&link)).unwrap();
        sweep(own.path());
        let living = living.path().file_name().unwrap().to_str().unwrap().to_owned();
        let mut left = [&others[..], &[file, link, living]].concat();
        left.sort();
        assert_eq!(names(own.path()), left);
    }

    #[test]
    fn a_folder_that_is_locked_is_in_use_whatever_its_process() {
        let own = tempfile::tempdir().unwrap();
        let path = own.path().join(format!("work-writer-{DEAD}-0"));
        fs::create_dir(&path).unwrap();
        let held = File::open(&path).unwrap();
        held.lock().unwrap();
        sweep(own.path());
        assert!(path.exists());
        drop(held);
        sweep(own.path());
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_is_locked_while_it_is_used_and_gone_afterwards() {
        let own = tempfile::tempdir().unwrap();
        let folder = Folder::within(own.path(), "test").unwrap();
        let path = folder.path().to_owned();
        assert!(File::open(&path).unwrap().try_lock().is_err());
        drop(folder);
        assert!(!path.exists());
    }
}
