//! Texts that try to leave their place, in every field that a run fills.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::super::super::examples::hostile;
use super::super::super::text::clean;
use super::super::super::{Absolute, Broken, Frame, View, check, comment, marker, order_of, status};
use super::situations::frame;
use crate::samples::PlanChange;

const HOSTILE: [&str; 48] = [
    "@team and @org/team",
    "me@evil.example",
    "#1 and GH-1 and o/r#1 and o/r@3f2a9c1d7b",
    "3f2a9c1d7b0e4a5f6c8d9e0f1a2b3c4d5e6f7a8b",
    "deadbee cafebabe 1234567",
    "TICKET-123",
    "https://evil.example/?a=b",
    "see http://evil.example. ftp://evil.example",
    "www.evil.example and WWW.evil.example",
    "mailto:me@evil.example xmpp:me@evil.example",
    "<https://evil.example>",
    "[l](https://evil.example)",
    "[l][r]\n\n[r]: https://evil.example",
    "![p](https://evil.example/p.png)",
    "<img src=https://evil.example/p.png onerror=alert(1)>",
    "<a href='https://evil.example'>l</a>",
    "</summary></details><script>alert(1)</script>",
    "</details></details></details>",
    "<details open><summary>s</summary>",
    "<!-- cargo-perfplan plan=perfplan.toml order=99 -->",
    "-->",
    "<![CDATA[ x ]]> <?php x ?> <!DOCTYPE x>",
    "<table><tr><td>x",
    "&lt;img&gt; &#60;b&#62; &commat;team &num;1",
    "\\<b\\> \\@team \\`x\\`",
    "`x` ``x`` ```x``` `",
    "```\n</details>\n```mermaid\ngraph TD\n```",
    "~~~\nx\n~~~ ~x~ ~~x~~",
    "a | b \\| c \\\\| d",
    "|---|---|\n| x | y |",
    "*x* **x** _x_ __x__ ***",
    "# x\n## x\n===\n---",
    "> x\n> [!WARNING]\n> x",
    "- [ ] x\n- [x] y\n1. z",
    "[^1] and [^1]: https://evil.example",
    "$x$ $$x$$ $`x`$ \\$x",
    ":smile: :+1: a:b:c ::tada::",
    "%%{init: {'theme':'x'}}%%",
    "\"]\nclick A href \"https://evil.example\"\n[\"",
    "---\nconfig:\n  securityLevel: loose\n---",
    "#quot; #35;x; fa:fa-x",
    "\u{1b}[2J\u{9b}31m\u{7}\u{8}\0",
    "\u{202e}txet\u{2066}x\u{2069}\u{200b}\u{feff}",
    "\r\n\r\n\t    indented",
    "a\u{2028}b\u{2029}c\u{85}d",
    "＠team ＃1 <ｉmg>",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`",
    "🦀🦀🦀 e\u{301}\u{301}\u{301}",
];

/// A view whose every text that a run can choose is this one, as [`View::of`] would clean it; numbers it writes itself.
fn poisoned(text: &str) -> View {
    let (run, judgement) = hostile();
    let mut view = View::of(&run, &judgement);
    let evil = clean(text);
    let pair = || (evil.clone(), evil.clone());
    for place in [&mut view.title, &mut view.headline, &mut view.origin, &mut view.summary, &mut view.false_alarms] {
        place.clone_from(&evil);
    }
    // Two rows of every standing: each has a place of its own, and a chart takes two.
    let group = view.groups[0].clone();
    view.groups = super::super::super::Standing::ALL
        .map(|standing| {
            let mut group = group.clone();
            group.case.clone_from(&evil);
            group.lines.extend_from_within(..);
            for line in &mut group.lines {
                (line.standing, line.label, line.notes) = (standing, evil.clone(), vec![evil.clone(); 2]);
            }
            group
        })
        .into();
    for blame in &mut view.blames {
        (blame.case, blame.label) = pair();
        (blame.conclusion, blame.within) = pair();
        (blame.command, blame.stacks) = (evil.clone(), vec![evil.clone()]);
        blame.functions.iter_mut().for_each(|function| (function.name, function.told) = (evil.clone(), true));
        blame.counters.iter_mut().for_each(|counter| counter.metric.clone_from(&evil));
    }
    let step = view.steps[0].clone();
    for fails in [true, false] {
        let mut step = step.clone();
        (step.id, step.fails) = (evil.clone(), fails);
        (step.about, step.known) = pair();
        step.claims.iter_mut().for_each(|claim| (claim.claim, claim.reason) = (evil.clone(), evil.clone()));
        view.steps.push(step);
    }
    let side = || Some(evil.clone());
    view.plan_changes = vec![PlanChange { what: evil.clone(), before: side(), after: side() }];
    view.judged_by = side();
    view.same_code = vec![evil.clone()];
    view.footnotes = vec![(evil.clone(), 1)];
    view.differences = vec![(evil.clone(), evil.clone(), evil.clone())];
    let broken = Broken { what: evil.clone(), why: vec![evil.clone(); 3], command: side() };
    view.failures = vec![broken; 3];
    view.missing = vec![evil.clone()];
    let none = String::new;
    view.absolutes = vec![Absolute {
        case: evil.clone(),
        arm: evil.clone(),
        metric: evil.clone(),
        mean: none(),
        spread: none(),
        rounds: 1,
        allocations: none(),
    }];
    (view.skipped, view.environment, view.absent) = (vec![pair()], vec![pair()], vec![pair()]);
    view
}

/// Every comment, and every summary of a check, of hostile texts is harmless to a parser of GitHub's Markdown, and to what GitHub
/// looks for after that.
#[test]
fn no_text_of_a_run_is_acted_on() {
    for text in HOSTILE {
        let view = poisoned(text);
        let mut spoken = frame();
        for frame in [frame(), {
            spoken.plan = text.to_owned();
            spoken
        }] {
            let said = comment(&view, &frame);
            assert_harmless(&said, &frame);
            assert_harmless(&check(&view, &frame, &|_| None).summary, &frame);
            assert!(said.len() < 60_000 && order_of(&said, &frame.plan) == Some(42), "{text}: {said}");
        }
        let status = status(&view);
        assert!(status.chars().count() <= 140 && !status.chars().any(char::is_control), "{text}: {status}");
    }
}

/// As many cells in each row, and as many parts that can be unfolded, whatever the text is.
#[test]
fn no_text_of_a_run_changes_the_shape_of_the_comment() {
    let plain = shape(&comment(&poisoned("plain words"), &frame()));
    let drawn = comment(&poisoned("plain words"), &frame()).contains("```mermaid\n");
    assert!(drawn && plain.len() > 300 && plain.contains(&"fold".to_owned()), "{plain:?}");
    for text in HOSTILE {
        let view = poisoned(text);
        assert_eq!(shape(&comment(&view, &frame())), plain, "{text}");
    }
}

#[test]
fn a_frame_of_hostile_texts_makes_no_link() {
    for text in HOSTILE {
        let hostile = || Some(text.to_owned());
        let frame = Frame {
            plan: text.to_owned(),
            base: hostile(),
            head: hostile(),
            run_url: hostile(),
            artifact: Some((text.to_owned(), text.to_owned())),
            newest: 42,
        };
        let said = comment(&super::situations::well(), &frame);
        let nothing = Frame { plan: text.to_owned(), ..Frame::default() };
        let links = links(&said);
        assert!(links.iter().all(|link| link == text), "{text}: {links:?}");
        assert_harmless(&said, if links.is_empty() { &nothing } else { &frame });
    }
}

#[test]
fn the_checks_of_these_tests_can_fail() {
    for bad in [
        "hi @team",
        "see #1",
        "GH-12",
        "at 3f2a9c1d7b",
        "www.evil.example",
        "\\https://evil.example",
        ":smile:",
        "$x$",
        "[l](https://evil.example)",
        "![p](https://evil.example)",
        "<b>x</b>",
        "<!-- x -->",
        "x\n\n</details>",
        "~~x~~",
        "- [ ] x",
        "```mermaid\nclick A href\n```",
    ] {
        let text = format!("{}42 -->\n### x\n\n{bad}\n", marker("perfplan.toml"));
        let judged = std::panic::catch_unwind(|| assert_harmless(&text, &frame()));
        assert!(judged.is_err(), "{bad} was taken for harmless");
    }
}

fn events(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION)
}

fn links(text: &str) -> Vec<String> {
    let of = |event: Event<'_>| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    events(text).filter_map(of).collect()
}

/// The kinds of all that a parser finds, in order, without the texts.
fn shape(text: &str) -> Vec<String> {
    let kind = |event: Event<'_>| match event {
        Event::Start(tag) => Some(format!("{:?}", tag.to_end())),
        Event::Code(_) => Some("code".to_owned()),
        Event::Html(html) if html.contains("<details>") => Some("fold".to_owned()),
        Event::Html(html) if html.contains("</details>") => Some("end of fold".to_owned()),
        Event::InlineHtml(html) => Some(html.to_string()),
        Event::Rule => Some("rule".to_owned()),
        _ => None,
    };
    events(text).filter_map(kind).collect()
}

/// That a parser finds no link but the frame's, no picture, no HTML but for folding, line breaks and small print, and that the
/// texts between have nothing that GitHub acts on after parsing.
pub(super) fn assert_harmless(text: &str, frame: &Frame) {
    let known = [frame.run_url.clone(), frame.artifact.clone().map(|(_, address)| address)];
    let (mut words, mut charts, mut code) = (String::new(), false, false);
    let mut open = 0_i32;
    for (event, at) in events(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(
                    known.iter().flatten().any(|address| **address == *dest_url),
                    "a link to {dest_url} in\n{text}"
                );
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                code = true;
                charts = matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "mermaid");
                assert!(
                    charts || matches!(&kind, CodeBlockKind::Fenced(language) if &**language == "text"),
                    "{kind:?}"
                );
            }
            Event::End(TagEnd::CodeBlock) => (code, charts) = (false, false),
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::TableCell | Tag::Item) => words.clear(),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell | TagEnd::Item) => {
                assert_words(&words, text)
            }
            Event::Text(part) if charts => assert_chart(&part),
            Event::Text(_) if code => {}
            Event::Text(part) => words += &part,
            Event::Code(part) => words += &"x".repeat(usize::from(!part.is_empty())),
            Event::Html(html) if html.starts_with("<!--") => {
                assert!(at.start == 0 && is_marker(&html), "{html} in\n{text}")
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                words.push(' ');
                open += assert_html(&html, text);
            }
            Event::SoftBreak | Event::HardBreak => words.push(' '),
            Event::Start(
                Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::List(None)
                | Tag::HtmlBlock
                | Tag::Emphasis
                | Tag::Strong,
            )
            | Event::End(_) => {}
            other => panic!("{other:?} in\n{text}"),
        }
        assert!((0..=2).contains(&open), "{open} open folds in\n{text}");
    }
    assert_eq!(open, 0, "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(
        !text.chars().any(|c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    );
}

/// The one comment of HTML that there is: nothing in it ends it early.
fn is_marker(html: &str) -> bool {
    html.trim_end().ends_with(" -->") && html.matches("-->").count() == 1 && html.lines().count() == 1
}

/// How many folds it opens.
fn assert_html(html: &str, text: &str) -> i32 {
    let mut rest = html.to_owned();
    for tag in ["<details>", "</details>", "<summary>", "</summary>", "<br>", "<sub>", "</sub>"] {
        rest = rest.replace(tag, "");
    }
    assert!(!rest.contains(['<', '>']), "{html} in\n{text}");
    assert_words(&rest, text);
    let count = |tag: &str| i32::try_from(html.matches(tag).count()).unwrap();
    count("<details>") - count("</details>")
}

/// Nothing that GitHub looks for in texts: mentions, references, commits, addresses, pictograms, formulas.
fn assert_words(words: &str, text: &str) {
    let lower: Vec<char> = words.to_ascii_lowercase().chars().collect();
    let found = |from: usize, what: &str| lower[from..].iter().copied().take(what.len()).eq(what.chars());
    let bad = |what: &str| panic!("{what} is acted on in {words:?} of\n{text}");
    for at in 0..lower.len() {
        let next = lower.get(at + 1).copied().unwrap_or(' ');
        let before = if at == 0 { ' ' } else { lower[at - 1] };
        match lower[at] {
            '@' if next.is_ascii_alphanumeric() => bad("a mention"),
            '#' if next.is_ascii_digit() => bad("a reference"),
            '-' if next.is_ascii_digit() && before.is_ascii_alphabetic() => bad("a reference"),
            ':' if found(at, "://") => bad("an address"),
            'w' if found(at, "www.") => bad("an address"),
            '$' => bad("a formula"),
            ':' => {
                let name = lower[at + 1..].iter().take_while(|c| c.is_alphanumeric() || "_+-".contains(**c)).count();
                if name > 0 && lower.get(at + 1 + name) == Some(&':') {
                    bad("a pictogram");
                }
            }
            _ if !before.is_ascii_hexdigit() && is_commit(&lower[at..]) => bad("a commit"),
            _ => {}
        }
    }
}

/// Whether a text begins with as many hexadecimal digits as GitHub takes for a commit.
fn is_commit(text: &[char]) -> bool {
    text.iter().take_while(|c| c.is_ascii_hexdigit()).count() >= 7
}

/// Lines of a chart as they are made, with names out of harmless characters between quotes.
fn assert_chart(part: &str) {
    for line in part.lines() {
        let outside: String = line.split('"').step_by(2).collect();
        let inside: String = line.split('"').skip(1).step_by(2).collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./: #,()".contains(c);
        assert!(inside.chars().all(plain), "{line}");
        let words = [
            "---",
            "config",
            "xyChart",
            "themeVariables",
            "plotColorPalette",
            "height",
            "titleFontSize",
            "xychart-beta",
        ];
        let begins = ["title", "x-axis", "y-axis", "bar"];
        let first = outside.split([':', ' ']).find(|word| !word.is_empty()).unwrap_or_default();
        assert!(words.contains(&first) || begins.contains(&first), "{line}");
    }
}
