//! Comments on pull requests.

use serde_json::Value;

use super::http::Response;
use super::models;
use super::pages::page;
use super::refusals;
use super::routes::{Answer, Context, fields};
use super::state::{Comment, State};

/// The most that a comment holds, characters.
const MOST_BODY: usize = 65_536;

fn body(context: &Context<'_>) -> Result<String, Response> {
    match fields(context.request)?.get("body") {
        None => Err(refusals::lacking("body")),
        Some(Value::String(body)) if body.trim().is_empty() => {
            Err(refusals::invalid("IssueComment", "body", "body can't be blank"))
        }
        Some(Value::String(body)) if body.chars().count() > MOST_BODY => {
            Err(refusals::invalid("IssueComment", "body", "Body is too long (maximum is 65536 characters)"))
        }
        Some(Value::String(body)) => Ok(body.clone()),
        Some(_) => Err(refusals::of(422, "Invalid request.\n\nFor 'properties/body', a string was wanted.")),
    }
}

pub fn list(state: &State, context: &Context<'_>, issue: u64) -> Answer {
    state.pull(issue).ok_or_else(refusals::missing)?;
    let of_issue = state.comments.iter().filter(|comment| comment.issue == issue);
    let all: Vec<Value> = of_issue.map(|comment| models::comment(&context.place, comment)).collect();
    Ok(page(context, &all, None))
}

pub fn create(state: &mut State, context: &Context<'_>, issue: u64) -> Answer {
    state.pull(issue).ok_or_else(refusals::missing)?;
    let comment = state.add_comment(issue, context.settings.author(), &body(context)?);
    Ok(Response::json(201, &models::comment(&context.place, &comment)))
}

/// A workflow's token may change everybody's comments: the hub lets it, so that a test sees who did.
pub fn update(state: &mut State, context: &Context<'_>, id: u64) -> Answer {
    let comment = find(state, id)?;
    comment.body = body(context)?;
    comment.edits += 1;
    Ok(Response::json(200, &models::comment(&context.place, comment)))
}

pub fn delete(state: &mut State, id: u64) -> Answer {
    find(state, id)?;
    state.comments.retain(|comment| comment.id != id);
    Ok(Response::empty(204))
}

fn find(state: &mut State, id: u64) -> Result<&mut Comment, Response> {
    state.comments.iter_mut().find(|comment| comment.id == id).ok_or_else(refusals::missing)
}
