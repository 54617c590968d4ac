//! `--against`: what a name stands for.

use std::path::Path;

use anyhow::Result;

use crate::git::Repository;
use crate::pipeline::Usage;
use crate::samples::Run;
use crate::store::{self, BaselineName, Baselines};

/// What the working tree is compared with.
pub(super) enum Against {
    /// A branch, tag or commit, measured in the same rounds.
    Revision(String),
    /// The commit of a baseline, measured again in the same rounds.
    Baseline(String),
    /// Numbers of another run, because its commit is not to be had.
    Stored(Box<Run>),
}

impl Against {
    /// A branch, tag or commit of this name; else the baseline of this name, measured again at its commit if that is known.
    pub(super) fn of(folder: &Path, name: &str) -> Result<Self> {
        let needs = "--against needs a git repository: the other side is a commit, or a baseline kept in git";
        let repository = Repository::around(folder).map_err(|error| Usage(format!("{needs}: {error:#}")))?;
        let unknown = match repository.resolve(name) {
            Ok(_) => return Ok(Self::Revision(name.to_owned())),
            Err(error) => error,
        };
        let Ok(baseline) = name.parse::<BaselineName>() else { return Err(Usage(format!("{unknown:#}")).into()) };
        let baselines = Baselines::of(&repository)?;
        if baselines.find(&baseline, None)?.is_none() {
            return Err(Usage(format!(
                "{unknown:#}\n  and no baseline has this name either (cargo perfplan baseline list)"
            ))
            .into());
        }
        let here = store::fingerprint(&crate::doctor::environment(folder))?;
        let (_, run) = baselines.load(&baseline, Some(&here))?;
        let commit = run.commit.as_deref().filter(|commit| repository.commit(commit).is_ok());
        Ok(match commit {
            Some(commit) => Self::Baseline(commit.to_owned()),
            None => Self::Stored(Box::new(run)),
        })
    }

    /// The commit to build, where it is one.
    pub(super) fn revision(&self) -> Option<String> {
        match self {
            Self::Revision(name) | Self::Baseline(name) => Some(name.clone()),
            Self::Stored(_) => None,
        }
    }

    /// The revision whose plan judges: that of the branch which a change is to go into. Baselines may be older than the plan.
    pub(super) fn judge(&self) -> Option<String> {
        match self {
            Self::Revision(name) => Some(name.strip_suffix("...").unwrap_or(name).to_owned()),
            Self::Baseline(_) | Self::Stored(_) => None,
        }
    }
}
