//! What a look at the machine or a build found, and how it is said in one line.

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The machine is unfit: verdicts would take far longer, or not come at all.
    Unfit,
    /// Intervals are wider than they have to be, verdicts are of another program than meant, or something that is wanted is
    /// missing.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The severity's own word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unfit => "unfit",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What a finding is about. In the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The machine as a place to take times.
    Machine,
    /// What the machine allows to be counted and sampled.
    Profiling,
    /// How the measured programs are built.
    Build,
}

impl Subject {
    /// All subjects, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Machine, Self::Profiling, Self::Build];
}

/// Something that is not as it should be, or that a reader of the numbers should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, which stays the same over versions: `codegen-units-without-lto`.
    pub id: &'static str,
    /// What it is about.
    pub about: Subject,
    /// How much it matters.
    pub severity: Severity,
    /// What is the case: `the CPU governor is powersave`.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it: a command or lines to paste where there are any. May have several lines.
    pub fix: String,
    /// The variants whose builds it is about; empty where it is about none in particular.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
}

impl Finding {
    /// A finding about the machine. All texts are one sentence without a full stop.
    pub(super) fn new(id: &'static str, severity: Severity, what: impl Into<String>, why: &str, fix: &str) -> Self {
        let (what, why, fix) = (what.into(), why.to_owned(), fix.to_owned());
        Self { id, about: Subject::Machine, severity, what, why, fix, variants: Vec::new() }
    }

    pub(super) fn about(self, about: Subject) -> Self {
        Self { about, ..self }
    }

    /// What is the case, with the variants that it is the case for: `release, fat: opt-level is 1`.
    #[must_use]
    pub fn headline(&self) -> String {
        if self.variants.is_empty() {
            self.what.clone()
        } else {
            format!("{}: {}", self.variants.join(", "), self.what)
        }
    }
}

/// What is worth a line each before a run: the findings that are warnings or worse, in the order given.
#[must_use]
pub fn brief(findings: &[Finding]) -> Vec<String> {
    let loud = findings.iter().filter(|finding| finding.severity <= Severity::Warning);
    loud.map(|finding| format!("{}; fix: {}", finding.headline(), one_line(&finding.fix))).collect()
}

/// Lines to paste stand behind each other with a comma between them.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_begins_with_one_line_per_warning_and_none_per_note() {
        let finding = |severity, fix| Finding::new("x", severity, "the clock is slow", "it is", fix);
        let of_build = Finding { variants: vec!["a".into(), "b".into()], ..finding(Severity::Warning, "[p]\nlto = 1") };
        let all = [finding(Severity::Unfit, "buy one"), of_build, finding(Severity::Note, "wait")];
        assert_eq!(brief(&all), ["the clock is slow; fix: buy one", "a, b: the clock is slow; fix: [p], lto = 1"]);
    }

    #[test]
    fn programs_read_stable_names_and_no_empty_lists() {
        let note = Finding::new("slow-clock", Severity::Note, "w", "y", "f").about(Subject::Profiling);
        let expected = serde_json::json!({ "id": "slow-clock", "about": "profiling", "severity": "note", "what": "w",
            "why": "y", "fix": "f" });
        assert_eq!(serde_json::to_value(&note).unwrap(), expected);
    }
}
