//! `cargo perfplan init`: a plan to begin with, and the workflows of the gate.

mod files;

use std::path::Path;

use anyhow::{Context, Result};

use super::Exit;
use super::args::{InitArgs, Service};
use super::console::Console;
use crate::build::Workspace;
use crate::git::Repository;
use crate::pipeline::Usage;
use crate::plan;
use crate::report::harmless;
use files::{Draft, State};

/// The plan to begin with.
const PLAN: &str = include_str!("../../templates/perfplan.toml");

/// The workflows of the gate, by their names.
const GITHUB: [(&str, &str); 5] = [
    ("perfplan-gate.yml", include_str!("../../templates/github/perfplan-gate.yml")),
    ("perfplan-publish.yml", include_str!("../../templates/github/perfplan-publish.yml")),
    ("perfplan-baseline.yml", include_str!("../../templates/github/perfplan-baseline.yml")),
    ("perfplan-matrix.yml", include_str!("../../templates/github/perfplan-matrix.yml")),
    ("perfplan-nightly.yml", include_str!("../../templates/github/perfplan-nightly.yml")),
];

/// Where GitHub looks for workflows, from the repository's top.
const WORKFLOWS: &str = ".github/workflows";

const NEXT_ON_GITHUB: &str = "\
next:
  1. read the files, and set `runs-on` to a machine of your own where you have one: it decides smaller changes
  2. commit them: comments are made once perfplan-publish.yml is on the default branch
  3. the workflows ask for the permissions that they need; where an organisation forbids them, the verdict still fails the
     gate's job and stands in its summary";

pub(super) fn init(arguments: &InitArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let root = Workspace::of(&folder)?.root;
    let mut drafts = Vec::new();
    match plan::find(&root) {
        Some(path) => console.say(&format!("the plan is {} already", path.display())),
        None => drafts.push(Draft::new(&root, plan::PLACES[0], PLAN.to_owned())?),
    }
    if let Some(Service::Github) = arguments.ci {
        drafts.extend(workflows(&root, &arguments.branch)?);
    }
    for draft in &drafts {
        console.result(&harmless(&draft.shown()))?;
    }
    if arguments.dry_run {
        return Ok(Exit::Pass);
    }
    refuse(&drafts, arguments.force)?;
    let written = files::write(&drafts)?;
    console.say(&format!("written: {written} of {} files", drafts.len()));
    if arguments.ci.is_some() {
        console.say(NEXT_ON_GITHUB);
    }
    Ok(Exit::Pass)
}

/// The workflows of the workspace at `root`, for the repository that it lies in.
fn workflows(root: &Path, branch: &str) -> Result<Vec<Draft>> {
    let repository = Repository::around(root).map_err(|error| Usage(format!("{error:#}")))?;
    let top = repository.root()?.canonicalize().context("finding the repository's folder")?;
    let root = root.canonicalize().context("finding the workspace's folder")?;
    let inside =
        root.strip_prefix(&top).with_context(|| format!("{} is not below {}", root.display(), top.display()))?;
    let folder = inside.to_str().filter(|folder| folder.chars().all(plain)).ok_or_else(|| {
        Usage(format!(
            "the folder {inside:?} can't be written into a workflow: letters, digits, `.`, `_`, `-` and `/` can"
        ))
    })?;
    let draft =
        |(name, text): &(&str, &str)| Draft::new(&top, &format!("{WORKFLOWS}/{name}"), placed(text, folder, branch));
    GITHUB.iter().map(draft).collect()
}

/// Whether a letter of a folder's name means itself wherever a workflow names it.
fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._/-".contains(c)
}

/// A workflow for the workspace in a folder, from the repository's top, and for a main branch. Templates are written for the top
/// itself and for `main`; paths in them that GitHub and not a script reads begin with `./`.
fn placed(text: &str, folder: &str, branch: &str) -> String {
    let text = text.replace("branches: [main]", &format!("branches: [{branch}]"));
    if folder.is_empty() {
        return text;
    }
    let text = text.replace("working-directory: . ", &format!("working-directory: {folder} "));
    text.replace("./target/", &format!("./{folder}/target/"))
        .replace("'./Cargo.lock'", &format!("'./{folder}/Cargo.lock'"))
}

/// No file of the user's is replaced unless that is asked for, and none is written where another can't be.
fn refuse(drafts: &[Draft], force: bool) -> Result<()> {
    let named = |wanted: State| {
        let paths = drafts.iter().filter(|draft| draft.state() == wanted).map(|draft| draft.name.as_str());
        paths.collect::<Vec<_>>().join(", ")
    };
    let (foreign, different) = (named(State::NoFile), named(State::Differs));
    if !foreign.is_empty() {
        return Err(
            Usage(format!("nothing is written: {foreign} can't be replaced, since it is no plain text file")).into()
        );
    }
    if !different.is_empty() && !force {
        return Err(Usage(format!("nothing is written: {different} would be replaced; --force does that")).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn the_plan_to_begin_with_says_what_the_defaults_say() {
        let begin = Plan::parse(PLAN, Path::new("perfplan.toml")).unwrap();
        let default = Plan::parse("", Path::new("perfplan.toml")).unwrap();
        assert_eq!(begin, default);
    }

    #[test]
    fn every_workflow_of_the_folder_is_written_and_installs_this_version() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/github");
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut known = GITHUB.map(|(name, _)| name.to_owned()).to_vec();
        names.sort();
        known.sort();
        assert_eq!(names, known);
        let version = format!("PERFPLAN_VERSION: \"{}\"\n", env!("CARGO_PKG_VERSION"));
        for (name, text) in GITHUB {
            assert!(text.contains(&version), "{name} installs another version");
        }
    }

    #[test]
    fn a_workspace_in_a_folder_is_built_cached_and_uploaded_there() {
        for (name, text) in GITHUB {
            let text = placed(text, "rust/app", "trunk");
            assert!(text.contains("working-directory: rust/app #"), "{name}");
            assert!(!text.contains("[main]"), "{name}");
            for (number, line) in text.lines().enumerate() {
                // What begins with a dot and a slash is read by GitHub, from the repository's top.
                let outside = line.split("./").skip(1).any(|rest| !rest.starts_with("rust/app/"));
                assert!(!outside, "{name}:{}: {line}", number + 1);
            }
        }
        assert_eq!(placed(GITHUB[0].1, "", "main"), GITHUB[0].1);
    }
}
