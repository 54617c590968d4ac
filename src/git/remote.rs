//! Ledgers and remotes: fetch, merge, push; again when somebody else was faster.

use std::time::Duration;

use anyhow::{Result, bail};
use git2::{ErrorCode, Oid, Reference};

use super::command::Place;
use super::content_id;
use super::ledger::{ATTEMPTS, Ledger, Rules, pause};
use super::scrub::scrub;

/// What git says when the remote's ref was being written just then.
const LOCKED: [&str; 4] = ["cannot lock", "failed to lock", "failed to update ref", ".lock'"];

/// What a push came to.
enum Offer {
    Taken,
    /// In git's words.
    Refused(String),
}

impl Ledger<'_> {
    /// Merges the ledger of a remote (its name or URL) into ours, and says whether ours changed.
    ///
    /// # Errors
    /// Where the remote can't be read (in git's words, without credentials), or `rules` fails.
    pub fn fetch(&self, remote: &str, rules: &dyn Rules) -> Result<bool> {
        let before = self.id_of(&self.reference())?;
        let remote = Remote::new(self, remote)?;
        let after = self.merge(remote.fetch()?, rules)?;
        Ok(before != after)
    }

    /// Merges the ledger of a remote (its name or URL) into ours and pushes the outcome, up to twenty times while others
    /// push too. Says whether there was anything to push.
    ///
    /// # Errors
    /// Where the remote can't be read or refuses (in git's words, without credentials), or `rules` fails.
    pub fn push(&self, remote: &str, rules: &dyn Rules) -> Result<bool> {
        let remote = Remote::new(self, remote)?;
        let mut refused: Option<(Option<Oid>, String)> = None;
        for count in 0..ATTEMPTS {
            let theirs = remote.fetch()?;
            // A race shows in that the remote's ref moved, or was locked just then. Anything else would fail again.
            if let Some((seen, reason)) = refused.take()
                && seen == theirs
                && !LOCKED.iter().any(|words| reason.contains(words))
            {
                bail!("pushing {} to {} failed: {reason}", self.reference(), remote.shown());
            }
            let Some(ours) = self.merge(theirs, rules)? else {
                return Ok(false);
            };
            if Some(ours) == theirs {
                return Ok(count > 0);
            }
            match remote.offer(ours, theirs)? {
                Offer::Taken => return Ok(true),
                Offer::Refused(reason) => refused = Some((theirs, reason)),
            }
            pause(count, Duration::from_millis(25));
        }
        let reason = refused.map_or(String::new(), |(_, reason)| reason);
        bail!("pushing {} to {} failed {ATTEMPTS} times: {reason}", self.reference(), remote.shown())
    }
}

struct Remote<'l, 'r> {
    ledger: &'l Ledger<'r>,
    place: Place,
    /// As git is told: a name or a URL.
    address: String,
    reference: String,
    tracking: String,
}

impl<'l, 'r> Remote<'l, 'r> {
    fn new(ledger: &'l Ledger<'r>, address: &str) -> Result<Self> {
        if address.is_empty() || address.starts_with('-') {
            bail!("{address:?} is neither the name of a remote nor a URL");
        }
        let mut tracking = ledger.tracking(address);
        // A URL may hold a password, and characters that a ref can't have.
        if ledger.repository.inner.find_remote(address).is_err() || !Reference::is_valid_name(&tracking) {
            tracking = ledger.tracking(&content_id(address.as_bytes())?);
        }
        let (place, reference) = (ledger.repository.place(), ledger.reference());
        Ok(Self { ledger, place, address: address.to_owned(), reference, tracking })
    }

    fn shown(&self) -> String {
        scrub(&self.address)
    }

    /// The remote's commit, brought here; `None` where it has none.
    fn fetch(&self) -> Result<Option<Oid>> {
        let what = format!("fetching {} from {}", self.reference, self.shown());
        let listed = self.place.tell(&what, ["ls-remote", "--quiet", &self.address, &self.reference])?;
        let theirs = listed.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == self.reference);
        let Some((id, _)) = theirs else {
            self.remember(None)?;
            return Ok(None);
        };
        let id = Oid::from_str(id)?;
        if self.ledger.id_of(&self.tracking)? != Some(id) {
            // No destination: two processes that fetch at once would fight for its lock. Nor is anything else of the
            // user's written: no FETCH_HEAD, no tags, no other ref.
            let options = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
            let more = ["--no-prune", "--refmap=", "--no-filter", &self.address, &self.reference];
            self.place.tell(&what, options.into_iter().chain(more))?;
            self.remember(Some(id))?;
        }
        Ok(Some(id))
    }

    /// Pushes, provided that the remote is still at `theirs`.
    fn offer(&self, ours: Oid, theirs: Option<Oid>) -> Result<Offer> {
        let expected = theirs.map_or(String::new(), |id| id.to_string());
        let lease = format!("--force-with-lease={}:{expected}", self.reference);
        let moved = format!("{ours}:{}", self.reference);
        let options =
            ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"];
        let said = self.place.ask(options.into_iter().chain([lease.as_str(), &self.address, &moved]))?;
        if !said.success {
            return Ok(Offer::Refused(said.reason));
        }
        self.remember(Some(ours))?;
        Ok(Offer::Taken)
    }

    /// Notes where the remote's ref is. When another process notes it just now, that will do.
    fn remember(&self, id: Option<Oid>) -> Result<()> {
        let inner = &self.ledger.repository.inner;
        let noted = match id {
            Some(id) => inner.reference(&self.tracking, id, true, "perfplan").map(drop),
            None => inner.find_reference(&self.tracking).and_then(|mut known| known.delete()),
        };
        match noted {
            Err(error) if !matches!(error.code(), ErrorCode::Locked | ErrorCode::NotFound) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use anyhow::Result;

    use super::*;
    use crate::git::fixture::{Sandbox, git};
    use crate::git::{Files, Repository};

    /// Joins the lines of both sides, sorted.
    struct Lines;

    impl Rules for Lines {
        fn settle(&self, _: &str, ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>> {
            let mut lines: Vec<&[u8]> = ours.split_inclusive(|b| *b == b'\n').collect();
            lines.extend(theirs.split_inclusive(|b| *b == b'\n'));
            lines.sort_unstable();
            lines.dedup();
            Ok(lines.concat())
        }

        fn tidy(&self, _: &mut Files<'_>) -> Result<()> {
            Ok(())
        }
    }

    fn note(ledger: &Ledger<'_>, path: &str, text: &str) {
        ledger.update("Note", |files| files.write(path, text.as_bytes())).unwrap();
    }

    fn read(ledger: &Ledger<'_>, path: &str) -> String {
        String::from_utf8(ledger.read(path).unwrap().unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_ledger_keeps_files_without_touching_the_work_tree() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        let before = fs::read(path.join(".git/index")).unwrap();
        let repository = Repository::around(&path).unwrap();
        let ledger = Ledger::new(&repository, "notes").unwrap();
        assert_eq!(ledger.list().unwrap(), [""; 0]);
        note(&ledger, "a/b.txt", "x");
        note(&ledger, "c.txt", "y");
        let tip = git(&path, &["rev-parse", "refs/perfplan/notes"]);
        note(&ledger, "c.txt", "y");
        assert_eq!(
            git(&path, &["rev-parse", "refs/perfplan/notes"]),
            tip,
            "a change that changes nothing was committed"
        );
        assert_eq!(ledger.list().unwrap(), ["a/b.txt", "c.txt"]);
        assert!(ledger.update("Drop", |files| Ok(files.remove("a/b.txt"))).unwrap());
        assert_eq!(ledger.list().unwrap(), ["c.txt"]);
        assert_eq!(read(&ledger, "c.txt"), "y");
        assert_eq!(fs::read(path.join(".git/index")).unwrap(), before);
        assert_eq!(git(&path, &["status", "--porcelain"]), "");
        git(&path, &["fsck", "--strict"]);
    }

    #[test]
    fn paths_that_climb_or_collide_are_refused() {
        let sandbox = Sandbox::new();
        let repository = Repository::around(&sandbox.project("p")).unwrap();
        let ledger = Ledger::new(&repository, "notes").unwrap();
        for bad in ["../x", "/x", ".git/config", "a//b", ""] {
            assert!(ledger.update("Note", |files| files.write(bad, b"")).is_err(), "{bad:?} was accepted");
        }
        let both = ledger.update("Note", |files| files.write("a", b"").and_then(|()| files.write("a/b", b"")));
        assert!(both.is_err());
        assert!(Ledger::new(&repository, "a b").is_err() && Ledger::new(&repository, "remotes/x").is_err());
    }

    #[test]
    fn threads_that_create_and_change_a_ledger_at_once_lose_nothing() {
        let sandbox = Sandbox::new();
        let path = sandbox.project("p");
        thread::scope(|scope| {
            for thread in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let repository = Repository::around(path).unwrap();
                    let ledger = Ledger::new(&repository, "notes").unwrap();
                    (0..8).for_each(|at| note(&ledger, &format!("{thread}-{at}"), "x"));
                });
            }
        });
        let repository = Repository::around(&path).unwrap();
        assert_eq!(Ledger::new(&repository, "notes").unwrap().list().unwrap().len(), 32);
    }

    #[test]
    fn ledgers_merge_by_union_and_ask_about_what_differs() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let (one, two) = (sandbox.clone_of(&bare, "one"), sandbox.clone_of(&bare, "two"));
        let (one, two) = (Ledger::new(&one, "notes").unwrap(), Ledger::new(&two, "notes").unwrap());
        assert!(!one.push("origin", &Lines).unwrap(), "there was nothing to push");
        assert!(!one.fetch("origin", &Lines).unwrap());
        note(&one, "one", "1\n");
        note(&one, "both", "from one\n");
        note(&two, "both", "from two\n");
        note(&two, "two", "2\n");
        assert!(one.push("origin", &Lines).unwrap());
        assert!(!one.push("origin", &Lines).unwrap(), "it was pushed already");
        assert!(two.push("origin", &Lines).unwrap());
        assert!(one.fetch("origin", &Lines).unwrap());
        assert!(!one.fetch("origin", &Lines).unwrap(), "nothing new");
        for ledger in [&one, &two] {
            assert_eq!(ledger.list().unwrap(), ["both", "one", "two"]);
            assert_eq!(read(ledger, "both"), "from one\nfrom two\n");
        }
        assert!(git(&bare, &["fsck", "--strict"]).is_empty());
        let parents = git(&bare, &["rev-list", "--parents", "--max-count=1", "refs/perfplan/notes"]);
        assert_eq!(parents.split(' ').count(), 3, "a merge has both parents: {parents}");
        let tracked = one.repository.inner.refname_to_id("refs/perfplan/remotes/origin/notes").unwrap();
        assert!(parents.starts_with(&tracked.to_string()));
    }

    #[test]
    fn a_remote_whose_ref_was_deleted_gets_it_again() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let repository = sandbox.clone_of(&bare, "one");
        let ledger = Ledger::new(&repository, "notes").unwrap();
        note(&ledger, "x", "1");
        ledger.push("origin", &Lines).unwrap();
        git(&bare, &["update-ref", "-d", "refs/perfplan/notes"]);
        assert!(ledger.push("origin", &Lines).unwrap());
        assert!(!git(&bare, &["rev-parse", "refs/perfplan/notes"]).is_empty());
    }

    #[test]
    fn a_remote_that_refuses_or_is_missing_is_quoted_without_credentials() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let hook = bare.join("hooks/pre-receive");
        fs::write(&hook, "#!/bin/sh\necho 'not on my watch' >&2\nexit 1\n").unwrap();
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let repository = sandbox.clone_of(&bare, "one");
        let ledger = Ledger::new(&repository, "notes").unwrap();
        note(&ledger, "x", "1");
        let said = format!("{:#}", ledger.push("origin", &Lines).unwrap_err());
        assert!(said.contains("not on my watch"), "{said}");
        for absent in ["https://me:s3cret@localhost:1/x.git", "nowhere"] {
            let said = format!("{:#}", ledger.fetch(absent, &Lines).unwrap_err());
            assert!(said.contains("fetching refs/perfplan/notes") && !said.contains("s3cret"), "{said}");
        }
        assert!(ledger.fetch("--upload-pack=touch /tmp/x", &Lines).is_err());
    }

    #[test]
    fn two_clones_that_push_at_once_both_land() {
        let sandbox = Sandbox::new();
        let bare = sandbox.bare("origin.git");
        let clones = ["one", "two"].map(|name| sandbox.clone_of(&bare, name));
        thread::scope(|scope| {
            for (name, repository) in ["one", "two"].into_iter().zip(clones) {
                scope.spawn(move || {
                    let ledger = Ledger::new(&repository, "notes").unwrap();
                    for at in 0..8 {
                        note(&ledger, &format!("{name}/{at}"), "x");
                        let line = format!("{name} {at}\n");
                        note(&ledger, "shared", &(read(&ledger, "shared") + &line));
                        ledger.push("origin", &Lines).unwrap();
                    }
                });
            }
        });
        let reader = sandbox.clone_of(&bare, "reader");
        let ledger = Ledger::new(&reader, "notes").unwrap();
        ledger.fetch("origin", &Lines).unwrap();
        assert_eq!(ledger.list().unwrap().len(), 17);
        assert_eq!(read(&ledger, "shared").lines().count(), 16);
    }
}
