//! The comment, from its hidden first line to the command that measures all of it again.

use crate::report::arms::revision;
use crate::report::blame;
use crate::report::line::Standing;
use crate::report::markdown::{
    LONGEST, Section, absolutes, calm, code, differences, environment, fitted, missing, plan_changes, prose, skipped,
};
use crate::report::numbers::counted;
use crate::report::text::clean;
use crate::report::view::View;

use super::frame::Frame;
use super::verdict::{Mood, verdict};
use super::{broken, chart, claims, quiet, rows, sticky};

/// Whether the page that shows it draws charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charts {
    Drawn,
    LeftOut,
}

/// The comment of a plan on a pull request, as GitHub-flavoured Markdown of at most [`LONGEST`] bytes: GitHub takes 65,536
/// characters. Its first line is the [`marker`](super::marker), which nobody sees.
#[must_use]
pub fn comment(view: &View, frame: &Frame) -> String {
    let first = sticky::written(&frame.plan, frame.newest) + "\n";
    let room = LONGEST.saturating_sub(first.len());
    first + &body(view, frame, room, Charts::Drawn)
}

/// All but the first line, in at most `most` bytes: what needs eyes stands open, all else is folded. No section takes more than
/// half of the room that is left, so that thousands of rows leave some to what explains them.
pub(super) fn body(view: &View, frame: &Frame, most: usize, charts: Charts) -> String {
    let (head, foot) = (head(view, frame), foot(frame));
    let room = most.saturating_sub(head.len() + foot.len());
    let sections: Vec<Option<Section>> = eyes(view, charts).into_iter().chain(folded(view)).collect();
    head + &fitted(&sections, room, 2) + &foot
}

fn head(view: &View, frame: &Frame) -> String {
    let (mood, sentence) = verdict(view, &code);
    let mut text = format!("### {}{sentence}\n\n{}\n", mood.icon(), prose(&view.summary));
    let quiet = Some(quiet::bounds(view)).filter(|said| !said.is_empty() && mood >= Mood::Open);
    text += &quiet.map_or_else(String::new, |said| format!("\n{said}\n"));
    text + &format!("\n<sub>{}</sub>\n", about(view, frame).join("</sub><br><sub>"))
}

/// What was compared with what, where, by whose word, and how far that is to be believed.
fn about(view: &View, frame: &Frame) -> Vec<String> {
    let plan = Some(code(&clean(&frame.plan))).filter(|plan| !plan.is_empty()).map(|plan| format!("plan {plan}"));
    let commits = Some(frame.commits()).filter(|commits| !commits.is_empty());
    let compared = plan.into_iter().chain(commits).chain([prose(&brief(&view.title))]).collect::<Vec<_>>().join(" · ");
    let alarms = (!view.false_alarms.is_empty())
        .then(|| format!("expected false alarms in this report: {}", prose(&view.false_alarms)));
    let judge = view.judged_by.as_deref().map(|judge| format!("judged by the plan of {}", code(&revision(judge))));
    let where_and_how = [Some(code(&view.origin)), judge, alarms].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    vec![compared, where_and_how]
}

/// A sentence with the full ids of commits in short.
fn brief(sentence: &str) -> String {
    let word = |word: &str| {
        let (name, rest) = word.split_at(word.trim_end_matches([',', ';']).len());
        revision(name) + rest
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// What a person has to look at, and what belongs to it.
fn eyes(view: &View, charts: Charts) -> Vec<Option<Section>> {
    let chart = |standing| match charts {
        Charts::Drawn => Section::new(String::new(), chart::chart(view, standing).into_iter().collect(), "", "chart"),
        Charts::LeftOut => None,
    };
    let regressed = chart(Standing::Regressed);
    let improved = if regressed.is_some() { None } else { chart(Standing::Improved) };
    vec![
        broken::first(view),
        broken::others(view),
        rows::regressed(view),
        claims::refuted(&view.steps),
        regressed,
        why(view),
        rows::undecided(view),
        claims::undecided(&view.steps),
        rows::accepted(view),
        plan_changes(view),
        rows::improved(view),
        improved,
        missing(view),
        skipped(&view.skipped),
        differences(view),
    ]
}

/// The functions, the counters and the command of each row that was looked into.
fn why(view: &View) -> Option<Section> {
    let rows = counted(view.blames.len(), "changed row");
    Some(blame::section(&view.blames)?.folded(&format!("functions, counters and a command for {rows}")))
}

/// What is there for who asks.
fn folded(view: &View) -> Vec<Option<Section>> {
    let values = counted(view.absolutes.len(), "measured value");
    let [steps, known, confirmed] = claims::folded(&view.steps);
    let absolutes = absolutes(view).map(|section| section.folded(&values));
    vec![steps, known, confirmed, absolutes, calm(view), environment(view)]
}

fn foot(frame: &Frame) -> String {
    let files =
        Some(frame.files()).filter(|files| !files.is_empty()).map_or_else(String::new, |files| format!("\n{files}\n"));
    format!("{files}\nAll of it again, or with a case's name behind `run` that one alone:\n{}", frame.again())
}
