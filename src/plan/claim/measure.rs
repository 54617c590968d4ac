//! The key of a measure, and what has to be done for it.

use std::fmt;

use super::quantity::Kind;
use super::vocabulary;
use super::{Measure, Need, ProfileKind};

impl Measure {
    /// The canonical text, under which counted values are stored: `profile.share(a, b)`. What comes from a claim's text is a
    /// [`Metric`](crate::samples::Metric) too.
    #[must_use]
    pub fn metric(&self) -> String {
        match self {
            Self::Metric(metric) => metric.to_string(),
            Self::Syscalls(names) if names.is_empty() => vocabulary::SYSCALLS.to_owned(),
            Self::Syscalls(names) => call(vocabulary::SYSCALLS, names),
            Self::Profile { kind, functions } => call(kind.as_str(), functions),
            Self::Distribution(name) => call(vocabulary::DISTRIBUTION, &[name]),
            Self::Checksum => vocabulary::CHECKSUM.to_owned(),
        }
    }

    /// What has to be measured for it.
    #[must_use]
    pub fn needs(&self) -> Need {
        match self {
            Self::Metric(metric) => vocabulary::needs(metric),
            Self::Syscalls(_) => Need::Syscalls,
            Self::Profile { .. } => Need::Profile,
            Self::Distribution(_) => Need::Distribution,
            Self::Checksum => Need::Checksum,
        }
    }

    /// How its values are written. Digests and distributions have none: they are never compared with a number.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Metric(metric) => vocabulary::kind(metric),
            Self::Syscalls(_) | Self::Distribution(_) | Self::Checksum => Kind::Count,
            Self::Profile { kind: ProfileKind::Share | ProfileKind::Own, .. } => Kind::Share,
            Self::Profile { kind: ProfileKind::Cpu, .. } => Kind::Time,
        }
    }

    /// Whether two measurements of one program come to the very same value, so that `==` needs no tolerance.
    pub(super) fn is_exact(&self) -> bool {
        match self {
            Self::Metric(metric) => vocabulary::is_exact(metric),
            Self::Profile { .. } => false,
            Self::Syscalls(_) | Self::Distribution(_) | Self::Checksum => true,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.metric())
    }
}

impl ProfileKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Share, Self::Own, Self::Cpu];

    /// The word for it in claims.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Share => "profile.share",
            Self::Own => "profile.self",
            Self::Cpu => "profile.cpu",
        }
    }
}

/// As in `syscalls(open*, close)`.
fn call<T: fmt::Display>(word: &str, parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(T::to_string).collect();
    format!("{word}({})", parts.join(", "))
}
