//! Artifacts, which GitHub keeps elsewhere.

use crate::github::fixture::{Reply, Server, Still, TOKEN, with};
use crate::github::{Cause, Refusal};

const ZIP: &str = "PK\u{3}\u{4}zip";

fn led(to: &str) -> Reply {
    with(302, &[("location", to)], "")
}

fn artifact(server: &Server, most: u64) -> Result<Vec<u8>, Refusal> {
    server.client(&Still::new()).artifact(11, most)
}

#[test]
fn an_artifact_is_fetched_from_elsewhere_without_the_token() {
    let storage = Server::new(vec![with(200, &[], ZIP)]);
    let github = Server::new(vec![led(&format!("{}/blob?sig=x%2Fy", storage.url()))]);
    assert_eq!(artifact(&github, 100).unwrap(), ZIP.as_bytes());
    let (asked, fetched) = (github.seen(), storage.seen());
    assert_eq!((asked.len(), fetched.len()), (1, 1));
    assert_eq!(asked[0].line, "GET /repos/octo/hello/actions/artifacts/11/zip");
    assert_eq!(asked[0].header("authorization").unwrap(), format!("Bearer {TOKEN}"));
    assert_eq!(fetched[0].line, "GET /blob?sig=x%2Fy");
    assert!(!format!("{:?}", fetched[0]).contains(TOKEN), "{:?}", fetched[0]);
}

#[test]
fn the_path_of_an_enterprise_is_not_put_before_where_an_artifact_is() {
    let storage = Server::new(vec![with(200, &[], ZIP)]);
    let github = Server::new(vec![led(&format!("{}/blob", storage.url()))]);
    let url = format!("{}/api/v3", github.url());
    let client = crate::github::fixture::client(&url, &Still::new(), crate::github::Patience::default());
    assert_eq!(client.artifact(11, 100).unwrap(), ZIP.as_bytes());
    assert_eq!(github.lines(), ["GET /api/v3/repos/octo/hello/actions/artifacts/11/zip"]);
    assert_eq!(storage.lines(), ["GET /blob"]);
}

#[test]
fn an_artifact_may_come_from_github_itself() {
    let github = Server::new(vec![with(200, &[], ZIP)]);
    assert_eq!(artifact(&github, 100).unwrap(), ZIP.as_bytes());
}

#[test]
fn an_artifact_that_is_too_long_is_not_taken() {
    let exact = ZIP.len() as u64;
    for (most, fits) in [(exact, true), (exact - 1, false)] {
        let storage = Server::new(vec![with(200, &[], ZIP)]);
        let github = Server::new(vec![led(&storage.url())]);
        assert_eq!(artifact(&github, most).is_ok(), fits);
    }
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![0; 1 << 20]].concat();
    let storage = Server::new(vec![Reply::Raw(endless)]);
    let refusal = artifact(&Server::new(vec![led(&storage.url())]), 1000).unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts), (Cause::Unanswered, 1));
    assert!(refusal.said.contains("longer than 1000 bytes"), "{refusal}");
}

#[test]
fn nobody_leads_us_further_than_github_does() {
    let thief = Server::new(vec![with(200, &[], ZIP)]);
    let storage = Server::new(vec![led(&thief.url())]);
    let refusal = artifact(&Server::new(vec![led(&storage.url())]), 100).unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts), (Cause::Unanswered, 1));
    assert!(thief.seen().is_empty());
}

#[test]
fn an_address_that_is_not_safe_is_not_gone_to_and_not_quoted() {
    for to in
        ["https://blob.example/x?sig=s1gned", "http://192.0.2.1/x?sig=s1gned", "file:///etc/passwd?s1gned", "http://:x"]
    {
        let refusal = artifact(&Server::new(vec![led(to)]), 100).unwrap_err();
        assert_eq!((refusal.cause, refusal.attempts), (Cause::Unanswered, 1));
        assert!(!refusal.to_string().contains("s1gned"), "{refusal}");
    }
}

#[test]
fn a_storage_that_fails_is_asked_for_a_new_address() {
    let storage = Server::new(vec![with(503, &[], ""), with(403, &[], "<Error>expired</Error>"), with(200, &[], ZIP)]);
    let github = Server::new((0..3).map(|_| led(&storage.url())).collect());
    assert_eq!(artifact(&github, 100).unwrap(), ZIP.as_bytes());
    assert_eq!(github.seen().len(), 3);
    let storage = Server::new((0..5).map(|_| with(403, &[], "")).collect());
    let refusal = artifact(&Server::new((0..5).map(|_| led(&storage.url())).collect()), 100).unwrap_err();
    assert_eq!(
        (refusal.cause, refusal.status, refusal.attempts),
        (Cause::Server, Some(403), 5),
        "no permission is missing"
    );
}

#[test]
fn a_download_cut_in_the_middle_is_asked_for_again() {
    let cut = Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nPK".to_vec());
    let storage = Server::new(vec![cut, with(200, &[], ZIP)]);
    let github = Server::new(vec![led(&storage.url()), led(&storage.url())]);
    assert_eq!(artifact(&github, 100).unwrap(), ZIP.as_bytes());
}

#[test]
fn an_artifact_that_was_thrown_away_is_missing() {
    let github = Server::new(vec![with(410, &[], "{\"message\": \"Artifact has expired\"}")]);
    let refusal = artifact(&github, 100).unwrap_err();
    assert_eq!((refusal.cause, refusal.said.as_str()), (Cause::Missing, "Artifact has expired"));
}
