//! What is asked of GitHub.

use http::Method;
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Below the API's address, with the query.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What the workflow has to permit for it, in the words of a workflow file.
    pub(super) needs: Option<&'static str>,
}

impl Ask {
    /// Asks to show something.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, needs: None }
    }

    /// Asks to make something.
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, body: Some(filled(body)), ..Self::get(path) }
    }

    /// Asks to change something.
    pub(super) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PATCH, body: Some(filled(body)), ..Self::get(path) }
    }

    /// Asks to take something away.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// Names the permission, for the message where it is missing.
    pub(super) fn needing(self, permission: &'static str) -> Self {
        Self { needs: Some(permission), ..self }
    }

    /// The method and the path, without the query.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// The object without the members that are null: GitHub's description has them absent or given, but not null.
fn filled(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, filled(member)))
            .collect(),
        Value::Array(items) => items.into_iter().map(filled).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_are_null_are_not_sent() {
        let body = json!({"a": null, "b": {"c": null, "d": 1}, "e": [{"f": null}], "g": ""});
        let ask = Ask::post("/x", body);
        assert_eq!(ask.body.unwrap(), json!({"b": {"d": 1}, "e": [{}], "g": ""}));
    }

    #[test]
    fn a_request_is_shown_without_its_query() {
        assert_eq!(Ask::get("/repos/a/b/pulls?head=c:d").shown(), "GET /repos/a/b/pulls");
    }
}
