//! What every renderer shows of a change's reasons, as text.

use crate::report::line::{Labels, Standing};
use crate::report::numbers::{self, NONE};
use crate::report::text::clean;
use crate::samples::{Run, WORKING_TREE};
use crate::units;
use crate::verdict::{Beside, Blame, Blamed, Judgement, Row, Verdict};

use super::{stacks, words};

/// What is always worth a line, in this order.
const USUAL: [&str; 3] = ["wall", "cpu", "instructions"];
/// More other counters than this explain nothing.
const MOST_OTHERS: usize = 8;

/// A function whose time differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionLine {
    /// Its demangled name.
    pub name: String,
    /// How much more time per iteration is spent in it: `+120 ns`.
    pub change: String,
    /// The ends of the interval: `+110` and `+130 ns`.
    pub interval: (String, String),
    /// Whether the interval excludes zero.
    pub told: bool,
    /// Its own share of the time, before and after.
    pub own: (String, String),
    /// Its share with what it called.
    pub total: (String, String),
}

/// A metric of both sides, per iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterLine {
    /// Which metric.
    pub metric: String,
    /// The baseline's value.
    pub before: String,
    /// The candidate's value.
    pub after: String,
    /// The difference: `+11.2 %`; a dash where the baseline has none of it.
    pub change: String,
}

/// Why a row changed. All texts are on one line each and free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlameView {
    /// What is said of the row.
    pub standing: Standing,
    /// Which case.
    pub case: String,
    /// What tells the row apart from the others of its case; may be empty.
    pub label: String,
    /// The change: `+11.2 %`.
    pub change: String,
    /// The change of wall time per iteration: `+134 ns`.
    pub time: String,
    /// What the counters say of it: `instructions +11.3 %: the program does more work`; empty where they don't tell.
    pub conclusion: String,
    /// Where it happened: `+2.11 µs of it within engine::book::place`; empty where no function has nearly all of it.
    pub within: String,
    /// The functions whose own time differs, the largest difference first.
    pub functions: Vec<FunctionLine>,
    /// What was counted: the usual metrics, and of the others those that differ.
    pub counters: Vec<CounterLine>,
    /// How many more counters differ.
    pub more_counters: usize,
    /// What is to be known of the stacks.
    pub stacks: Vec<String>,
    /// The command that shows both sides.
    pub command: String,
}

/// Why rows changed, in the order of the judgement.
pub(in crate::report) fn blames(run: &Run, judgement: &Judgement, labels: &Labels) -> Vec<BlameView> {
    let changed = |row: &&Row| matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
    let row = |blame: &Blame| {
        let mut of_pair = judgement.rows.iter().filter(|row| is_of(row, blame));
        of_pair.clone().find(changed).or_else(|| of_pair.next())
    };
    let siblings = |row: &Row| judgement.rows.iter().filter(|other| other.case == row.case).count();
    let named = judgement.blames.iter().filter_map(|blame| Some((blame, row(blame)?)));
    named.map(|(blame, row)| view(run, blame, row, labels.label(row, siblings(row)))).collect()
}

fn is_of(row: &Row, blame: &Blame) -> bool {
    row.case == blame.case && row.part == blame.part && row.pair == blame.pair
}

fn view(run: &Run, blame: &Blame, row: &Row, label: String) -> BlameView {
    let (counters, more_counters) = counters(&blame.counters);
    BlameView {
        standing: Standing::of(row),
        case: clean(&blame.case.to_string()),
        label,
        change: row.change.map_or_else(|| NONE.to_owned(), |change| numbers::change(change).0),
        time: numbers::signed_duration(blame.change_ns),
        conclusion: words::conclusion(blame),
        within: words::within(blame),
        functions: blame.functions.iter().map(function).collect(),
        counters,
        more_counters,
        stacks: stacks::notes(run, blame),
        command: command(row),
    }
}

fn function(blamed: &Blamed) -> FunctionLine {
    let [change, low, high] = [blamed.change_ns, blamed.low_ns, blamed.high_ns].map(numbers::signed_duration);
    let shares = |(before, after): (f64, f64)| (units::percent(before, 1), units::percent(after, 1));
    FunctionLine {
        name: clean(&blamed.name),
        change,
        interval: numbers::ends(low, high),
        told: blamed.low_ns > 0.0 || blamed.high_ns < 0.0,
        own: shares(blamed.own),
        total: shares(blamed.total),
    }
}

/// The usual ones first, then those whose values read differently, the largest difference first; and how many were left out.
fn counters(counters: &[Beside]) -> (Vec<CounterLine>, usize) {
    let usual = USUAL.iter().filter_map(|name| counters.iter().find(|beside| beside.metric.as_str() == *name));
    let mut lines: Vec<CounterLine> = usual.map(counter).collect();
    let others = counters.iter().filter(|beside| !USUAL.contains(&beside.metric.as_str()));
    let size = |beside: &Beside| numbers::difference(beside.before, beside.after).map_or(f64::INFINITY, f64::abs);
    let mut others: Vec<(f64, CounterLine)> = others.map(|beside| (size(beside), counter(beside))).collect();
    others.retain(|(_, line)| line.before != line.after);
    others.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let left_out = others.len().saturating_sub(MOST_OTHERS);
    lines.extend(others.into_iter().take(MOST_OTHERS).map(|(_, line)| line));
    (lines, left_out)
}

fn counter(beside: &Beside) -> CounterLine {
    let [before, after] = [beside.before, beside.after].map(|value| numbers::value(&beside.metric, value));
    let change = numbers::difference(beside.before, beside.after).map_or_else(|| NONE.to_owned(), numbers::signed);
    CounterLine { metric: clean(beside.metric.as_str()), before, after, change }
}

/// It samples both sides again and shows the difference.
fn command(row: &Row) -> String {
    let mut command = format!(
        "cargo perfplan profile {} --variant {}",
        quoted(&row.case.to_string()),
        quoted(row.candidate.variant.as_str())
    );
    if row.baseline.revision != row.candidate.revision && row.baseline.revision != WORKING_TREE {
        command += &format!(" --against {}", quoted(&row.baseline.revision));
    }
    command + " --diff"
}

/// A text that a shell takes as one word, whatever is in it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+=:".contains(c);
    let text = clean(text);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_every_name_as_one_word() {
        assert_eq!(quoted("engine::book/hash"), "engine::book/hash");
        assert_eq!(quoted("a'; rm -rf / #\n"), r"'a'\''; rm -rf / #'");
        assert_eq!(quoted(""), "''");
    }
}
