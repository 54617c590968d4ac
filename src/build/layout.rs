//! Layouts: the same objects linked again in another order.
//!
//! Two links of one source differ in speed, by as much as most changes that a team wants to see. So every round draws a
//! fresh link order; then layout is noise that averages out, and no longer a bias of the one link that was measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use super::record::{Link, OUTPUT};
use crate::process::{self, FileLock, Spec};

/// How a linker is told to shuffle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shuffle {
    /// LLVM's lld: an option per kind of section. Start-up code keeps its order.
    Lld,
    /// mold: one option, no choice of sections.
    Mold,
}

impl Shuffle {
    fn arguments(self, seed: u64) -> Vec<String> {
        let seed = seed % u64::from(u32::MAX - 1) + 1; // Both linkers take 32 bits, and 0 has a meaning of its own.
        match self {
            Self::Lld => [".text*", ".rodata*", ".data*", ".bss*"]
                .map(|sections| format!("-Wl,--shuffle-sections={sections}={seed}"))
                .to_vec(),
            Self::Mold => vec![format!("-Wl,--shuffle-sections={seed}")],
        }
    }
}

/// The folder of a run's layouts, removed with this value. What a killed run left is removed by the next one: hundreds of links
/// take room.
#[derive(Debug)]
pub struct LayoutFolder {
    path: PathBuf,
    lock: PathBuf,
    /// Locked as long as the run lives.
    _locked: FileLock,
}

impl LayoutFolder {
    /// Makes the folder `name` in `parent`, and clears those of runs that live no more.
    ///
    /// # Errors
    /// Where the folder can't be made, or another process has one of this name.
    pub fn new(parent: &Path, name: &str) -> Result<Self> {
        let (path, lock) = (parent.join(name), lock_of(parent, name));
        let make = || {
            fs::create_dir_all(parent)?;
            sweep(parent)?;
            // The lock is held before the folder is there: a folder whose lock is free belongs to nobody.
            let locked = FileLock::open(&lock)?;
            ensure!(locked.try_alone()?, "another process has a run of this name");
            fs::create_dir_all(&path)?;
            Ok(locked)
        };
        let locked = make().with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self { path, lock, _locked: locked })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LayoutFolder {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock);
    }
}

fn lock_of(parent: &Path, name: &str) -> PathBuf {
    parent.join(format!("{name}.lock"))
}

/// Removes the folders that nobody holds the lock of.
fn sweep(parent: &Path) -> Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let lock = lock_of(parent, &entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() && FileLock::open(&lock)?.try_alone()? {
            fs::remove_dir_all(entry.path())?;
            let _ = fs::remove_file(&lock);
        }
    }
    Ok(())
}

/// The layouts of one program. All programs of a run draw the same seeds, so that equal code gets equal layouts in all arms.
#[derive(Debug)]
pub struct Layouts {
    link: Link,
    shuffle: Shuffle,
    folder: PathBuf,
    ready: usize,
}

impl Layouts {
    /// Tries the recorded link in shuffled order.
    ///
    /// # Errors
    /// Where no linker option shuffles: the error says why layouts can't be drawn for this program.
    pub fn try_new(link: Link, folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut last = None;
        for shuffle in [Shuffle::Lld, Shuffle::Mold] {
            match replay(&link, shuffle, 1, &folder.join("trial")) {
                Ok(()) => return Ok(Self { link, shuffle, folder, ready: 0 }),
                Err(error) => last = last.or(Some(error)),
            }
        }
        bail!("the linker can't shuffle sections: {:#}", last.unwrap_or_else(|| anyhow::anyhow!("no way to ask it")))
    }

    /// Links layouts until `seeds.len()` stand, on `threads` threads. The first `ready` of the seeds must be the same in
    /// every call.
    ///
    /// # Errors
    /// Where a link fails: a full disk, most often.
    pub fn ensure(&mut self, seeds: &[u64], threads: usize) -> Result<()> {
        let Some(wanted) = seeds.get(self.ready..).filter(|wanted| !wanted.is_empty()) else {
            return Ok(());
        };
        let share = wanted.len().div_ceil(threads.max(1));
        let this = &*self;
        thread::scope(|scope| {
            let parts: Vec<_> = wanted.chunks(share).map(|part| scope.spawn(move || this.link_all(part))).collect();
            parts.into_iter().try_for_each(|part| part.join().unwrap_or_else(|_| bail!("a linking thread panicked")))
        })?;
        self.ready = seeds.len();
        Ok(())
    }

    fn link_all(&self, seeds: &[u64]) -> Result<()> {
        seeds.iter().try_for_each(|seed| replay(&self.link, self.shuffle, *seed, &self.path(*seed)))
    }

    /// Forgets all layouts: the next ones are of other seeds.
    pub fn clear(&mut self) {
        // What can't be removed only takes room.
        let _ = fs::remove_dir_all(&self.folder).and_then(|()| fs::create_dir_all(&self.folder));
        self.ready = 0;
    }

    /// The program in the layout of this seed.
    #[must_use]
    pub fn path(&self, seed: u64) -> PathBuf {
        self.folder.join(format!("{seed:016x}"))
    }
}

impl Drop for Layouts {
    fn drop(&mut self) {
        // Every run draws its layouts anew; what is left would only fill the disk.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn replay(link: &Link, shuffle: Shuffle, seed: u64, output: &Path) -> Result<()> {
    let output = output.to_string_lossy();
    let arguments = link.arguments.iter().map(|word| word.replace(OUTPUT, &output));
    // Debug info takes no part in running and most of the time in linking.
    let spec = Spec::new(&link.linker).args(arguments).arg("-Wl,--strip-debug").args(shuffle.arguments(seed));
    process::run(&spec)?.check("linking in another order")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_a_living_one_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let left = |name: &str| parent.path().join(name).join("0").join("layout");
        fs::create_dir_all(left("killed")).unwrap();
        fs::write(lock_of(parent.path(), "killed"), "").unwrap();
        let living = LayoutFolder::new(parent.path(), "living").unwrap();
        fs::create_dir_all(left("living")).unwrap();
        let next = LayoutFolder::new(parent.path(), "next").unwrap();
        assert!(!left("killed").exists() && left("living").exists() && next.path().exists());
        assert!(LayoutFolder::new(parent.path(), "living").is_err(), "two runs of one name");
        drop((living, next));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
