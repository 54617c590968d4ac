//! What the hub keeps, and what it says.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::client::{Client, read_answer};
use crate::hub::{Hub, Origin, PullRequest, Settings, WORKFLOW, sha};

fn hub() -> Hub {
    let hub = Hub::start();
    hub.add_pull(PullRequest::new(7));
    hub
}

/// Where a link header leads, by relation.
fn link(header: Option<&str>, relation: &str) -> Option<String> {
    let wanted = format!("rel=\"{relation}\"");
    let link = header?.split(", ").find(|link| link.ends_with(&wanted))?;
    Some(link.trim_start_matches('<').split('>').next()?.to_owned())
}

#[test]
fn comments_come_in_pages_that_link_to_each_other() {
    let hub = hub();
    hub.add_talk(7, 230);
    let client = Client::of(&hub);
    let mut path = "/issues/7/comments?per_page=100".to_owned();
    let mut counts = Vec::new();
    let mut ids = Vec::new();
    loop {
        let answer = client.get(&path);
        let page = answer.json();
        counts.push(page.as_array().unwrap().len());
        ids.extend(page.as_array().unwrap().iter().map(|comment| comment["id"].as_u64().unwrap()));
        let Some(next) = link(answer.header("link"), "next") else { break };
        assert!(link(answer.header("link"), "last").unwrap().ends_with("per_page=100&page=3"));
        path = next.strip_prefix(&format!("{}/repos/octo/widget", hub.url())).unwrap().to_owned();
    }
    assert_eq!(counts, [100, 100, 30]);
    assert!(ids.is_sorted() && ids[0] > u64::from(u32::MAX));
    assert_eq!(client.get("/issues/7/comments").json().as_array().unwrap().len(), 30, "GitHub's usual page");
    assert_eq!(client.get("/issues/7/comments?per_page=1000").json().as_array().unwrap().len(), 100, "its largest");
    assert_eq!(client.get("/issues/7/comments?page=99").json(), json!([]));
    assert_eq!(client.get("/issues/8/comments").status, 404);
}

#[test]
fn a_comment_is_created_changed_and_deleted() {
    let hub = hub();
    let client = Client::of(&hub);
    let created = client.ask("POST", "/issues/7/comments", json!({ "body": "one" }));
    assert_eq!((created.status, created.json()["user"]["login"].as_str()), (201, Some(WORKFLOW)));
    assert_eq!(created.json()["performed_via_github_app"]["slug"], "github-actions");
    let path = format!("/issues/comments/{}", created.json()["id"]);
    assert_eq!(client.ask("PATCH", &path, json!({ "body": "two" })).status, 200);
    let [comment] = &hub.own_comments(7)[..] else { panic!("{:?}", hub.comments(7)) };
    assert_eq!((comment.body.as_str(), comment.edits), ("two", 1));
    let other = hub.add_comment(7, "ada", "mine");
    assert_eq!((hub.comments(7).len(), hub.own_comments(7).len()), (2, 1));
    assert_eq!(client.try_ask("DELETE", &path, None).unwrap().status, 204);
    assert_eq!(client.try_ask("DELETE", &path, None).unwrap().status, 404);
    assert_eq!(hub.comments(7).iter().map(|comment| comment.id).collect::<Vec<_>>(), [other]);
}

#[test]
fn a_comment_that_github_would_refuse_is_refused() {
    let hub = hub();
    let client = Client::of(&hub);
    let longest = "é".repeat(65_536);
    for (body, reason) in [
        (json!({ "body": " \n" }), "can't be blank"),
        (json!({ "body": format!("{longest}.") }), "maximum is 65536"),
        (json!({ "text": "x" }), "\"body\" wasn't supplied"),
        (json!({ "body": 7 }), "a string was wanted"),
        (json!(["x"]), "not an object"),
    ] {
        let answer = client.ask("POST", "/issues/7/comments", body);
        assert!(answer.status == 422 && answer.message().contains(reason), "{reason}: {answer:?}");
    }
    assert!(hub.comments(7).is_empty());
    assert_eq!(client.ask("POST", "/issues/7/comments", json!({ "body": longest })).status, 201);
}

#[test]
fn only_the_token_opens_and_a_workflows_has_no_user() {
    let hub = hub();
    let client = Client::of(&hub);
    assert_eq!(client.get("/pulls/7").status, 200);
    assert_eq!(client.clone().without("authorization").get("/pulls/7").message(), "Bad credentialsnull");
    assert_eq!(Client::at(&hub.url(), "other").get("/pulls/7").status, 401);
    assert_eq!(client.clone().without("user-agent").get("/pulls/7").status, 403);
    assert_eq!(client.get("//user").message(), "Resource not accessible by integrationnull");
    let person = Hub::with(Settings { login: Some("robot"), ..Settings::default() });
    assert_eq!(Client::of(&person).get("//user").json()["login"], "robot");
}

#[test]
fn below_a_base_path_everything_is_the_same_and_beside_it_nothing_is() {
    let hub = Hub::with(Settings { base: "/api/v3", ..Settings::default() });
    hub.add_pull(PullRequest::new(7));
    assert!(hub.url().ends_with("/api/v3"));
    let pull = Client::of(&hub).get("/pulls/7").json();
    assert_eq!(pull["url"], format!("{}/repos/octo/widget/pulls/7", hub.url()));
    let beside = hub.url().replace("/api/v3", "");
    assert_eq!(Client::at(&beside, hub.settings().token).get("/pulls/7").status, 404);
}

#[test]
fn a_check_run_collects_annotations_and_the_newest_of_a_name_is_listed() {
    let hub = hub();
    let client = Client::of(&hub);
    let annotation =
        json!({ "path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m" });
    let check = |annotations: usize| {
        let output = json!({ "title": "t", "summary": "s", "annotations": vec![annotation.clone(); annotations] });
        json!({ "name": "gate", "head_sha": sha(7), "conclusion": "failure", "output": output })
    };
    client.ask("POST", "/check-runs", json!({ "name": "gate", "head_sha": sha(7) }));
    client.ask("POST", "/check-runs", json!({ "name": "other", "head_sha": sha(7) }));
    let created = client.ask("POST", "/check-runs", check(50));
    assert_eq!((created.status, &created.json()["status"]), (201, &json!("completed")));
    let path = format!("/check-runs/{}", created.json()["id"]);
    assert_eq!(client.ask("PATCH", &path, check(2)).json()["output"]["annotations_count"], 52);
    assert_eq!(client.ask("PATCH", &path, check(51)).status, 422);
    let stored = &hub.checks()[2];
    assert_eq!((stored.text("conclusion"), stored.text("summary"), stored.edits), ("failure", "s", 1));

    let listed = client.get(&format!("/commits/{}/check-runs?check_name=gate", sha(7))).json();
    assert_eq!((&listed["total_count"], &listed["check_runs"][0]["id"]), (&json!(1), &created.json()["id"]));
    assert_eq!(client.get(&format!("/commits/{}/check-runs?filter=all", sha(7))).json()["total_count"], 3);
    assert_eq!(client.ask("POST", "/check-runs", json!({ "name": "x", "head_sha": sha(8) })).status, 422);
    let open = json!({ "name": "x", "head_sha": sha(7), "status": "completed" });
    assert_eq!(client.ask("POST", "/check-runs", open).status, 422, "completed without a conclusion");
}

#[test]
fn statuses_are_kept_and_have_a_short_description() {
    let hub = hub();
    let client = Client::of(&hub);
    let path = format!("/statuses/{}", sha(7));
    let status = |letters: usize| json!({ "state": "success", "context": "gate", "description": "é".repeat(letters) });
    assert_eq!(client.ask("POST", &path, status(140)).status, 201);
    assert!(client.ask("POST", &path, status(141)).message().contains("maximum is 140"));
    assert_eq!(client.ask("POST", &path, json!({ "state": "passed" })).status, 422);
    assert_eq!(client.ask("POST", &format!("/statuses/{}", sha(9)), status(1)).status, 422);
    hub.add_commit(&sha(9));
    assert_eq!(client.ask("POST", &format!("/statuses/{}", sha(9)), status(1)).status, 201);
    assert_eq!(hub.statuses().iter().map(|status| status.sha.clone()).collect::<Vec<_>>(), [sha(7), sha(9)]);
}

#[test]
fn pull_requests_are_found_by_where_they_come_from() {
    let hub = hub();
    hub.add_pull(PullRequest { commits: (100..400).map(sha).collect(), ..PullRequest::new(8).forked_by("mallory") });
    let client = Client::of(&hub);
    let found = |query: &str| {
        let found = client.get(&format!("/pulls?{query}")).json();
        found.as_array().unwrap().iter().map(|pull| pull["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found("head=mallory:feature&state=open"), [8]);
    assert_eq!(found("head=octo%3Afeature"), [7]);
    assert_eq!(found("head=feature"), [8, 7], "without an owner nothing is filtered");
    hub.change_pull(8, |pull| (pull.open, pull.head_repository) = (false, None));
    assert_eq!((found("state=open"), found("state=all")), (vec![7], vec![8, 7]));
    let pull = client.get("/pulls/8").json();
    assert_eq!(
        (&pull["head"]["repo"], &pull["head"]["sha"], &pull["state"]),
        (&Value::Null, &json!(sha(399)), &json!("closed"))
    );
    assert_eq!(client.get("/pulls/8/commits?per_page=100&page=3").json().as_array().unwrap().len(), 50, "of 250");
}

#[test]
fn an_artifact_lies_elsewhere_and_the_token_must_not_follow() {
    let hub = hub();
    let id = hub.add_artifact(42, "perfplan", b"PK\x05\x06".to_vec());
    hub.add_artifact(42, "logs", Vec::new());
    let client = Client::of(&hub);
    let listed = client.get("/actions/runs/42/artifacts?name=perfplan").json();
    assert_eq!((&listed["total_count"], &listed["artifacts"][0]["size_in_bytes"]), (&json!(1), &json!(4)));
    let answer = client.get(&format!("/actions/artifacts/{id}/zip"));
    let location = answer.header("location").unwrap();
    let (host, path) = location.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert!(answer.status == 302 && host != client.host);
    let mut storage = Client::at(&format!("http://{host}"), hub.settings().token);
    assert_eq!(storage.get(&format!("//{path}")).status, 400, "the token came along");
    storage = storage.without("authorization");
    assert_eq!(storage.get(&format!("//{path}")).body, b"PK\x05\x06");
    assert_eq!(storage.get(&format!("//artifacts/{id}.zip")).status, 404, "without the signature");
    assert_eq!(hub.requests().last().unwrap().origin, Origin::Storage);
    hub.expire(id);
    assert_eq!(client.get(&format!("/actions/artifacts/{id}/zip")).status, 410);
}

#[test]
fn a_connection_takes_many_requests_in_chunks_too_and_all_are_recorded() {
    let hub = hub();
    let client = Client::of(&hub);
    let stream = TcpStream::connect(&client.host).unwrap();
    let mut reader = BufReader::new(&stream);
    let head = String::from_utf8(client.request("POST", "/issues/7/comments", None)).unwrap();
    let chunked = head.replace("content-length: 0", "Transfer-Encoding: chunked");
    let body = "5;x=y\r\n{\"bod\r\nA\r\ny\": \"chunk\r\n3\r\ns\"}\r\n0\r\nx-trailer: 1\r\n\r\n";
    (&stream).write_all(format!("{chunked}{body}").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut reader).unwrap().json()["body"], "chunks");
    (&stream).write_all(&client.request("GET", "/issues/7/comments", None)).unwrap();
    assert_eq!(read_answer(&mut reader).unwrap().json().as_array().unwrap().len(), 1);
    let requests = hub.requests();
    let lines: Vec<String> = requests.iter().map(|request| request.line()).collect();
    assert_eq!(lines, ["POST /repos/octo/widget/issues/7/comments", "GET /repos/octo/widget/issues/7/comments"]);
    assert_eq!(requests[0].request.json(), Some(json!({ "body": "chunks" })));
    assert_eq!(requests[0].request.header("USER-AGENT"), Some("test"));
}

#[test]
fn what_is_no_request_ends_the_connection_and_nothing_else() {
    let hub = hub();
    let client = Client::of(&hub);
    let huge = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", u64::MAX);
    let endless = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let chunk = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffff\r\n".to_owned();
    for garbage in ["hello\r\n\r\n".to_owned(), "GET /\r\n\r\n".to_owned(), huge, endless, chunk] {
        let stream = TcpStream::connect(&client.host).unwrap();
        // The hub may hang up before it has read everything.
        drop((&stream).write_all(garbage.as_bytes()));
        let answer = read_answer(&mut BufReader::new(&stream));
        assert!(answer.is_err() || answer.unwrap().status == 400, "{garbage:.20}");
    }
    assert_eq!(client.get("/pulls/7").status, 200);
}
