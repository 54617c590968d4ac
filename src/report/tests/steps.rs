//! Steps of a plan as they are read.

use super::super::examples::*;
use super::super::text;
use super::super::{Style, View, json, markdown, terminal};
use super::terminal::assert_reads;
use crate::samples::Run;
use crate::verdict::{ClaimOutcome, Holds, Judgement, StepOutcome, Verdict, Why};

const PLAIN: Style = Style { colour: false, width: 100 };

fn of(steps: Vec<StepOutcome>) -> Judgement {
    Judgement { steps, ..judgement(Vec::new()) }
}

fn shown(run: &Run, judgement: &Judgement) -> String {
    terminal(&View::of(run, judgement), PLAIN)
}

/// What is said of one claim.
fn says(claim: ClaimOutcome) -> String {
    View::of(&run(&[]), &of(vec![step("s", None, vec![claim])])).steps[0].claims[0].says()
}

#[test]
fn a_plan_says_what_each_step_bought_and_which_claims_hold() {
    assert_reads(&shown(&run(&[]), &of(plan())), include_str!("../snapshots/steps.txt"));
}

#[test]
fn a_narrow_terminal_has_all_of_it_too() {
    let view = View::of(&run(&[]), &of(plan()));
    assert_reads(&terminal(&view, Style { colour: false, width: 80 }), include_str!("../snapshots/steps_narrow.txt"));
}

#[test]
fn lines_of_steps_fit_into_the_terminal() {
    let mut steps = plan();
    steps.push(step("a-very-long-name/".repeat(5).trim_end_matches('/'), Some((0.03, 0.01)), Vec::new()));
    steps[3].step.title = "words and ".repeat(40);
    steps[3].claims =
        vec![claim(&"wall <= 0.9x  before ".repeat(20), Holds::Undecided, None, Why::Absent("why ".repeat(90)))];
    let view = View::of(&run(&[]), &of(steps));
    for width in [65, 80, 90, 100, 120, 160] {
        let shown = terminal(&view, Style { colour: false, width });
        let widest = shown.lines().map(text::width).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{shown}");
    }
}

#[test]
fn headline_and_summary_count_claims_beside_rows() {
    let view = |judgement: &Judgement| View::of(&run(&[]), judgement);
    let alone = view(&of(plan()));
    assert_eq!(alone.title, "3 steps of the plan");
    assert_eq!(alone.headline, "3 of 10 claims refuted (csv-writer)");
    assert_eq!(alone.summary, "10 claims: 4 confirmed, 3 refuted, 3 undecided");
    assert_eq!(alone.false_alarms, "0.01");
    let both = view(&Judgement { steps: plan(), ..judgement(calm_rows()) });
    assert_eq!(both.title, "wall of working tree against revision main; 3 steps of the plan");
    assert_eq!(both.headline, "no change in 3 rows; 3 of 10 claims refuted (csv-writer)");
    assert!(both.summary.ends_with("0 improved; 10 claims: 4 confirmed, 3 refuted, 3 undecided"), "{}", both.summary);
    assert_eq!(both.false_alarms, "0.01 among the rows, 0.01 among the claims");
    let [cache, _, lookups] = plan().try_into().unwrap();
    assert_eq!(view(&of(vec![cache.clone()])).headline, "3 claims confirmed");
    assert_eq!(view(&of(vec![cache, lookups])).headline, "1 of 5 claims undecided, none refuted");
    assert_eq!(view(&of(Vec::new())).headline, "nothing was compared");
}

#[test]
fn what_the_plan_knows_already_is_said_and_alarms_nobody() {
    let mut writer = plan().remove(1);
    writer.step.expect = "refuted: 9 %".to_owned();
    let view = View::of(&run(&[]), &of(vec![writer]));
    assert_eq!(view.headline, "3 of 5 claims refuted, as the plan knows");
    assert!(
        terminal(&view, PLAIN).contains("\n    known so far: refuted: 9 %\n    ✗ wall <="),
        "{}",
        terminal(&view, PLAIN)
    );
    let comment = markdown(&view);
    assert!(
        comment.starts_with("### ✅ 3 of 5") && comment.contains("<br><sub>known so far\\: refuted\\: 9 %</sub>"),
        "{comment}"
    );
}

#[test]
fn numbers_of_a_claim_have_its_scale_and_enough_digits() {
    let refuted = |estimate, half, by| says(claim("c", Holds::Refuted, ratio(estimate, half), Why::Beyond(by)));
    assert_eq!(refuted(0.71, 0.01, 0.01), "0.71x (0.70 … 0.72): misses the bound by 0.01x");
    assert_eq!(refuted(0.7012, 0.0003, 0.0012), "0.7012x (0.7009 … 0.7015): misses the bound by 0.0012x");
    assert_eq!(refuted(0.85, 0.03, -0.0004), "0.85x (0.82 … 0.88): misses the bound by 0.0004x");
    assert_eq!(refuted(1.0, 0.0, 0.25), "1.000x: misses the bound by 0.250x");
    let value = |metric, estimate, half, by| {
        says(absolute("c", metric, Holds::Refuted, measured_for(estimate, half, 9), Why::Beyond(by)))
    };
    assert_eq!(value("rss.peak", 2.1e9, 1e7, 1e8), "1.96 GiB (1.95 … 1.97 GiB): misses the bound by 95.4 MiB");
    assert_eq!(value("alloc.count", 4.0, 0.0, 1.0), "4: misses the bound by 1");
    assert_eq!(value("latency.p99", 9.9e5, 3e4, 1e3), "990 µs (960 µs … 1.02 ms): misses the bound by 1.00 µs");
    assert_eq!(value("no metric", 4.0, f64::INFINITY, 1.0), "4 (-∞ … ∞): misses the bound by 1");
}

#[test]
fn a_claim_that_is_not_confirmed_says_why() {
    let open = |why| says(claim("c", Holds::Undecided, None, why));
    assert_eq!(open(Why::Absent(String::new())), "not measured yet");
    assert_eq!(open(Why::Absent("no perf\nhere".to_owned())), "not measured: no perf here");
    assert_eq!(
        open(Why::Unreadable("expected a bound\n  wall <=\n         ^".to_owned())),
        "can't be read: expected a bound"
    );
    assert_eq!(open(Why::Different), "the results differ");
    let wide = |why| says(claim("c", Holds::Undecided, ratio(0.7, 0.05), why));
    assert_eq!(wide(Why::MoreRounds(300)), "0.70x (0.65 … 0.75): about 300 rounds would decide, 40 so far");
    assert_eq!(wide(Why::MoreRounds(40)), "0.70x (0.65 … 0.75): a few more rounds would decide");
    assert_eq!(wide(Why::TooClose), "0.70x (0.65 … 0.75): too close to the bound to tell");
}

#[test]
fn outcomes_have_colours_and_confirmed_claims_are_dim() {
    let view = View::of(&run(&[]), &of(plan()));
    let mut coloured = terminal(&view, Style { colour: true, ..PLAIN });
    for part in [
        "\u{1b}[32m✓ confirmed\u{1b}[0m",
        "\u{1b}[31m✗ refuted\u{1b}[0m",
        "\u{1b}[33m? undecided\u{1b}[0m",
        "\u{1b}[2m    ✓\u{1b}[0m\u{1b}[2m wall <= 0.70x before ",
        "\u{1b}[31m    ✗\u{1b}[0m wall <= 0.70x before ",
    ] {
        assert!(coloured.contains(part), "{part} in {coloured}");
    }
    for code in ["0", "1", "2", "31", "32", "33"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, terminal(&view, PLAIN));
}

#[test]
fn a_comment_shows_what_does_not_hold_and_folds_what_does() {
    let text = markdown(&View::of(&run(&[]), &of(plan())));
    assert!(text.starts_with("### ❌ 3 of 10 claims refuted \\(csv\\-writer\\)\n"), "{text}");
    let (open, folded) = text.split_once("<details><summary>4 confirmed claims</summary>").unwrap();
    for part in [
        "| ✗ **refuted** | `csv-writer` | 1.20 ms → 1.09 ms | -9.20 % | -9.60 … -8.80 % |\n",
        "| ✓ confirmed | `redb-snapshot-cache`<br><sub>Read each snapshot range once \\(000, section 1\\)</sub> | 1.20 ms",
        "| ? **undecided** | `lookups` | 38.2 µs | – |  |\n",
        "| ✗ **refuted** | `csv-writer` | `wall <= 0.70x before` | 0.908x (0.904 … 0.912) | misses the bound by 0\\.208x |\n",
        "| ? **undecided** | `lookups` | `throughput > 100k/s` | 101k/s (97.0k/s … 105k/s) | too close to the bound to tell |",
    ] {
        assert!(open.contains(part), "{part}\nis not in\n{open}");
    }
    assert!(
        !open.contains("get_subscriber_at") && folded.contains("`profile.share(get_subscriber_at) <= 0.20x before`")
    );
    assert!(markdown(&View::of(&run(&[]), &of(vec![plan().remove(0)]))).starts_with("### ✅ 3 claims confirmed\n"));
    let improved = row("w::a", Verdict::Improved, -0.03, 0.01);
    let promised = Judgement { steps: plan(), ..judgement(vec![improved]) };
    assert!(markdown(&View::of(&run(&[]), &promised)).starts_with("### ❌ 1 of 1 row improved"));
}

#[test]
fn scripts_get_the_steps_and_the_counts_of_their_claims() {
    let value: serde_json::Value = serde_json::from_str(&json(&run(&[]), &of(plan()))).unwrap();
    assert_eq!(value["counts"]["claims"], serde_json::json!({"confirmed": 4, "refuted": 3, "undecided": 3}));
    assert_eq!(value["judgement"]["steps"][1]["claims"][0]["holds"], "refuted");
}
