//! Pull requests, and what workflow runs uploaded.

use serde_json::Value;

use super::http::{Request, Response};
use super::models;
use super::pages::page;
use super::pull_models::{full, simple};
use super::refusals;
use super::routes::{Answer, Context};
use super::state::{PullRequest, State};

pub fn get(state: &State, context: &Context<'_>, number: u64) -> Answer {
    let pull = state.pull(number).ok_or_else(refusals::missing)?;
    Ok(Response::json(200, &full(&context.place, pull)))
}

/// Newest first. A `head` without an owner filters nothing, as on GitHub.
pub fn list(state: &State, context: &Context<'_>) -> Answer {
    let head = context.request.parameter("head").filter(|head| head.contains(':'));
    let wanted = context.request.parameter("state").unwrap_or_else(|| "open".to_owned());
    let found = state.pulls.iter().rev().filter(|pull| {
        let same = |head: &String| *head == format!("{}:{}", pull.head_owner, pull.head_branch);
        (wanted == "all" || (wanted == "open") == pull.open) && head.as_ref().is_none_or(same)
    });
    let found: Vec<Value> = found.map(|pull| simple(&context.place, pull)).collect();
    Ok(page(context, &found, None))
}

/// Oldest first, and never more than 250.
pub fn commits(state: &State, context: &Context<'_>, number: u64) -> Answer {
    const MOST: usize = 250;
    let pull: &PullRequest = state.pull(number).ok_or_else(refusals::missing)?;
    let all: Vec<Value> = pull.commits.iter().take(MOST).map(|sha| models::commit(&context.place, sha)).collect();
    Ok(page(context, &all, None))
}

/// How two commits are related. Here every branch left its base where that still is.
pub fn compare(state: &State, context: &Context<'_>, range: &str) -> Answer {
    let (base, head) = range.split_once("...").ok_or_else(refusals::missing)?;
    if !state.has_commit(base) || !state.has_commit(head) {
        return Err(refusals::missing());
    }
    let of = state.pulls.iter().find(|pull| pull.head_sha() == head);
    let commits: Vec<Value> =
        of.iter().flat_map(|pull| &pull.commits).map(|sha| models::commit(&context.place, sha)).collect();
    Ok(Response::json(200, &models::comparison(&context.place, (base, head), commits)))
}

/// Newest first.
pub fn artifacts(state: &State, context: &Context<'_>, run: u64) -> Answer {
    let name = context.request.parameter("name");
    let found = state.artifacts.iter().rev().filter(|artifact| artifact.run == run);
    let found = found.filter(|artifact| name.as_ref().is_none_or(|name| *name == artifact.name));
    let found: Vec<Value> = found.map(|artifact| models::artifact(&context.place, artifact)).collect();
    Ok(page(context, &found, Some("artifacts")))
}

/// Sends the client to the storage.
pub fn download(state: &State, context: &Context<'_>, id: u64) -> Answer {
    let artifact = state.artifacts.iter().find(|artifact| artifact.id == id).ok_or_else(refusals::missing)?;
    if artifact.expired {
        return Err(refusals::of(410, "Artifact has expired"));
    }
    Ok(Response::empty(302).with("location", format!("{}/artifacts/{id}.zip?signature=secret", context.storage)))
}

/// What the storage answers. It knows who comes by the address, and takes a token for an attack, as the real one does.
pub fn stored(state: &State, request: &Request) -> Response {
    let refused = |status, reason: &str| Response::text(status, "application/xml", format!("<Code>{reason}</Code>"));
    if request.header("authorization").is_some() {
        return refused(400, "InvalidAuthenticationInfo");
    }
    let name = request.path.strip_prefix("/artifacts/").and_then(|name| name.strip_suffix(".zip")).unwrap_or_default();
    match state.artifacts.iter().find(|artifact| artifact.id.to_string() == name) {
        Some(artifact) if request.parameter("signature").is_some_and(|given| given == "secret") => {
            Response::text(200, "application/zip", artifact.bytes.clone())
        }
        _ => refused(404, "BlobNotFound"),
    }
}
