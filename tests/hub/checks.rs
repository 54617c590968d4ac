//! Check runs and statuses of commits.

use serde_json::{Map, Value};

use super::http::Response;
use super::models;
use super::pages::page;
use super::refusals;
use super::routes::{Answer, Context, fields};
use super::state::{Check, State, Status};

/// The most annotations of one request.
const MOST_ANNOTATIONS: usize = 50;
/// The most that a summary or a text holds, characters.
const MOST_TEXT: usize = 65_535;
/// The most that the sentence of a status holds, characters.
const MOST_DESCRIPTION: usize = 140;

pub fn create(state: &mut State, context: &Context<'_>) -> Answer {
    let fields = fields(context.request)?;
    text(&fields, "name")?;
    let head_sha = text(&fields, "head_sha")?.to_owned();
    known(state, &head_sha)?;
    let id = state.next_id();
    let begun = ("status".to_owned(), Value::from("queued"));
    let mut check =
        Check { id, head_sha, fields: Map::from_iter([begun]), output: Map::new(), annotations: Vec::new(), edits: 0 };
    change(&mut check, fields)?;
    state.checks.push(check.clone());
    Ok(Response::json(201, &models::check(&context.place, &check)))
}

pub fn update(state: &mut State, context: &Context<'_>, id: u64) -> Answer {
    let fields = fields(context.request)?;
    let check = state.checks.iter_mut().find(|check| check.id == id).ok_or_else(refusals::missing)?;
    change(check, fields)?;
    check.edits += 1;
    Ok(Response::json(200, &models::check(&context.place, check)))
}

/// Takes over what a request says; what it does not say stays.
fn change(check: &mut Check, mut fields: Map<String, Value>) -> Result<(), Response> {
    let output = match fields.remove("output") {
        Some(Value::Object(output)) => output,
        _ => Map::new(),
    };
    let annotations = output.get("annotations").and_then(Value::as_array).cloned().unwrap_or_default();
    if annotations.len() > MOST_ANNOTATIONS {
        return Err(refusals::of(422, "Invalid request.\n\nNo more than 50 items are allowed; 51 were supplied."));
    }
    if let Some((name, _)) = output.iter().find(|(_, text)| longer(text, MOST_TEXT)) {
        return Err(refusals::of(422, &format!("Invalid request.\n\n\"{name}\" exceeds 65535 characters.")));
    }
    // GitHub's own words: a conclusion completes the check.
    if fields.contains_key("conclusion") {
        fields.insert("status".to_owned(), Value::from("completed"));
    } else if fields.get("status").is_some_and(|status| status == "completed") {
        return Err(refusals::lacking("conclusion"));
    }
    check.fields.extend(fields);
    check.output.extend(output.into_iter().filter(|(name, _)| name != "annotations"));
    check.annotations.extend(annotations);
    Ok(())
}

/// Newest first and, unless all are asked for, the newest of each name.
pub fn list(state: &State, context: &Context<'_>, reference: &str) -> Answer {
    known(state, reference)?;
    let name = context.request.parameter("check_name");
    let all = context.request.parameter("filter").is_some_and(|filter| filter == "all");
    let mut found: Vec<&Check> = Vec::new();
    for check in state.checks.iter().rev().filter(|check| check.head_sha == reference) {
        let wanted = name.as_ref().is_none_or(|name| name == check.text("name"));
        if wanted && (all || found.iter().all(|newer| newer.text("name") != check.text("name"))) {
            found.push(check);
        }
    }
    let found: Vec<Value> = found.into_iter().map(|check| models::check(&context.place, check)).collect();
    Ok(page(context, &found, Some("check_runs")))
}

pub fn create_status(state: &mut State, context: &Context<'_>, sha: &str) -> Answer {
    let fields = fields(context.request)?;
    known(state, sha)?;
    let given = text(&fields, "state")?;
    if !["error", "failure", "pending", "success"].contains(&given) {
        return Err(refusals::invalid("Status", "state", "State is not included in the list"));
    }
    if fields.get("description").is_some_and(|text| longer(text, MOST_DESCRIPTION)) {
        let reason = "Description is too long (maximum is 140 characters)";
        return Err(refusals::invalid("Status", "description", reason));
    }
    let optional = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let status = Status {
        id: state.next_id(),
        sha: sha.to_owned(),
        state: given.to_owned(),
        context: optional("context").unwrap_or_else(|| "default".to_owned()),
        description: optional("description"),
        target_url: optional("target_url"),
    };
    let answer = models::status(&context.place, &status, context.settings.author());
    state.statuses.push(status);
    Ok(Response::json(201, &answer))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Response> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| refusals::lacking(name))
}

fn longer(value: &Value, most: usize) -> bool {
    value.as_str().is_some_and(|text| text.chars().count() > most)
}

fn known(state: &State, sha: &str) -> Result<(), Response> {
    if state.has_commit(sha) { Ok(()) } else { Err(refusals::of(422, &format!("No commit found for SHA: {sha}"))) }
}
