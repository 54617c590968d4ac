//! The gate, step by step as a runner runs it: for a branch of the same repository, and for a fork.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::expressions::Context;
use crate::files::File;
use crate::project::{Upstream, tree};
use crate::runner::Runner;

/// A branch and a title that would run something if any script had them in its text.
const HOSTILE: &str = "$(touch${IFS}pwned)`touch${IFS}pwned`\";touch${IFS}pwned;#";

fn event(upstream: &Upstream, head: &str, branch: &str, fork: bool) -> Value {
    let owner = if fork { "stranger" } else { "owner" };
    let base = upstream.git(&["rev-parse", "main"]);
    json!({
        "action": "opened",
        "number": 7,
        "pull_request": {
            "number": 7, "title": branch, "body": branch,
            "head": { "ref": branch, "sha": head, "repo": { "full_name": format!("{owner}/small"), "fork": fork } },
            "base": { "ref": "main", "sha": base, "repo": { "full_name": "owner/small" } },
        },
    })
}

/// A gate as it is given away, but for the time that a test has.
fn gate(name: &str, budget: &str) -> File {
    let text = File::read(name).text;
    assert!(text.contains(budget), "{name} has no {budget:?}");
    let text = text.replace(budget, &format!("{} 20s", budget.split(' ').next().unwrap()));
    File::parse(name, &text.replace("- uses: ./", "- id: own\n        uses: ./"))
}

/// The run in an artifact, one folder down.
fn uploaded(artifact: &Path) -> Value {
    let runs: Vec<_> = tree(artifact).into_iter().filter(|path| path.ends_with("run.json")).collect();
    assert_eq!(runs.len(), 1, "{:?}", tree(artifact));
    assert_eq!(runs[0].strip_prefix(artifact).unwrap().components().count(), 2);
    assert!(runs[0].with_file_name("report.md").is_file());
    serde_json::from_slice(&fs::read(&runs[0]).unwrap()).unwrap()
}

#[test]
fn a_branch_that_makes_a_case_slower_fails_with_the_verdicts_exit_code_and_the_report_is_in_the_summary() {
    let upstream = Upstream::new();
    upstream.git(&["checkout", "--quiet", "-b", "feature"]);
    // The same result: another one would be a failure of its own.
    upstream.turns("work(index, 2_000)", "{ std::hint::black_box(work(index, 1_000)); work(index, 2_000) }");
    // Its own plan would let it through.
    upstream.write("perfplan.toml", "[gate]\ntolerance = \"90%\"\n");
    let head = upstream.commit("half as much again");
    let runner = Runner::new(upstream.path(), event(&upstream, &head, "feature", false));
    let ended = runner.job(&gate("templates/github/perfplan-gate.yml", "BUDGET: 15m"));
    assert_eq!(ended.failed, [("Measure base and head".to_owned(), 3)], "{ended:?}");
    assert!(ended.summary.contains("regressed") && ended.summary.contains("small::sum"), "{ended:?}");
    assert_eq!(uploaded(&ended.artifacts.join("perfplan-run"))["commit"], json!(head));
}

#[test]
fn a_fork_is_compared_with_where_it_left_and_nothing_of_its_names_is_run() {
    let upstream = Upstream::new();
    upstream.git(&["checkout", "--quiet", "-b", "theirs"]);
    upstream.write("README.md", "a better one\n");
    let head = upstream.commit("words");
    // A fork's commits are in the repository under a ref of the pull request alone.
    upstream.git(&["update-ref", "refs/pull/7/head", &head]);
    upstream.git(&["checkout", "--quiet", "main"]);
    upstream.git(&["branch", "--quiet", "-D", "theirs"]);
    // Meanwhile the main branch became faster: that the fork lacks it is no regression of the fork's.
    upstream.turns("2_000", "200");
    upstream.commit("a tenth of the work");
    let runner = Runner::new(upstream.path(), event(&upstream, &head, HOSTILE, true));
    let ended = runner.job(&gate(".github/workflows/perfplan-gate.yml", "budget: 20m"));
    assert_eq!(ended.failed, [], "{ended:?}");
    assert!(ended.summary.contains("same code"), "{ended:?}");
    assert_eq!(uploaded(&ended.artifacts.join("perfplan-run"))["commit"], json!(head));
    let outputs = &ended.outputs["own"]["outputs"];
    assert_eq!((&outputs["exit-code"], &outputs["verdict"]), (&json!("0"), &json!("pass")));
    assert!(runner.at("work").join(outputs["run-folder"].as_str().unwrap()).join("run.json").is_file());
    let pwned = |path: &PathBuf| path.ends_with("pwned");
    assert!(!tree(&runner.at("")).iter().any(pwned), "a name of the pull request was run as a command");
}

#[test]
fn only_a_gate_of_a_pull_request_that_came_to_an_end_is_published() {
    for name in ["templates/github/perfplan-publish.yml", ".github/workflows/perfplan-publish.yml"] {
        let file = File::read(name);
        let condition = file.yaml["jobs"]["publish"]["if"].as_str().unwrap();
        let holds = |event: &str, conclusion: &str| {
            let names =
                json!({ "github": { "event": { "workflow_run": { "event": event, "conclusion": conclusion } } } });
            Context { names: names.as_object().unwrap().clone(), failed: false }.holds(condition)
        };
        assert!(holds("pull_request", "success") && holds("pull_request", "failure"), "{name}");
        assert!(!holds("push", "success") && !holds("pull_request", "cancelled"), "{name}");
        let gate = File::read(&name.replace("publish", "gate"));
        assert_eq!(file.yaml["on"]["workflow_run"]["workflows"][0], gate.yaml["name"], "{name}");
    }
}
