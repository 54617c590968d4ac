//! What the hub answers is what GitHub describes, and a request that is wrong is caught.

use std::fs;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::hub::{Fault, Hub, Matcher, Prism, PullRequest, Response, Settings, sha};

/// A hub with something of everything, and a proxy in front of it.
fn described(login: Option<&'static str>) -> Option<(Hub, Prism, Client)> {
    let hub = Hub::with(Settings { base: "/api/v3", login, ..Settings::default() });
    hub.add_pull(PullRequest::new(7));
    hub.add_pull(PullRequest::new(8).forked_by("mallory"));
    hub.add_talk(7, 130);
    hub.add_artifact(42, "perfplan", vec![0; 9]);
    let prism = Prism::before(&hub)?;
    let client = Client::at(prism.url(), hub.settings().token);
    Some((hub, prism, client))
}

fn check(level: &str) -> Value {
    let annotation = json!({ "path": "a", "start_line": 1, "end_line": 2, "annotation_level": level, "message": "m" });
    let output = json!({ "title": "t", "summary": "s", "annotations": [annotation] });
    json!({
        "name": "gate", "head_sha": sha(7), "status": "completed", "conclusion": "failure", "external_id": "1",
        "details_url": "https://example.org", "output": output,
    })
}

#[test]
fn all_that_the_hub_answers_is_as_github_describes_it() {
    let Some((_hub, prism, client)) = described(Some("robot")) else { return };
    let statuses: Vec<u16> = [
        "//user",
        "/pulls/7",
        "/pulls/8",
        "/pulls/9",
        "/pulls?head=mallory:feature&state=open",
        "/pulls/7/commits?per_page=100",
        "/issues/7/comments?per_page=100&page=2",
        "/issues/9/comments",
        "/actions/runs/42/artifacts?name=perfplan",
    ]
    .map(|path| client.get(path).status)
    .into();
    assert_eq!(statuses, [200, 200, 200, 404, 200, 200, 200, 404, 200]);

    let comment = client.ask("POST", "/issues/7/comments", json!({ "body": "x" })).json();
    let path = format!("/issues/comments/{}", comment["id"]);
    assert_eq!(client.ask("PATCH", &path, json!({ "body": "y" })).status, 200);
    assert_eq!(client.ask("PATCH", &path, json!({ "body": " " })).status, 422);
    assert_eq!(client.try_ask("DELETE", &path, None).unwrap().status, 204);
    assert_eq!(client.ask("POST", "/check-runs", json!({ "name": "gate", "head_sha": sha(7) })).status, 201);
    let created = client.ask("POST", "/check-runs", check("failure")).json();
    let mut again = check("notice");
    drop(again.as_object_mut().unwrap().remove("head_sha"));
    assert_eq!(client.ask("PATCH", &format!("/check-runs/{}", created["id"]), again).status, 200);
    assert_eq!(client.get(&format!("/commits/{}/check-runs?check_name=gate", sha(7))).json()["total_count"], 1);
    let status =
        json!({ "state": "success", "context": "gate", "description": "d", "target_url": "https://example.org" });
    assert_eq!(client.ask("POST", &format!("/statuses/{}", sha(7)), status).status, 201);
    assert_eq!(prism.violations(), [""; 0]);
}

#[test]
fn what_a_workflows_token_gets_is_as_github_describes_it() {
    let Some((hub, prism, client)) = described(None) else { return };
    assert_eq!(client.get("//user").status, 403);
    let listed = client.get("/issues/7/comments");
    let link = listed.header("link").unwrap();
    assert!(link.starts_with(&format!("<http://{}/repos/octo/widget/issues/7/comments?", client.host)), "{link}");
    assert_eq!(client.ask("POST", "/issues/7/comments", json!({ "body": "x" })).status, 201);
    assert_eq!(hub.own_comments(7).len(), 1);
    assert_eq!(prism.violations(), [""; 0]);
}

#[test]
fn a_request_that_is_wrong_is_refused_and_told_of_and_never_reaches_the_hub() {
    let Some((hub, prism, client)) = described(None) else { return };
    let without = |field: &str| {
        let mut check = check("failure");
        drop(check.as_object_mut().unwrap().remove(field));
        client.ask("POST", "/check-runs", check)
    };
    let refused: Vec<(Answer, &str)> = vec![
        (without("head_sha"), "head_sha"),
        (without("name"), "name"),
        (client.ask("POST", "/check-runs", check("error")), "annotation_level"),
        (client.ask("POST", "/issues/7/comments", json!({ "body": ["x"] })), "body"),
        (client.ask("POST", "/issues/7/comments", json!("x")), "must be object"),
        (client.ask("POST", "/issues/7/comments", json!({ "body": "x", "titel": "t" })), "titel"),
        (client.ask("PATCH", "/issues/comments/seven", json!({ "body": "x" })), "comment_id"),
        (client.ask("POST", &format!("/statuses/{}", sha(7)), json!({ "state": "passed" })), "state"),
        (client.get("/pulls?state=opened"), "state"),
        (client.try_ask("POST", "/issues/7/comments", None).unwrap(), "Body parameter is required"),
        (client.get("/issues/7/coments"), "hasn't been found"),
        (client.ask("PUT", "/issues/7/comments", json!({})), "put"),
    ];
    let violations = prism.violations();
    assert_eq!(violations.len(), refused.len(), "{violations:#?}");
    for ((answer, reason), violation) in refused.iter().zip(&violations) {
        assert!((400..500).contains(&answer.status), "{reason}: {answer:?}");
        assert!(violation.contains(reason), "no {reason:?} in {violation}");
    }
    assert_eq!((hub.requests().len(), hub.comments(7).len(), hub.checks().len()), (0, 130, 0));
}

#[test]
fn an_answer_that_is_wrong_is_told_of() {
    let Some((hub, prism, client)) = described(None) else { return };
    let halved = Response::json(200, &json!({ "number": 7 }));
    hub.fail(1, Matcher::new("GET", "/pulls/7"), Fault::answer(halved));
    hub.fail(1, Matcher::new("GET", "/pulls/7"), Fault::status(418));
    assert_eq!(client.get("/pulls/7").status, 500);
    assert_eq!(client.get("/pulls/7").status, 418, "of an error that is not described there is a warning");
    let violations = prism.violations();
    assert!(violations[0].contains("head") && violations[1].contains("status code"), "{violations:#?}");
}

#[test]
fn violations_that_nobody_asked_for_fail_the_test_and_the_proxy_ends_with_it() {
    let Some((_hub, prism, client)) = described(None) else { return };
    client.get("/nothing");
    let process = prism.process();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(prism))).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("/nothing"));
    assert!(fs::metadata(process).is_err());
    assert!(client.try_ask("GET", "/pulls/7", None).is_err());
}
