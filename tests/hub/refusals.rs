//! GitHub's own words where it refuses.

use serde_json::{Value, json};

use super::http::Response;

/// An error of this status with this message.
pub fn of(status: u16, message: &str) -> Response {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    });
    Response::json(status, &body)
}

/// 401: there is a token, and it is none that counts.
pub fn bad_credentials() -> Response {
    of(401, "Bad credentials")
}

/// 403: a workflow's token that lacks the permission.
pub fn not_accessible() -> Response {
    of(403, "Resource not accessible by integration").with("x-accepted-github-permissions", "issues=write")
}

/// 403: writing too fast.
pub fn secondary_limit() -> Response {
    let message = "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. \
                   Please retry your request again later.";
    of(403, message)
}

/// 403: the hour's requests are used up until `reset`, seconds since 1970.
pub fn primary_limit(reset: u64) -> Response {
    of(403, "API rate limit exceeded for installation ID 1.")
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", reset.to_string())
}

/// 404, whatever is missing.
pub fn missing() -> Response {
    of(404, "Not Found")
}

/// 400: the body is not JSON.
pub fn not_json() -> Response {
    of(400, "Problems parsing JSON")
}

/// 422: one field of a resource is wrong, for a reason in words.
pub fn invalid(resource: &str, field: &str, message: &str) -> Response {
    let error = json!({ "resource": resource, "code": "custom", "field": field, "message": message });
    invalid_with("Validation Failed", &error)
}

/// 422: a request without a field that it needs.
pub fn lacking(field: &str) -> Response {
    of(422, &format!("Invalid request.\n\n\"{field}\" wasn't supplied."))
}

fn invalid_with(message: &str, error: &Value) -> Response {
    let body = json!({
        "message": message,
        "errors": [error],
        "documentation_url": "https://docs.github.com/rest",
        "status": "422",
    });
    Response::json(422, &body)
}
