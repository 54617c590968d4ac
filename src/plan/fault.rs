//! What is wrong with a plan's text, before it is known which file the text is from.

use std::ops::Range;

use toml::Spanned;

use super::nearest::nearest;
use crate::units::Unreadable;

/// A place in the text, what is wrong there, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Bytes of the text.
    pub(super) span: Option<Range<usize>>,
    pub(super) problem: String,
    pub(super) help: Option<String>,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span: Some(span), problem: problem.into(), help: Some(help.into()) }
    }

    /// A fault of the value `at`.
    pub(super) fn at<T>(at: &Spanned<T>, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(at.span(), problem, help)
    }
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Self {
        let (problem, help) = split(error.message());
        Self { span: error.span(), problem, help }
    }
}

/// Takes a message of the TOML reader apart. serde hands errors on as text alone: its own messages have a few fixed forms,
/// ours are those of [`Refusal::message`], which escape what they quote and so can't be taken for another form.
fn split(message: &str) -> (String, Option<String>) {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let expectation = message.rsplit_once(", expected ");
    if let (Some(rest), Some((_, known))) = (message.strip_prefix("unknown field `"), expectation) {
        let name = rest.split_once("`, expected ").map_or(rest, |(name, _)| name);
        return (format!("unknown key {name:?}"), Some(instead(name, &quoted(known))));
    }
    if let Some((problem, help)) = message.split_once('\n') {
        return (problem.to_owned(), Some(help.to_owned()));
    }
    if let Some(name) = message.strip_prefix("missing field ").and_then(|name| quoted(name).pop()) {
        return (format!("the key {name:?} is missing"), Some(format!("add it: {name} = ...")));
    }
    let Some((found, expected)) = expectation else {
        let help = (message == "duplicate key").then(|| "remove one of them".to_owned());
        return (message.to_owned(), help);
    };
    let unfit = found.strip_prefix("invalid type: ").or(found.strip_prefix("invalid value: "));
    let problem = match unfit {
        Some("map") => "a table does not fit here".to_owned(),
        Some("sequence") => "an array does not fit here".to_owned(),
        Some(value) => format!("{value} does not fit here"),
        None => found.to_owned(),
    };
    let expected = match expected {
        "a map" => "a table",
        "a sequence" => "a list: [...]",
        expected => expected,
    };
    (problem, Some(format!("expected {expected}")))
}

/// What to write instead of a name that does not exist: what is near it, else all that there is.
pub(super) fn instead<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    match nearest(name, known.iter().map(AsRef::as_ref)).first() {
        Some(near) => format!("did you mean {near:?}?"),
        None => {
            let known: Vec<String> = known.iter().map(|name| format!("{:?}", name.as_ref())).collect();
            format!("choose from {}", known.join(", "))
        }
    }
}

/// Why a value can't be taken, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) problem: String,
    pub(super) help: String,
}

impl Refusal {
    pub(super) fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { problem: problem.into(), help: help.into() }
    }

    /// The refusal as one text, which [`Fault`] takes apart again: serde knows errors of no other kind.
    /// The problem is one line, as it quotes values with their control characters escaped.
    pub(super) fn message(&self) -> String {
        format!("{}\n{}", self.problem, self.help)
    }
}

impl From<Unreadable> for Refusal {
    fn from(error: Unreadable) -> Self {
        Self::new(error.problem(), format!("write {}", error.expected()))
    }
}
