//! Pull requests as GitHub's JSON, which brings both repositories along.

use serde_json::{Map, Value, json};

use super::models::{Place, THEN, WEB, joined, node, number, user};
use super::state::PullRequest;

/// Addresses below a repository's own: the field's name without `_url`, and what stands behind the address.
const BELOW: &[(&str, &str)] = &[
    ("archive", "/{archive_format}{/ref}"),
    ("assignees", "/assignees{/user}"),
    ("blobs", "/git/blobs{/sha}"),
    ("branches", "/branches{/branch}"),
    ("collaborators", "/collaborators{/collaborator}"),
    ("comments", "/comments{/number}"),
    ("commits", "/commits{/sha}"),
    ("compare", "/compare/{base}...{head}"),
    ("contents", "/contents/{+path}"),
    ("contributors", "/contributors"),
    ("deployments", "/deployments"),
    ("downloads", "/downloads"),
    ("events", "/events"),
    ("forks", "/forks"),
    ("git_commits", "/git/commits{/sha}"),
    ("git_refs", "/git/refs{/sha}"),
    ("git_tags", "/git/tags{/sha}"),
    ("hooks", "/hooks"),
    ("issue_comment", "/issues/comments{/number}"),
    ("issue_events", "/issues/events{/number}"),
    ("issues", "/issues{/number}"),
    ("keys", "/keys{/key_id}"),
    ("labels", "/labels{/name}"),
    ("languages", "/languages"),
    ("merges", "/merges"),
    ("milestones", "/milestones{/number}"),
    ("notifications", "/notifications{?since,all,participating}"),
    ("pulls", "/pulls{/number}"),
    ("releases", "/releases{/id}"),
    ("stargazers", "/stargazers"),
    ("statuses", "/statuses/{sha}"),
    ("subscribers", "/subscribers"),
    ("subscription", "/subscription"),
    ("tags", "/tags"),
    ("teams", "/teams"),
    ("trees", "/git/trees{/sha}"),
];

/// A `repository`.
fn repository(place: &Place, owner: &str, name: &str) -> Value {
    let url = format!("{}/repos/{owner}/{name}", place.root);
    let web = format!("{WEB}/{owner}/{name}");
    let id = number(&format!("{owner}/{name}"));
    let below = BELOW.iter().map(|(field, path)| (format!("{field}_url"), Value::from(format!("{url}{path}"))));
    let facts = json!({
        "id": id, "node_id": node("R", id), "name": name, "full_name": format!("{owner}/{name}"), "private": false,
        "owner": user(place, owner), "description": null, "fork": owner != super::OWNER, "url": url, "html_url": web,
        "clone_url": format!("{web}.git"), "git_url": format!("{web}.git"), "ssh_url": format!("git@{owner}/{name}.git"),
        "svn_url": web, "mirror_url": null, "homepage": null, "language": "Rust", "license": null, "size": 1,
        "default_branch": "main", "visibility": "public", "archived": false, "disabled": false,
        "has_downloads": true, "has_issues": true, "has_pages": false, "has_projects": false, "has_wiki": false,
        "forks": 0, "forks_count": 0, "open_issues": 1, "open_issues_count": 1, "stargazers_count": 0, "watchers": 0,
        "watchers_count": 0, "pushed_at": THEN, "created_at": THEN, "updated_at": THEN,
    });
    joined(Value::Object(below.collect()), facts)
}

/// One end of a pull request.
fn end(place: &Place, owner: &str, repository_name: Option<&str>, branch: &str, sha: &str) -> Value {
    let repository = repository_name.map(|name| repository(place, owner, name));
    let label = format!("{owner}:{branch}");
    json!({ "label": label, "ref": branch, "sha": sha, "repo": repository, "user": user(place, owner) })
}

fn links(pull: &Map<String, Value>) -> Value {
    let names = ["comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment"];
    let link = |name: &str| (name.to_owned(), json!({ "href": pull[&format!("{name}_url")] }));
    let itself = ("self".to_owned(), json!({ "href": pull["url"] }));
    Value::Object(names.into_iter().map(link).chain([itself]).collect())
}

/// A `pull-request-simple`, as in lists.
pub fn simple(place: &Place, pull: &PullRequest) -> Value {
    let (number, head, below) = (pull.number, pull.head_sha(), &place.repository);
    let url = format!("{below}/pulls/{number}");
    let web = format!("{WEB}/{}/{}/pull/{number}", super::OWNER, super::NAME);
    let mut json = json!({
        "id": number, "node_id": node("PR", number), "number": number, "title": "Change it", "body": null,
        "state": if pull.open { "open" } else { "closed" }, "locked": false, "draft": false, "url": url,
        "html_url": web, "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
        "issue_url": format!("{below}/issues/{number}"), "comments_url": format!("{below}/issues/{number}/comments"),
        "commits_url": format!("{url}/commits"), "statuses_url": format!("{below}/statuses/{head}"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{below}/pulls/comments{{/number}}"), "user": user(place, &pull.head_owner),
        "head": end(place, &pull.head_owner, pull.head_repository.as_deref(), &pull.head_branch, head),
        "base": end(place, super::OWNER, Some(super::NAME), &pull.base_branch, &pull.base_sha),
        "labels": [], "milestone": null, "assignee": null, "assignees": [], "requested_reviewers": [],
        "requested_teams": [], "author_association": "CONTRIBUTOR", "auto_merge": null, "merge_commit_sha": null,
        "created_at": THEN, "updated_at": THEN, "closed_at": (!pull.open).then_some(THEN), "merged_at": null,
    });
    if let Value::Object(fields) = &mut json {
        fields.insert("_links".to_owned(), links(fields));
    }
    json
}

/// A `pull-request`, as by itself.
pub fn full(place: &Place, pull: &PullRequest) -> Value {
    let more = json!({
        "merged": false, "merged_by": null, "mergeable": true, "rebaseable": true, "mergeable_state": "clean",
        "maintainer_can_modify": false, "comments": 0, "review_comments": 0, "commits": pull.commits.len(),
        "additions": 1, "deletions": 0, "changed_files": 1,
    });
    joined(simple(place, pull), more)
}
