//! The expressions of workflows, as far as these files use them: names, texts, `==`, `!=`, `&&`, `||`, `!`, brackets, calls.

use serde_json::{Map, Value, json};

/// What expressions know.
pub struct Context {
    /// `github`, `env`, `inputs` and so on.
    pub names: Map<String, Value>,
    /// Whether a step before failed.
    pub failed: bool,
}

impl Context {
    /// The text with its expressions evaluated.
    pub fn fill(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").unwrap();
            filled.push_str(&written(&self.value(expression)));
            filled.push_str(rest);
        }
        filled
    }

    /// Whether a condition holds: `if:` with or without brackets around it. Without `always()` and its like, only as long as
    /// nothing failed.
    pub fn holds(&self, condition: &str) -> bool {
        let condition = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
        let asks = ["always()", "cancelled()", "failure()"].iter().any(|call| condition.contains(call));
        (asks || !self.failed) && truth(&self.value(condition))
    }

    pub fn value(&self, expression: &str) -> Value {
        let mut reader = Reader { context: self, tokens: tokens(expression), at: 0 };
        let value = reader.or();
        assert_eq!(reader.at, reader.tokens.len(), "all of {expression:?} is understood");
        value
    }

    fn call(&self, name: &str, argument: &str) -> Value {
        match name {
            "always" => json!(true),
            "cancelled" => json!(false),
            "failure" => json!(self.failed),
            "hashFiles" => json!(format!("hash-of-{argument}").replace(['/', '*'], "-")),
            other => panic!("{other}() is not known here"),
        }
    }

    /// The value of `github.event.number`; null where a table has no such key. What nobody may ask for is not known at all.
    fn name(&self, path: &str) -> Value {
        assert!(!["secrets", "github.token"].iter().any(|secret| path.starts_with(secret)), "{path} is asked for");
        let mut parts = path.split('.');
        let first = parts.next().unwrap();
        let top = self.names.get(first).unwrap_or_else(|| panic!("{first} is not known here"));
        parts.try_fold(top, |table, part| table.get(part)).cloned().unwrap_or_default()
    }
}

struct Reader<'c> {
    context: &'c Context,
    tokens: Vec<String>,
    at: usize,
}

impl Reader<'_> {
    fn takes(&mut self, token: &str) -> bool {
        let taken = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(taken);
        taken
    }

    fn or(&mut self) -> Value {
        let mut value = self.and();
        while self.takes("||") {
            let other = self.and();
            value = if truth(&value) { value } else { other };
        }
        value
    }

    fn and(&mut self) -> Value {
        let mut value = self.equal();
        while self.takes("&&") {
            let other = self.equal();
            value = if truth(&value) { other } else { value };
        }
        value
    }

    fn equal(&mut self) -> Value {
        let value = self.one();
        if self.takes("==") {
            return json!(written(&value) == written(&self.one()));
        }
        if self.takes("!=") { json!(written(&value) != written(&self.one())) } else { value }
    }

    fn one(&mut self) -> Value {
        if self.takes("!") {
            return json!(!truth(&self.one()));
        }
        if self.takes("(") {
            let value = self.or();
            assert!(self.takes(")"));
            return value;
        }
        let token = self.tokens[self.at].clone();
        self.at += 1;
        if let Some(text) = token.strip_prefix('\'') {
            return json!(text);
        }
        if !self.takes("(") {
            return self.context.name(&token);
        }
        if self.takes(")") {
            return self.context.call(&token, "");
        }
        let argument = written(&self.or());
        assert!(self.takes(")"));
        self.context.call(&token, &argument)
    }
}

/// The words and signs of an expression. A text begins with its quote and has none at its end.
fn tokens(expression: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => 1 + rest[1..].find('\'').unwrap(),
            '(' | ')' => 1,
            '!' if !rest.starts_with("!=") => 1,
            '=' | '!' | '&' | '|' => 2,
            _ => rest.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(rest.len()),
        };
        assert!(length > 0, "{rest:?} is not understood");
        tokens.push(rest[..length].to_owned());
        rest = rest[length + usize::from(first == '\'')..].trim_start();
    }
    tokens
}

fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!("") && *value != json!(0)
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn expressions_mean_what_github_says() {
    let names = json!({ "inputs": { "a": "x", "empty": "" }, "github": { "event": { "number": 7 } } });
    let context = Context { names: names.as_object().unwrap().clone(), failed: true };
    assert_eq!(
        context.fill("${{ github.event.number }}-${{ inputs.none || 'y' }}/${{ inputs.empty || inputs.a }}"),
        "7-y/x"
    );
    assert!(context.holds("always() && inputs.a != ''") && !context.holds("always() && inputs.empty != ''"));
    assert!(context.holds("${{ !cancelled() }}") && !context.holds("inputs.a == 'x'"), "a step before failed");
    let context = Context { failed: false, ..context };
    assert!(context.holds("(inputs.a == 'y' || inputs.a == 'x') && inputs.none != 'true'"));
}
