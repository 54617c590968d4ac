//! The tool's own client speaks to the hub, and what it asks is what GitHub describes.

use std::time::Duration;

use perfplan::github::{
    Annotation, Cause, Client, Conclusion, Level, NewCheckRun, Patience, Refusal, State, Status, Token,
};

use crate::hub::{Fault, Hub, Matcher, Origin, Prism, PullRequest, Settings, WORKFLOW, sha};

/// One that gives up soon.
const HURRIED: Patience = Patience {
    attempts: 3,
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(1),
    per_request: Duration::from_secs(20),
    all_together: Duration::from_secs(40),
};

fn client(hub: &Hub, url: &str, patience: Patience) -> Client {
    let token = Token::new(hub.settings().token).unwrap();
    Client::new(url.parse().unwrap(), "octo/widget".parse().unwrap(), token, patience).unwrap()
}

fn hub(settings: Settings) -> Hub {
    let hub = Hub::with(settings);
    hub.add_pull(PullRequest { commits: (0..130).map(|n| sha(7 + n)).collect(), ..PullRequest::new(7) });
    hub.add_pull(PullRequest::new(8).forked_by("mallory"));
    hub.add_talk(7, 230);
    hub
}

fn check(annotations: usize, optional: Option<&str>) -> NewCheckRun {
    let annotation = Annotation {
        path: "perfplan.toml".to_owned(),
        line: 3,
        level: Level::Failure,
        message: "slower".to_owned(),
        title: "parse".to_owned(),
    };
    NewCheckRun {
        name: "perfplan: gate / a & b".to_owned(),
        head_sha: sha(8).parse().unwrap(),
        external_id: optional.map(str::to_owned),
        details_url: optional.map(|_| "https://example.org".to_owned()),
        conclusion: Conclusion::Failure,
        title: "1 regressed".to_owned(),
        summary: "**parse** is 3 % slower".to_owned(),
        annotations: vec![annotation; annotations],
    }
}

#[test]
fn every_request_of_the_client_is_as_github_describes_it() {
    let hub = hub(Settings { base: "/api/v3", login: Some("robot"), ..Settings::default() });
    hub.add_artifact(42, "perf plan&", vec![0; 9]);
    let Some(prism) = Prism::before(&hub) else { return };
    let client = client(&hub, prism.url(), HURRIED);
    assert_eq!(client.login().unwrap().as_deref(), Some("robot"));
    let pages = [1, 2, 3].map(|page| client.comments(7, page).unwrap());
    assert_eq!(pages.map(|page| (page.items.len(), page.more)), [(100, true), (100, true), (30, false)]);
    let comment = client.create_comment(7, "<!-- marker -->").unwrap();
    assert_eq!(comment.author.as_deref(), Some("robot"));
    assert_eq!(client.update_comment(comment.id, "changed").unwrap().body, "changed");
    client.delete_comment(comment.id).unwrap();

    let bare = client.create_check_run(&check(0, None)).unwrap();
    let full = client.create_check_run(&check(50, Some("7"))).unwrap();
    client.update_check_run(full.id, &check(1, Some("7"))).unwrap();
    client.update_check_run(bare.id, &check(0, None)).unwrap();
    let found = client.check_runs(&sha(8).parse().unwrap(), "perfplan: gate / a & b").unwrap();
    assert_eq!((found[0].id, found[0].app.as_deref()), (full.id, Some("github-actions")));
    for (state, target) in [(State::Success, None), (State::Error, Some("https://example.org".to_owned()))] {
        let status = Status { state, context: "gate".to_owned(), description: "d".repeat(140), target_url: target };
        client.create_status(&sha(8).parse().unwrap(), &status).unwrap();
    }

    assert!(!client.pull_request(7).unwrap().fork && client.pull_request(8).unwrap().fork);
    assert_eq!(client.pull_requests_from("mallory", "feature").unwrap()[0].number, 8);
    let parted = client.merge_base(&sha(0xba5e).parse().unwrap(), &sha(8).parse().unwrap()).unwrap();
    assert_eq!(parted.as_str(), sha(0xba5e));
    assert_eq!([1, 2].map(|page| client.commits(7, page).unwrap().items.len()), [100, 30]);
    assert_eq!(client.artifacts(42, "perf plan&").unwrap()[0].size, 9);
    assert_eq!(prism.violations(), [""; 0]);
}

#[test]
fn the_client_takes_an_artifact_without_giving_the_token_away() {
    let hub = hub(Settings::default());
    let id = hub.add_artifact(42, "perfplan", b"PK\x05\x06".to_vec());
    let client = client(&hub, &hub.url(), HURRIED);
    assert_eq!(client.login().unwrap(), None, "a workflow's token is nobody's");
    assert_eq!(client.create_comment(7, "x").unwrap().author.as_deref(), Some(WORKFLOW));
    assert_eq!(client.artifact(id, 4).unwrap(), b"PK\x05\x06");
    assert!(client.artifact(id, 3).is_err());
    let stored: Vec<_> = hub.requests().into_iter().filter(|request| request.origin == Origin::Storage).collect();
    assert!(!stored.is_empty() && stored.iter().all(|stored| stored.request.header("authorization").is_none()));
    hub.expire(id);
    let refusal = client.artifact(id, 1 << 20).unwrap_err();
    assert_eq!(refusal.cause, Cause::Missing, "{refusal}");
}

#[test]
fn what_goes_wrong_has_the_cause_that_it_has() {
    let cause = |fault: Fault| -> Refusal {
        let hub = hub(Settings::default());
        let patience = Patience { per_request: Duration::from_millis(500), ..HURRIED };
        hub.fail(1, Matcher::new("POST", "/issues/7/comments"), fault);
        let refusal = client(&hub, &hub.url(), patience).create_comment(7, "x").unwrap_err();
        assert!(!refusal.to_string().contains(hub.settings().token), "{refusal}");
        refusal
    };
    let silence = Duration::from_secs(600);
    for (fault, expected) in [
        (Fault::unauthorized(), Cause::Unauthorized),
        (Fault::read_only(), Cause::Forbidden),
        (Fault::secondary_limit(), Cause::Limited),
        (Fault::primary_limit(u64::from(u32::MAX)), Cause::Limited),
        (Fault::too_many("3600"), Cause::Limited),
        (Fault::missing(), Cause::Missing),
        (Fault::invalid("Validation Failed"), Cause::Invalid),
        (Fault::status(500), Cause::Server),
        (Fault::status(502).after_the_change(), Cause::Server),
        (Fault::cut(), Cause::Unanswered),
        (Fault::cut().after_the_change(), Cause::Unanswered),
        (Fault::not_json(), Cause::Unanswered),
        (Fault::longer_than(9 << 20), Cause::Unanswered),
        (Fault::silence(silence), Cause::Unanswered),
    ] {
        let shown = format!("{fault:.80?}");
        assert_eq!(cause(fault).cause, expected, "{shown}");
    }
}

#[test]
fn what_went_wrong_for_a_while_is_asked_again() {
    let hub = hub(Settings::default());
    let client = client(&hub, &hub.url(), HURRIED);
    hub.fail(2, Matcher::new("GET", "/issues/7/comments").with("page", "3"), Fault::status(500));
    hub.fail(1, Matcher::new("GET", "/issues/7/comments").with("page", "3"), Fault::cut());
    assert_eq!(client.comments(7, 3).unwrap_err().attempts, 3);
    hub.fail(2, Matcher::new("GET", "/issues/7/comments").with("page", "3"), Fault::status(500));
    assert_eq!(client.comments(7, 3).unwrap().items.len(), 30);
    hub.fail(1, Matcher::new("POST", "/issues/7/comments"), Fault::too_many("0"));
    assert_eq!(client.create_comment(7, "x").unwrap().body, "x");
    assert_eq!(hub.own_comments(7).len(), 1);
}
