//! ANSI colours, for terminals that want them.

use super::line::Standing;

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

impl Paint {
    /// The colour of a verdict.
    pub(super) fn of(standing: Standing) -> Self {
        match standing {
            Standing::Regressed => Self::Red,
            Standing::Improved => Self::Green,
            Standing::Undecided | Standing::Accepted => Self::Yellow,
            Standing::Tolerated | Standing::Unchanged | Standing::SameCode => Self::Dim,
        }
    }

    /// The colour of what is said beside a verdict.
    pub(super) fn beside(standing: Standing) -> Self {
        if standing.needs_eyes() { Self::Plain } else { Self::Dim }
    }

    /// The text in this colour; as it is where colours are not wanted.
    pub(super) fn on(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Plain => return text.to_owned(),
        };
        if colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
