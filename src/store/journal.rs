//! The journal of a run: one record per line, each written at once, so that a killed tool loses the round in flight alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::load::{self, Format};
use super::validate::{fits, format_is_known, validate};
use crate::samples::{Record, Run};

/// The journal's name in the folder of its run.
pub(super) const JOURNAL: &str = "journal.jsonl";
/// The finished run's name in its folder.
pub(super) const RUN: &str = "run.json";

/// A run that is being recorded. Its file is locked against other processes as long as this value lives.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    /// How much of the file holds whole records, in bytes.
    length: u64,
    /// What the records so far amount to.
    run: Run,
}

impl Journal {
    /// Starts the journal in a folder that has none.
    pub(super) fn create(folder: &Path, run: &Run) -> Result<Self> {
        validate(run).map_err(|wrong| anyhow!("the run {} is not recorded: {wrong}", run.id))?;
        // A journal has its first record from the start: it gets its name when that is written.
        let unnamed = folder.join("journal.tmp");
        let file = File::options().create_new(true).append(true).open(&unnamed)?;
        lock(&file, run.id.as_str())?;
        let mut journal = Self { folder: folder.to_owned(), file, length: 0, run: run.clone() };
        journal.write(&Record::Begin(Box::new(run.clone())))?;
        fs::rename(&unnamed, folder.join(JOURNAL))?;
        Ok(journal)
    }

    /// Goes on with a journal, after cutting off what was half written.
    pub(super) fn reopen(folder: &Path, id: &str) -> Result<Self> {
        let path = folder.join(JOURNAL);
        let opened = File::options().read(true).append(true).open(&path);
        let file = opened.with_context(|| format!("{} can't be continued", path.display()))?;
        lock(&file, id)?;
        let (run, length) = read(&path)?;
        if run.complete {
            bail!("the run {id} is complete: there is nothing to resume");
        }
        file.set_len(length).with_context(|| format!("cutting {} to its whole records", path.display()))?;
        Ok(Self { folder: folder.to_owned(), file, length, run })
    }

    /// The folder of the run, for what belongs to it: reports, profiles.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Takes a record in, and hands it to the system in one write: it survives a kill from then on.
    ///
    /// # Errors
    /// Where the record does not fit the run or has numbers that are not finite (nothing is written then), or the disk
    /// is full.
    pub fn append(&mut self, record: Record) -> Result<()> {
        fits(&self.run, &record).map_err(|wrong| anyhow!("a record of {} is refused: {wrong}", self.run.id))?;
        self.write(&record)?;
        self.run.apply(record).map_err(anyhow::Error::msg)
    }

    fn write(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Half a line in the middle would spoil all that follows; at the end, it is cut off by `reopen` at the latest.
            let _ = self.file.set_len(self.length);
            return Err(error).with_context(|| format!("writing to {}", self.folder.join(JOURNAL).display()));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Writes `run.json`, whole or not at all, and ends the recording. The run may be incomplete, as after Ctrl-C: it can
    /// be resumed then.
    ///
    /// # Errors
    /// Where the run fails [`validate`] or the file can't be written.
    pub fn finish(self, run: &Run) -> Result<PathBuf> {
        write_run(&self.folder, run)
    }
}

/// Writes `run.json` into the folder, whole or not at all.
pub(super) fn write_run(folder: &Path, run: &Run) -> Result<PathBuf> {
    validate(run).map_err(|wrong| anyhow!("the run {} is not written: {wrong}", run.id))?;
    let (path, unnamed) = (folder.join(RUN), folder.join("run.tmp"));
    let write = || {
        let mut file = File::create(&unnamed)?;
        file.write_all(&serde_json::to_vec(run)?)?;
        file.sync_all()?;
        fs::rename(&unnamed, &path)
    };
    write().with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Closing does not do: a child that another thread is starting holds a copy of the descriptor for a moment.
        let _ = self.file.unlock();
    }
}

fn lock(file: &File, id: &str) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!("the run {id} is being recorded by another process: wait until it ends"),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking the journal of {id}")),
    }
}

/// Whether a journal can be continued: it lacks its end, and no process is writing to it.
pub(super) fn is_resumable(folder: &Path) -> Result<bool> {
    let path = folder.join(JOURNAL);
    let look = || match File::open(&path) {
        Ok(mut file) => {
            let idle = file.try_lock_shared().is_ok();
            file.unlock()?;
            Ok(idle && !has_ended(&mut file)?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    look().with_context(|| format!("reading {}", path.display()))
}

/// Whether the last line is [`Record::End`]: a glance, where reading all of an old run takes a while.
fn has_ended(file: &mut File) -> io::Result<bool> {
    let end = format!("{}\n", serde_json::to_string(&Record::End)?);
    let Some(start) = file.metadata()?.len().checked_sub(end.len() as u64) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(start))?;
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    Ok(last == end.as_bytes())
}

/// The run that a journal tells of, and how many bytes of it hold whole records.
pub(super) fn read(path: &Path) -> Result<(Run, u64)> {
    let mut bytes = load::read(path)?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    let run = parse(&bytes).with_context(|| format!("{} can't be used", path.display()))?;
    Ok((run, bytes.len() as u64))
}

fn parse(whole: &[u8]) -> Result<Run> {
    let mut lines = whole.split_inclusive(|byte| *byte == b'\n').enumerate();
    let (_, first) = lines.next().context("it has no whole record: measure again")?;
    let mut run = begin(first)?;
    for (at, line) in lines {
        let damaged = |wrong: String| {
            anyhow!(
                "line {}: {wrong}; to go on from what is before, keep the first {at} lines (`head -n {at}`)",
                at + 1
            )
        };
        let record: Record = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
        fits(&run, &record).and_then(|()| run.apply(record)).map_err(damaged)?;
    }
    Ok(run)
}

fn begin(line: &[u8]) -> Result<Run> {
    #[derive(serde::Deserialize)]
    struct Begin {
        begin: Format,
    }
    match serde_json::from_slice(line) {
        Ok(Record::Begin(run)) => validate(&run).map(|()| *run).map_err(anyhow::Error::msg),
        Ok(_) => bail!("line 1: it does not say what the run is; measure again"),
        Err(error) => {
            let head = serde_json::from_slice::<Begin>(line);
            let newer = head.ok().and_then(|head| format_is_known(head.begin.format).err());
            bail!("line 1: {}", newer.unwrap_or_else(|| format!("{error}; measure again")))
        }
    }
}
