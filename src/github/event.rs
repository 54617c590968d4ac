//! The event that a workflow run was started by, from the payload that the runner leaves in a file.
//!
//! Who opens a pull request chooses the names of its branch and of their account, and the contents of its commits. The rest is
//! GitHub's. What is taken from the payload is checked, so that it can stand in an address.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::names::{Sha, branch, login, word};
use super::pulls::PullRequest;
use super::wire::{Account, WirePullRequest};

/// An event, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A pull request was opened or changed (`pull_request`, `pull_request_target`).
    PullRequest {
        /// `7` of `#7`.
        number: u64,
        /// The newest of its commits.
        head_sha: Sha,
        /// The newest commit of the branch that it is to be merged into.
        base_sha: Sha,
        /// That branch.
        base_ref: String,
        /// Whether it comes from another repository. The token can then only read, except with `pull_request_target`.
        fork: bool,
    },
    /// Another workflow ran (`workflow_run`).
    WorkflowRun {
        /// Its run, for artifacts.
        id: u64,
        /// What that one was started by: `pull_request`.
        event: String,
        /// What it came to (`success`, `failure`, ...), once it is completed.
        conclusion: Option<String>,
        /// The commit that it ran for.
        head_sha: Sha,
        /// The branch that it ran for, of the repository of `head_owner`.
        head_branch: Option<String>,
        /// The owner of the repository that the commit is from, unless that was deleted.
        head_owner: Option<String>,
    },
    /// Commits were pushed (`push`).
    Push {
        /// `refs/heads/main`.
        reference: String,
        /// The commit before it, unless the branch is new.
        before: Option<Sha>,
        /// The newest commit, unless the branch was deleted.
        after: Option<Sha>,
    },
    /// Anything else, by its name.
    Other(String),
}

#[derive(Deserialize)]
struct PullRequestPayload {
    pull_request: WirePullRequest,
}

#[derive(Deserialize)]
struct WorkflowRunPayload {
    workflow_run: WireWorkflowRun,
}

#[derive(Deserialize)]
struct WireWorkflowRun {
    id: u64,
    event: String,
    conclusion: Option<String>,
    head_sha: String,
    head_branch: Option<String>,
    head_repository: Option<HeadRepository>,
}

#[derive(Deserialize)]
struct HeadRepository {
    owner: Option<Account>,
}

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    reference: String,
    before: String,
    after: String,
}

impl Event {
    /// The event of this name with this payload, which is JSON.
    ///
    /// # Errors
    /// Where the payload is not what GitHub describes for the event.
    pub fn read(name: &str, payload: &[u8]) -> Result<Self, String> {
        match name {
            "pull_request" | "pull_request_target" => Self::of_pull_request(json(payload)?),
            "workflow_run" => Self::of_workflow_run(json(payload)?),
            "push" => Self::of_push(&json(payload)?),
            _ => Ok(Self::Other(word(name)?)),
        }
    }

    fn of_pull_request(payload: PullRequestPayload) -> Result<Self, String> {
        let PullRequest { number, head_sha, base_sha, base_ref, fork, .. } = payload.pull_request.try_into()?;
        Ok(Self::PullRequest { number, head_sha, base_sha, base_ref, fork })
    }

    fn of_workflow_run(payload: WorkflowRunPayload) -> Result<Self, String> {
        let run = payload.workflow_run;
        let owner = run.head_repository.and_then(|repository| repository.owner);
        Ok(Self::WorkflowRun {
            id: run.id,
            event: word(&run.event)?,
            conclusion: run.conclusion.map(|conclusion| word(&conclusion)).transpose()?,
            head_sha: run.head_sha.parse()?,
            head_branch: run.head_branch.map(|name| branch(&name)).transpose()?,
            head_owner: owner.map(|owner| login(&owner.login)).transpose()?,
        })
    }

    fn of_push(payload: &PushPayload) -> Result<Self, String> {
        let commit = |text: &str| text.parse::<Sha>().map(Sha::unless_zero);
        let reference = branch(&payload.reference)?;
        Ok(Self::Push { reference, before: commit(&payload.before)?, after: commit(&payload.after)? })
    }
}

fn json<T: DeserializeOwned>(payload: &[u8]) -> Result<T, String> {
    serde_json::from_slice(payload).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sha(digit: &str) -> String {
        digit.repeat(40)
    }

    fn read(name: &str, payload: &Value) -> Result<Event, String> {
        Event::read(name, payload.to_string().as_bytes())
    }

    fn pull_request(head: &Value) -> Value {
        let base = json!({ "sha": sha("b"), "ref": "main", "repo": { "id": 1, "full_name": "octo/hello" } });
        json!({ "action": "opened", "pull_request": { "number": 7, "state": "open", "head": head, "base": base, "x": [] } })
    }

    fn is_fork(head: &Value) -> bool {
        matches!(read("pull_request", &pull_request(head)).unwrap(), Event::PullRequest { fork: true, .. })
    }

    #[test]
    fn a_pull_request_is_a_fork_unless_both_sides_are_one_repository() {
        let repository =
            |id: u64| json!({ "sha": sha("a"), "ref": "topic", "repo": { "id": id, "full_name": "octo/hello" } });
        assert!(!is_fork(&repository(1)));
        assert!(is_fork(&repository(2)), "the name alone does not tell");
        let deleted = json!({ "sha": sha("a"), "ref": "topic", "repo": null });
        assert!(is_fork(&deleted), "a deleted one was a fork");
        let mut neither = pull_request(&deleted);
        neither["pull_request"]["base"]["repo"] = Value::Null;
        assert!(matches!(read("pull_request", &neither).unwrap(), Event::PullRequest { fork: true, .. }));
    }

    #[test]
    fn a_pull_request_names_its_commits_and_its_base() {
        let head = json!({ "sha": sha("A"), "ref": "topic", "repo": { "id": 1, "full_name": "octo/hello" } });
        let expected = Event::PullRequest {
            number: 7,
            head_sha: sha("a").parse().unwrap(),
            base_sha: sha("b").parse().unwrap(),
            base_ref: "main".to_owned(),
            fork: false,
        };
        for name in ["pull_request", "pull_request_target"] {
            assert_eq!(read(name, &pull_request(&head)).unwrap(), expected);
        }
    }

    fn run(member: &str, value: Value) -> Value {
        let mut payload = json!({ "workflow_run": {
            "id": 42, "event": "pull_request", "conclusion": "success", "head_sha": sha("a"), "head_branch": "topic",
            "head_repository": { "owner": { "login": "mallory" } }, "pull_requests": [],
        }});
        payload["workflow_run"][member] = value;
        payload
    }

    #[test]
    fn a_workflow_run_tells_whose_commit_it_ran_for() {
        let expected = Event::WorkflowRun {
            id: 42,
            event: "pull_request".to_owned(),
            conclusion: Some("success".to_owned()),
            head_sha: sha("a").parse().unwrap(),
            head_branch: Some("topic".to_owned()),
            head_owner: Some("mallory".to_owned()),
        };
        assert_eq!(read("workflow_run", &run("x", json!(1))).unwrap(), expected);
        let gone = read("workflow_run", &run("head_repository", Value::Null)).unwrap();
        assert!(matches!(gone, Event::WorkflowRun { head_owner: None, .. }));
    }

    #[test]
    fn hostile_payloads_are_refused() {
        for (member, value) in [
            ("id", json!("42/../43")),
            ("id", json!(-1)),
            ("id", json!(1e300)),
            ("head_sha", json!("../../git")),
            ("head_sha", json!(null)),
            ("head_branch", json!("a\n::set-env::")),
            ("head_branch", json!("x".repeat(5_000))),
            ("event", json!("pull_request\" or")),
            ("conclusion", json!("<b>success</b>")),
            ("head_repository", json!({ "owner": { "login": "a/b" } })),
            ("head_repository", json!({ "owner": { "login": ".." } })),
        ] {
            assert!(read("workflow_run", &run(member, value.clone())).is_err(), "{member}: {value} was taken");
        }
        for payload in ["", "null", "[]", "{", "{\"workflow_run\": 1}", &"[".repeat(100_000)] {
            assert!(Event::read("workflow_run", payload.as_bytes()).is_err(), "{payload:.20} was taken");
        }
    }

    #[test]
    fn a_push_has_no_commit_before_a_new_branch_and_none_after_a_deleted_one() {
        let push =
            |before: &str, after: &str| json!({ "ref": "refs/heads/main", "before": sha(before), "after": sha(after) });
        let Event::Push { reference, before, after } = read("push", &push("0", "a")).unwrap() else {
            panic!("no push")
        };
        assert_eq!((reference.as_str(), before, after), ("refs/heads/main", None, sha("a").parse().ok()));
        assert!(matches!(read("push", &push("a", "0")).unwrap(), Event::Push { after: None, .. }));
    }

    #[test]
    fn other_events_are_known_by_name_alone() {
        assert_eq!(Event::read("merge_group", b"not read").unwrap(), Event::Other("merge_group".to_owned()));
        assert!(Event::read("merge group\n", b"").is_err() && Event::read("", b"").is_err());
    }
}
