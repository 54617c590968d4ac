//! The comment on a pull request as it is read: `snapshots/comment_*.md` hold the expected texts.

mod hostile;
mod situations;

use super::super::examples::*;
use super::super::{Frame, LONGEST, View, check, comment, marker, order_of, status};
use super::terminal::assert_reads;
use crate::samples::{PlanChange, Waiver};
use crate::verdict::{Blame, ClaimOutcome, Holds, Judgement, Row, Verdict, Why};
use situations::frame;

fn shown(view: &View) -> String {
    comment(view, &frame())
}

#[test]
fn a_quiet_run_says_what_it_looked_at_and_how_closely() {
    assert_reads(&shown(&situations::well()), include_str!("../snapshots/comment_well.md"));
}

#[test]
fn a_regression_leads_with_the_worst_row_and_says_why() {
    assert_reads(&shown(&situations::regressed()), include_str!("../snapshots/comment_regressed.md"));
}

#[test]
fn an_improvement_is_told_in_short() {
    assert_reads(&shown(&situations::improved()), include_str!("../snapshots/comment_improved.md"));
}

#[test]
fn an_undecided_row_is_told_with_what_would_decide_it() {
    assert_reads(&shown(&situations::undecided()), include_str!("../snapshots/comment_undecided.md"));
}

#[test]
fn refuted_claims_stand_open_but_for_those_that_the_plan_knows() {
    assert_reads(&shown(&situations::refuted()), include_str!("../snapshots/comment_refuted.md"));
}

#[test]
fn a_failed_build_leads() {
    assert_reads(&shown(&situations::broken()), include_str!("../snapshots/comment_broken.md"));
}

#[test]
fn a_comment_is_found_again_by_its_first_line() {
    let text = shown(&situations::well());
    assert_eq!(order_of(&text, "perfplan.toml"), Some(42));
    assert_eq!(order_of(&text, "other.toml"), None);
    assert!(text.starts_with(&marker("perfplan.toml")));
    assert!(!check(&situations::well(), &frame(), &|_| None).summary.contains("<!--"));
}

#[test]
fn a_status_is_the_verdict_in_one_plain_sentence() {
    let said = [
        situations::well(),
        situations::regressed(),
        situations::improved(),
        situations::undecided(),
        situations::refuted(),
        situations::broken(),
        View::of(&run(&[]), &judgement(Vec::new())),
    ]
    .map(|view| status(&view));
    assert_eq!(
        said,
        [
            "No change in 12 rows",
            "3 of 13 rows regressed, worst engine::book/hash +11.2 %",
            "3 of 10 rows improved, none regressed, best engine::book/hash -18.2 %",
            "3 of 10 rows undecided, none regressed; 1 of 2 claims undecided, none refuted",
            "3 of 11 claims refuted, first in csv-writer; no change in 5 rows",
            "2 failures, the first build of variant fat of working tree; 2 cases missing; no change in 5 rows",
            "Nothing was compared",
        ]
    );
    let mut long = situations::broken();
    long.failures[0].what = "ü".repeat(500);
    long.failures.truncate(1);
    long.groups[0].lines[0].standing = super::super::Standing::Regressed;
    long.groups[0].case = "long/name".repeat(30);
    assert_eq!(status(&long).chars().count(), 140, "{}", status(&long));
}

#[test]
fn a_check_has_a_note_for_each_step_that_failed_at_its_line() {
    let lines = |step: &str| (step == "csv-writer").then_some(17);
    let text = check(&situations::refuted(), &frame(), &lines);
    assert_eq!(text.title, status(&situations::refuted()));
    let [note] = &text.annotations[..] else { panic!("{:?}", text.annotations) };
    assert_eq!((note.line, note.title.as_str()), (17, "csv-writer: 3 of 5 claims refuted"));
    assert_eq!(
        note.message,
        "wall <= 0.70x before: 0.908x (0.904 … 0.912): misses the bound by 0.208x\n\
         profile.share(core::fmt) < 0.1%: 3.10 % (2.70 … 3.50 %): misses the bound by 3.00 %\n\
         checksum == before: the results differ"
    );
    assert_eq!(check(&situations::refuted(), &frame(), &|_| None).annotations[0].line, 1);
    assert!(text.summary.starts_with("### ❌ 3 of 11 claims refuted, first in `csv-writer`"), "{}", text.summary);
    let charts = |text: &str| text.matches("```mermaid").count();
    let regressed = situations::regressed();
    assert_eq!([charts(&shown(&regressed)), charts(&check(&regressed, &frame(), &|_| None).summary)], [1, 0]);
}

#[test]
fn what_was_accepted_and_what_the_plan_says_otherwise_stand_below_what_needs_eyes() {
    let metric = "wall".parse().unwrap();
    let reason = "checks every index since a report of #12".to_owned();
    let (commit, expires) = ("abcdef0".to_owned(), "2027-03-31".to_owned());
    let waiver = Waiver { case: "w::b".to_owned(), metric, commit, reason, expires };
    let rows = vec![
        row("w::a", Verdict::Regressed, 0.05, 0.01),
        Row { waiver: Some(waiver), ..row("w::b", Verdict::Regressed, 0.3, 0.01) },
    ];
    let mut run = run(&[]);
    run.review.judged_by = Some("main".to_owned());
    let [before, after] = ["1 %", "5 %"].map(|side| Some(side.to_owned()));
    run.review.changes = vec![PlanChange { what: "tolerance of wall".to_owned(), before, after }];
    let text = shown(&View::of(&run, &judgement(rows.clone())));
    let heading = "### ❌ 1 of 2 rows regressed, worst `w::a` +5.00 % besides 1 accepted regression\n";
    let item = "- `w::b` **+30.0\u{a0}%** (+29.0\u{a0}…\u{a0}+31.0\u{a0}%): accepted until 2027\\-03\\-31 \\(commit abcdef\u{2060}0\\)\\: checks every index";
    let change = "#### Judged by the plan of `main`; the plan here says otherwise\n\n| part | judged by | here |\n\
                  | :-- | :-- | :-- |\n| `tolerance of wall` | `1 %` | `5 %` |\n";
    let places = [heading, "#### 1 row regressed\n", item, change, "All of it again"]
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}\nis not in\n{text}")));
    assert!(places.is_sorted() && text.contains(" · judged by the plan of `main` · "), "{places:?} in {text}");
    let alone = shown(&View::of(&run, &judgement(rows[1..].to_vec())));
    assert!(alone.contains("### ✅ No change in 1 row besides 1 accepted regression\n"), "{alone}");
}

#[test]
fn a_comment_without_a_platform_still_says_how_to_do_it_again() {
    let text = comment(&situations::regressed(), &Frame::default());
    assert!(!text.contains("](") && !text.contains("plan `") && !text.contains("base `"), "{text}");
    assert!(text.ends_with("\n```text\ncargo perfplan run\n```\n"), "{text}");
}

/// Thousands of everything, with long names.
fn huge() -> View {
    let verdicts = [Verdict::Regressed, Verdict::Undecided, Verdict::Unchanged, Verdict::Improved];
    let noted = |n: usize| Row {
        notes: vec!["|".repeat(300)],
        ..row(&format!("workload::case/{}/{n}", "long/name-".repeat(16)), verdicts[n % 4], 0.02, 0.005)
    };
    let mut judgement = judgement((0..8_000).map(noted).collect());
    judgement.failures = (0..500).map(|n| failure(&format!("case {n}"), &"`ü\n".repeat(5_000))).collect();
    judgement.blames = (0..3_000).map(|n| Blame { case: judgement.rows[n].case.clone(), ..blame() }).collect();
    let odd = || ClaimOutcome {
        why: Why::Absent("🦀".repeat(400)),
        ..claim(&"ü<".repeat(300), Holds::Refuted, None, Why::Holds)
    };
    judgement.steps = (0..200).map(|n| step(&format!("step-{n}"), None, vec![odd(), odd(), odd()])).collect();
    judgement.missing = (0..5_000).map(|n| format!("w::{n}").parse().unwrap()).collect();
    let mut run = run(&[]);
    run.review.judged_by = Some("main".to_owned());
    let side = || Some("🦀".repeat(300));
    run.review.changes = (0..500).map(|n| PlanChange { what: n.to_string(), before: side(), after: side() }).collect();
    run.environment.circumstances = (0..5_000).map(|n| (n.to_string(), "v".repeat(5_000))).collect();
    View::of(&run, &judgement)
}

#[test]
fn whatever_the_run_the_comment_fits_and_says_what_it_leaves_out() {
    let view = huge();
    let crowded = Frame { plan: "-".repeat(100_000), ..frame() };
    for text in [shown(&view), comment(&view, &crowded), check(&view, &frame(), &|_| None).summary] {
        assert!(text.len() <= LONGEST && text.len() > LONGEST / 2, "{}", text.len());
        for part in [
            "### 💥 500 failures, the first `case 0`; 2000 of 8000 rows regressed",
            "#### 2000 rows regressed",
            "#### 600 claims refuted",
            "#### 2000 rows undecided",
            "<summary>2000 rows improved</summary>",
            "rows more left out",
            "claims more left out",
            "changes more left out",
            "facts more left out",
            "cases more left out",
            "failures more left out",
            "All of it again",
        ] {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        // What is named first is shown with all of it: the failure that leads, and the worst row.
        assert!(text.contains("✗ `case 0`") && text.contains("**+2.00\u{a0}%**"), "{text}");
        hostile::assert_harmless(&text, &frame());
    }
    let notes = check(&view, &frame(), &|_| None).annotations;
    let longest = |text: fn(&super::super::Note) -> &String| notes.iter().map(|note| text(note).chars().count()).max();
    assert_eq!((notes.len(), longest(|note| &note.title) <= Some(200)), (200, true));
    assert!(longest(|note| &note.message) <= Some(4_000), "{:?}", longest(|note| &note.message));
}

#[test]
fn of_many_sections_none_takes_all_the_room() {
    let mut judgement =
        judgement((0..3_000).map(|n| row(&format!("w::{n}"), Verdict::Regressed, 0.02, 0.005)).collect());
    judgement.blames = vec![Blame { case: "w::0".parse().unwrap(), ..blame() }];
    judgement.steps = plan();
    let text = shown(&View::of(&run(&[]), &Judgement { ..judgement }));
    assert!(text.contains("more left out") && text.contains("cargo perfplan profile w::0"), "{text}");
    assert!(text.contains("| ✗ **refuted** | `csv-writer` | `checksum == before` |"), "{text}");
}
