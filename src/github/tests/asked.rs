//! What goes over the wire, and what is read from it.

use serde_json::{Value, json};

use crate::github::fixture::{SHA, Server, Still, TOKEN, client, json as answer, with};
use crate::github::{
    Annotation, Cause, Client, Conclusion, Level, NewCheckRun, Patience, PullRequest, Sha, State, Status,
};

/// Asks one thing of a server that answers this.
fn asked<T>(body: &Value, ask: impl Fn(&Client) -> T) -> (T, Vec<(String, Value)>) {
    let server = Server::new(vec![answer(200, body)]);
    let outcome = ask(&server.client(&Still::new()));
    let body = |body: &str| if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
    (outcome, server.seen().into_iter().map(|seen| (seen.line, body(&seen.body))).collect())
}

fn sha() -> Sha {
    SHA.parse().unwrap()
}

fn comment(id: u64) -> Value {
    json!({ "id": id, "body": "hello", "user": { "login": "octocat", "id": 1 }, "html_url": "https://h/5", "node_id": "x" })
}

fn pull_request() -> Value {
    json!({
        "number": 7, "state": "open",
        "head": { "sha": SHA, "ref": "topic", "repo": { "id": 2, "full_name": "mallory/hello" }, "user": null },
        "base": { "sha": SHA, "ref": "main", "repo": { "id": 1, "full_name": "octo/hello" } },
    })
}

#[test]
fn every_request_has_the_headers_that_github_wants() {
    let server = Server::new(vec![answer(200, &comment(5))]);
    server.client(&Still::new()).update_comment(5, "hello").unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization").unwrap(), format!("Bearer {TOKEN}"));
    assert_eq!(seen.header("accept").unwrap(), "application/vnd.github+json");
    assert_eq!(seen.header("content-type").unwrap(), "application/json");
    assert!(seen.header("user-agent").unwrap().starts_with("cargo-perfplan/"));
    assert!(seen.header("x-github-api-version").is_some());
}

#[test]
fn the_path_of_an_enterprise_comes_before_every_request() {
    let server = Server::new(vec![with(204, &[], "")]);
    client(&format!("{}/api/v3/", server.url()), &Still::new(), Patience::default()).delete_comment(5).unwrap();
    assert_eq!(server.lines(), ["DELETE /api/v3/repos/octo/hello/issues/comments/5"]);
}

#[test]
fn a_token_may_belong_to_nobody() {
    assert_eq!(asked(&json!({ "login": "octocat" }), Client::login).0.unwrap().as_deref(), Some("octocat"));
    let login = |reply| Server::new(vec![reply]).client(&Still::new()).login();
    assert_eq!(login(with(403, &[], "{\"message\": \"Resource not accessible by integration\"}")).unwrap(), None);
    assert_eq!(login(with(401, &[], "{}")).unwrap_err().cause, Cause::Unauthorized);
    let limited = with(403, &[("retry-after", "9999")], "{}");
    assert_eq!(login(limited).unwrap_err().cause, Cause::Limited, "not knowing is not the same as nobody");
}

#[test]
fn comments_come_in_pages() {
    let next = with(200, &[("link", "<https://h/?page=4>; rel=\"next\"")], &json!([comment(1)]).to_string());
    let last = with(200, &[("link", "<https://h/?page=2>; rel=\"prev\"")], &json!(vec![comment(1); 100]).to_string());
    let (full, short) = (answer(200, &json!(vec![comment(1); 100])), answer(200, &json!([])));
    let server = Server::new(vec![next, last, full, short]);
    let client = server.client(&Still::new());
    let more = [3, 4, 1, 2].map(|page| client.comments(7, page).unwrap().more);
    assert_eq!(more, [true, false, true, false]);
    assert_eq!(server.lines()[0], "GET /repos/octo/hello/issues/7/comments?per_page=100&page=3");
}

#[test]
fn a_comment_may_have_lost_its_author_and_its_text() {
    let body =
        json!([{ "id": 5, "user": null, "html_url": "https://h/5", "performed_via_github_app": { "slug": "ci" } }]);
    let comment = asked(&body, |client| client.comments(7, 1)).0.unwrap().items.remove(0);
    assert_eq!((comment.author, comment.body.as_str(), comment.app.as_deref()), (None, "", Some("ci")));
}

#[test]
fn comments_are_written_changed_and_taken_away() {
    let text = "\"quoted\" \u{0} <!-- ä -->";
    let (made, seen) = asked(&comment(5), |client| client.create_comment(7, text));
    assert_eq!(
        (made.unwrap().id, seen),
        (5, vec![("POST /repos/octo/hello/issues/7/comments".into(), json!({ "body": text }))])
    );
    let (_, seen) = asked(&comment(5), |client| client.update_comment(5, text));
    assert_eq!(seen, [("PATCH /repos/octo/hello/issues/comments/5".into(), json!({ "body": text }))]);
    let (_, seen) = asked(&json!({}), |client| client.delete_comment(5));
    assert_eq!(seen, [("DELETE /repos/octo/hello/issues/comments/5".into(), Value::Null)]);
}

fn new_check_run() -> NewCheckRun {
    let (path, message, title) = ("perfplan.toml".to_owned(), "slower".to_owned(), "regressed".to_owned());
    NewCheckRun {
        name: "perfplan".to_owned(),
        head_sha: sha(),
        external_id: Some("plan".to_owned()),
        details_url: None,
        conclusion: Conclusion::Failure,
        title: "1 regressed".to_owned(),
        summary: "more".to_owned(),
        annotations: vec![Annotation { path, line: 3, level: Level::Warning, message, title }],
    }
}

#[test]
fn check_runs_are_made_with_their_commit_and_changed_without() {
    let run = json!({ "id": 9, "name": "perfplan", "head_sha": SHA, "external_id": "plan", "app": { "slug": "github-actions" } });
    let mut expected = json!({
        "name": "perfplan", "external_id": "plan", "status": "completed", "conclusion": "failure",
        "output": { "title": "1 regressed", "summary": "more", "annotations": [{
            "path": "perfplan.toml", "start_line": 3, "end_line": 3, "annotation_level": "warning", "message": "slower",
            "title": "regressed",
        }]},
    });
    let (changed, seen) = asked(&run, |client| client.update_check_run(9, &new_check_run()));
    assert_eq!(changed.unwrap().app.as_deref(), Some("github-actions"));
    assert_eq!(seen, [("PATCH /repos/octo/hello/check-runs/9".into(), expected.clone())]);
    let (made, seen) = asked(&run, |client| client.create_check_run(&new_check_run()));
    expected["head_sha"] = json!(SHA);
    assert_eq!((made.unwrap().id, seen), (9, vec![("POST /repos/octo/hello/check-runs".into(), expected)]));
}

#[test]
fn check_runs_are_looked_up_by_name_over_all_pages() {
    let run = |id: u64| json!({ "id": id, "name": "a&b=c", "head_sha": SHA, "external_id": "", "app": null, "html_url": null });
    let first = json!({ "total_count": 101, "check_runs": (0..100).map(run).collect::<Vec<_>>() });
    let second = json!({ "total_count": 101, "check_runs": [run(100)] });
    let server = Server::new(vec![answer(200, &first), answer(200, &second)]);
    let runs = server.client(&Still::new()).check_runs(&sha(), "a&b=c").unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), (0..=100).collect::<Vec<_>>());
    let line = |page| {
        format!(
            "GET /repos/octo/hello/commits/{SHA}/check-runs?check_name=a%26b%3Dc&filter=all&per_page=100&page={page}"
        )
    };
    assert_eq!(server.lines(), [line(1), line(2)]);
}

#[test]
fn a_list_without_end_is_left_at_some_time() {
    let next = || with(200, &[("link", "<https://h/>; rel=\"next\"")], "{\"check_runs\": []}");
    let server = Server::new((0..30).map(|_| next()).collect());
    assert!(server.client(&Still::new()).check_runs(&sha(), "x").unwrap().is_empty());
    assert_eq!(server.seen().len(), 20);
}

#[test]
fn a_status_stands_beside_its_commit() {
    let status = Status {
        state: State::Error,
        context: "perfplan".to_owned(),
        description: "no run".to_owned(),
        target_url: Some("https://h".to_owned()),
    };
    let (outcome, seen) = asked(&json!({}), |client| client.create_status(&sha(), &status));
    outcome.unwrap();
    let body = json!({ "state": "error", "context": "perfplan", "description": "no run", "target_url": "https://h" });
    assert_eq!(seen, [(format!("POST /repos/octo/hello/statuses/{SHA}"), body)]);
}

#[test]
fn a_pull_request_tells_where_it_comes_from() {
    let (found, seen) = asked(&pull_request(), |client| client.pull_request(7));
    assert_eq!(seen[0].0, "GET /repos/octo/hello/pulls/7");
    let expected = PullRequest {
        number: 7,
        open: true,
        fork: true,
        head_sha: sha(),
        head_ref: "topic".to_owned(),
        head_repository: Some("mallory/hello".parse().unwrap()),
        base_sha: sha(),
        base_ref: "main".to_owned(),
    };
    assert_eq!(found.unwrap(), expected);
    let mut closed = pull_request();
    closed["state"] = json!("closed");
    closed["head"]["repo"] = Value::Null;
    let found = asked(&closed, |client| client.pull_request(7)).0.unwrap();
    assert!(!found.open && found.fork && found.head_repository.is_none());
}

#[test]
fn an_answer_with_hostile_names_is_not_taken() {
    for (side, member, value) in [
        ("head", "sha", json!("../../x")),
        ("head", "ref", json!("a\nb")),
        ("base", "sha", json!("")),
        ("head", "repo", json!({ "id": 2, "full_name": "mallory/../octo" })),
    ] {
        let mut hostile = pull_request();
        hostile[side][member] = value;
        let refusal = asked(&hostile, |client| client.pull_request(7)).0.unwrap_err();
        assert_eq!(refusal.cause, Cause::Unanswered, "{side}.{member}");
    }
}

#[test]
fn pull_requests_are_found_by_branch_whatever_it_is_called() {
    let mut named = pull_request();
    named["head"]["ref"] = json!("a&b#c/üd");
    let (found, seen) = asked(&json!([named]), |client| client.pull_requests_from("Mallory", "a&b#c/üd"));
    assert_eq!(found.unwrap().len(), 1);
    let query = "state=open&head=Mallory%3Aa%26b%23c%2F%C3%BCd&per_page=100&page=1";
    assert_eq!(seen[0].0, format!("GET /repos/octo/hello/pulls?{query}"));
}

#[test]
fn pull_requests_from_elsewhere_are_left_out_whatever_github_gives() {
    let (mut branch, mut owner, mut closed) = (pull_request(), pull_request(), pull_request());
    branch["head"]["ref"] = json!("other");
    owner["head"]["repo"]["full_name"] = json!("octo/hello");
    closed["state"] = json!("closed");
    let mut wanted = pull_request();
    wanted["number"] = json!(8);
    let given = json!([branch, owner, closed, wanted]);
    let found = asked(&given, |client| client.pull_requests_from("mallory", "topic")).0.unwrap();
    assert_eq!(found.into_iter().map(|pull_request| pull_request.number).collect::<Vec<_>>(), [8]);
}

#[test]
fn commits_of_a_pull_request_come_in_pages() {
    let (page, seen) = asked(&json!([{ "sha": SHA, "commit": {} }]), |client| client.commits(7, 2));
    let page = page.unwrap();
    assert_eq!((page.items, page.more), (vec![sha()], false));
    assert_eq!(seen[0].0, "GET /repos/octo/hello/pulls/7/commits?per_page=100&page=2");
}

#[test]
fn artifacts_of_another_name_are_left_out_and_the_newest_comes_first() {
    let artifact = |id: u64, name: &str| json!({ "id": id, "name": name, "size_in_bytes": 10, "expired": id == 1 });
    let body = json!({ "total_count": 3, "artifacts": [artifact(1, "a b"), artifact(3, "a b"), artifact(2, "a bc")] });
    let (found, seen) = asked(&body, |client| client.artifacts(42, "a b"));
    let found = found.unwrap().into_iter().map(|artifact| (artifact.id, artifact.size, artifact.expired));
    assert_eq!(found.collect::<Vec<_>>(), [(3, 10, false), (1, 10, true)]);
    assert_eq!(seen[0].0, "GET /repos/octo/hello/actions/runs/42/artifacts?name=a+b&per_page=100&page=1");
}
