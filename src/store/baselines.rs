//! Baselines: runs that were given a name, in the git ref `refs/perfplan/baselines`, to be pushed and fetched.
//!
//! ```text
//!   names/<name>/<fingerprint>.json   when it was saved, and which run; or that it was removed
//!   runs/<run id>.json                the run, once, however many names it has
//! ```
//!
//! Several machines may save under one name: each kind of machine has its own file. When two clones merge, what is under
//! different names or from different machines stays; of one name from one kind of machine, the later wins. A removal
//! leaves its time behind, so that it outlasts a merge with a clone that still has the name; only saving the name again
//! later undoes it. Runs that no name leads to are dropped from the ref; older commits of it still hold them.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};

use super::load::parse;
use super::names::{self, BaselineName, Entry, Saved, Slot};
use super::validate::validate;
use crate::git::{Files, Ledger, Repository, Rules, content_id};
use crate::samples::{Environment, Run, RunId};

/// The folder of the runs' files.
const RUNS: &str = "runs/";

/// The digest of the facts that make numbers comparable: equal digests are machines of one kind.
///
/// # Errors
/// Where libgit2 can't be used at all.
pub fn fingerprint(environment: &Environment) -> Result<String> {
    content_id(&serde_json::to_vec(&environment.fingerprint)?)
}

/// The baselines of a repository.
pub struct Baselines<'r> {
    ledger: Ledger<'r>,
}

impl<'r> Baselines<'r> {
    /// The baselines of this repository, which may have none yet.
    ///
    /// # Errors
    /// None in practice: the name of the ref is good.
    pub fn of(repository: &'r Repository) -> Result<Self> {
        Ok(Self { ledger: Ledger::new(repository, "baselines")? })
    }

    /// Saves a run under a name. It replaces what the same kind of machine had saved there.
    ///
    /// # Errors
    /// Where the run is not valid or the repository can't be written to.
    pub fn save(&self, name: &BaselineName, run: &Run) -> Result<Entry> {
        self.save_at(name, run, now())
    }

    fn save_at(&self, name: &BaselineName, run: &Run, now: u64) -> Result<Entry> {
        validate(run).map_err(|wrong| anyhow!("the run {} is not saved: {wrong}", run.id))?;
        if run.id.as_str().contains('/') {
            bail!("the id of a run that is saved has no slash: {}", run.id);
        }
        let digest = fingerprint(&run.environment)?;
        let bytes = serde_json::to_vec(run)?;
        self.ledger.update(&format!("Save {name}"), |files| {
            let path = names::path_of(name, &digest);
            let saved = Saved { run: run.id.clone(), commit: run.commit.clone() };
            let slot = Slot::after(slot_at(files, &path)?.as_ref(), now, Some(saved));
            files.write(&path_of_run(&run.id), &bytes)?;
            files.write(&path, &slot.bytes()?)?;
            drop_unnamed(files)?;
            slot.entry(name.clone(), &digest).context("what was just saved is there")
        })
    }

    /// All that is saved, by name.
    ///
    /// # Errors
    /// Where the ref can't be read.
    pub fn list(&self) -> Result<Vec<Entry>> {
        entries(&self.ledger.files()?)
    }

    /// All runs that are saved under any name and can be read, each once.
    ///
    /// # Errors
    /// Where the ref can't be read.
    pub fn runs(&self) -> Result<Vec<Run>> {
        let files = self.ledger.files()?;
        let ids: BTreeSet<RunId> = entries(&files)?.into_iter().map(|entry| entry.run).collect();
        let read = |id: &RunId| parse(&files.read(&path_of_run(id)).ok()??).ok();
        Ok(ids.iter().filter_map(read).collect())
    }

    /// What is saved under a name for one kind of machine, or for whichever saved last.
    ///
    /// # Errors
    /// Where the ref can't be read.
    pub fn find(&self, name: &BaselineName, fingerprint: Option<&str>) -> Result<Option<Entry>> {
        find(&self.ledger.files()?, name, fingerprint)
    }

    /// Loads what is saved under a name for one kind of machine, or from whichever saved last. (Who asks for any machine
    /// has to compare the environments.)
    ///
    /// # Errors
    /// Where there is none (with what there is), or the stored run is not valid.
    pub fn load(&self, name: &BaselineName, fingerprint: Option<&str>) -> Result<(Entry, Run)> {
        let files = self.ledger.files()?;
        let Some(entry) = find(&files, name, fingerprint)? else {
            bail!("{}", unknown(name, fingerprint, &entries(&files)?));
        };
        let stored = files.read(&path_of_run(&entry.run))?;
        let lacking =
            || format!("the run {} of the baseline {name} is missing from {}", entry.run, self.ledger.reference());
        let run = parse(&stored.with_context(lacking)?);
        let run = run.with_context(|| format!("the baseline {name} (run {}) can't be used", entry.run))?;
        Ok((entry, run))
    }

    /// Removes a name, for all machines.
    ///
    /// # Errors
    /// Where there is no such name, or the repository can't be written to.
    pub fn remove(&self, name: &BaselineName) -> Result<()> {
        self.remove_at(name, now())
    }

    fn remove_at(&self, name: &BaselineName, now: u64) -> Result<()> {
        self.ledger.update(&format!("Remove {name}"), |files| {
            let all = entries(files)?;
            let doomed: Vec<&Entry> = all.iter().filter(|entry| entry.name == *name).collect();
            if doomed.is_empty() {
                bail!("{}", unknown(name, None, &all));
            }
            for entry in doomed {
                let path = names::path_of(name, &entry.fingerprint);
                let slot = Slot::after(slot_at(files, &path)?.as_ref(), now, None);
                files.write(&path, &slot.bytes()?)?;
            }
            drop_unnamed(files)
        })
    }

    /// Merges ours with a remote's (its name or URL) and pushes the outcome. Says whether there was anything to push.
    ///
    /// # Errors
    /// Where the remote can't be read or refuses, in git's words.
    pub fn push(&self, remote: &str) -> Result<bool> {
        self.ledger.push(remote, &LaterWins)
    }

    /// Merges a remote's (its name or URL) into ours. Says whether ours changed.
    ///
    /// # Errors
    /// Where the remote can't be read, in git's words.
    pub fn fetch(&self, remote: &str) -> Result<bool> {
        self.ledger.fetch(remote, &LaterWins)
    }
}

/// How baselines merge.
struct LaterWins;

impl Rules for LaterWins {
    fn settle(&self, path: &str, ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>> {
        if path.starts_with(names::FOLDER) {
            return Slot::parse(path, ours)?.later(Slot::parse(path, theirs)?).bytes();
        }
        // One run, saved twice: it only ever grows, so the longer one is the later one.
        let ours_is_later = (ours.len(), ours) > (theirs.len(), theirs);
        Ok(if ours_is_later { ours } else { theirs }.to_vec())
    }

    fn tidy(&self, files: &mut Files<'_>) -> Result<()> {
        drop_unnamed(files)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn path_of_run(id: &RunId) -> String {
    format!("{RUNS}{id}.json")
}

fn slot_at(files: &Files<'_>, path: &str) -> Result<Option<Slot>> {
    files.read(path)?.map(|bytes| Slot::parse(path, &bytes)).transpose()
}

fn entries(files: &Files<'_>) -> Result<Vec<Entry>> {
    let named = files.paths().filter_map(|path| names::of_path(path).map(|(name, digest)| (path, name, digest)));
    let mut found = Vec::new();
    for (path, name, digest) in named {
        found.extend(slot_at(files, path)?.and_then(|slot| slot.entry(name, digest)));
    }
    found.sort_by(|one, other| (&one.name, &one.fingerprint).cmp(&(&other.name, &other.fingerprint)));
    Ok(found)
}

fn find(files: &Files<'_>, name: &BaselineName, fingerprint: Option<&str>) -> Result<Option<Entry>> {
    let fits = |entry: &Entry| entry.name == *name && fingerprint.is_none_or(|asked| entry.fingerprint == asked);
    Ok(entries(files)?.into_iter().filter(fits).max_by_key(|entry| entry.saved_at))
}

/// Drops the runs that no name leads to.
fn drop_unnamed(files: &mut Files<'_>) -> Result<()> {
    let named: BTreeSet<String> = entries(files)?.iter().map(|entry| path_of_run(&entry.run)).collect();
    let idle = |path: &&str| path.starts_with(RUNS) && !named.contains(*path);
    let idle: Vec<String> = files.paths().filter(idle).map(str::to_owned).collect();
    for path in idle {
        files.remove(&path);
    }
    Ok(())
}

fn unknown(name: &BaselineName, fingerprint: Option<&str>, all: &[Entry]) -> String {
    let here = all.iter().any(|entry| entry.name == *name);
    if let (true, Some(fingerprint)) = (here, fingerprint) {
        return format!("the baseline {name} was saved on other machines only, none like this one ({fingerprint})");
    }
    let mut known: Vec<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
    known.dedup();
    match known.as_slice() {
        [] => format!("there is no baseline {name}, nor any other: `cargo perfplan run --save {name}` makes one"),
        known => format!("there is no baseline {name}; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::git::fixture::{Sandbox, git};
    use crate::store::fixture::{begun, complete};

    fn name(text: &str) -> BaselineName {
        text.parse().unwrap()
    }

    fn on(machine: &str, id: &str) -> Run {
        let mut run = complete(id);
        run.environment.fingerprint.insert("cpu.model".to_owned(), machine.to_owned());
        run
    }

    fn stored(baselines: &Baselines<'_>) -> Vec<String> {
        let paths = baselines.ledger.list().unwrap();
        paths.into_iter().filter(|path| path.starts_with(RUNS)).collect()
    }

    #[test]
    fn a_run_is_saved_listed_loaded_and_removed() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let repository = Repository::around(&path).unwrap();
        let baselines = Baselines::of(&repository).unwrap();
        assert!(baselines.load(&name("main"), None).unwrap_err().to_string().contains("--save main"));
        let entry = baselines.save(&name("main"), &complete("r1")).unwrap();
        baselines.save(&name("release/1.0"), &complete("r1")).unwrap();
        assert_eq!((entry.run.as_str(), entry.commit.as_deref()), ("r1", complete("r1").commit.as_deref()));
        assert_eq!(baselines.load(&name("main"), Some(&entry.fingerprint)).unwrap(), (entry, complete("r1")));
        assert_eq!(baselines.list().unwrap().len(), 2);
        assert_eq!(stored(&baselines), ["runs/r1.json"]);
        assert!(baselines.load(&name("mian"), None).unwrap_err().to_string().contains("there are main, release/1.0"));
        baselines.remove(&name("main")).unwrap();
        assert_eq!(stored(&baselines), ["runs/r1.json"], "it still has another name");
        assert!(baselines.remove(&name("main")).is_err());
        baselines.remove(&name("release/1.0")).unwrap();
        assert!(stored(&baselines).is_empty() && baselines.list().unwrap().is_empty());
        assert_eq!(git(&path, &["status", "--porcelain"]), "");
    }

    #[test]
    fn each_kind_of_machine_has_its_own_run_under_a_name() {
        let sandbox = Sandbox::new();
        let repository = Repository::around(&sandbox.project("p")).unwrap();
        let baselines = Baselines::of(&repository).unwrap();
        let main = name("main");
        baselines.save_at(&main, &on("A", "r1"), 1).unwrap();
        baselines.save_at(&main, &on("B", "r2"), 2).unwrap();
        baselines.save_at(&main, &on("A", "r3"), 3).unwrap();
        assert_eq!(stored(&baselines), ["runs/r2.json", "runs/r3.json"], "r1 was replaced");
        let b = fingerprint(&on("B", "r2").environment).unwrap();
        assert_eq!(baselines.load(&main, Some(&b)).unwrap().1, on("B", "r2"));
        assert_eq!(baselines.load(&main, None).unwrap().1, on("A", "r3"));
        baselines.save_at(&name("also"), &on("B", "r2"), 4).unwrap();
        assert_eq!(baselines.runs().unwrap(), [on("B", "r2"), on("A", "r3")], "each once, whatever its names");
        baselines.remove(&name("also")).unwrap();
        let said = baselines.load(&main, Some("f00d")).unwrap_err().to_string();
        assert!(said.contains("other machines only"), "{said}");
        assert_eq!(baselines.find(&main, Some("f00d")).unwrap(), None);
        baselines.remove(&main).unwrap();
        assert!(baselines.list().unwrap().is_empty());
    }

    #[test]
    fn a_run_that_is_saved_again_when_it_has_grown_is_stored_grown() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let (one, two) = (sandbox.clone_of(&bare, "one"), sandbox.clone_of(&bare, "two"));
        let (one, two) = (Baselines::of(&one).unwrap(), Baselines::of(&two).unwrap());
        one.save_at(&name("x"), &complete("r1"), 1).unwrap();
        two.save_at(&name("y"), &begun("r1"), 2).unwrap();
        one.push("origin").unwrap();
        two.push("origin").unwrap();
        assert_eq!(two.load(&name("y"), None).unwrap().1, complete("r1"));
    }

    #[test]
    fn merging_keeps_distinct_names_lets_the_later_win_and_does_not_bring_back_what_was_removed() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let (one, two) = (sandbox.clone_of(&bare, "one"), sandbox.clone_of(&bare, "two"));
        let (one, two) = (Baselines::of(&one).unwrap(), Baselines::of(&two).unwrap());
        one.save_at(&name("old"), &complete("r0"), 5).unwrap();
        one.save_at(&name("main"), &complete("r1"), 5).unwrap();
        one.push("origin").unwrap();
        two.fetch("origin").unwrap();
        // At once: one removes `old` and replaces the run of `main`; two gives that very run a name.
        one.remove_at(&name("old"), 6).unwrap();
        one.save_at(&name("main"), &complete("r2"), 7).unwrap();
        two.save_at(&name("release"), &complete("r1"), 6).unwrap();
        two.save_at(&name("main"), &complete("r3"), 6).unwrap();
        one.push("origin").unwrap();
        two.push("origin").unwrap();
        one.fetch("origin").unwrap();
        for side in [&one, &two] {
            let names: Vec<String> =
                side.list().unwrap().iter().map(|entry| format!("{} {}", entry.name, entry.run)).collect();
            assert_eq!(names, ["main r2", "release r1"]);
            assert_eq!(stored(side), ["runs/r1.json", "runs/r2.json"]);
            assert_eq!(side.load(&name("release"), None).unwrap().1, complete("r1"));
        }
        // Who saves the name again means it, even with a clock that is behind.
        two.save_at(&name("old"), &complete("r4"), 1).unwrap();
        two.push("origin").unwrap();
        one.fetch("origin").unwrap();
        assert_eq!(one.load(&name("old"), None).unwrap().1, complete("r4"));
    }

    #[test]
    fn two_jobs_that_save_and_push_at_once_lose_nothing() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let clones = ["one", "two"].map(|job| sandbox.clone_of(&bare, job));
        thread::scope(|scope| {
            for (job, repository) in ["one", "two"].into_iter().zip(clones) {
                scope.spawn(move || {
                    let baselines = Baselines::of(&repository).unwrap();
                    for at in 0..20 {
                        let run = on(job, &format!("{job}-{at}"));
                        baselines.save(&name(&format!("{job}/{at}")), &run).unwrap();
                        baselines.save(&name("main"), &run).unwrap();
                        baselines.push("origin").unwrap();
                    }
                });
            }
        });
        let reader = sandbox.clone_of(&bare, "reader");
        let baselines = Baselines::of(&reader).unwrap();
        baselines.fetch("origin").unwrap();
        assert_eq!(baselines.list().unwrap().len(), 42);
        for job in ["one", "two"] {
            let digest = fingerprint(&on(job, "x").environment).unwrap();
            assert_eq!(baselines.load(&name("main"), Some(&digest)).unwrap().1, on(job, &format!("{job}-19")));
            for at in 0..20 {
                baselines.load(&name(&format!("{job}/{at}")), None).unwrap();
            }
        }
    }

    #[test]
    fn a_hostile_remote_is_an_error_and_changes_nothing() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let (one, two) = (sandbox.clone_of(&bare, "one"), sandbox.clone_of(&bare, "two"));
        let ledger = Ledger::new(&one, "baselines").unwrap();
        let digest = fingerprint(&complete("r1").environment).unwrap();
        let path = names::path_of(&name("main"), &digest);
        ledger.update("Junk", |files| files.write(&path, b"[[[").and_then(|()| files.write("stray", b"x"))).unwrap();
        let two = Baselines::of(&two).unwrap();
        two.save(&name("main"), &complete("r1")).unwrap();
        Baselines::of(&one).unwrap().push("origin").unwrap();
        let said = format!("{:#}", two.fetch("origin").unwrap_err());
        assert!(said.contains("names/main/") && said.contains("damaged"), "{said}");
        assert_eq!(two.load(&name("main"), None).unwrap().1, complete("r1"));
    }
}
