//! Where database files lie: made once per size and seed, in a folder that belongs to the user alone.
//!
//! Several processes may start at once. One of them makes the file, under another name and behind a lock, and the others wait
//! for it; whoever opens a file finds a whole one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::database::{SubscriberDbRedb, VERSION};
use super::numbering::Numbering;
use crate::own_folder::own_folder;

/// The database of the subscribers of `numbering`, with the histories that `seed` gives them. The file is made where there is
/// none yet, and made anew where it is not what it should be.
///
/// # Errors
/// Where the user's folder can't be made or is somebody else's, and where the file can't be written.
pub(crate) fn open(numbering: &Numbering, seed: u64) -> Result<Arc<SubscriberDbRedb>> {
    let folder = own_folder()?;
    open_in(&folder, numbering, seed).map(Arc::new)
}

/// Removes the file that [`open`] made of `numbering` and `seed`. Who has it open goes on reading it.
///
/// # Errors
/// Where it can't be removed.
pub(crate) fn remove(numbering: &Numbering, seed: u64) -> Result<()> {
    remove_in(&own_folder()?, numbering, seed)
}

fn path_in(folder: &Path, numbering: &Numbering, seed: u64) -> PathBuf {
    folder.join(format!("subscribers-v{VERSION}-{}-seed{seed}.redb", numbering.subscribers()))
}

fn open_in(folder: &Path, numbering: &Numbering, seed: u64) -> Result<SubscriberDbRedb> {
    let path = path_in(folder, numbering, seed);
    if let Ok(database) = SubscriberDbRedb::open(&path, numbering, seed) {
        return Ok(database);
    }
    let _held = locked(&path)?;
    // Another process may have made it in the meantime.
    if let Ok(database) = SubscriberDbRedb::open(&path, numbering, seed) {
        return Ok(database);
    }
    make(&path, numbering, seed).with_context(|| format!("{}: making the database", path.display()))?;
    SubscriberDbRedb::open(&path, numbering, seed)
        .with_context(|| format!("{}: opening the database just made", path.display()))
}

/// Behind the lock, so that nobody's new file goes before they have opened it. The lock itself, an empty file, stays: others
/// may be waiting for it.
fn remove_in(folder: &Path, numbering: &Numbering, seed: u64) -> Result<()> {
    let path = path_in(folder, numbering, seed);
    let _held = locked(&path)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: removing the database", path.display()))
        }
        _ => Ok(()),
    }
}

/// The lock of the database at `path`, held for as long as the file is open.
fn locked(path: &Path) -> Result<File> {
    let lock = path.with_extension("lock");
    let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    held.with_context(|| format!("{}: the lock of a database", lock.display()))
}

/// Writes the file under another name and gives it its own when it is whole. Called by who holds the lock.
fn make(path: &Path, numbering: &Numbering, seed: u64) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    // Left behind by a process that was killed.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    SubscriberDbRedb::write(&unfinished, numbering, seed)?;
    fs::rename(&unfinished, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::config::Config;
    use crate::subscribers::invent::{DAY, history};

    const SEED: u64 = 9;

    fn numbering() -> Numbering {
        Numbering::new(&Config::load(), 300)
    }

    /// The one database file of a folder.
    fn file(folder: &Path) -> PathBuf {
        folder.join(format!("subscribers-v{VERSION}-300-seed{SEED}.redb"))
    }

    fn answers(database: &SubscriberDbRedb) -> bool {
        (0..300).all(|subscriber| {
            let expected = history(SEED, subscriber).into_iter().find(|snapshot| snapshot.holds_at(DAY));
            database.get_subscriber_at(numbering().msisdn(subscriber), DAY).unwrap() == expected
        })
    }

    #[test]
    fn a_file_is_made_once_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(answers(&open_in(folder.path(), &numbering(), SEED).unwrap()));
        let made = fs::metadata(file(folder.path())).unwrap().ino();
        assert!(answers(&open_in(folder.path(), &numbering(), SEED).unwrap()));
        assert_eq!(fs::metadata(file(folder.path())).unwrap().ino(), made);
        assert!(!file(folder.path()).with_extension("unfinished").exists());
    }

    #[test]
    fn all_who_start_at_once_read_one_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let opened: Vec<(SubscriberDbRedb, u64)> = std::thread::scope(|scope| {
            let one = || {
                let database = open_in(folder.path(), &numbering(), SEED).unwrap();
                (database, fs::metadata(file(folder.path())).unwrap().ino())
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().all(|(database, inode)| answers(database) && *inode == opened[0].1));
    }

    #[test]
    fn a_file_that_is_something_else_or_cut_off_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        open_in(folder.path(), &numbering(), SEED).unwrap();
        let path = file(folder.path());
        let whole = fs::read(&path).unwrap();
        for broken in [&b"no database"[..], &[], &whole[..whole.len() / 2], &whole[..4_096]] {
            fs::write(&path, broken).unwrap();
            assert!(SubscriberDbRedb::open(&path, &numbering(), SEED).is_err(), "{} bytes", broken.len());
            assert!(answers(&open_in(folder.path(), &numbering(), SEED).unwrap()), "{} bytes", broken.len());
        }
    }

    #[test]
    fn what_a_killed_process_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file(folder.path()).with_extension("unfinished"), b"half a database").unwrap();
        assert!(answers(&open_in(folder.path(), &numbering(), SEED).unwrap()));
    }

    #[test]
    fn a_removed_file_is_read_on_by_who_has_it_and_made_anew_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let open = open_in(folder.path(), &numbering(), SEED).unwrap();
        open_in(folder.path(), &numbering(), SEED + 1).unwrap();
        for _ in 0..2 {
            remove_in(folder.path(), &numbering(), SEED).unwrap();
            assert!(!file(folder.path()).exists());
        }
        assert!(answers(&open));
        assert!(path_in(folder.path(), &numbering(), SEED + 1).exists(), "another seed's");
        assert!(answers(&open_in(folder.path(), &numbering(), SEED).unwrap()));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = format!("{:#}", open_in(&missing, &numbering(), SEED).unwrap_err());
        assert!(error.contains("missing/subscribers-v") && error.contains("the lock of a database"), "{error}");
    }
}
