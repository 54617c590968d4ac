//! Where database files lie: made once per size and seed, in a folder that belongs to the user alone.
//!
//! Several processes may start at once. One of them makes the file, under another name and behind a lock, and the others wait
//! for it; whoever opens a file finds a whole one.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::database::{SubscriberDbRedb, VERSION};
use super::numbering::Numbering;

/// The database of the subscribers of `numbering`, with the histories that `seed` gives them. The file is made where there is
/// none yet, and made anew where it is not what it should be.
///
/// # Errors
/// Where the user's folder can't be made or is somebody else's, and where the file can't be written.
pub(crate) fn open(numbering: &Numbering, seed: u64) -> Result<Arc<SubscriberDbRedb>> {
    let folder = own_folder(&std::env::temp_dir())?;
    open_in(&folder, numbering, seed).map(Arc::new)
}

/// A folder below `temporary` that only this user can look into.
fn own_folder(temporary: &Path) -> Result<PathBuf> {
    let user = fs::metadata("/proc/self").context("/proc/self, to know whose process this is")?.uid();
    let folder = temporary.join(format!("perfplan-generator-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("{}: the folder for databases", folder.display()));
        }
        _ => {}
    }
    // Of what stands there itself, not of what a link leads to.
    let found = fs::symlink_metadata(&folder).with_context(|| folder.display().to_string())?;
    ensure!(
        found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0,
        "{} is not a folder of this user's alone (owner {user}, mode 700): remove it, or set TMPDIR",
        folder.display()
    );
    Ok(folder)
}

fn open_in(folder: &Path, numbering: &Numbering, seed: u64) -> Result<SubscriberDbRedb> {
    let path = folder.join(format!("subscribers-v{VERSION}-{}-seed{seed}.redb", numbering.subscribers()));
    if let Ok(database) = SubscriberDbRedb::open(&path, numbering, seed) {
        return Ok(database);
    }
    let lock = path.with_extension("lock");
    let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _held = held.with_context(|| format!("{}: the lock of a database", lock.display()))?;
    // Another process may have made it in the meantime.
    if let Ok(database) = SubscriberDbRedb::open(&path, numbering, seed) {
        return Ok(database);
    }
    make(&path, numbering, seed).with_context(|| format!("{}: making the database", path.display()))?;
    SubscriberDbRedb::open(&path, numbering, seed)
        .with_context(|| format!("{}: opening the database just made", path.display()))
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
    use std::os::unix::fs::{PermissionsExt, symlink};

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
    fn a_folder_that_cannot_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = format!("{:#}", open_in(&missing, &numbering(), SEED).unwrap_err());
        assert!(error.contains("missing/subscribers-v") && error.contains("the lock of a database"), "{error}");
    }

    #[test]
    fn the_folder_is_the_users_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = own_folder(temporary.path()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(own_folder(temporary.path()).unwrap(), folder);
    }

    #[test]
    fn a_folder_that_others_may_look_into_or_a_link_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = own_folder(temporary.path()).unwrap();
        let refused = || own_folder(temporary.path()).unwrap_err().to_string().contains("set TMPDIR");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(refused());
        let elsewhere = temporary.path().join("elsewhere");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::rename(&folder, &elsewhere).unwrap();
        symlink(&elsewhere, &folder).unwrap();
        assert!(refused());
    }
}
