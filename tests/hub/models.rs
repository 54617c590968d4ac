//! The hub's things as GitHub's JSON, with all that its description requires.

use serde_json::{Value, json};

use super::state::{Artifact, Check, Comment, Status, WORKFLOW};

/// What the addresses in an answer begin with.
#[derive(Clone, Debug)]
pub struct Place {
    /// Of the interface: scheme, host and base path.
    pub root: String,
    /// Of the repository within it.
    pub repository: String,
}

/// When everything happened.
pub const THEN: &str = "2026-01-02T03:04:05Z";
/// Where people look at things.
pub const WEB: &str = "https://github.example";

/// A `node_id`.
pub fn node(kind: &str, id: u64) -> String {
    format!("{kind}_{id:x}")
}

/// A number that goes with a name: other names have others.
pub fn number(name: &str) -> u64 {
    name.bytes().fold(7, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007)
}

/// A `simple-user`.
pub fn user(place: &Place, login: &str) -> Value {
    let url = format!("{}/users/{}", place.root, login.replace('[', "%5B").replace(']', "%5D"));
    let id = number(login);
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({
        "login": login, "id": id, "node_id": node("U", id), "gravatar_id": "", "type": kind, "site_admin": false,
        "avatar_url": format!("{WEB}/avatars/{id}"), "html_url": format!("{WEB}/{}", login.trim_end_matches("[bot]")),
        "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"), "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"), "url": url,
    })
}

/// A `public-user`: who the token belongs to.
pub fn profile(place: &Place, login: &str) -> Value {
    let more = json!({
        "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null, "bio": null,
        "public_repos": 1, "public_gists": 0, "followers": 0, "following": 0, "created_at": THEN, "updated_at": THEN,
    });
    joined(user(place, login), more)
}

/// The `integration` that owns the workflows' tokens.
fn app(place: &Place) -> Value {
    json!({
        "id": 15368, "slug": "github-actions", "node_id": node("A", 15368), "owner": user(place, "github"),
        "name": "GitHub Actions", "description": "Automate your workflow", "external_url": format!("{WEB}/help/actions"),
        "html_url": format!("{WEB}/apps/github-actions"), "created_at": THEN, "updated_at": THEN, "events": ["push"],
        "permissions": { "checks": "write", "contents": "write", "issues": "write", "pull_requests": "write" },
    })
}

/// An `issue-comment`.
pub fn comment(place: &Place, comment: &Comment) -> Value {
    let Comment { id, issue, author, body, edits } = comment;
    json!({
        "id": id, "node_id": node("IC", *id), "url": format!("{}/issues/comments/{id}", place.repository),
        "html_url": format!("{WEB}/pull/{issue}#issuecomment-{id}"), "user": user(place, author), "body": body,
        "issue_url": format!("{}/issues/{issue}", place.repository), "author_association": "CONTRIBUTOR",
        "created_at": THEN, "updated_at": format!("2026-01-02T03:{:02}:05Z", 4 + edits.min(&50)),
        "performed_via_github_app": (author == WORKFLOW).then(|| app(place)),
    })
}

/// A `check-run`.
pub fn check(place: &Place, check: &Check) -> Value {
    let id = check.id;
    let field = |name: &str| check.fields.get(name).cloned().unwrap_or_default();
    let output = |name: &str| check.output.get(name).cloned().unwrap_or_default();
    let completed = field("status") == "completed";
    let url = format!("{}/check-runs/{id}", place.repository);
    json!({
        "id": id, "node_id": node("CR", id), "head_sha": check.head_sha, "name": field("name"), "status": field("status"),
        "conclusion": field("conclusion"), "external_id": check.text("external_id"), "details_url": field("details_url"),
        "html_url": format!("{WEB}/runs/{id}"), "started_at": THEN, "completed_at": completed.then_some(THEN),
        "output": {
            "title": output("title"), "summary": output("summary"), "text": output("text"),
            "annotations_count": check.annotations.len(), "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": 1 }, "app": app(place), "pull_requests": [], "url": url,
    })
}

/// A `status`.
pub fn status(place: &Place, status: &Status, author: &str) -> Value {
    let Status { id, sha, state, context, description, target_url } = status;
    json!({
        "id": id, "node_id": node("SC", *id), "url": format!("{}/statuses/{sha}", place.repository), "state": state,
        "avatar_url": format!("{WEB}/avatars/1"), "description": description, "target_url": target_url,
        "context": context, "created_at": THEN, "updated_at": THEN, "creator": user(place, author),
    })
}

/// An `artifact`.
pub fn artifact(place: &Place, artifact: &Artifact) -> Value {
    let Artifact { id, name, bytes, expired, .. } = artifact;
    let url = format!("{}/actions/artifacts/{id}", place.repository);
    json!({
        "id": id, "node_id": node("ART", *id), "name": name, "size_in_bytes": bytes.len(), "expired": expired,
        "archive_download_url": format!("{url}/zip"), "created_at": THEN, "expires_at": "2026-04-02T03:04:05Z",
        "updated_at": THEN, "workflow_run": null, "url": url,
    })
}

/// A `commit`.
pub fn commit(place: &Place, sha: &str) -> Value {
    let (url, web) = (format!("{}/commits/{sha}", place.repository), format!("{WEB}/commit/{sha}"));
    let person = json!({ "name": "Ada", "email": "ada@example.org", "date": THEN });
    json!({
        "sha": sha, "node_id": node("C", sha.len() as u64), "html_url": web, "comments_url": format!("{url}/comments"),
        "author": user(place, "ada"), "committer": user(place, "ada"), "parents": [],
        "commit": {
            "author": person, "committer": person, "message": "Change it", "comment_count": 0,
            "tree": { "sha": sha, "url": format!("{}/git/trees/{sha}", place.repository) },
            "url": format!("{}/git/commits/{sha}", place.repository),
            "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null },
        },
        "url": url,
    })
}

/// A `commit-comparison` of a base that the head has all of, with the commits between them.
pub fn comparison(place: &Place, (base, head): (&str, &str), commits: Vec<Value>) -> Value {
    let (url, web) =
        (format!("{}/compare/{base}...{head}", place.repository), format!("{WEB}/compare/{base}...{head}"));
    json!({
        "url": url, "html_url": web, "permalink_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
        "base_commit": commit(place, base), "merge_base_commit": commit(place, base), "status": "ahead",
        "ahead_by": commits.len(), "behind_by": 0, "total_commits": commits.len(), "commits": commits, "files": [],
    })
}

/// One object with the fields of both.
pub fn joined(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
