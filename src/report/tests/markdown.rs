//! The report on GitHub: hostile names, and the limit of a comment's size.

use super::super::examples::*;
use super::super::{LONGEST, Style, View, forest, markdown, performance_summary, terminal};
use crate::verdict::{Blame, Row, Verdict};

/// That nothing is acted on outside of code, that every row has as many cells as its table may, and that all is closed.
pub(super) fn assert_harmless(text: &str, bars: &[usize]) {
    let mut fence: Option<&str> = None;
    let mut details = 0;
    for line in text.lines() {
        if line.starts_with("```") {
            fence =
                if fence.is_none() { Some(line.trim_end_matches("text")) } else { fence.filter(|open| *open != line) };
            continue;
        }
        if fence.is_some() {
            continue;
        }
        let outside: String = line.replace("\\`", "").split('`').step_by(2).collect();
        let bare = |what: &str| outside.match_indices(what).any(|(at, _)| !outside[..at].ends_with('\\'));
        for acted_on in ["<script", "@", "[", "](", "https:", "#1", "www.", "</script"] {
            assert!(!bare(acted_on), "{acted_on} in {line}");
        }
        details += outside.matches("<details>").count();
        details -= outside.matches("</details>").count();
        let cells = line.replace("\\|", "").matches('|').count();
        assert!(!line.starts_with('|') || bars.contains(&cells), "{cells} bars in {line}");
    }
    assert_eq!((details, fence), (0, None), "{text}");
}

#[test]
fn no_name_can_leave_its_place_in_markdown() {
    let (run, judgement) = hostile();
    let evil = "a<b>|`@x".to_owned();
    let text = markdown(&View::of(&run, &judgement).differing(vec![(evil.clone(), evil.clone(), evil)]));
    assert_harmless(&text, &[3, 4, 5, 6, 8]);
    assert!(text.contains("#### Why it changed") && text.contains("#### Steps of the plan"), "{text}");
}

#[test]
fn nor_in_the_summary_that_is_kept_with_the_sources() {
    let (run, judgement) = hostile();
    assert_harmless(&performance_summary(&[(&run, &judgement)]), &[3, 8]);
}

#[test]
fn a_comment_leads_with_the_outcome_and_folds_the_rest() {
    let mut rows = calm_rows();
    rows.push(row("router::match", Verdict::Regressed, 0.0102, 0.003));
    let text = markdown(&View::of(&run(&[]), &judgement(rows)));
    assert!(text.starts_with("### ❌ 1 of 4 rows regressed \\(router\\:\\:match \\+1\\.02 %\\)\n"), "{text}");
    let (open, folded) = text.split_once("<details><summary>3 unchanged rows</summary>").unwrap();
    assert!(
        open.contains(
            "| ✗ **regressed** | `router::match` | +1.02 % | +0.72 … +1.32 % | 1.20 ms → 1.22 ms | 0.42 % |  |"
        )
    );
    assert!(!open.contains("generator::redb/cached") && folded.contains("| = unchanged | `generator::redb/cached` |"));
    assert!(folded.contains("≈ unchanged (real but tolerated)") && folded.contains("`AMD EPYC 7B13`"));
}

#[test]
fn five_thousand_rows_fit_into_a_comment_and_the_rest_is_counted() {
    let verdicts = [Verdict::Regressed, Verdict::Undecided, Verdict::Unchanged];
    let noted = |n: usize| Row {
        notes: vec!["|".repeat(300)],
        ..row(&format!("workload::case/with/a/long/name/{n}"), verdicts[n % 3], 0.02, 0.01)
    };
    let mut judgement = judgement((0..5_000).map(noted).collect());
    judgement.failures = (0..500).map(|n| failure(&format!("case {n}"), &"`ü".repeat(5_000))).collect();
    judgement.blames = (0..3_000).map(|n| Blame { case: judgement.rows[n].case.clone(), ..blame() }).collect();
    judgement.steps = (0..200).flat_map(|_| plan()).collect();
    judgement.missing = (0..5_000).map(|n| format!("w::{n}").parse().unwrap()).collect();
    let mut run = run(&[]);
    run.environment.circumstances = (0..5_000).map(|n| (n.to_string(), "v".repeat(5_000))).collect();
    let view = View::of(&run, &judgement);
    let text = markdown(&view);
    assert!(text.len() <= LONGEST, "{}", text.len());
    for (heading, noun) in [
        ("", "rows more"),
        ("", "changes more"),
        ("", "steps more"),
        ("", "claims more"),
        ("500 failures", "failures more"),
        ("5000 cases missing", "cases more"),
        ("", "facts more"),
    ] {
        assert!(text.contains(heading) && text.contains(noun), "{heading} {noun} in {text}");
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    assert!(
        terminal(&view, Style { colour: false, width: 100 }).lines().count() > 5_000
            && forest(&view).unwrap().len() > 5_000
    );
}
