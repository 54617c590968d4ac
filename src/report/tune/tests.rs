//! An advice as it is read: `snapshots/` holds the expected texts.

use crate::advise::fixture::{Study, example, settings};
use crate::advise::{Cost, Mean};
use crate::report::examples::failure;
use crate::report::text;
use crate::report::{Confirmation, Style, TUNE_FORMAT, Tune, effects, pareto, tune_json, tune_markdown, tune_terminal};
use crate::samples::{Run, Skipped};
use crate::verdict::Relative;

const PLAIN: Style = Style { colour: false, width: 100 };
const DESIGN: &str = "one knob at a time";
const CASES: [&str; 2] = ["a::x", "b::y"];

/// Compares line by line, so that a failure shows which one.
fn assert_reads(text: &str, expected: &str) {
    for (at, (line, wanted)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(line, wanted, "line {} of\n{text}", at + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{text}");
}

fn view(study: &Study) -> Tune {
    Tune::of(&study.advise(), &study.run, DESIGN, None)
}

fn shown(study: &Study) -> String {
    tune_terminal(&view(study), PLAIN)
}

/// Two knobs in all four cells, which do not add up.
fn crossed() -> Study {
    let mut study = Study::of(&CASES);
    study.costing("lto=fat", [2.1, 0.7, 0.8, 1.0], |_| Some((-0.08, 0.001)));
    study.costing("codegen-units=1", [1.4, 0.9, 0.9, 1.0], |_| Some((-0.05, 0.001)));
    study.costing("lto=fat codegen-units=1", [2.2, 0.7, 0.8, 1.0], |_| Some((-0.081, 0.001)));
    study
}

/// With a variant that could not be built and one that the machine can't build.
fn broken() -> Study {
    let mut study = example();
    study.run.failures.push(failure("build of variant fat", "error: linking with `cc` failed\n\nundefined symbol: x"));
    let why = "no llvm-bolt: apt-get install bolt-19 has it, as long as this machine is one that it has packages for";
    study.run.skipped.push(Skipped { variant: "bolt=true".parse().unwrap(), why: why.to_owned() });
    study
}

/// Names that terminals, Markdown and XML would act on.
fn hostile() -> Study {
    let mut study = Study::of(&CASES);
    study.cell("rustflags=`|</table><script>@team#1\u{1b}[2J\u{202e}", |_| Some((-0.03, 0.001)));
    study.cell("[l](https://evil.example)=x\u{7}", |_| Some((-0.04, 0.001)));
    study.trained_on(&["a::x"]);
    study
}

#[test]
fn an_advice_says_what_each_knob_bought_and_what_to_take() {
    assert_reads(&shown(&example()), include_str!("../snapshots/tune.txt"));
}

#[test]
fn knobs_that_do_the_same_work_are_named() {
    let study = crossed();
    assert_reads(
        &tune_terminal(&Tune::of(&study.advise(), &study.run, "full", None), PLAIN),
        include_str!("../snapshots/tune_crossed.txt"),
    );
}

#[test]
fn nothing_that_pays_nothing_told_apart_and_nothing_at_all_read_differently() {
    let mut study = Study::of(&CASES);
    let nothing = shown(&study);
    assert!(nothing.contains("No build was compared with the baseline's"), "{nothing}");
    let mut several = Study::of(&CASES);
    several.cell("lto=fat panic=abort", |_| Some((-0.05, 0.001)));
    assert!(shown(&several).contains("No knob can be told from the others"), "{}", shown(&several));
    study.cell("panic=abort", |case| (case == 0).then_some((-0.001, 0.001)));
    assert_reads(&shown(&study), include_str!("../snapshots/tune_nothing.txt"));
}

#[test]
fn the_same_advice_on_github() {
    assert_reads(&tune_markdown(&view(&example())), include_str!("../snapshots/tune.md"));
}

#[test]
fn what_was_not_measured_is_said_with_the_reason() {
    let study = broken();
    let shown = shown(&study);
    for part in [
        "1 failure\n  ✗ build of variant fat\n    error: linking with `cc` failed\n    undefined symbol: x\n    $ cargo build",
        "variants that were not measured\n  bolt=true: no llvm-bolt: apt-get install bolt-19 has it",
    ] {
        assert!(shown.contains(part), "{part}\nis not in\n{shown}");
    }
    let markdown = tune_markdown(&view(&study));
    for part in ["✗ `build of variant fat`\n\n```text\nerror: linking", "- `bolt=true`: `no llvm-bolt: apt-get"] {
        assert!(markdown.contains(part), "{part}\nis not in\n{markdown}");
    }
    let many = Study { run: Run { failures: vec![study.run.failures[0].clone(); 2_000], ..study.run }, ..study };
    assert!(tune_markdown(&view(&many)).contains("failures more left out"));
}

/// What is said of the crossed study's recommendation, whose interval is -7.82 … -7.56 %, when it came out as this by itself.
fn confirmed(knobs: &str, log: f64, cases: usize) -> (String, String) {
    let study = crossed();
    let relative =
        |log: f64| Relative { estimate: log.exp_m1(), low: (log - 0.002).exp_m1(), high: (log + 0.002).exp_m1() };
    let confirmed = Confirmation { settings: settings(knobs), change: Some(Mean { change: relative(log), cases }) };
    let tune = Tune::of(&study.advise(), &study.run, "full", Some(&confirmed));
    (tune_terminal(&tune, PLAIN), tune_markdown(&tune))
}

#[test]
fn the_recommended_build_measured_by_itself_stands_right_below_the_headline() {
    let (terminal, markdown) = confirmed("lto=fat", -0.08, 2);
    let told = "measured by itself, lto=fat: -7.69 % (-7.87 … -7.50 %) over 2 cases";
    assert!(
        terminal.contains(&format!("Take lto=fat: -7.69 % (-7.82 … -7.56 %)\n  {told}\n  this very")),
        "{terminal}"
    );
    let quoted = told.replace("lto=fat", "`lto=fat`");
    assert!(markdown.lines().nth(2).is_some_and(|line| line == format!("**{quoted}**")), "{markdown}");
}

#[test]
fn what_falls_short_of_the_expected_when_measured_by_itself_is_said_so() {
    let less = "less than among the other builds: -7.69 % (-7.82 … -7.56 %)";
    assert!(confirmed("lto=fat", -0.05, 2).1.contains(less), "{}", confirmed("lto=fat", -0.05, 2).1);
    assert!(confirmed("lto=fat", -0.10, 2).1.contains("more than among"));
    // Intervals that meet, another build, other cases: nothing to set against each other.
    for (knobs, log, cases) in [("lto=fat", -0.077, 2), ("lto=thin", -0.05, 2), ("lto=fat", -0.05, 1)] {
        assert!(!confirmed(knobs, log, cases).1.contains("than among"), "{knobs} {log} {cases}");
    }
    let mut study = Study::of(&CASES);
    study.run.gate.metrics = vec!["throughput".parse().unwrap()];
    study.cell("lto=fat", |_| Some((0.06, 0.001))).cell("panic=abort", |_| Some((0.04, 0.001)));
    study.judgement.rows.iter_mut().for_each(|row| row.metric = "throughput".parse().unwrap());
    let change = Mean { change: Relative { estimate: 0.05, low: 0.04, high: 0.06 }, cases: 2 };
    let confirmed = Confirmation { settings: settings("lto=fat panic=abort"), change: Some(change) };
    let shown = tune_terminal(&Tune::of(&study.advise(), &study.run, DESIGN, Some(&confirmed)), PLAIN);
    assert!(shown.contains("less than the\n    sum of its knobs: +10.5"), "{shown}");
    let lost = Confirmation { change: None, ..confirmed };
    let shown = tune_terminal(&Tune::of(&study.advise(), &study.run, DESIGN, Some(&lost)), PLAIN);
    assert!(shown.contains("  lto=fat, panic=abort could not be measured by itself\n"), "{shown}");
}

#[test]
fn no_name_can_leave_its_place() {
    let study = hostile();
    let advice = study.advise();
    let confirmed = Confirmation { settings: advice.recommendation.settings.clone(), change: None };
    let tune = Tune::of(&advice, &study.run, "x\u{1b}[2J`@team", Some(&confirmed));
    let markdown = tune_markdown(&tune);
    for text in [tune_terminal(&tune, PLAIN), markdown.clone()] {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text}");
    }
    for line in markdown.lines() {
        let outside: String = line.split('`').step_by(2).collect();
        assert_eq!(line.matches('`').count() % 2, 0, "{line}");
        for acted_on in ["<script", "</table", "@", "](", "https:"] {
            assert!(!outside.contains(acted_on), "{acted_on} in {line}");
        }
        let cells = line.matches('|').count();
        assert!(!line.starts_with('|') || [5, 12].contains(&cells), "{cells} bars in {line}");
    }
}

#[test]
fn lines_fit_into_the_terminal() {
    for study in [example(), crossed(), broken()] {
        for width in [80, 100, 160] {
            let shown = tune_terminal(&view(&study), Style { colour: false, width });
            let widest = shown.lines().map(text::width).max().unwrap();
            assert!(widest <= width, "{widest} > {width}:\n{shown}");
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let tune = view(&example());
    let mut coloured = tune_terminal(&tune, Style { colour: true, ..PLAIN });
    assert!(coloured.contains("\u{1b}[31m✗\u{1b}[0m") && coloured.contains("\u{1b}[32m✓\u{1b}[0m"));
    for code in ["0", "1", "2", "31", "32", "33"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(coloured, tune_terminal(&tune, PLAIN));
}

#[test]
fn scripts_get_the_whole_advice() {
    let study = example();
    let text = tune_json(&study.run, &study.advise(), DESIGN);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["format"], &value["design"]), (&TUNE_FORMAT.into(), &DESIGN.into()));
    let advice = &value["advice"];
    assert!((advice["effects"][1]["costs"]["build-cpu"].as_f64().unwrap() - 2.42).abs() < 1e-9);
    assert_eq!(advice["effects"][1]["meaning"], "alone");
    assert_eq!(advice["recommendation"]["settings"]["lto"], "fat");
    assert_eq!(advice["recommendation"]["why"][0]["grounds"][0]["ground"], "pays");
    assert!(text.ends_with("}\n"));
}

#[test]
fn the_pictures_are_xml_with_their_names_as_text() {
    let texts = |picture: &str| -> Vec<String> {
        let document = roxmltree::Document::parse(picture).unwrap();
        assert!(document.descendants().all(|node| !node.has_tag_name("script")));
        document.descendants().filter_map(|node| node.text()).map(|text| text.trim().to_owned()).collect()
    };
    let advice = example().advise();
    let found = texts(&effects(&advice, DESIGN).unwrap());
    for name in ["lto", "thin", "fat", "allocator", "mimalloc", "tolerance"] {
        assert!(found.iter().any(|text| text == name), "{name} in {found:?}");
    }
    let found = texts(&pareto(&advice, Cost::BuildCpu, DESIGN).unwrap());
    for name in ["fat", "abort", "pgo", "codegen-units=1", "tolerance", "0 %", "1x"] {
        assert!(found.iter().any(|text| text == name), "{name} in {found:?}");
    }
    let evil = hostile().advise();
    texts(&effects(&evil, "x\u{1b}").unwrap());
    texts(&pareto(&evil, Cost::BinaryFile, "x\u{1b}").unwrap());
    let nothing = Study::of(&CASES).advise();
    assert!(texts(&pareto(&nothing, Cost::BuildCpu, DESIGN).unwrap()).iter().any(|text| text.starts_with("Nothing")));
    texts(&effects(&nothing, DESIGN).unwrap());
}
