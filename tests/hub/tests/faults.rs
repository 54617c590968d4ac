//! What a test orders to go wrong does, as often as it was ordered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::hub::{Fault, Hub, Matcher, PullRequest};

fn hub() -> (Hub, Client) {
    let hub = Hub::start();
    hub.add_pull(PullRequest::new(7));
    let client = Client::of(&hub);
    (hub, client)
}

fn creation() -> Matcher {
    Matcher::new("POST", "/issues/7/comments")
}

#[test]
fn every_refusal_has_its_status_its_words_and_its_headers() {
    for (fault, status, words, header) in [
        (Fault::unauthorized(), 401, "Bad credentials", None),
        (Fault::read_only(), 403, "not accessible by integration", None),
        (Fault::secondary_limit(), 403, "secondary rate limit", None),
        (Fault::primary_limit(1_900_000_000), 403, "rate limit exceeded", Some(("x-ratelimit-reset", "1900000000"))),
        (Fault::missing(), 404, "Not Found", None),
        (Fault::invalid("Validation Failed"), 422, "Validation Failed", None),
        (Fault::too_many("3"), 429, "Too many", Some(("retry-after", "3"))),
        (Fault::status(503), 503, "went wrong", None),
    ] {
        let (hub, client) = hub();
        hub.fail(1, creation(), fault);
        let answer = client.ask("POST", "/issues/7/comments", json!({ "body": "x" }));
        assert!(answer.status == status && answer.message().contains(words), "{status}: {answer:?}");
        assert!(header.is_none_or(|(name, value)| answer.header(name) == Some(value)), "{answer:?}");
        assert!(hub.comments(7).is_empty(), "{status}: nothing was done");
    }
}

#[test]
fn a_fault_comes_as_often_as_ordered_and_only_where_it_was() {
    let (hub, client) = hub();
    hub.fail(2, creation(), Fault::status(500));
    hub.fail(1, creation(), Fault::status(502));
    hub.fail(1, Matcher::new("GET", "/issues/7/comments").with("page", "2"), Fault::missing());
    hub.always_fail(Matcher::new("PATCH", "/issues/comments/*"), Fault::read_only());
    hub.always_fail(Matcher::new("GET", "/user"), Fault::unauthorized());
    let create = || client.ask("POST", "/issues/7/comments", json!({ "body": "x" })).status;
    assert_eq!([create(), create(), create(), create()], [500, 500, 502, 201]);
    let list = |page: u32| client.get(&format!("/issues/7/comments?per_page=100&page={page}")).status;
    assert_eq!([list(1), list(2), list(2)], [200, 404, 200]);
    let path = format!("/issues/comments/{}", hub.comments(7)[0].id);
    for _ in 0..3 {
        assert_eq!(client.ask("PATCH", &path, json!({ "body": "y" })).status, 403);
    }
    assert_eq!(client.try_ask("DELETE", &path, None).unwrap().status, 204);
    assert_eq!(client.get("//user").status, 401);
}

#[test]
fn a_cut_connection_leaves_the_change_undone_or_done() {
    let (hub, client) = hub();
    hub.fail(1, creation(), Fault::cut());
    hub.fail(1, creation(), Fault::cut().after_the_change());
    hub.fail(1, creation(), Fault::status(502).after_the_change());
    let create = || client.try_ask("POST", "/issues/7/comments", Some(&json!({ "body": "x" })));
    assert_eq!(create().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(hub.comments(7).len(), 0);
    assert_eq!(create().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(hub.comments(7).len(), 1);
    assert_eq!((create().unwrap().status, hub.comments(7).len()), (502, 2));
}

#[test]
fn an_answer_may_be_no_json_or_never_end() {
    let (hub, client) = hub();
    hub.fail(1, creation(), Fault::not_json());
    hub.fail(1, creation(), Fault::longer_than(100_000));
    let create = || client.ask("POST", "/issues/7/comments", json!({ "body": "x" }));
    let page = create();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
    assert!(create().body.len() > 100_000);
}

#[test]
fn silence_lasts_as_long_as_ordered_and_no_longer_than_the_hub() {
    let (hub, client) = hub();
    hub.fail(1, creation(), Fault::silence(Duration::from_millis(50)));
    hub.fail(1, creation(), Fault::silence(Duration::from_secs(600)));
    let ask = move || client.try_ask("POST", "/issues/7/comments", Some(&json!({ "body": "x" })));
    let begin = Instant::now();
    assert!(ask().is_err() && begin.elapsed() >= Duration::from_millis(50));
    let waiting = thread::spawn(ask);
    while hub.requests().len() < 2 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(hub);
    assert!(waiting.join().unwrap().is_err());
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn two_that_are_held_have_both_looked_before_either_acts() {
    let (hub, client) = hub();
    hub.hold(2, Matcher::new("GET", "/issues/7/comments"));
    let publish = || {
        let seen = client.get("/issues/7/comments").json().as_array().unwrap().len();
        client.ask("POST", "/issues/7/comments", json!({ "body": "x" }));
        seen
    };
    let seen = thread::scope(|scope| {
        let first = scope.spawn(publish);
        // Time enough to be done, were it not held.
        thread::sleep(Duration::from_millis(100));
        assert!(hub.comments(7).is_empty());
        [scope.spawn(publish), first].map(|one| one.join().unwrap())
    });
    assert_eq!(seen, [0, 0]);
    assert_eq!(publish(), 2, "the third is held by nothing");
}

#[test]
fn what_was_ordered_and_never_came_to_pass_is_a_mistake_of_the_test() {
    let told = |order: fn(&Hub)| {
        let (hub, _) = hub();
        order(&hub);
        let panic = catch_unwind(AssertUnwindSafe(|| drop(hub))).unwrap_err();
        panic.downcast_ref::<String>().unwrap().clone()
    };
    assert!(told(|hub| hub.fail(2, creation(), Fault::status(500))).contains("2 x"));
    assert!(told(|hub| hub.hold(2, creation())).contains("wanted: 2"));
    let (hub, _) = hub();
    hub.always_fail(creation(), Fault::status(500));
}

#[test]
fn after_the_hub_nothing_listens() {
    let (hub, client) = hub();
    assert_eq!(client.get("/pulls/7").status, 200);
    drop(hub);
    assert!(client.try_ask("GET", "/pulls/7", None).is_err());
}
