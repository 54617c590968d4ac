//! Why rows changed, on GitHub.

use crate::report::markdown::{Section, code, fenced, prose};
use crate::report::numbers::counted;

use super::view::{BlameView, CounterLine, FunctionLine};

/// One entry per changed row: what the counters say, the functions, and, folded, the counters.
pub(in crate::report) fn section(blames: &[BlameView]) -> Option<Section> {
    let entries = blames.iter().map(entry).collect();
    Section::new("\n#### Why it changed\n".to_owned(), entries, "", "change")
}

fn entry(blame: &BlameView) -> String {
    let label = if blame.label.is_empty() { String::new() } else { format!(" {}", code(&blame.label)) };
    let sentence = |text: &String| if text.is_empty() { String::new() } else { format!("<br>{}", prose(text)) };
    let conclusion = sentence(&blame.conclusion) + &sentence(&blame.within);
    let (mark, case) = (blame.standing.mark(), code(&blame.case));
    let mut text = format!("\n{mark} {case}{label} **{}**, {} per iteration{conclusion}\n", blame.change, blame.time);
    text += &functions(&blame.functions);
    text += &counters(&blame.counters, blame.more_counters);
    text += &blame.stacks.iter().map(|note| format!("\n_{}_\n", prose(note))).collect::<String>();
    text + &fenced(std::slice::from_ref(&blame.command))
}

fn functions(lines: &[FunctionLine]) -> String {
    if lines.is_empty() {
        return "\nNo function's own time differs by so much that it explains the change.\n".to_owned();
    }
    let header = "\n| time | interval | function | own share | with callees |\n| --: | :-: | :-- | --: | --: |\n";
    header.to_owned() + &lines.iter().map(function).collect::<String>()
}

fn function(line: &FunctionLine) -> String {
    let change = if line.told { format!("**{}**", line.change) } else { line.change.clone() };
    let ((low, high), (own, now)) = (&line.interval, &line.own);
    let (total, then) = &line.total;
    format!("| {change} | {low} … {high} | {} | {own} → {now} | {total} → {then} |\n", code(&line.name))
}

fn counters(lines: &[CounterLine], more: usize) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let row = |line: &CounterLine| {
        format!("| {} | {} | {} | {} |\n", code(&line.metric), line.before, line.after, line.change)
    };
    let rows: String = lines.iter().map(row).collect();
    let left_out = if more > 0 { format!("\n{} differ too.\n", counted(more, "more counter")) } else { String::new() };
    format!(
        "\n<details><summary>counters of both sides</summary>\n\n| per iteration | before | after | change |\n\
         | :-- | --: | --: | --: |\n{rows}{left_out}\n</details>\n"
    )
}
