//! The command itself, in the environment of a job: what is said, how it ends, and that nobody learns the token.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use perfplan::samples::{Arm, Run};

use crate::hub::{Fault, Hub, Matcher, NAME, OWNER, PullRequest, sha};

/// The name that the gate gives its artifact.
const ARTIFACT: &str = "perfplan-run";
/// The workflow run that measured.
const MEASURED: u64 = 4_711;

#[expect(clippy::disallowed_methods, reason = "tests start git as a user does")]
fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let done = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A repository with a plan, as the privileged half of the gate has it checked out.
fn checkout(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("perfplan.toml"), plan).unwrap();
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"p\"\nversion = \"0.1.0\"\n[workspace]\n").unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(folder.path(), &["add", "--all"]);
    git(folder.path(), &["commit", "--quiet", "--message=plan"]);
    folder
}

/// A run of pull request 7 against the base, in which the first case is twice as slow.
fn slower() -> Run {
    let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
    run.commit = Some(sha(7));
    run.started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 600;
    let measurement = &mut run.measurements[0];
    measurement.arms[0] = Arm { revision: sha(0xba5e), code: "old".to_owned(), ..measurement.arms[0].clone() };
    measurement.arms[1] = Arm { variant: measurement.arms[0].variant.clone(), ..measurement.arms[1].clone() };
    measurement.rounds = vec![measurement.rounds[0].clone(); 40];
    for (at, round) in measurement.rounds.iter_mut().enumerate() {
        for arm in &mut round.arms {
            arm.layout = Some(at as u64);
            let value = if arm.arm == 0 { 1e6 } else { 2e6 + 1e3 * at as f64 };
            arm.batches.values_mut().flatten().for_each(|batch| *batch = value);
        }
    }
    run
}

/// An archive as the runner uploads it: one stored entry, `run.json` in the folder of its run.
fn archive(run: &Run) -> Vec<u8> {
    let (name, data) = (format!("{}/run.json", run.id), serde_json::to_vec(run).unwrap());
    let checked = crc32(&data);
    let (length, named) = (u32::try_from(data.len()).unwrap(), u16::try_from(name.len()).unwrap());
    let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5b];
    for number in [checked, length, length] {
        common.extend(number.to_le_bytes());
    }
    common.extend(named.to_le_bytes());
    common.extend([0, 0]);
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend(&common);
    bytes.extend(name.bytes());
    bytes.extend(&data);
    let directory = bytes.len();
    bytes.extend(b"PK\x01\x02\x14\x00");
    bytes.extend(&common);
    bytes.extend([0; 14]);
    bytes.extend(name.bytes());
    let end = bytes.len();
    bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend(u32::try_from(end - directory).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(directory).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

/// As in zip files, bit by bit.
fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A hub with a pull request from a fork, and what its gate left behind.
fn hub(run: &Run) -> Hub {
    let hub = Hub::start();
    hub.add_pull(PullRequest::new(7).forked_by("mallory"));
    hub.add_artifact(MEASURED, ARTIFACT, archive(run));
    hub
}

/// `cargo perfplan publish --artifact perfplan-run` in a job on `workflow_run`, after the gate of this commit.
#[expect(clippy::disallowed_methods, reason = "tests start the tool as a job does")]
fn publish(hub: &Hub, checkout: &Path, head: &str) -> Output {
    let event = serde_json::json!({"workflow_run": {
        "id": MEASURED, "event": "pull_request", "conclusion": "failure", "head_sha": head, "head_branch": "feature",
        "head_repository": {"owner": {"login": "mallory"}}}});
    let (payload, summary) = (checkout.join(".git/event.json"), checkout.join(".git/summary.md"));
    fs::write(&payload, event.to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_cargo-perfplan"))
        .args(["perfplan", "publish", "--artifact", ARTIFACT])
        .current_dir(checkout)
        .env_remove("CI")
        .envs([("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "workflow_run"), ("RUST_LOG", "trace")])
        .env("GITHUB_REPOSITORY", format!("{OWNER}/{NAME}"))
        .env("GITHUB_API_URL", hub.url())
        .env("GITHUB_RUN_ID", "4712")
        .env("GITHUB_SHA", sha(0xba5e))
        .env("GITHUB_EVENT_PATH", payload)
        .env("GITHUB_STEP_SUMMARY", summary)
        .env("GITHUB_TOKEN", hub.settings().token)
        .output()
        .unwrap()
}

/// The exit code and what was printed; the token is in nothing that anybody can read.
fn ended(hub: &Hub, checkout: &Path, output: &Output) -> (Option<i32>, String) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let summary = fs::read_to_string(checkout.join(".git/summary.md")).unwrap_or_default();
    let token = hub.settings().token;
    assert!(!said.contains(token) && !summary.contains(token), "{said}");
    (output.status.code(), said)
}

#[test]
fn a_forks_run_is_published_and_judged_by_the_plan_that_is_checked_out() {
    let mut run = slower();
    // What a pull request says of its own tolerance and waivers counts for nothing.
    run.gate.tolerance = 10.0;
    let (hub, checkout) = (hub(&run), checkout("[gate]\ntolerance = \"2%\"\n"));
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(0), "{said}");
    let comment = &hub.own_comments(7)[0].body;
    assert!(comment.contains("1 of 1 row") && comment.contains("regressed"), "{comment}");
    assert!(comment.contains("tolerance of all metrics"), "the other tolerance is told: {comment}");
    assert_eq!((hub.checks()[0].text("conclusion"), hub.checks()[0].head_sha.clone()), ("failure", sha(7)));
}

#[test]
fn a_regression_that_the_base_accepts_is_published_as_accepted() {
    let run = slower();
    let case = &run.measurements[0].case;
    let plan = format!(
        "[[waiver]]\ncase = \"{case}\"\nmetric = \"wall\"\ncommit = \"{}\"\nreason = \"checked twice\"\nexpires = 2999-01-01\n",
        sha(7)
    );
    let (hub, checkout) = (hub(&run), checkout(&plan));
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(0), "{said}");
    let comment = &hub.own_comments(7)[0].body;
    assert!(comment.contains("accepted") && comment.contains("checked twice"), "{comment}");
    assert_ne!(hub.checks()[0].text("conclusion"), "failure");
}

#[test]
fn a_run_of_another_commit_is_refused() {
    let run = Run { commit: Some(sha(8)), ..slower() };
    let (hub, checkout) = (hub(&run), checkout(""));
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the run is not about #7"), "{said}");
    assert_eq!((hub.comments(7).len(), hub.checks().len()), (0, 0));
}

#[test]
fn a_pull_request_that_has_moved_on_is_left_alone() {
    let (hub, checkout) = (hub(&slower()), checkout(""));
    hub.change_pull(7, |pull| pull.commits.push(sha(9)));
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("#7 has moved on"), "{said}");
    assert_eq!(hub.comments(7).len(), 0);
}

#[test]
fn an_archive_that_is_none_is_refused_and_a_lost_artifact_is_told() {
    let (hub, checkout) = (hub(&slower()), checkout(""));
    hub.add_artifact(MEASURED, ARTIFACT, b"PK\x03\x04 and nothing more".to_vec());
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not published"), "{said}");

    let empty = Hub::start();
    empty.add_pull(PullRequest::new(7).forked_by("mallory"));
    let (code, said) = ended(&empty, checkout.path(), &publish(&empty, checkout.path(), &sha(7)));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("left no artifact perfplan-run"), "{said}");
}

#[test]
fn a_bad_token_fails_and_says_what_to_change() {
    let (hub, checkout) = (hub(&slower()), checkout(""));
    hub.always_fail(Matcher::new("GET", "/pulls"), Fault::unauthorized());
    let (code, said) = ended(&hub, checkout.path(), &publish(&hub, checkout.path(), &sha(7)));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("401") && said.contains("GITHUB_TOKEN"), "{said}");
}
