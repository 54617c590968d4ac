//! The outcome in one sentence, the worst first.

use crate::report::line::{Group, Line, Standing};
use crate::report::numbers::counted;
use crate::report::steps::StepView;
use crate::report::view::View;
use crate::verdict::Holds;

/// What a reader is to make of it; the first one that is true of any part is that of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    /// Something could not be built or measured.
    Broken,
    /// A row regressed, or a claim is refuted.
    Worse,
    /// A row improved.
    Better,
    /// Something is undecided or lacking.
    Open,
    /// Nothing needs eyes.
    Calm,
    /// Nothing was compared.
    Silent,
}

impl Mood {
    /// What stands before the sentence; may be empty.
    pub(super) fn icon(self) -> &'static str {
        match self {
            Self::Broken => "💥 ",
            Self::Worse => "❌ ",
            Self::Better => "🚀 ",
            Self::Open => "❔ ",
            Self::Calm => "✅ ",
            Self::Silent => "",
        }
    }
}

/// The outcome, with names written as `name` writes them.
pub(super) fn verdict(view: &View, name: &dyn Fn(&str) -> String) -> (Mood, String) {
    let judged = [rows(view, name), claims(&view.steps, name)];
    let silent = judged.iter().all(Option::is_none).then(|| (Mood::Silent, "nothing was compared".to_owned()));
    let lacking = [failures(view, name), missing(view), silent];
    let mut said: Vec<(Mood, String)> = judged.into_iter().chain(lacking).flatten().collect();
    said.sort_by_key(|(mood, _)| *mood);
    let mood = said.first().map_or(Mood::Silent, |(mood, _)| *mood);
    let sentence = said.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ");
    (mood, capital(&sentence))
}

fn capital(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + rest.as_str())
}

fn failures(view: &View, name: &dyn Fn(&str) -> String) -> Option<(Mood, String)> {
    let first = name(&view.failures.first()?.what);
    let said = match view.failures.len() {
        1 => format!("{first} failed"),
        count => format!("{}, the first {first}", counted(count, "failure")),
    };
    Some((Mood::Broken, said))
}

fn missing(view: &View) -> Option<(Mood, String)> {
    let cases = (!view.missing.is_empty()).then(|| format!("{} missing", counted(view.missing.len(), "case")));
    let rest = (!view.complete).then(|| "the run is not complete".to_owned());
    let said: Vec<String> = cases.into_iter().chain(rest).collect();
    (!said.is_empty()).then(|| (Mood::Open, said.join("; ")))
}

/// All rows, each with its case.
pub(super) fn lines(view: &View) -> impl Iterator<Item = (&Group, &Line)> {
    view.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line)))
}

fn rows(view: &View, name: &dyn Fn(&str) -> String) -> Option<(Mood, String)> {
    let rows = counted(lines(view).count(), "row");
    let count = |standing| lines(view).filter(|(_, line)| line.standing == standing).count();
    let of_rows = |count: usize, what: &str| format!("{count} of {rows} {what}");
    let [regressed, improved, undecided] = [Standing::Regressed, Standing::Improved, Standing::Undecided].map(count);
    let (mood, said) = match (regressed, improved, undecided) {
        (0, 0, 0) => (Mood::Calm, format!("no change in {rows}")),
        (0, 0, undecided) => (Mood::Open, of_rows(undecided, "undecided, none regressed")),
        (0, improved, _) => {
            (Mood::Better, of_rows(improved, "improved, none regressed") + &largest(view, Standing::Improved, name))
        }
        (regressed, ..) => (Mood::Worse, of_rows(regressed, "regressed") + &largest(view, Standing::Regressed, name)),
    };
    let accepted = match count(Standing::Accepted) {
        0 => String::new(),
        count => format!(" besides {}", counted(count, "accepted regression")),
    };
    view.groups.first().map(|_| (mood, said + &accepted))
}

/// Where the largest change of this kind is: `, worst engine::book/hash +11.2 %`.
fn largest(view: &View, standing: Standing, name: &dyn Fn(&str) -> String) -> String {
    let word = if standing == Standing::Regressed { "worst" } else { "best" };
    let size = |line: &Line| line.span.map_or(0.0, |span| span.estimate.abs());
    let of_kind = lines(view).filter(|(_, line)| line.standing == standing);
    // Of equal ones the first: it is also the first of the table.
    let found = of_kind.reduce(|one, other| if size(other.1) > size(one.1) { other } else { one });
    found.map_or_else(String::new, |(group, line)| format!(", {word} {} {}", row(group, line, name), line.change))
}

/// A row's name: its case, and what tells it apart from the others of its case.
pub(super) fn row(group: &Group, line: &Line, name: &dyn Fn(&str) -> String) -> String {
    let label = if line.label.is_empty() { String::new() } else { format!(" {}", name(&line.label)) };
    name(&group.case) + &label
}

fn claims(steps: &[StepView], name: &dyn Fn(&str) -> String) -> Option<(Mood, String)> {
    let count = |wanted: &dyn Fn(&StepView) -> bool, holds: Holds| {
        let claims = steps.iter().filter(|step| wanted(step)).flat_map(|step| &step.claims);
        claims.filter(|claim| claim.holds == holds).count()
    };
    let (fails, known) = (count(&|step| step.fails, Holds::Refuted), count(&|step| !step.fails, Holds::Refuted));
    let undecided = count(&|_| true, Holds::Undecided);
    let all = steps.iter().map(|step| step.claims.len()).sum();
    let of_claims = |count: usize, what: &str| format!("{count} of {} {what}", counted(all, "claim"));
    let first = steps.iter().find(|step| step.fails).map(|step| name(&step.id));
    let said = match (fails, known, undecided) {
        (0, 0, 0) => (Mood::Calm, format!("{} confirmed", counted(all, "claim"))),
        (0, 0, undecided) => (Mood::Open, of_claims(undecided, "undecided, none refuted")),
        (0, known, 0) => (Mood::Calm, of_claims(known, "refuted, as the plan knows")),
        (0, known, undecided) => {
            (Mood::Open, of_claims(undecided, &format!("undecided, {known} refuted, as the plan knows")))
        }
        (refuted, ..) => (
            Mood::Worse,
            of_claims(refuted, "refuted") + &first.map_or_else(String::new, |step| format!(", first in {step}")),
        ),
    };
    (all > 0).then_some(said)
}
