//! Locks between processes: a file that is locked. The kernel frees it when its holder ends, however it ends.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::interrupt::check_interrupt;

/// How often a lock that somebody else holds is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// A file to lock. What is locked is freed when this is dropped.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// The file, made where it is not there yet, and not locked.
    ///
    /// # Errors
    /// Where it or its folder can't be made.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::options().create(true).append(true).open(path)
        };
        let file = open().with_context(|| format!("making {}", path.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Locks it so that nobody else has it; whether that went.
    ///
    /// # Errors
    /// Where the file system has no locks.
    pub fn try_alone(&self) -> Result<bool> {
        self.taken(self.file.try_lock())
    }

    /// Locks it together with others who do the same; whether that went.
    ///
    /// # Errors
    /// Where the file system has no locks.
    pub fn try_shared(&self) -> Result<bool> {
        self.taken(self.file.try_lock_shared())
    }

    /// Waits until [`FileLock::try_alone`] goes.
    ///
    /// # Errors
    /// As that, and where the tool is asked to end meanwhile.
    pub fn wait_alone(&self) -> Result<()> {
        wait(|| self.try_alone())
    }

    /// Waits until [`FileLock::try_shared`] goes.
    ///
    /// # Errors
    /// As that, and where the tool is asked to end meanwhile.
    pub fn wait_shared(&self) -> Result<()> {
        wait(|| self.try_shared())
    }

    /// Frees it.
    ///
    /// # Errors
    /// Where the file system has no locks.
    pub fn free(&self) -> Result<()> {
        self.file.unlock().with_context(|| format!("unlocking {}", self.path.display()))
    }

    fn taken(&self, tried: Result<(), TryLockError>) -> Result<bool> {
        match tried {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", self.path.display())),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing does not do: a child that another thread is starting holds a copy of the descriptor for a moment.
        let _ = self.file.unlock();
    }
}

/// A step of waiting for somebody else's lock.
///
/// # Errors
/// Where the tool is asked to end.
pub fn wait_a_moment() -> Result<()> {
    check_interrupt()?;
    thread::sleep(AGAIN);
    Ok(())
}

fn wait(locked: impl Fn() -> Result<bool>) -> Result<()> {
    while !locked()? {
        wait_a_moment()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_alone_or_several_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let lock = || FileLock::open(&folder.path().join("below/lock")).unwrap();
        let (one, other) = (lock(), lock());
        one.wait_shared().unwrap();
        assert!(other.try_shared().unwrap() && !lock().try_alone().unwrap());
        other.free().unwrap();
        one.wait_alone().unwrap();
        assert!(!other.try_shared().unwrap());
        drop(one);
        other.wait_alone().unwrap();
    }
}
