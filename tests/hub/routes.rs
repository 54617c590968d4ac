//! Who answers which request.

use super::http::{Request, Response, decoded};
use super::models::{Place, profile};
use super::state::State;
use super::{NAME, OWNER, Settings, checks, comments, pulls, refusals};

/// All that an answer depends on.
#[derive(Debug)]
pub struct Context<'a> {
    pub settings: &'a Settings,
    pub place: Place,
    /// Where artifacts lie.
    pub storage: String,
    pub request: &'a Request,
}

/// An answer, or the refusal of one.
pub type Answer = Result<Response, Response>;

/// Does what an interface's request asks for.
pub fn answer(state: &mut State, context: &Context<'_>) -> Response {
    let limits = [("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4990"), ("x-ratelimit-used", "10")];
    let answer = route(state, context).unwrap_or_else(|refusal| refusal);
    limits.iter().fold(answer, |answer, (name, value)| answer.with(name, *value))
}

fn route(state: &mut State, context: &Context<'_>) -> Answer {
    let request = context.request;
    let segments: Vec<String> = request.path.split('/').skip(1).map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    authorized(context)?;
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["user"]) => user(context),
        (method, ["repos", OWNER, NAME, rest @ ..]) => in_repository(state, context, method, rest),
        _ => Err(refusals::missing()),
    }
}

fn authorized(context: &Context<'_>) -> Result<(), Response> {
    if context.request.header("user-agent").is_none() {
        return Err(refusals::of(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        ));
    }
    let given = context.request.header("authorization").and_then(|value| value.split_once(' '));
    match given.is_some_and(|(kind, token)| matches!(kind, "Bearer" | "token") && token == context.settings.token) {
        true => Ok(()),
        false => Err(refusals::bad_credentials()),
    }
}

fn user(context: &Context<'_>) -> Answer {
    let login = context.settings.login.ok_or_else(refusals::not_accessible)?;
    Ok(Response::json(200, &profile(&context.place, login)))
}

fn in_repository(state: &mut State, context: &Context<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["issues", issue, "comments"]) => comments::list(state, context, number(issue)?),
        ("POST", ["issues", issue, "comments"]) => comments::create(state, context, number(issue)?),
        ("PATCH", ["issues", "comments", id]) => comments::update(state, context, number(id)?),
        ("DELETE", ["issues", "comments", id]) => comments::delete(state, number(id)?),
        ("POST", ["check-runs"]) => checks::create(state, context),
        ("PATCH", ["check-runs", id]) => checks::update(state, context, number(id)?),
        ("GET", ["commits", reference, "check-runs"]) => checks::list(state, context, reference),
        ("POST", ["statuses", sha]) => checks::create_status(state, context, sha),
        ("GET", ["pulls"]) => pulls::list(state, context),
        ("GET", ["pulls", pull]) => pulls::get(state, context, number(pull)?),
        ("GET", ["pulls", pull, "commits"]) => pulls::commits(state, context, number(pull)?),
        ("GET", ["compare", range]) => pulls::compare(state, context, range),
        ("GET", ["actions", "runs", run, "artifacts"]) => pulls::artifacts(state, context, number(run)?),
        ("GET", ["actions", "artifacts", id, "zip"]) => pulls::download(state, context, number(id)?),
        _ => Err(refusals::missing()),
    }
}

fn number(segment: &str) -> Result<u64, Response> {
    segment.parse().map_err(|_| refusals::missing())
}

/// A request's body, which is an object.
pub fn fields(request: &Request) -> Result<serde_json::Map<String, serde_json::Value>, Response> {
    match request.json() {
        Some(serde_json::Value::Object(fields)) => Ok(fields),
        Some(_) => Err(refusals::of(422, "Invalid request.\n\nFor 'links/0/schema', the body is not an object.")),
        None => Err(refusals::not_json()),
    }
}
