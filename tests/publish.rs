//! Publishing to a GitHub that keeps what it is told: what is there afterwards, whatever goes wrong on the way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "publish/gate.rs"]
mod gate;
#[path = "hub/mod.rs"]
mod hub;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use hub::{Fault, Hub, Matcher, NAME, OWNER, Prism, PullRequest, Settings, sha};
use perfplan::github::{Client, Clock, Conclusion, Patience, Token};
use perfplan::pipeline::{self, Published};
use perfplan::publish::{Delivery, Letter, Place, To, deliver};
use perfplan::report::{CheckText, Note};
use perfplan::samples::Run;

/// A clock by which every pause is over at once.
struct Hurried;

impl Clock for Hurried {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(&self, _: Duration) -> bool {
        true
    }
}

fn client(hub: &Hub, url: &str) -> Client {
    let patience = Patience { attempts: 3, per_request: Duration::from_secs(2), ..Patience::default() };
    let (repository, token) = (format!("{OWNER}/{NAME}").parse().unwrap(), Token::new(hub.settings().token).unwrap());
    Client::new(url.parse().unwrap(), repository, token, patience).unwrap().with_clock(Box::new(Hurried))
}

fn run() -> Run {
    serde_json::from_str(include_str!("../fixtures/run-format-1.json")).unwrap()
}

/// What there is to say of a run of this order.
fn letter(order: u64) -> Letter {
    let published =
        Published { run: run(), pull_request: Some(7), head: sha(7).parse().ok(), page: None, order, artifact: None };
    pipeline::letter(&published, "gate", tempfile::tempdir().unwrap().path()).unwrap()
}

fn to(summary: Option<PathBuf>) -> To {
    To { pull_request: Some(7), head: sha(7).parse().unwrap(), author: None, summary }
}

/// A hub with pull request 7.
fn hub() -> Hub {
    let hub = Hub::start();
    hub.add_pull(PullRequest::new(7));
    hub
}

fn published(hub: &Hub, letter: &Letter) -> Delivery {
    deliver(Some(&client(hub, &hub.url())), &to(None), letter).unwrap()
}

fn places(delivery: &Delivery) -> (Vec<Place>, Vec<Place>) {
    let refused = delivery.refused.iter().map(|refused| refused.place).collect();
    (delivery.done.iter().map(|(place, _)| *place).collect(), refused)
}

#[test]
fn a_second_run_updates_the_comment_of_the_first() {
    let hub = hub();
    hub.add_talk(7, 250);
    let prism = Prism::before(&hub);
    let url = prism.as_ref().map_or_else(|| hub.url(), |prism| prism.url().to_owned());
    let client = client(&hub, &url);
    let first = deliver(Some(&client), &to(None), &letter(1)).unwrap();
    assert_eq!(first.done, [(Place::Comment, "made"), (Place::CheckRun, "written")]);
    let second = deliver(Some(&client), &to(None), &letter(2)).unwrap();
    assert_eq!(second.done, [(Place::Comment, "updated"), (Place::CheckRun, "written")]);
    let own = hub.own_comments(7);
    assert_eq!((own.len(), own[0].edits), (1, 1));
    assert_eq!(own[0].body, letter(2).comment);
    // It stands on the third page.
    assert!(hub.requests().iter().any(|request| request.request.query.contains("page=3")));
}

#[test]
fn publishing_the_same_again_changes_nothing() {
    let hub = hub();
    published(&hub, &letter(1));
    let again = published(&hub, &letter(1));
    assert_eq!(again.done[0], (Place::Comment, "says it already"));
    assert_eq!((hub.own_comments(7)[0].edits, hub.checks().len()), (0, 1));
}

#[test]
fn an_earlier_run_does_not_overwrite_a_later_one() {
    let hub = hub();
    published(&hub, &letter(5));
    let late = published(&hub, &letter(4));
    assert_eq!(late.done[0], (Place::Comment, "left as it is: a later run has spoken"));
    assert_eq!(hub.own_comments(7)[0].body, letter(5).comment);
}

#[test]
fn two_that_publish_at_once_leave_one_comment_with_the_later_text() {
    for _ in 0..5 {
        let hub = hub();
        // Both have looked and found nothing before either makes one.
        hub.hold(2, Matcher::new("GET", "/issues/7/comments"));
        thread::scope(|scope| {
            for order in [1, 2] {
                let hub = &hub;
                scope.spawn(move || assert!(!published(hub, &letter(order)).failed()));
            }
        });
        let own = hub.own_comments(7);
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].body, letter(2).comment);
    }
}

#[test]
fn what_others_wrote_stays_theirs_whatever_it_begins_with() {
    let hub = hub();
    let forged = hub.add_comment(7, "mallory", &letter(u64::MAX).comment);
    published(&hub, &letter(1));
    let comments = hub.comments(7);
    let theirs = comments.iter().find(|comment| comment.id == forged).unwrap();
    assert_eq!((theirs.edits, comments.len()), (0, 2));
}

#[test]
fn a_persons_token_updates_that_persons_comments() {
    let hub = Hub::with(Settings { login: Some("ada"), base: "/api/v3", ..Settings::default() });
    hub.add_pull(PullRequest::new(7));
    hub.add_comment(7, hub::WORKFLOW, &letter(1).comment);
    published(&hub, &letter(1));
    published(&hub, &letter(2));
    assert_eq!((hub.own_comments(7).len(), hub.comments(7).len()), (1, 2));
}

#[test]
fn a_comment_whose_making_got_no_answer_is_not_made_twice() {
    let hub = hub();
    let create = Matcher::new("POST", "/issues/7/comments");
    hub.fail(1, create.clone(), Fault::cut().after_the_change());
    assert!(!published(&hub, &letter(1)).failed());
    assert_eq!(hub.own_comments(7).len(), 1);
    // And one that was not made is made.
    let hub = self::hub();
    hub.fail(1, create, Fault::cut());
    assert!(!published(&hub, &letter(1)).failed());
    assert_eq!(hub.own_comments(7).len(), 1);
}

#[test]
fn a_token_that_may_only_read_leaves_it_to_the_summary() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "what another step said\n").unwrap();
    for (method, path) in [("POST", "/issues/7/comments"), ("POST", "/check-runs"), ("POST", "/statuses/*")] {
        hub.fail(1, Matcher::new(method, path), Fault::read_only());
    }
    let delivery = deliver(Some(&client(&hub, &hub.url())), &to(Some(summary.clone())), &letter(1)).unwrap();
    assert_eq!(places(&delivery), (vec![Place::Summary], vec![Place::Comment, Place::CheckRun, Place::Status]));
    assert!(!delivery.failed(), "it is told, and where a fork's token may not write is no failure");
    assert!(delivery.refused[0].refusal.to_string().contains("pull-requests: write"));
    let text = std::fs::read_to_string(summary).unwrap();
    assert!(text.starts_with("what another step said\n### "), "{text}");
}

#[test]
fn where_there_may_be_no_check_run_a_status_says_it() {
    let hub = hub();
    hub.fail(1, Matcher::new("POST", "/check-runs"), Fault::read_only());
    let delivery = published(&hub, &letter(1));
    assert_eq!(places(&delivery), (vec![Place::Comment, Place::Status], vec![Place::CheckRun]));
    let status = &hub.statuses()[0];
    assert_eq!((status.context.as_str(), status.description.as_deref()), ("perfplan: gate", Some(&*letter(1).status)));
}

#[test]
fn faults_that_pass_are_waited_out_and_others_fail_the_job() {
    let list = || Matcher::new("GET", "/issues/7/comments");
    for (times, fault, expected) in [
        (2, Fault::status(500), false),
        (1, Fault::too_many("3"), false),
        (1, Fault::secondary_limit(), false),
        (1, Fault::cut(), false),
        (1, Fault::not_json(), true),
        (3, Fault::status(502), true),
        (1, Fault::unauthorized(), true),
        (1, Fault::missing(), false),
        (1, Fault::invalid("Validation Failed"), true),
        (3, Fault::silence(Duration::from_secs(3)), true),
    ] {
        let (hub, shown) = (hub(), format!("{fault:?}"));
        hub.fail(times, list(), fault);
        let delivery = published(&hub, &letter(1));
        assert_eq!(delivery.failed(), expected, "{shown}: {delivery:?}");
        assert!(hub.checks().len() == 1, "{shown}: the check run is made nevertheless");
        let said = format!("{delivery:?}");
        assert!(!said.contains(hub.settings().token), "{said}");
    }
}

#[test]
fn more_annotations_than_go_at_once_come_in_batches_and_once() {
    let hub = hub();
    let note = |line| Note { line, title: format!("step {line}"), message: "refuted".to_owned() };
    let check = CheckText { annotations: (1..=120).map(note).collect(), ..letter(1).check };
    let letter = Letter { check, conclusion: Conclusion::Failure, ..letter(1) };
    published(&hub, &letter);
    published(&hub, &letter);
    let checks = hub.checks();
    assert_eq!((checks.len(), checks[0].annotations.len()), (1, 120));
    assert_eq!((checks[0].text("conclusion"), checks[0].text("name")), ("failure", "perfplan: gate"));
    assert_eq!(checks[0].head_sha, sha(7));
}

#[test]
fn without_a_token_the_summary_alone_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    let delivery = deliver(None, &to(Some(summary.clone())), &letter(1)).unwrap();
    assert_eq!(places(&delivery), (vec![Place::Summary], vec![]));
    let nowhere = deliver(None, &to(None), &letter(1)).unwrap();
    assert!(nowhere.failed(), "what nobody can read is not published");
    assert!(deliver(None, &to(Some(Path::new("/proc/none/summary").to_owned())), &letter(1)).is_err());
}
