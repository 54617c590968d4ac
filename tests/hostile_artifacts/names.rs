//! Texts that a terminal, a page or GitHub would act on. Those can't be refused: a branch may have any name, and an error any text.
//! So they are read, judged and shown here, and what is shown is looked at as GitHub would.

use perfplan::report::{self, Frame, View};
use perfplan::samples::Run;
use perfplan::store::read_artifact;
use perfplan::verdict;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use crate::support::{artifact, honest};

/// The texts that are posted of a run, each with its name.
struct Posted {
    comment: String,
    summary: String,
    check: String,
    /// Not Markdown: titles, messages, the status.
    plain: Vec<String>,
    terminal: String,
}

impl Posted {
    fn marked_down(&self) -> [&str; 3] {
        [&self.comment, &self.summary, &self.check]
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.marked_down().into_iter().chain(self.plain.iter().map(String::as_str)).chain([&*self.terminal])
    }
}

/// The case of the real run.
const CASE: &str = "generator::contacts/rebuilt";

/// A run that regressed, with this text in every field that takes any text.
fn with_everywhere(evil: &str) -> Run {
    let mut run = honest();
    slowed(&mut run);
    for field in ["against", "tool", "asked"] {
        run[field] = json!(evil);
    }
    for facts in ["fingerprint", "circumstances", "absent"] {
        run["environment"][facts][evil] = json!(evil);
    }
    run["environment"]["fingerprint"]["cpu.model"] = json!(evil);
    run["commit"] = json!(evil);
    run["review"] = json!({"judged_by": evil, "changes": [{"what": evil, "before": evil, "after": evil}],
        "waivers": [{"case": evil, "metric": "cpu", "commit": evil, "reason": evil, "expires": evil}]});
    run["failures"] = json!([{"what": evil, "why": evil, "command": evil},
                             {"what": "x", "why": format!("a\n```\n{evil}"), "command": null}]);
    run["skipped"] = json!([{"variant": "avx", "why": evil}]);
    run["cases"] = json!([CASE, "step::s"]);
    run["steps"] = json!([{"case": "step::s", "title": evil, "source": evil, "expect": evil, "before": "w::a", "after": "w::b",
                           "claims": [evil, "wall <= 0.5x before"]}]);
    let arms = run["measurements"][0]["arms"].as_array_mut().unwrap();
    for arm in arms {
        arm["revision"] = json!(format!("{evil}{}", arm["variant"]));
        (arm["no_layout"], arm["knobs"], arm["env"]) = (json!(evil), json!({"lto": evil}), json!({evil: evil}));
        arm["training"] = json!({"profile": evil, "cases": [], "size": evil, "functions": 1, "ran": 1, "mismatched": 0,
                                 "lost": 0, "warnings": [evil]});
    }
    let profile = |arm: usize| {
        json!({"arm": arm, "event": evil, "method": evil, "samples": 9_000, "rooted": 9, "lost": 1, "notes": [evil],
        "functions": [{"name": evil, "own": [0.3 + 0.4 * arm as f64, 0.31 + 0.4 * arm as f64], "total": [0.9, 0.91]}]})
    };
    run["measurements"][0]["profiles"] = json!([profile(0), profile(1)]);
    run["measurements"][0]["absent"] = json!({evil: evil});
    read_artifact(&artifact(run.to_string())).unwrap_or_else(|error| panic!("{evil:?}: {error:#}"))
}

/// Forty rounds, each with layouts of its own, in which the candidate takes twice as long.
fn slowed(run: &mut Value) {
    let rounds = run["measurements"][0]["rounds"].as_array_mut().unwrap();
    for round in rounds.iter_mut() {
        for arm in round["arms"].as_array_mut().unwrap() {
            let factor = if arm["arm"] == json!(1) { 2.0 } else { 1.0 };
            arm["layout"] = json!(null);
            let walls = arm["batches"]["wall"].as_array_mut().unwrap();
            walls.iter_mut().for_each(|wall| *wall = json!(wall.as_f64().unwrap() * factor));
        }
    }
    *rounds = [&rounds[..]; 4].concat();
    run["gate"]["metrics"] = json!(["wall"]);
}

fn posted(run: &Run) -> Posted {
    let view = View::of(run, &verdict::judge(run));
    let frame = Frame { plan: "gate".to_owned(), newest: 7, ..Frame::default() };
    let check = report::check(&view, &frame, &|_| Some(1));
    let mut plain = vec![check.title, report::status(&view)];
    plain.extend(check.annotations.into_iter().flat_map(|note| [note.title, note.message]));
    Posted {
        comment: report::comment(&view, &frame),
        summary: report::markdown(&view),
        check: check.summary,
        plain,
        terminal: report::terminal(&view, report::Style { colour: false, width: 100 }),
    }
}

/// Tags that the report itself writes.
const OURS: [&str; 8] = [
    "<details>",
    "</details>",
    "<summary>",
    "</summary>",
    "<br>",
    "<sub>",
    "</sub>",
    "<!-- cargo-perfplan plan=gate order=7 -->",
];

/// What GitHub would act on in a text: nothing of it may be there but what the report writes itself, and that is closed.
fn assert_nothing_acts(text: &str) {
    let (mut in_code, mut tags) = (false, String::new());
    for event in
        Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES)
    {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::FootnoteDefinition(_))
            | Event::FootnoteReference(_) => {
                panic!("{event:?} in {text}")
            }
            Event::Html(html) | Event::InlineHtml(html) => tags += &html,
            Event::Text(words) if !in_code => assert_no_reference(&words, text),
            _ => {}
        }
    }
    let rest = OURS.iter().fold(tags.clone(), |rest, tag| rest.replace(tag, ""));
    assert!(!rest.contains(['<', '>']), "{tags:?}");
    for (open, close) in [("<details>", "</details>"), ("<summary>", "</summary>"), ("<sub>", "</sub>")] {
        assert_eq!(tags.matches(open).count(), tags.matches(close).count(), "{tags:?}");
    }
    assert!(tags.matches("<!--").count() <= 1, "{tags:?}");
}

/// What GitHub makes links of in plain words.
fn assert_no_reference(words: &str, text: &str) {
    let follows = |mark: &str, acts: fn(char) -> bool| {
        words.match_indices(mark).any(|(at, _)| words[at + mark.len()..].starts_with(acts))
    };
    assert!(!follows("@", |c| c.is_ascii_alphanumeric()), "a mention in {words:?} of {text}");
    assert!(
        !follows("#", |c| c.is_ascii_digit()) && !follows("GH-", |c| c.is_ascii_digit()),
        "a reference in {words:?}"
    );
    assert!(!words.contains("://") && !words.to_lowercase().contains("www."), "a link in {words:?}");
}

/// Characters that move the cursor, hide text or turn it round. (The joint that breaks words up is the report's own.)
fn assert_nothing_hidden(text: &str) {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{ad}' | '\u{e0000}'..='\u{e007f}')
    };
    let found = text.chars().find(|c| hidden(*c));
    assert!(found.is_none(), "{found:?} in {text:?}");
}

/// Shows a run with this text everywhere, and checks what holds whatever it is.
#[track_caller]
fn shown(evil: &str) -> Posted {
    let posted = posted(&with_everywhere(evil));
    posted.marked_down().into_iter().for_each(assert_nothing_acts);
    posted.all().for_each(assert_nothing_hidden);
    for text in posted.marked_down() {
        assert!(text.chars().count() < 65_536);
    }
    assert!(posted.comment.starts_with("<!-- cargo-perfplan plan=gate order=7 -->\n"), "{}", posted.comment);
    assert_eq!(report::order_of(&posted.comment, "gate"), Some(7));
    assert!(posted.comment.contains(CASE) && posted.comment.contains("regressed"), "{}", posted.comment);
    posted
}

#[test]
fn a_link_in_a_name_is_no_link() {
    shown("[click](https://evil.example)");
    shown("https://evil.example www.evil.example <https://evil.example> [x]: https://evil.example");
    shown("[x][y]\n\n[y]: https://evil.example 'z'\n");
}

#[test]
fn a_picture_in_a_name_is_not_loaded() {
    shown("![x](https://evil.example/x.png)<img src=x onerror=alert(1)>");
    shown("![x][y]\n\n[y]: data:image/svg+xml,x");
}

#[test]
fn html_in_a_name_is_text() {
    for evil in [
        "<script>alert(1)</script>",
        "<style>*{display:none}</style>",
        "<a href=//evil.example>x</a>",
        "<!-- x",
        "<![CDATA[x",
    ] {
        shown(evil);
    }
}

#[test]
fn a_name_can_not_close_what_the_report_folds() {
    shown("</details></summary></sub>\n\n</details>");
}

#[test]
fn a_name_mentions_nobody() {
    shown("@everyone @org/team hey@evil.example \n@team");
}

#[test]
fn a_name_refers_to_no_issue_and_no_commit() {
    shown("#1 GH-1 org/repo#1 fixes #2, closes GH-3");
}

#[test]
fn a_name_can_not_leave_its_cell() {
    let posted = shown("a | b \\| c ` d `` e ``` f |||");
    for text in posted.marked_down() {
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows = text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>();
        let odd = rows.windows(2).find(|pair| bars(pair[0]) != bars(pair[1]) && !pair[1].starts_with("| "));
        assert!(odd.is_none(), "{odd:?}");
    }
}

#[test]
fn a_name_can_not_end_a_block_of_code() {
    shown("```\n````\n~~~\n</code></pre>\n```mermaid\ngraph TD\n```");
}

#[test]
fn a_name_says_nothing_to_mermaid() {
    let evil =
        "\"] %%{init: {'securityLevel': 'loose'}}%%\nclick A \"javascript:alert(1)\"\n---\nconfig: x\n---\nx-axis [";
    let posted = shown(evil);
    let blocks: Vec<&str> =
        posted.comment.split("```mermaid").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for word in ["click", "javascript", "init", "securityLevel"] {
        assert!(blocks.iter().all(|block| !block.contains(word)), "{blocks:?}");
    }
}

#[test]
fn metrics_with_the_marks_of_mermaid_are_drawn_as_names() {
    let mut run = honest();
    slowed(&mut run);
    let metrics = ["wall", "x(#quot;{{a}} & 'b', c:*)"];
    run["gate"]["metrics"] = json!(metrics);
    for round in run["measurements"][0]["rounds"].as_array_mut().unwrap() {
        for arm in round["arms"].as_array_mut().unwrap() {
            arm["batches"][metrics[1]] = arm["batches"]["wall"].clone();
        }
    }
    let refused = read_artifact(&artifact(run.to_string()));
    assert!(refused.is_err(), "a semicolon is in no metric");
    let text = run.to_string().replace("#quot;", "#quot");
    let posted = posted(&read_artifact(&artifact(text)).unwrap());
    let block = posted.comment.split("```mermaid").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let axis = block.lines().find(|line| line.contains("x-axis")).unwrap();
    assert!(!axis.contains(['{', '}', '#', '&', '\'', '*', ';']), "{axis}");
    posted.marked_down().into_iter().for_each(assert_nothing_acts);
}

#[test]
fn characters_that_control_a_terminal_are_shown_as_marks() {
    shown("\u{1b}[2J\u{1b}]0;title\u{7}\u{8}\u{0}\u{9b}31m\r\u{c}");
}

#[test]
fn characters_that_turn_text_round_are_shown_as_marks() {
    shown("\u{202e}desserger\u{202c} \u{2066}x\u{2069} \u{200f}");
}

#[test]
fn characters_that_nobody_sees_are_shown_as_marks() {
    shown("wa\u{200b}ll\u{200d}\u{feff}\u{ad}\u{2064}\u{e0041}");
}

#[test]
fn a_name_can_not_pass_for_the_mark_of_another_comment() {
    let evil = format!("{}99 -->", report::marker("gate"));
    let posted = shown(&evil);
    assert_eq!(
        report::order_of(&format!("{evil}\n{}", posted.comment), "gate"),
        Some(99),
        "only at the very beginning"
    );
    assert_eq!(report::order_of(&format!("> {evil}\n"), "gate"), None);
}

#[test]
fn a_name_gives_the_runner_no_command() {
    let posted = shown("x\n::error file=a::b\n::add-mask::c\n##[group]d\n::stop-commands::e");
    for text in &posted.plain {
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
    }
}

#[test]
fn formulas_and_emoji_codes_and_frontmatter_are_text() {
    shown("$\\href{https://evil.example}{x}$ $$x$$ :tada: ---\nlayout: x\n--- ~~x~~ [^1] [^1]: y");
}

#[test]
fn very_long_texts_are_shortened() {
    let posted = shown(&"long`|".repeat(680));
    assert!(posted.marked_down().iter().all(|text| text.len() < 65_536));
}
