//! What comes of a server that does not do what it should.

use std::net::TcpListener;
use std::time::Duration;

use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::github::fixture::{Reply, Server, Still, TOKEN, client, json as answer, with};
use crate::github::{Cause, Patience, Refusal};

fn comment() -> Value {
    json!({ "id": 5, "body": "hello", "user": { "login": "octocat" }, "html_url": "https://h/5" })
}

fn comments() -> Reply {
    answer(200, &json!([comment()]))
}

fn created() -> Reply {
    answer(201, &comment())
}

fn said(status: u16, message: &str) -> Reply {
    answer(status, &json!({ "message": message, "documentation_url": "https://docs" }))
}

/// A head that promises more than there comes.
fn cut() -> Reply {
    Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"id\": 5, \"bo".to_vec())
}

/// What becomes of showing comments.
fn shown(replies: Vec<Reply>) -> (Result<usize, Refusal>, usize, Vec<f64>) {
    let (server, clock) = (Server::new(replies), Still::new());
    let outcome = server.client(&clock).comments(7, 1).map(|page| page.items.len());
    (outcome, server.seen().len(), clock.pauses())
}

/// What becomes of writing one.
fn written(replies: Vec<Reply>) -> (Result<u64, Refusal>, usize, Vec<f64>) {
    let (server, clock) = (Server::new(replies), Still::new());
    let outcome = server.client(&clock).create_comment(7, "hello").map(|comment| comment.id);
    (outcome, server.seen().len(), clock.pauses())
}

#[test]
fn a_token_that_is_not_known_is_refused_at_once() {
    let (outcome, requests, _) = written(vec![said(401, "Bad credentials")]);
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests), (Cause::Unauthorized, 1));
    assert_eq!(
        refusal.to_string(),
        "POST /repos/octo/hello/issues/7/comments was refused (401): Bad credentials (give the step `env: GITHUB_TOKEN: ${{ \
         github.token }}`)"
    );
}

#[test]
fn a_token_that_may_only_read_is_refused_with_the_permission_that_is_missing() {
    let (outcome, requests, _) = written(vec![said(403, "Resource not accessible by integration")]);
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests, refusal.status), (Cause::Forbidden, 1, Some(403)));
    let text = refusal.to_string();
    assert!(
        text.contains("Resource not accessible by integration (give the job `permissions: pull-requests: write`"),
        "{text}"
    );
}

#[test]
fn a_rate_limit_in_a_403_is_waited_for() {
    let limits: [&[(&str, &str)]; 3] = [
        &[("retry-after", "30")],
        &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000029")],
        &[("X-RateLimit-Remaining", "0"), ("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT")],
    ];
    for headers in limits {
        let (outcome, requests, pauses) = written(vec![with(403, headers, "{}"), created()]);
        assert_eq!((outcome.unwrap(), requests, pauses.len()), (5, 2, 1));
        assert!((30.0..=31.5).contains(&pauses[0]), "{pauses:?}");
    }
    let secondary = said(403, "You have exceeded a secondary rate limit. Please wait a few minutes.");
    let (outcome, requests, pauses) = written(vec![secondary, created()]);
    assert_eq!((outcome.unwrap(), requests), (5, 2));
    assert!(pauses[0] >= 60.0, "{pauses:?}");
}

#[test]
fn a_rate_limit_that_lasts_too_long_is_not_waited_for() {
    let (outcome, requests, pauses) =
        shown(vec![with(429, &[("retry-after", "3600")], "{\"message\": \"slow down\"}")]);
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests, pauses.len()), (Cause::Limited, 1, 0));
    assert!(refusal.to_string().contains("slow down"), "{refusal}");
}

#[test]
fn a_429_is_waited_for_as_it_says_even_with_a_post() {
    let (outcome, requests, pauses) = written(vec![with(429, &[("Retry-After", "7")], ""), created()]);
    assert_eq!((outcome.unwrap(), requests), (5, 2));
    assert!((7.5..=8.0).contains(&pauses[0]), "{pauses:?}");
}

#[test]
fn what_is_not_there_is_missing() {
    for status in [404, 410] {
        let (outcome, requests, _) = shown(vec![said(status, "Not Found")]);
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.cause, requests), (Cause::Missing, 1));
        assert!(refusal.to_string().contains("`permissions: pull-requests: read`"), "{refusal}");
    }
}

#[test]
fn what_is_not_accepted_is_told_field_by_field() {
    let errors = json!([
        { "resource": "CheckRun", "field": "output.summary", "code": "too_long" },
        { "message": "body is too long" },
        "No commit found",
        { "code": "custom" },
        17,
    ]);
    let reply = answer(422, &json!({ "message": "Validation Failed", "errors": errors }));
    let (outcome, requests, _) = written(vec![reply]);
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests), (Cause::Invalid, 1));
    assert_eq!(refusal.said, "Validation Failed; output.summary: too_long; body is too long; No commit found; custom");
}

#[test]
fn two_failures_of_the_server_are_survived() {
    let (outcome, requests, pauses) = shown(vec![said(500, "oops"), with(502, &[], "<html>"), comments()]);
    assert_eq!((outcome.unwrap(), requests, pauses.len()), (1, 3, 2));
    assert!((0.5..=1.0).contains(&pauses[0]) && (1.0..=2.0).contains(&pauses[1]), "{pauses:?}");
}

#[test]
fn a_server_that_goes_on_failing_is_given_up() {
    let (outcome, requests, _) = shown((0..9).map(|_| with(502, &[], "<html><h1>Unicorn!</h1>")).collect());
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests), (Cause::Server, 5));
    let expected = "GET /repos/octo/hello/issues/7/comments failed at GitHub's end (502, 5 attempts): Bad Gateway";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn a_post_is_not_repeated_where_it_may_have_been_done() {
    for (reply, cause) in [
        (said(500, "oops"), Cause::Server),
        (said(503, "busy"), Cause::Server),
        (cut(), Cause::Unanswered),
        (Reply::Raw(Vec::new()), Cause::Unanswered),
    ] {
        let (outcome, requests, _) = written(vec![reply, created()]);
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.cause, requests), (cause, 1));
        assert!(refusal.to_string().ends_with("(it may have been done nevertheless)"), "{refusal}");
    }
    let (outcome, requests, _) = written(vec![with(503, &[("retry-after", "1")], ""), created()]);
    assert_eq!((outcome.unwrap(), requests), (5, 2), "the server said that it did nothing");
}

#[test]
fn a_connection_cut_in_the_middle_is_asked_again() {
    let (outcome, requests, _) = shown(vec![cut(), Reply::Raw(Vec::new()), comments()]);
    assert_eq!((outcome.unwrap(), requests), (1, 3));
}

#[test]
fn a_body_that_is_not_json_is_no_answer() {
    for body in ["<html>Log in to the wireless network</html>", "", "{\"id\": 5", "[{\"id\": \"five\"}]", "[1e999]"] {
        let (outcome, requests, _) = shown(vec![said(500, "oops"), with(200, &[], body), comments()]);
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.cause, requests, refusal.attempts), (Cause::Unanswered, 2, 2), "{body}");
        assert!(refusal.to_string().contains("can't be understood"), "{refusal}");
    }
}

#[test]
fn a_body_that_is_too_long_is_not_read_to_its_end() {
    let mut endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"400000\r\n".as_slice(), &vec![b' '; 4 << 20], b"\r\n"].concat();
    endless.extend(chunk.repeat(10));
    let (outcome, requests, _) = shown(vec![Reply::Raw(endless), comments()]);
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.cause, requests), (Cause::Unanswered, 1));
    assert!(refusal.said.contains("longer than 33554432 bytes"), "{refusal}");
}

#[test]
fn silence_ends_with_the_patience() {
    let (server, clock) = (Server::new(vec![Reply::Silence, Reply::Silence, Reply::Silence, created()]), Still::new());
    let patience = Patience { attempts: 2, per_request: Duration::from_millis(100), ..Patience::default() };
    let refusal = server.client_with(&clock, patience).comments(7, 1).unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts, server.seen().len()), (Cause::Unanswered, 2, 2));
    assert!(refusal.said.contains("no answer within 100ms"), "{refusal}");
    let refusal = server.client_with(&clock, patience).create_comment(7, "hello").unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts, server.seen().len()), (Cause::Unanswered, 1, 3), "it may be there");
}

#[test]
fn a_server_that_is_not_reached_is_tried_again_even_with_a_post() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let clock = Still::new();
    let refusal = client(&url, &clock, Patience::default()).create_comment(7, "hello").unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts, clock.pauses().len()), (Cause::Unanswered, 5, 4));
    assert!(refusal.said.contains("127.0.0.1: Connection refused"), "{refusal}");
}

#[test]
fn patience_is_one_for_all_requests_of_a_client() {
    let replies = (0..9).map(|_| with(429, &[("retry-after", "120")], "")).collect();
    let (server, clock) = (Server::new(replies), Still::new());
    let client = server.client(&clock);
    assert_eq!(client.comments(7, 1).unwrap_err().attempts, 3, "two pauses of 120 s fit into 300 s");
    assert_eq!(client.comments(7, 1).unwrap_err().attempts, 1, "a third one does not");
}

#[test]
fn requests_that_fail_take_of_the_patience() {
    let server = Server::new((0..5).map(|_| said(500, "oops")).collect());
    let clock = Still::new().ticking(Duration::from_secs(100));
    let refusal = server.client(&clock).comments(7, 1).unwrap_err();
    assert_eq!(refusal.attempts, 3, "three times 100 s are more than 300 s with the pauses between");
}

#[test]
fn who_is_asked_to_end_asks_no_more() {
    let (server, clock) = (Server::new(vec![said(500, "oops"), comments()]), Still::new());
    clock.interrupt();
    let refusal = server.client(&clock).comments(7, 1).unwrap_err();
    assert_eq!((refusal.cause, server.seen().len()), (Cause::Server, 1));
}

#[test]
fn a_comment_that_a_lost_attempt_took_away_is_taken_away() {
    let gone = |replies| {
        let (server, clock) = (Server::new(replies), Still::new());
        server.client(&clock).delete_comment(5)
    };
    assert!(gone(vec![with(204, &[], "")]).is_ok());
    assert!(gone(vec![said(500, "oops"), said(404, "Not Found")]).is_ok());
    assert_eq!(gone(vec![said(404, "Not Found")]).unwrap_err().cause, Cause::Missing);
}

#[test]
fn a_request_does_not_follow_where_it_is_led() {
    let thief = Server::new(vec![comments(), comments()]);
    for status in [301, 302, 307, 308] {
        let elsewhere = with(status, &[("location", &format!("{}/x", thief.url()))], "");
        let (outcome, requests, _) = shown(vec![elsewhere]);
        assert_eq!((outcome.unwrap_err().cause, requests), (Cause::Missing, 1));
    }
    assert!(thief.seen().is_empty());
}

#[test]
fn no_refusal_repeats_the_token() {
    let mut replies: Vec<Reply> = [401, 403, 404, 422, 302]
        .map(|status| said(status, &format!("{AUTHORIZATION}: Bearer {TOKEN}\n::error::{TOKEN}\u{202e}")))
        .into();
    replies.push(with(200, &[], &format!("\"{TOKEN}\"")));
    replies.push(with(403, &[], TOKEN));
    for reply in replies {
        let (outcome, _, _) = written(vec![reply]);
        let refusal = outcome.unwrap_err();
        let shown = format!("{refusal} {refusal:?} {refusal:#?}");
        assert!(!shown.contains(TOKEN), "{shown}");
        assert!(!refusal.to_string().contains(['\n', '\u{202e}']), "{refusal}");
    }
}
