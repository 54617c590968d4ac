//! Small texts before and after, and what must hold for all of them.

mod features;
mod hunks;
mod profiles;
mod rustflags;

use toml::{Table, Value};

use super::*;

/// Which file a case edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Root,
    Config,
    Package,
}

/// What is wanted, and a file before and after. In `after`, `@lto` stands for the evidence for `lto`.
#[derive(Clone, Copy, Debug)]
struct Case {
    says: &'static str,
    of: Of,
    wanted: &'static str,
    before: &'static str,
    after: &'static str,
}

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

const CFG: [&str; 5] =
    ["unix", "target_os=\"linux\"", "target_arch=\"x86_64\"", "target_env=\"gnu\"", "panic=\"unwind\""];

fn wanted(settings: &str, evidence: &str) -> Wanted {
    let pairs = settings.split(';').filter_map(|pair| pair.split_once(": "));
    let settings: BTreeMap<String, String> =
        pairs.map(|(knob, value)| (knob.trim().to_owned(), value.to_owned())).collect();
    let evidence = settings.keys().map(|knob| (knob.clone(), evidence.to_owned())).collect();
    Wanted { settings, evidence }
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn host() -> Host {
    Host { triple: TRIPLE.to_owned(), cfg: CFG.map(str::to_owned).to_vec() }
}

fn manifests(of: Of, text: &str) -> Manifests {
    let root = if of == Of::Root { text } else { "[workspace]\n" };
    let config = (of == Of::Config && !text.is_empty()).then(|| file(CONFIG, text));
    let package = Package { name: "engine".to_owned(), manifest: file("engine/Cargo.toml", text) };
    let packages = if of == Of::Package { vec![package] } else { Vec::new() };
    Manifests { root: file("Cargo.toml", root), config, outer: Vec::new(), packages, host: host() }
}

/// The text behind all edits, and how many files they touch.
fn patched(case: &Case, text: &str, evidence: &str) -> (String, usize) {
    let patch = patch(&wanted(case.wanted, evidence), &manifests(case.of, text))
        .unwrap_or_else(|error| panic!("{}: {error}", case.says));
    let new = patch.edits.first().map_or_else(|| text.to_owned(), |edit| edit.new.clone());
    (new, patch.edits.len())
}

fn expected(case: &Case) -> String {
    let parts: Vec<&str> = case.after.split('@').collect();
    let told = parts[1..].iter().map(|part| {
        let knob: String = part.chars().take_while(|c| in_a_knob(*c)).collect();
        format!("# perfplan: {knob}: -4 %, by `cargo perfplan tune`{}", &part[knob.len()..])
    });
    parts[0].to_owned() + &told.collect::<String>()
}

fn all() -> impl Iterator<Item = &'static Case> {
    profiles::CASES.iter().chain(rustflags::CASES).chain(features::CASES)
}

fn parsed(text: &str) -> Table {
    text.trim_start_matches('\u{feff}').parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, name| value.get(name))
}

fn without_evidence(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with("# perfplan: ")).collect()
}

#[test]
fn texts_become_what_they_should() {
    for case in all() {
        let (new, files) = patched(case, case.before, "-4 %");
        assert_eq!(new, expected(case), "{}", case.says);
        assert_eq!(files, usize::from(new != case.before), "{}: one file changes", case.says);
    }
}

#[test]
fn twice_is_once() {
    for case in all() {
        let once = patched(case, case.before, "-4 %").0;
        assert_eq!(patched(case, &once, "-4 %").1, 0, "{}", case.says);
    }
}

#[test]
fn new_evidence_takes_the_place_of_old_and_nothing_else_changes() {
    for case in all() {
        let once = patched(case, case.before, "-4 %").0;
        let again = patched(case, &once, "-5 %").0;
        assert_eq!(again, once.replace("-4 %", "-5 %"), "{}", case.says);
        assert_eq!(without_evidence(&again), without_evidence(&once), "{}", case.says);
        assert_eq!(again.lines().count(), once.lines().count(), "{}", case.says);
    }
}

#[test]
fn one_knob_at_a_time_ends_where_all_at_once_do() {
    for case in all().filter(|case| case.of != Of::Root || !case.wanted.contains("profile: ")) {
        let all_at_once = parsed(&patched(case, case.before, "-4 %").0);
        let mut text = case.before.to_owned();
        for pair in case.wanted.split(';') {
            text = patched(&Case { wanted: pair, ..*case }, &text, "-4 %").0;
        }
        let sorted = |table: Table| format!("{:?}", sorted_lists(Value::Table(table)));
        assert_eq!(sorted(parsed(&text)), sorted(all_at_once), "{}", case.says);
    }
}

/// The value with all lists in order: in which order flags were added is not what matters.
fn sorted_lists(value: Value) -> Value {
    match value {
        Value::Array(mut list) => {
            list.sort_by_key(ToString::to_string);
            Value::Array(list)
        }
        Value::Table(table) => Value::Table(table.into_iter().map(|(name, one)| (name, sorted_lists(one))).collect()),
        value => value,
    }
}

#[test]
fn files_with_carriage_returns_keep_them() {
    for case in all() {
        let windows = |text: &str| text.replace('\n', "\r\n");
        let before = windows(case.before);
        let new = patched(case, &before, "-4 %").0;
        // A text without any line knows of no carriage returns.
        let after = if before.contains('\n') { windows(&expected(case)) } else { expected(case) };
        assert_eq!(new, after, "{}", case.says);
    }
}

#[test]
fn a_byte_order_mark_stays_first() {
    for case in all().filter(|case| !case.before.is_empty()) {
        let new = patched(case, &format!("\u{feff}{}", case.before), "-4 %").0;
        assert_eq!(new, format!("\u{feff}{}", expected(case)), "{}", case.says);
    }
}

#[test]
fn a_text_that_is_no_toml_is_named_with_line_and_column() {
    let broken = "[package]\nname = \"ä\" x\n";
    for (of, path) in [(Of::Root, "Cargo.toml"), (Of::Config, CONFIG), (Of::Package, "engine/Cargo.toml")] {
        let error = patch(&wanted("lto: fat", ""), &manifests(of, broken)).unwrap_err();
        assert_eq!((error.path.as_str(), error.line, error.column), (path, 2, 12), "{error}");
        assert!(error.to_string().starts_with(&format!("{path}:2:12: ")), "{error}");
    }
    let mut all = manifests(Of::Config, "");
    all.outer = vec![file("/home/u/.cargo/config.toml", broken)];
    assert_eq!(patch(&wanted("lto: fat", ""), &all).unwrap_err().path, "/home/u/.cargo/config.toml");
}

#[test]
fn what_cargo_would_refuse_is_refused_with_its_place() {
    for (of, text, settings, line) in [
        (Of::Root, "\nprofile = 3\n", "lto: fat", 2),
        (Of::Root, "[profile.release.lto]\nx = 1\n", "lto: fat", 1),
        (Of::Config, "[build]\nrustflags = 3\n", "target-cpu: native", 2),
        (Of::Config, "[build]\nrustflags = [3]\n", "target-cpu: native", 2),
        (Of::Package, "[features]\nx = []\ndefault = 3\n", "features: x", 3),
    ] {
        let error = patch(&wanted(settings, ""), &manifests(of, text)).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.problem.contains("expected"), "{error}");
    }
}

#[test]
fn a_workspace_of_one_package_is_edited_once() {
    let text = "[package]\nname = \"engine\"\n\n[features]\njemalloc = []\n";
    let mut all = manifests(Of::Root, text);
    all.packages = vec![Package { name: "engine".to_owned(), manifest: all.root.clone() }];
    let patch = patch(&wanted("lto: fat; allocator: jemalloc", "-4 %"), &all).unwrap();
    let [edit] = patch.edits.as_slice() else { panic!("{patch:?}") };
    assert_eq!((edit.path.as_str(), edit.old.as_deref()), ("Cargo.toml", Some(text)));
    let table = parsed(&edit.new);
    assert_eq!(at(&table, &["profile", "release", "lto"]).unwrap().as_str(), Some("fat"));
    assert_eq!(at(&table, &["features", "default"]).unwrap().to_string(), "[\"jemalloc\"]");
}

#[test]
fn nothing_wanted_is_nothing_edited() {
    let patch = patch(&Wanted::default(), &manifests(Of::Root, "[package]\nname = \"x\"")).unwrap();
    assert_eq!(patch, Patch { edits: Vec::new(), by_hand: Vec::new(), cautions: Vec::new() });
}

#[test]
fn evidence_is_one_line_that_begins_with_the_knob() {
    let line = |told: &str| wanted("lto: fat", told).line("lto");
    assert_eq!(line("lto = \"fat\": -4 %"), "lto = \"fat\": -4 %");
    assert_eq!(line("-4 %\n[evil]\r\u{1b} x"), "lto: -4 % [evil] x");
    assert_eq!(line("lto-free"), "lto: lto-free");
    assert_eq!(line(""), "lto = fat");
}

/// The knobs and lines of notes.
fn told(notes: &[Note]) -> Vec<(&str, String)> {
    notes.iter().map(|note| (note.knob.as_str(), note.lines.join("\n"))).collect()
}

#[test]
fn what_no_manifest_can_say_comes_with_its_command() {
    let guided =
        |knobs: &str| format!("[[variant]]\nname = \"guided\"\n{knobs} = true\ncargo perfplan build --variant guided");
    let env = r"export MALLOC_CONF=narenas:1,x:2 NOTE='it'\''s on'".to_owned();
    for (settings, notes) in [
        (
            "pgo: true; env: MALLOC_CONF=narenas:1,x:2 NOTE=it's on; profile: release; bolt: false",
            vec![("env", env), ("pgo", guided("pgo"))],
        ),
        ("bolt: true; pgo: true", vec![("pgo", guided("pgo = true\nbolt"))]),
        ("bolt: true; pgo: false", vec![("bolt", guided("bolt"))]),
        ("profile: dist", vec![("profile", "cargo build --profile dist".to_owned())]),
    ] {
        let patch = patch(&wanted(settings, ""), &manifests(Of::Root, "")).unwrap();
        assert_eq!((told(&patch.by_hand), patch.edits), (notes, Vec::new()), "{settings}");
    }
}

#[test]
fn what_changes_besides_the_time_is_said() {
    let cautions = |settings: &str| patch(&wanted(settings, ""), &manifests(Of::Root, "")).unwrap().cautions;
    assert!(cautions("panic: abort")[0].says.contains("catch_unwind"));
    assert!(cautions("target-cpu: native")[0].says.contains("machines like this one"));
    assert!(cautions("target-cpu: x86-64-v3")[0].says.contains("all of x86-64-v3"));
    assert!(cautions("panic: unwind; lto: fat").is_empty());
}

#[test]
fn a_knob_that_the_better_build_drops_is_never_an_edit() {
    let text = "[package]\nname = \"engine\"\n\n[features]\nunset = []\ndefault = [\"jemalloc\"]\njemalloc = []\n\n\
                [profile.release]\nlto = \"fat\"\n";
    let config = file(CONFIG, "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n");
    for knob in by_hand::EDITED.into_iter().chain(["profile", "pgo", "bolt", "env"]) {
        let knob = knob.to_owned();
        for value in [UNSET, ""] {
            let settings: BTreeMap<String, String> = [(knob.clone(), value.to_owned())].into();
            let mut all = manifests(Of::Root, text);
            all.config = Some(config.clone());
            all.packages = vec![Package { name: "engine".to_owned(), manifest: all.root.clone() }];
            let patch = patch(&Wanted { settings: settings.clone(), ..Wanted::default() }, &all).unwrap();
            assert_eq!((patch.edits.len(), patch.cautions.len()), (0, 0), "{knob} = {value:?}: {patch:?}");
            let [note] = patch.by_hand.as_slice() else { panic!("{knob} = {value:?}: {patch:?}") };
            assert_eq!((note.knob.as_str(), note.lines.len()), (knob.as_str(), 0));
            assert!(note.says.contains("the better build does not: remove it"), "{note:?}");
            assert_eq!(unwritten(&settings).map(|(knob, _)| knob).collect::<Vec<_>>(), [&knob], "{value:?}");
        }
    }
}

#[test]
fn a_dropped_profile_leaves_the_other_knobs_to_the_release_profile() {
    let patch = patch(&wanted("profile: unset; lto: fat", ""), &manifests(Of::Root, "")).unwrap();
    let [edit] = patch.edits.as_slice() else { panic!("{patch:?}") };
    assert_eq!(at(&parsed(&edit.new), &["profile", "release", "lto"]).unwrap().as_str(), Some("fat"));
    assert!(!edit.new.contains(UNSET), "{}", edit.new);
}
