//! The counts, as a Markdown table.

use std::time::Duration;

use crate::said::{Change, DEFAULT_THRESHOLD, Direction, HALF_THRESHOLD};

/// What is known of the program that was compared with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is the baseline's program.
    Unchanged,
    /// It does 1 % more work.
    OnePercentMore,
}

/// One kernel in one comparison.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Its name.
    pub kernel: &'static str,
    /// What should be said.
    pub truth: Truth,
    /// What is said.
    pub change: Change,
    /// Time for it: the kernel's share of the baseline's run and of the compared one.
    pub took: Duration,
}

impl Observation {
    /// The observation in a line of text.
    pub fn line(&self) -> String {
        let truth = match self.truth {
            Truth::Unchanged => "unchanged",
            Truth::OnePercentMore => "1 % more",
        };
        let verdict = match self.change.verdict(DEFAULT_THRESHOLD) {
            Some(Direction::Faster) => "called faster",
            Some(Direction::Slower) => "called slower",
            None => "not called changed",
        };
        let Change { lower, mean, upper, .. } = self.change;
        format!("{truth:9} {:10} {} [{} to {}] {verdict}", self.kernel, percent(mean), percent(lower), percent(upper))
    }

    fn called(&self, threshold: f64, direction: Direction) -> bool {
        self.change.verdict(threshold) == Some(direction)
    }
}

const HEAD: &str = "\
| kernel | trials | called changed though unchanged | with a threshold of 0.5 % | largest such change | 1 % more work found | with a threshold of 0.5 % | seconds per verdict |
|---|---|---|---|---|---|---|---|
";

/// One row per kernel, in the order of the observations, and one for all. There is at least one observation.
pub fn markdown(observations: &[Observation]) -> String {
    let mut kernels: Vec<&str> = Vec::new();
    for observation in observations {
        if !kernels.contains(&observation.kernel) {
            kernels.push(observation.kernel);
        }
    }
    let of = |kernel: &str| observations.iter().filter(|seen| seen.kernel == kernel).collect::<Vec<_>>();
    let rows = kernels.iter().map(|kernel| row(kernel, &of(kernel)));
    let all = row("**all**", &observations.iter().collect::<Vec<_>>());
    HEAD.to_owned() + &rows.chain([all]).collect::<String>()
}

fn row(name: &str, seen: &[&Observation]) -> String {
    let with = |truth| seen.iter().copied().filter(|seen| seen.truth == truth).collect::<Vec<_>>();
    let (unchanged, more) = (with(Truth::Unchanged), with(Truth::OnePercentMore));
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {:.1} |\n",
        unchanged.len(),
        false_alarms(&unchanged, DEFAULT_THRESHOLD),
        false_alarms(&unchanged, HALF_THRESHOLD),
        largest(&unchanged),
        found(&more, DEFAULT_THRESHOLD),
        found(&more, HALF_THRESHOLD),
        (seen.iter().map(|seen| seen.took).sum::<Duration>() / seen.len() as u32).as_secs_f64(),
    )
}

fn false_alarms(unchanged: &[&Observation], threshold: f64) -> String {
    let alarms = unchanged.iter().filter(|seen| seen.change.verdict(threshold).is_some()).count();
    format!("{alarms} of {}", unchanged.len())
}

/// The estimate that is furthest from 0, of those that are called a change with the lower threshold.
fn largest(unchanged: &[&Observation]) -> String {
    let called = unchanged.iter().filter(|seen| seen.change.verdict(HALF_THRESHOLD).is_some());
    let largest = called.map(|seen| seen.change.mean).max_by(|a, b| a.abs().total_cmp(&b.abs()));
    largest.map_or("-".to_owned(), percent)
}

/// Only the right direction counts as found; the wrong one is told.
fn found(more: &[&Observation], threshold: f64) -> String {
    let count = |direction| more.iter().filter(|seen| seen.called(threshold, direction)).count();
    let wrong = match count(Direction::Faster) {
        0 => String::new(),
        wrong => format!(" ({wrong} called faster)"),
    };
    format!("{} of {}{wrong}", count(Direction::Slower), more.len())
}

fn percent(share: f64) -> String {
    format!("{:+.2} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::Sentence;

    fn seen(kernel: &'static str, truth: Truth, change: Change) -> Observation {
        Observation { kernel, truth, change, took: Duration::from_millis(5_500) }
    }

    fn about(mean: f64) -> Change {
        Change { significant: true, lower: mean - 0.002, mean, upper: mean + 0.002 }
    }

    #[test]
    fn verdicts_are_counted_per_kernel_and_for_all() {
        let recorded = |sentence, text| Change::of(sentence, text).unwrap();
        let regressed = recorded(Sentence::Regressed, include_str!("samples/regressed.json"));
        let improved = recorded(Sentence::Improved, include_str!("samples/improved.json"));
        let within_noise = recorded(Sentence::WithinNoise, include_str!("samples/within-noise.json"));
        let not_detected = recorded(Sentence::NotDetected, include_str!("samples/not-detected.json"));
        let observations = [
            seen("sorting", Truth::Unchanged, regressed.clone()),
            seen("btree", Truth::Unchanged, not_detected),
            seen("sorting", Truth::OnePercentMore, improved),
            seen("btree", Truth::OnePercentMore, within_noise),
            seen("sorting", Truth::Unchanged, about(-0.008)),
            seen("btree", Truth::Unchanged, about(0.001)),
            seen("sorting", Truth::OnePercentMore, regressed),
            seen("btree", Truth::OnePercentMore, about(0.010)),
        ];
        let expected = "\
            | sorting | 2 | 1 of 2 | 2 of 2 | +3.74 % | 1 of 2 (1 called faster) | 1 of 2 (1 called faster) | 5.5 |\n\
            | btree | 2 | 0 of 2 | 0 of 2 | - | 0 of 2 | 1 of 2 | 5.5 |\n\
            | **all** | 4 | 1 of 4 | 2 of 4 | +3.74 % | 1 of 4 (1 called faster) | 2 of 4 (1 called faster) | 5.5 |\n";
        assert_eq!(markdown(&observations).strip_prefix(HEAD), Some(expected));
    }

    #[test]
    fn the_largest_false_change_may_be_negative() {
        let observations =
            [about(0.02), about(-0.30), about(0.0)].map(|change| seen("btree", Truth::Unchanged, change));
        assert!(
            markdown(&observations).contains("| 2 of 3 | 2 of 3 | -30.00 % | 0 of 0 |"),
            "{}",
            markdown(&observations)
        );
    }

    #[test]
    fn a_line_tells_truth_estimate_and_verdict() {
        let line = seen("btree", Truth::OnePercentMore, about(0.02)).line();
        assert_eq!(line, "1 % more  btree      +2.00 % [+1.80 % to +2.20 %] called slower");
    }
}
