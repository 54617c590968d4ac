//! The folder of runs: `<id>/journal.jsonl` while a run is measured, `<id>/run.json` when it ended.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::journal::{self, JOURNAL, Journal, RUN};
use super::load::read_run;
use crate::samples::{Run, RunId};

/// The runs in a folder, usually `target/perfplan/runs`.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

impl Runs {
    /// The runs in this folder, which need not exist yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Finds out whether runs can be written here, so that nobody measures for an hour in vain.
    ///
    /// # Errors
    /// Where they can't.
    pub fn ensure_writable(&self) -> Result<()> {
        let probe = self.folder.join(format!(".probe-{}", std::process::id()));
        let attempt = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&probe, ""))
            .and_then(|()| fs::remove_file(&probe));
        attempt.with_context(|| {
            let shown = self.folder.display();
            format!("runs can't be written to {shown}: make it writable, or set CARGO_TARGET_DIR to a folder that is")
        })
    }

    /// Starts to record a run.
    ///
    /// # Errors
    /// Where the folder can't be written to, there is a run of this id already, or the run is not valid.
    pub fn begin(&self, run: &Run) -> Result<Journal> {
        self.ensure_writable()?;
        let folder = self.folder_of(&run.id)?;
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("there is a run {} already", run.id),
            made => made.with_context(|| format!("making {}", folder.display()))?,
        }
        Journal::create(&folder, run).with_context(|| format!("starting the run {} in {}", run.id, folder.display()))
    }

    /// Goes on with a run that was broken off, and returns what it holds so far.
    ///
    /// # Errors
    /// Where there is no such run, it is complete, damaged, or being recorded by another process.
    pub fn resume(&self, id: &RunId) -> Result<(Run, Journal)> {
        let folder = self.folder_of(id)?;
        if !folder.join(JOURNAL).exists() {
            bail!("{}", self.unknown(id.as_str())?);
        }
        self.ensure_writable()?;
        let journal = Journal::reopen(&folder, id.as_str())?;
        Ok((journal.run().clone(), journal))
    }

    /// Loads a run: `latest`, an id, or the path of a file or of a run's folder.
    ///
    /// # Errors
    /// Where there is no such run, or its file is not a valid run (see [`read_run`]).
    pub fn load(&self, what: &str) -> Result<Run> {
        if what == "latest" {
            let latest = self.list()?.pop();
            let id = latest
                .with_context(|| format!("there are no runs in {} yet: `cargo perfplan run`", self.folder.display()))?;
            return load_folder(&self.folder_of(&id)?);
        }
        if let Ok(id) = what.parse()
            && let Ok(folder) = self.folder_of(&id)
            && holds_run(&folder)
        {
            return load_folder(&folder);
        }
        let path = Path::new(what);
        if holds_run(path) {
            return load_folder(path);
        }
        if path.exists() || what.contains('/') || what.ends_with(".json") {
            return read_run(path);
        }
        bail!("{}", self.unknown(what)?)
    }

    /// The newest run that can be resumed: begun, not ended, and not being recorded right now.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn latest_incomplete(&self) -> Result<Option<RunId>> {
        for id in self.list()?.into_iter().rev() {
            if journal::is_resumable(&self.folder_of(&id)?)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Keeps a run that was not measured here: one that was put together from others. What stood under its id is replaced.
    /// Returns its folder.
    ///
    /// # Errors
    /// Where the run is not valid, or the folder can't be written to.
    pub fn keep(&self, run: &Run) -> Result<PathBuf> {
        self.ensure_writable()?;
        let folder = self.folder_of(&run.id)?;
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        journal::write_run(&folder, run)?;
        Ok(folder)
    }

    /// The runs that were made before this one, oldest first, as far as they can be read.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn before(&self, run: &Run) -> Result<Vec<Run>> {
        let earlier = self.list()?.into_iter().filter(|id| *id < run.id);
        Ok(earlier.filter_map(|id| self.load(id.as_str()).ok()).collect())
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn list(&self) -> Result<Vec<RunId>> {
        let reading = || format!("reading {}", self.folder.display());
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(reading),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.with_context(reading)?;
            if holds_run(&entry.path())
                && let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    fn folder_of(&self, id: &RunId) -> Result<PathBuf> {
        if id.as_str().contains('/') {
            bail!("the id of a run on disk has no slash: {id}");
        }
        Ok(self.folder.join(id.as_str()))
    }

    fn unknown(&self, what: &str) -> Result<String> {
        let newest: Vec<String> = self.list()?.iter().rev().take(3).map(RunId::to_string).collect();
        let shown = self.folder.display();
        Ok(match newest.as_slice() {
            [] => format!("there is no run {what:?}: {shown} holds none yet"),
            newest => format!("there is no run {what:?} in {shown}; the newest are {}", newest.join(", ")),
        })
    }
}

/// How far below a folder runs are looked for: an artifact's folder, and what it was packed with.
const DEEPEST: usize = 3;

/// All runs in a folder and up to three folders down, as downloaded artifacts lie, in the order of their paths. Links are not
/// followed.
///
/// # Errors
/// Where a folder can't be read, holds no run, or one of its runs is not valid.
pub fn runs_below(folder: &Path) -> Result<Vec<Run>> {
    let mut folders = Vec::new();
    collect(folder, DEEPEST, &mut folders)?;
    if folders.is_empty() {
        bail!("{} holds no {RUN}, nor does any folder up to {DEEPEST} below it", folder.display());
    }
    folders.iter().map(|folder| load_folder(folder)).collect()
}

fn collect(folder: &Path, deeper: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if holds_run(folder) {
        found.push(folder.to_owned());
    }
    if deeper == 0 {
        return Ok(());
    }
    let reading = || format!("reading {}", folder.display());
    let mut inside = Vec::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        if entry.file_type().with_context(reading)?.is_dir() {
            inside.push(entry.path());
        }
    }
    inside.sort();
    inside.iter().try_for_each(|folder| collect(folder, deeper - 1, found))
}

fn holds_run(folder: &Path) -> bool {
    folder.join(RUN).is_file() || folder.join(JOURNAL).is_file()
}

/// `run.json` if the run ended in good order; else the journal, which may have gone on since.
fn load_folder(folder: &Path) -> Result<Run> {
    let (finished, journal) = (folder.join(RUN), folder.join(JOURNAL));
    if !finished.is_file() {
        return Ok(journal::read(&journal)?.0);
    }
    let run = read_run(&finished)?;
    if run.complete || !journal.is_file() { Ok(run) } else { Ok(journal::read(&journal)?.0) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::TempDir;

    use super::*;
    use crate::samples::{Metric, Record};
    use crate::store::fixture::{begun, case, complete, records, round};

    fn runs() -> (TempDir, Runs) {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::at(folder.path().join("target/perfplan/runs"));
        (folder, runs)
    }

    fn journal_of(runs: &Runs, id: &str) -> PathBuf {
        runs.folder.join(id).join(JOURNAL)
    }

    #[test]
    fn after_each_record_the_disk_holds_the_run() {
        let (_folder, runs) = runs();
        let mut expected = begun("r1");
        let mut journal = runs.begin(&expected).unwrap();
        for record in records() {
            assert_eq!(runs.load("r1").unwrap(), expected);
            journal.append(record.clone()).unwrap();
            expected.apply(record).unwrap();
            assert_eq!(*journal.run(), expected);
        }
        assert_eq!(runs.load("r1").unwrap(), expected);
        let path = journal.finish(&expected).unwrap();
        assert_eq!(read_run(&path).unwrap(), expected);
        assert_eq!(runs.load(path.to_str().unwrap()).unwrap(), expected);
        assert_eq!(runs.load(path.parent().unwrap().to_str().unwrap()).unwrap(), expected);
    }

    #[test]
    fn killed_at_any_byte_a_journal_resumes_with_all_whole_records() {
        let (_folder, runs) = runs();
        let mut journal = runs.begin(&begun("r1")).unwrap();
        let states: Vec<(u64, Run)> = records()
            .into_iter()
            .take(3)
            .map(|record| {
                journal.append(record).unwrap();
                (fs::metadata(journal_of(&runs, "r1")).unwrap().len(), journal.run().clone())
            })
            .collect();
        drop(journal);
        let whole = fs::read(journal_of(&runs, "r1")).unwrap();
        let first = usize::try_from(states[0].0).unwrap();
        for length in (first..=whole.len()).rev().step_by(7) {
            fs::write(journal_of(&runs, "r1"), &whole[..length]).unwrap();
            let (kept, expected) = states.iter().rfind(|(end, _)| *end <= length as u64).unwrap();
            assert_eq!(runs.load("r1").unwrap(), *expected);
            let (run, mut journal) = runs.resume(&"r1".parse().unwrap()).unwrap();
            assert_eq!(run, *expected);
            assert_eq!(fs::metadata(journal_of(&runs, "r1")).unwrap().len(), *kept);
            journal.append(Record::Round { case: case(), round: round(77) }).unwrap();
            assert_eq!(runs.load("r1").unwrap(), *journal.run());
        }
    }

    #[test]
    fn zeros_at_the_end_are_torn_and_junk_in_the_middle_is_damage() {
        let (_folder, runs) = runs();
        drop(runs.begin(&begun("r1")).unwrap());
        let path = journal_of(&runs, "r1");
        let append = |bytes: &[u8]| fs::File::options().append(true).open(&path).unwrap().write_all(bytes).unwrap();
        append(&[0; 4096]);
        assert_eq!(runs.load("latest").unwrap(), begun("r1"));
        runs.resume(&"r1".parse().unwrap()).unwrap();
        append(b"{\"round\":junk}\n\"end\"\n");
        let said = format!("{:#}", runs.load("r1").unwrap_err());
        assert!(said.contains("journal.jsonl") && said.contains("line 2: ") && said.contains("head -n 1"), "{said}");
    }

    #[test]
    fn a_journal_of_a_newer_version_is_refused_by_number() {
        let (_folder, runs) = runs();
        drop(runs.begin(&begun("r1")).unwrap());
        fs::write(journal_of(&runs, "r1"), "{\"begin\":{\"format\":3}}\n").unwrap();
        assert!(format!("{:#}", runs.load("r1").unwrap_err()).contains("format 3 is newer"));
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_and_leave_the_journal_good() {
        let (_folder, runs) = runs();
        let mut journal = runs.begin(&begun("r1")).unwrap();
        journal.append(records()[0].clone()).unwrap();
        let mut bad = round(1);
        bad.arms[0].batches.get_mut(&Metric::wall()).unwrap()[2] = f64::NAN;
        assert!(journal.append(Record::Round { case: case(), round: bad }).is_err());
        journal.append(Record::Round { case: case(), round: round(2) }).unwrap();
        assert_eq!(runs.load("r1").unwrap(), *journal.run());
    }

    #[test]
    fn one_process_alone_records_a_run() {
        let (_folder, runs) = runs();
        let journal = runs.begin(&begun("r1")).unwrap();
        let id = "r1".parse().unwrap();
        let said = runs.resume(&id).unwrap_err().to_string();
        assert!(said.contains("another process"), "{said}");
        assert_eq!(runs.latest_incomplete().unwrap(), None);
        assert!(runs.begin(&begun("r1")).unwrap_err().to_string().contains("already"));
        drop(journal);
        assert_eq!(runs.latest_incomplete().unwrap(), Some(id.clone()));
        runs.resume(&id).unwrap();
    }

    #[test]
    fn a_run_that_was_interrupted_and_resumed_loads_with_what_came_later() {
        let (_folder, runs) = runs();
        let mut journal = runs.begin(&begun("r1")).unwrap();
        journal.append(records()[0].clone()).unwrap();
        let interrupted = journal.run().clone();
        journal.finish(&interrupted).unwrap();
        assert_eq!(runs.load("r1").unwrap(), interrupted);
        let (_, mut journal) = runs.resume(&"r1".parse().unwrap()).unwrap();
        records().into_iter().skip(1).for_each(|record| journal.append(record).unwrap());
        drop(journal);
        assert_eq!(runs.load("r1").unwrap(), complete("r1"));
        let said = runs.resume(&"r1".parse().unwrap()).unwrap_err().to_string();
        assert!(said.contains("complete"), "{said}");
    }

    #[test]
    fn runs_are_listed_by_age_and_the_latest_is_found() {
        let (_folder, runs) = runs();
        assert!(runs.list().unwrap().is_empty());
        assert!(format!("{:#}", runs.load("latest").unwrap_err()).contains("no runs"));
        for id in ["20260102-b", "20260101-a", "20260103-c"] {
            let journal = runs.begin(&begun(id)).unwrap();
            journal.finish(&complete(id)).unwrap();
        }
        fs::create_dir(runs.folder.join("stray")).unwrap();
        let ids: Vec<String> = runs.list().unwrap().iter().map(RunId::to_string).collect();
        assert_eq!(ids, ["20260101-a", "20260102-b", "20260103-c"]);
        assert_eq!(runs.load("latest").unwrap(), complete("20260103-c"));
        let said = runs.load("20260109-z").unwrap_err().to_string();
        assert!(said.contains("the newest are 20260103-c, 20260102-b"), "{said}");
        assert!(runs.load("../../x.json").unwrap_err().to_string().contains("can't be read"));
    }

    #[test]
    fn a_run_that_was_put_together_is_kept_and_replaced_and_can_not_be_resumed() {
        let (_folder, runs) = runs();
        runs.keep(&begun("r1")).unwrap();
        let folder = runs.keep(&complete("r1")).unwrap();
        assert_eq!(runs.load("latest").unwrap(), complete("r1"));
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        assert_eq!(runs.latest_incomplete().unwrap(), None);
    }

    #[test]
    fn runs_are_found_three_folders_down_finished_or_not_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let said = runs_below(root).unwrap_err().to_string();
        assert!(said.contains("holds no run.json"), "{said}");
        Runs::at(root.join("b/runs")).keep(&complete("r2")).unwrap();
        drop(Runs::at(root.join("a")).begin(&begun("r1")).unwrap());
        Runs::at(root.join("c/too/deep")).keep(&complete("r3")).unwrap();
        std::os::unix::fs::symlink(root.join("b"), root.join("d")).unwrap();
        assert_eq!(runs_below(root).unwrap(), [begun("r1"), complete("r2")]);
        assert_eq!(runs_below(&root.join("b/runs/r2")).unwrap(), [complete("r2")]);
        fs::write(root.join("run.json"), "{").unwrap();
        assert!(
            format!("{:#}", runs_below(root).unwrap_err()).contains("run.json"),
            "what is damaged is not passed over"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_found_before_anything_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("target"), "a file").unwrap();
        let runs = Runs::at(folder.path().join("target/perfplan/runs"));
        let said = runs.begin(&begun("r1")).unwrap_err().to_string();
        assert!(said.contains("can't be written to") && said.contains("CARGO_TARGET_DIR"), "{said}");
        assert!(Runs::at("/proc/runs").ensure_writable().is_err());
    }
}
