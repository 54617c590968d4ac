//! An advice for comments and job summaries on GitHub. Every name stands in a code span: nothing inside one is a mention, a
//! link, a reference or HTML.

use crate::report::markdown::{LONGEST, code, failures, skipped};

use super::phrase::Phrase;
use super::reasons::Said;
use super::view::{COSTS, EffectLine, FittingLine, Tune};

/// The advice as GitHub-flavoured Markdown.
#[must_use]
pub fn tune_markdown(tune: &Tune) -> String {
    let item = |line: &Phrase| format!("- {}\n", phrase(line));
    let mut text = format!("### {}\n\n", phrase(&tune.outcome.headline));
    text += &tune.confirmation.as_ref().map_or(String::new(), |told| format!("**{}**\n\n", phrase(told)));
    text += &format!("{}<br><sub>{}</sub>\n\n", title(&tune.title), phrase(&tune.baseline));
    text += &tune.outcome.expected.iter().map(item).collect::<String>();
    if !tune.effects.is_empty() {
        text += &effects(tune);
    }
    text += &section("Two knobs together", tune.interactions.iter().map(item));
    text += &fittings(tune);
    let (taken, left): (Vec<&Said>, Vec<&Said>) = tune.outcome.reasons.iter().partition(|said| said.taken);
    text += &section("Taken", taken.into_iter().map(reason));
    text += &section("Left", left.into_iter().map(reason));
    let lost = [failures(&tune.failures), skipped(&tune.skipped)];
    text + &lost.iter().flatten().map(|section| section.write(LONGEST)).collect::<String>()
}

/// A heading over lines, or nothing where there are none.
fn section(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n#### {heading}\n\n{lines}") }
}

/// The title names a metric and a design: plain words, and no more trusted than any other text.
fn title(title: &str) -> String {
    let (words, names) = title.split_once(": ").unwrap_or(("", title));
    format!("{words}: {}", code(names))
}

fn effects(tune: &Tune) -> String {
    let workloads: &[String] = if tune.workloads.len() > 1 { &tune.workloads } else { &[] };
    let headings = workloads.iter().map(|name| code(name)).chain(COSTS.map(|(_, heading)| heading.to_owned()));
    let headings: Vec<String> = headings.collect();
    let ruler = vec!["--:"; headings.len()].join(" | ");
    let mut text = format!(
        "\n| knob | value | overall | interval | {} | notes |\n| :-- | :-- | --: | :-: | {ruler} | :-- |\n",
        headings.join(" | ")
    );
    tune.effects.iter().for_each(|line| text += &effect(line, workloads.len()));
    text + &format!("\n<details><summary>how to read the table</summary>\n\n{}\n\n</details>\n", tune.legend)
}

fn effect(line: &EffectLine, workloads: usize) -> String {
    let interval = line.interval.as_ref().map_or(String::new(), |(low, high)| format!("{low} … {high}"));
    let numbers: Vec<&str> = line.workloads.iter().take(workloads).chain(&line.costs).map(String::as_str).collect();
    let change = if line.standing.needs_eyes() { format!("**{}**", line.change) } else { line.change.clone() };
    format!(
        "| {} {} | {} | {change} | {interval} | {} | {} |\n",
        line.standing.mark(),
        code(&line.knob),
        code(&line.value),
        numbers.join(" | "),
        line.notes.join("; ")
    )
}

fn fittings(tune: &Tune) -> String {
    let row = |line: &FittingLine| {
        format!("| {} | {} | {} | {} |\n", code(&line.variant), line.trained, line.others, line.difference)
    };
    let rows: String = tune.fittings.iter().map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    let header = "| variant | trained on | others | difference |\n| :-- | :-- | :-- | :-- |\n";
    format!("\n#### Guided builds where they were trained, and elsewhere\n\n{header}{rows}")
}

fn reason(said: &Said) -> String {
    let change = if said.change.is_empty() { String::new() } else { format!(" {}", said.change) };
    format!("- {}{change}: {}\n", code(&said.setting), phrase(&said.why))
}

fn phrase(phrase: &Phrase) -> String {
    phrase.text(code)
}
