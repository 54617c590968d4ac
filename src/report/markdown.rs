//! The report for comments and job summaries on GitHub.
//!
//! Untrusted text stands in code spans wherever it can: nothing inside one is a mention, a link, a reference or HTML.

use super::line::{Group, Line, Standing};
use super::numbers::counted;
use super::text::shortened;
use super::view::{Broken, View};
use super::{blame, steps};
use crate::verdict::Holds;

/// The longest text that is ever returned, in bytes. GitHub takes 65,536 characters.
pub const LONGEST: usize = 60_000;
/// The longest single text in a cell.
const LONGEST_CELL: usize = 200;
/// The longest line of an error.
const LONGEST_LINE: usize = 400;

/// The report as GitHub-flavoured Markdown, at most [`LONGEST`] bytes: of what does not fit, the number is told.
#[must_use]
pub fn markdown(view: &View) -> String {
    let head = head(view);
    let [steps, open, confirmed] = steps::sections(&view.steps);
    let sections = [
        eyes(view),
        absolutes(view),
        blame::section(&view.blames),
        steps,
        open,
        confirmed,
        differences(view),
        failures(&view.failures),
        missing(view),
        skipped(&view.skipped),
        calm(view),
        environment(view),
    ];
    let reserved: usize = sections.iter().flatten().map(Section::least).sum();
    let mut free = LONGEST.saturating_sub(head.len() + reserved);
    let mut text = head;
    for section in sections.iter().flatten() {
        let written = section.write(section.least() + free);
        free = (free + section.least()).saturating_sub(written.len());
        text += &written;
    }
    text
}

/// A part of the report that can be cut after any entry.
pub(super) struct Section {
    open: String,
    entries: Vec<String>,
    close: &'static str,
    noun: &'static str,
}

impl Section {
    /// `None` without entries: a section says something or is not there.
    pub(super) fn new(open: String, entries: Vec<String>, close: &'static str, noun: &'static str) -> Option<Self> {
        (!entries.is_empty()).then_some(Self { open, entries, close, noun })
    }

    /// Room for saying that everything was left out.
    fn least(&self) -> usize {
        self.open.len() + self.close.len() + self.left_out(self.entries.len()).len()
    }

    /// As many entries as fit into `most` bytes, and the number of the others.
    pub(super) fn write(&self, most: usize) -> String {
        let mut text = self.open.clone();
        let reserve = self.close.len() + self.left_out(self.entries.len()).len();
        let mut written = 0;
        for entry in &self.entries {
            if text.len() + entry.len() + reserve > most {
                break;
            }
            text += entry;
            written += 1;
        }
        text += self.close;
        if written < self.entries.len() {
            text += &self.left_out(self.entries.len() - written);
        }
        text
    }

    fn left_out(&self, count: usize) -> String {
        format!("\n_{} more left out: the report's page and the run's file have all._\n", counted(count, self.noun))
    }
}

fn head(view: &View) -> String {
    let mut text = format!(
        "### {}{}\n\n{}<br><sub>{}</sub>\n\n",
        icon(view),
        prose(&view.headline),
        prose(&view.title),
        prose(&view.origin)
    );
    text += &format!("**{}**", prose(&view.summary));
    if !view.false_alarms.is_empty() {
        text += &format!("<br>expected false alarms in this report: {}", prose(&view.false_alarms));
    }
    if !view.complete {
        text += "<br>the run is not complete: `cargo perfplan run --resume` goes on";
    }
    text + "\n"
}

/// The worst of all rows and steps; nothing where nothing was judged.
fn icon(view: &View) -> &'static str {
    let rows = view.groups.iter().map(Group::standing).min();
    let undecided = view.steps.iter().any(|step| step.holds == Holds::Undecided);
    match rows {
        _ if view.steps.iter().any(|step| step.fails) => "❌ ",
        Some(Standing::Regressed) => "❌ ",
        Some(Standing::Improved) => "🚀 ",
        Some(Standing::Undecided) => "❔ ",
        _ if undecided => "❔ ",
        None if view.steps.is_empty() => "",
        _ => "✅ ",
    }
}

const HEADER: &str = "| verdict | case | change | interval | baseline → candidate | sees | notes |\n\
                      | :-- | :-- | --: | :-: | --: | --: | :-- |\n";

fn eyes(view: &View) -> Option<Section> {
    let rows = rows(view, |line| line.standing.needs_eyes());
    Section::new(format!("\n{HEADER}"), rows, "", "row")
}

fn calm(view: &View) -> Option<Section> {
    let mut rows = rows(view, |line| !line.standing.needs_eyes() && line.standing != Standing::SameCode);
    let same =
        view.same_code.iter().map(|same| format!("| = {} | {} | | | | | |\n", Standing::SameCode.words(), code(same)));
    rows.extend(same);
    let count = view.groups.iter().flat_map(|group| &group.lines).filter(|line| !line.standing.needs_eyes()).count();
    let open = format!("\n<details><summary>{}</summary>\n\n{HEADER}", counted(count, "unchanged row"));
    Section::new(open, rows, "\n</details>\n", "line")
}

fn rows(view: &View, wanted: impl Fn(&Line) -> bool) -> Vec<String> {
    let all = view.groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line)));
    all.filter(|(_, line)| wanted(line)).map(|(group, line)| row(group, line)).collect()
}

fn row(group: &Group, line: &Line) -> String {
    let standing = line.standing;
    let words = if standing.needs_eyes() { format!("**{}**", standing.words()) } else { standing.words().to_owned() };
    let label = if line.label.is_empty() { String::new() } else { format!(" {}", code(&line.label)) };
    let interval = line.interval.as_ref().map_or(String::new(), |(low, high)| format!("{low} … {high}"));
    let values = line.values.as_ref().map_or(String::new(), |(old, new)| format!("{old} → {new}"));
    let notes: Vec<String> = line.notes.iter().map(|note| prose(note)).collect();
    format!(
        "| {} {words} | {}{label} | {} | {interval} | {values} | {} | {} |\n",
        standing.mark(),
        code(&group.case),
        line.change,
        line.visible,
        notes.join("; ")
    )
}

fn absolutes(view: &View) -> Option<Section> {
    let arm = |arm: &str| {
        if arm.is_empty() { String::new() } else { format!(" {}", code(arm)) }
    };
    let rows = view.absolutes.iter().map(|value| {
        let (case, arm, metric) = (code(&value.case), arm(&value.arm), code(&value.metric));
        let (mean, spread, allocations) = (&value.mean, &value.spread, &value.allocations);
        format!("| {case}{arm} | {metric} | {mean} | {spread} | {} | {allocations} |\n", value.rounds)
    });
    let header = "\n| case | metric | mean per iteration | spread between rounds | rounds | allocations |\n\
                  | :-- | :-- | --: | --: | --: | --: |\n";
    Section::new(header.to_owned(), rows.collect(), "", "row")
}

fn differences(view: &View) -> Option<Section> {
    let rows = view.differences.iter();
    let rows = rows.map(|(name, here, there)| format!("| {} | {} | {} |\n", code(name), code(here), code(there)));
    let open = "\n#### The environments differ\n\n| fact | here | there |\n| :-- | :-- | :-- |\n";
    Section::new(open.to_owned(), rows.collect(), "", "fact")
}

/// What could not be measured, why, and the commands that show it again.
pub(super) fn failures(failures: &[Broken]) -> Option<Section> {
    let entries = failures.iter().map(|failure| {
        let command = failure.command.as_ref().map_or(String::new(), |command| fenced(std::slice::from_ref(command)));
        format!("\n✗ {}\n{}{command}", code(&failure.what), fenced(&failure.why))
    });
    let open = format!("\n#### {}\n", counted(failures.len(), "failure"));
    Section::new(open, entries.collect(), "", "failure")
}

/// Variants and why they were not built.
pub(super) fn skipped(skipped: &[(String, String)]) -> Option<Section> {
    let entries = skipped.iter().map(|(name, why)| format!("- {}: {}\n", code(name), code(why))).collect();
    let open = "\n#### Not measured: this machine or its tools can't\n\n".to_owned();
    Section::new(open, entries, "", "variant")
}

fn missing(view: &View) -> Option<Section> {
    let entries = view.missing.iter().map(|case| format!("- {}\n", code(case))).collect();
    let open = format!("\n#### {} missing: asked for, not measured\n\n", counted(view.missing.len(), "case"));
    Section::new(open, entries, "", "case")
}

fn environment(view: &View) -> Option<Section> {
    let fact = |(name, value): &(String, String)| format!("| {} | {} |\n", code(name), code(value));
    let absent = view.absent.iter().map(|(metric, why)| fact(&(metric.clone(), format!("not measured: {why}"))));
    let rows = view.environment.iter().map(fact).chain(absent).collect();
    let open = "\n<details><summary>environment</summary>\n\n| fact | value |\n| :-- | :-- |\n";
    Section::new(open.to_owned(), rows, "\n</details>\n", "fact")
}

/// A text in a code span that also holds inside a table. Backslashes can't escape anything there, so the two characters that
/// would end the span or the cell give way to ones that look alike.
pub(super) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let inside = shortened(text, LONGEST_CELL).replace('`', "ˋ").replace('|', "∣");
    format!("`{}`", inside.trim())
}

/// Lines in a block that no line of theirs can end.
pub(super) fn fenced(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines.iter().map(|line| shortened(line, LONGEST_LINE)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("\n{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// A sentence with names in it: everything that Markdown, HTML or GitHub would act on stands for itself. Mentions, references and
/// addresses (`@name`, `#1`, `GH-1`, `http://`) are looked for after escapes are gone, so an invisible joint breaks them.
pub(super) fn prose(text: &str) -> String {
    const JOINT: char = '\u{2060}';
    let mut safe = String::with_capacity(text.len());
    let (mut before, mut last) = (' ', ' ');
    for c in shortened(text, 2 * LONGEST_CELL).chars() {
        let reference = c.is_ascii_digit() && last == '-' && before.eq_ignore_ascii_case(&'h');
        if matches!(last, '@' | '#') || (last == ':' && c == '/') || reference {
            safe.push(JOINT);
        }
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            other if other.is_ascii_punctuation() && !matches!(other, ',' | ';' | '%') => safe.extend(['\\', other]),
            other => safe.push(other),
        }
        (before, last) = (last, c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_cannot_be_left() {
        assert_eq!(code("a`|b"), "`aˋ∣b`");
        assert_eq!(code("<img src=x> @team"), "`<img src=x> @team`");
        assert_eq!(code("` `"), "`ˋ ˋ`");
        assert_eq!(code("  "), "");
    }

    #[test]
    fn a_block_cannot_be_left() {
        let block = fenced(&["```` out".to_owned(), "x".to_owned()]);
        assert_eq!(block, "\n`````text\n```` out\nx\n`````\n");
    }

    #[test]
    fn nothing_in_a_sentence_is_acted_on() {
        let hostile = prose("<b>@team #1 GH-12 [x](https://evil.example) `|` www.evil.example a@b.example");
        assert_eq!(
            hostile,
            "&lt;b&gt;\\@\u{2060}team \\#\u{2060}1 GH\\-\u{2060}12 \\[x\\]\\(https\\:\u{2060}\\/\\/evil\\.example\\) \
             \\`\\|\\` www\\.evil\\.example a\\@\u{2060}b\\.example"
        );
        assert_eq!(prose("+1.02 %, fine"), "\\+1\\.02 %, fine");
    }

    #[test]
    fn a_section_that_does_not_fit_says_how_much_is_missing() {
        let entries: Vec<String> = (0..10).map(|n| format!("entry {n}\n")).collect();
        let section = Section::new("open\n".to_owned(), entries, "close\n", "row").unwrap();
        let cut = section.write(section.least() + 20);
        assert!(cut.starts_with("open\nentry 0\nentry 1\nclose\n") && cut.contains("8 rows more left out"), "{cut}");
        assert!(cut.len() <= section.least() + 20);
        assert_eq!(section.write(10_000).lines().count(), 12);
    }
}
