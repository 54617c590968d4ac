//! The room that builds take on disk, and making room.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use super::cache::{Cache, digest};
use crate::process::FileLock;

/// What belongs to builds among the tool's own folders: all of it can be made again.
const BUILT: [&str; 8] = ["build", "cache", "artifacts", "links", "pgo", "layouts", "worktrees", "tools"];
/// What was measured.
const MEASURED: [&str; 3] = ["runs", "confirmations", "selftests"];

/// Where other revisions are checked out: in the user's cache, apart from the workspace, because cargo reads its configuration from
/// all folders above, and another revision has its own. Without a home, below `own`.
///
/// # Errors
/// Never in practice: paths are text.
pub fn worktrees(own: &Path) -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let name = digest(&own.display().to_string())?;
    Ok(cache.map_or_else(|| own.join("worktrees"), |cache| cache.join("perfplan").join(name)))
}

/// A promise that what was built stays. Any number of runs hold it together; nothing is thrown away meanwhile.
#[derive(Debug)]
pub struct InUse {
    _lock: FileLock,
}

impl InUse {
    /// Holds on to what is built below `own`, after having thrown away what was not used for longest, down to `limit` bytes; where
    /// another run holds it too, nothing is thrown away.
    ///
    /// # Errors
    /// Where the folder can't be made or read.
    pub fn hold(own: &Path, limit: Option<u64>) -> Result<Self> {
        let lock = lock_file(own)?;
        if let Some(limit) = limit
            && lock.try_alone()?
        {
            make_room(own, limit)?;
            lock.free()?;
        }
        lock.wait_shared()?;
        Ok(Self { _lock: lock })
    }
}

fn lock_file(own: &Path) -> Result<FileLock> {
    FileLock::open(&own.join("in-use.lock"))
}

/// A folder of the tool's and what it takes, bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub name: &'static str,
    /// Bytes of the files in it.
    pub bytes: u64,
    /// Whether it can be made again by building.
    pub built: bool,
}

/// What lies in the tool's own folder.
///
/// # Errors
/// Where a folder can't be read.
pub fn taken(own: &Path) -> Result<Vec<Taken>> {
    let folders = BUILT.map(|name| (name, true)).into_iter().chain(MEASURED.map(|name| (name, false)));
    folders.map(|(name, built)| Ok(Taken { name, bytes: size_of(&own.join(name))?, built })).collect()
}

/// Removes all that was built, and with `measured` the runs as well. Returns what was there.
///
/// # Errors
/// Where a run is under way, or a file can't be removed.
pub fn clean(own: &Path, measured: bool) -> Result<Vec<Taken>> {
    let lock = lock_file(own)?;
    ensure!(lock.try_alone()?, "a run of cargo perfplan is using what was built: wait for its end, or end it");
    let gone: Vec<Taken> = taken(own)?.into_iter().filter(|taken| taken.built || measured).collect();
    for taken in &gone {
        remove(&own.join(taken.name))?;
    }
    remove(&worktrees(own)?)?;
    Ok(gone)
}

/// Something that can be thrown away by itself.
struct Piece {
    used: SystemTime,
    bytes: u64,
    paths: Vec<PathBuf>,
}

/// Throws away what was not used for longest until no more than `limit` bytes are left: whole target folders of cargo's,
/// trainings, and entries of the cache with the programs that no other entry has.
fn make_room(own: &Path, limit: u64) -> Result<()> {
    let mut pieces = targets(own)?;
    pieces.extend(entries(own)?);
    for training in folders_in(&own.join("pgo"))? {
        let used = training.metadata()?.modified()?;
        pieces.push(Piece { used, bytes: size_of(&training)?, paths: vec![training] });
    }
    let mut left: u64 = pieces.iter().map(|piece| piece.bytes).sum();
    pieces.sort_by_key(|piece| piece.used);
    for piece in pieces {
        if left <= limit {
            break;
        }
        piece.paths.iter().try_for_each(|path| remove(path))?;
        left = left.saturating_sub(piece.bytes);
    }
    Ok(())
}

/// Cargo's target folders; the time is that of the latest build.
fn targets(own: &Path) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for slot in folders_in(&own.join("build"))? {
        for target in folders_in(&slot)? {
            let used = latest(&target)?;
            pieces.push(Piece { used, bytes: size_of(&target)?, paths: vec![target] });
        }
    }
    Ok(pieces)
}

/// When something right below a folder, or two levels below, last changed: every build puts its programs there.
fn latest(folder: &Path) -> Result<SystemTime> {
    let mut latest = folder.metadata()?.modified()?;
    for inner in folders_in(folder)? {
        for profile in folders_in(&inner)? {
            latest = latest.max(profile.metadata()?.modified()?);
        }
    }
    Ok(latest)
}

/// Entries of the cache, each with the programs and links that no entry used later has.
fn entries(own: &Path) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut kept = BTreeSet::new();
    for (used, file, entry) in Cache::at(own).entries()?.into_iter().rev() {
        let mut paths = vec![file];
        for program in entry.programs.into_iter().filter(|program| kept.insert(program.content.clone())) {
            paths.extend(["artifacts", "links"].map(|folder| own.join(folder).join(&program.content)));
        }
        let bytes = paths.iter().map(|path| size_of(path)).sum::<Result<u64>>()?;
        pieces.push(Piece { used, bytes, paths });
    }
    // What no entry has was left by a build that failed, or by an older tool.
    for folder in ["artifacts", "links"] {
        let strays = folders_in(&own.join(folder))?.into_iter();
        let strays =
            strays.filter(|path| !path.file_name().is_some_and(|name| kept.contains(&*name.to_string_lossy())));
        for path in strays {
            pieces.push(Piece { used: SystemTime::UNIX_EPOCH, bytes: size_of(&path)?, paths: vec![path] });
        }
    }
    Ok(pieces)
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {}", folder.display()))?,
    };
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect())
}

/// Bytes of a file, or of all files below a folder; nothing where there is none. Files that vanish meanwhile count as nothing.
fn size_of(path: &Path) -> Result<u64> {
    let data = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        data => data.with_context(|| format!("reading {}", path.display()))?,
    };
    if !data.is_dir() {
        return Ok(data.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?.flatten() {
        bytes += size_of(&entry.path())?;
    }
    Ok(bytes)
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::{Cost, Entry, Kept, Key};
    use super::*;
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::time::Duration;

    fn program(content: &str) -> Kept {
        let (workload, content) = ("w".to_owned(), content.to_owned());
        Kept { workload, code: content.clone(), content, sizes: BTreeMap::new(), no_layout: None }
    }

    /// Keeps an entry with these programs that was used so many seconds after 1970, each of them with 1,000 bytes.
    fn keep(own: &Path, seconds: u64, programs: &[&str]) {
        let programs: Vec<Kept> = programs.iter().map(|content| program(content)).collect();
        for kept in &programs {
            fs::create_dir_all(own.join("artifacts").join(&kept.content)).unwrap();
            fs::write(own.join("artifacts").join(&kept.content).join("w"), [0; 1_000]).unwrap();
        }
        let key = Key::of(&seconds).unwrap();
        let (others, cost) = (BTreeMap::new(), Cost::default());
        let variant = "v".parse().unwrap();
        let entry =
            Entry { variant, programs, others, variables: BTreeMap::new(), bound_to: None, training: None, cost };
        Cache::at(own).keep(&key, &entry).unwrap();
        let used = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = fs::read_dir(own.join("cache")).unwrap().flatten().map(|entry| entry.path());
        let fresh = file.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap();
        File::options().append(true).open(fresh).unwrap().set_modified(used).unwrap();
    }

    fn programs(own: &Path) -> Vec<String> {
        let mut names: Vec<String> = folders_in(&own.join("artifacts"))
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_shared_programs_stay() {
        let own = tempfile::tempdir().unwrap();
        keep(own.path(), 10, &["old", "shared"]);
        keep(own.path(), 20, &["new", "shared"]);
        fs::create_dir_all(own.path().join("artifacts/stray")).unwrap();
        fs::write(own.path().join("artifacts/stray/w"), [0; 1_000]).unwrap();
        drop(InUse::hold(own.path(), Some(1 << 20)).unwrap());
        assert_eq!(programs(own.path()), ["new", "old", "shared", "stray"], "there was room");
        drop(InUse::hold(own.path(), Some(3_500)).unwrap());
        assert_eq!(programs(own.path()), ["new", "shared"]);
    }

    #[test]
    fn what_is_in_use_is_neither_cleaned_nor_thrown_away() {
        let own = tempfile::tempdir().unwrap();
        keep(own.path(), 10, &["old"]);
        let held = InUse::hold(own.path(), None).unwrap();
        let _also = InUse::hold(own.path(), Some(0)).unwrap();
        assert_eq!(programs(own.path()), ["old"]);
        assert!(clean(own.path(), false).unwrap_err().to_string().contains("wait for its end"));
        drop((held, _also));
        fs::create_dir_all(own.path().join("runs/1")).unwrap();
        let gone = clean(own.path(), false).unwrap();
        assert!(gone.iter().find(|taken| taken.name == "artifacts").unwrap().bytes == 1_000);
        assert!(own.path().join("runs/1").exists() && !own.path().join("artifacts").exists());
        clean(own.path(), true).unwrap();
        assert!(!own.path().join("runs").exists());
    }
}
