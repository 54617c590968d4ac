//! Knobs of profiles.

use super::*;

const fn root(says: &'static str, wanted: &'static str, before: &'static str, after: &'static str) -> Case {
    Case { says, of: Of::Root, wanted, before, after }
}

pub(super) const CASES: &[Case] = &[
    root(
        "a new table goes to the end",
        "lto: fat; codegen-units: 1",
        "[package]\nname = \"x\"\n",
        "[package]\nname = \"x\"\n\n[profile.release]\n@lto\nlto = \"fat\"\n@codegen-units\ncodegen-units = 1\n",
    ),
    root("an empty manifest gets one", "lto: thin", "", "[profile.release]\n@lto\nlto = \"thin\"\n"),
    root(
        "every kind of value is written as cargo takes it",
        "opt-level: 3;lto: false;codegen-units: 16;panic: abort;debug: line-tables-only",
        "[package]\n",
        "[package]\n\n[profile.release]\n@opt-level\nopt-level = 3\n@lto\nlto = false\n@codegen-units\n\
         codegen-units = 16\n@panic\npanic = \"abort\"\n@debug\ndebug = \"line-tables-only\"\n",
    ),
    root(
        "an optimisation for size is a string",
        "opt-level: s",
        "[profile.release]\nopt-level = 3\n",
        "[profile.release]\n@opt-level\nopt-level = \"s\"\n",
    ),
    root(
        "a key is changed in place and keeps its comments",
        "lto: fat",
        "[profile.release] # ours\n# Why thin.\n  lto  =  'thin'   # measured in May\ndebug = 1\n\n[lints]\n",
        "[profile.release] # ours\n# Why thin.\n  @lto\n  lto  =  \"fat\"   # measured in May\ndebug = 1\n\n[lints]\n",
    ),
    root(
        "a new key goes behind the last one of its table",
        "lto: fat",
        "[profile.release]\ndebug = 1 # some\n\n# The others.\n[profile.dev]\nopt-level = 1\n",
        "[profile.release]\ndebug = 1 # some\n@lto\nlto = \"fat\"\n\n# The others.\n[profile.dev]\nopt-level = 1\n",
    ),
    root(
        "a table without keys gets its first",
        "lto: fat",
        "[profile.release] # none yet\n[lints]\n",
        "[profile.release] # none yet\n@lto\nlto = \"fat\"\n[lints]\n",
    ),
    root(
        "a new table stands behind the other profiles and their comments",
        "lto: fat",
        "[profile.dev]\nopt-level = 1\n# debug = 0\n\n# Lints.\n[lints]\nworkspace = true\n",
        "[profile.dev]\nopt-level = 1\n# debug = 0\n\n[profile.release]\n@lto\nlto = \"fat\"\n\n# Lints.\n[lints]\nworkspace = true\n",
    ),
    root(
        "the comment of the next table stays with it",
        "lto: fat",
        "[profile.dev]\nopt-level = 1\n# Lints.\n[lints]\nworkspace = true\n",
        "[profile.dev]\nopt-level = 1\n\n[profile.release]\n@lto\nlto = \"fat\"\n\n# Lints.\n[lints]\nworkspace = true\n",
    ),
    root(
        "a profile that has overrides of packages only gets a table of its own",
        "opt-level: 2",
        "[profile.release.package.zlib]\nopt-level = 3\n\n[lints]\n",
        "[profile.release.package.zlib]\nopt-level = 3\n\n[profile.release]\n@opt-level\nopt-level = 2\n\n[lints]\n",
    ),
    root(
        "overrides of packages stay behind the profile's own keys",
        "lto: fat",
        "[profile.release]\ndebug = 1\n[profile.release.package.zlib]\nopt-level = 3\n",
        "[profile.release]\ndebug = 1\n@lto\nlto = \"fat\"\n[profile.release.package.zlib]\nopt-level = 3\n",
    ),
    root(
        "dotted keys of the document stay dotted",
        "lto: fat;codegen-units: 1",
        "profile.release.lto = true\nprofile.release.debug = 1 # x\n\n[package]\nname = \"x\"\n",
        "profile.release.lto = true\nprofile.release.debug = 1 # x\n@codegen-units\n\
         profile.release.codegen-units = 1\n\n[package]\nname = \"x\"\n",
    ),
    root(
        "dotted keys are changed in place",
        "lto: thin",
        "profile.release.lto = true # x\n[package]\nname = \"x\"\n",
        "@lto\nprofile.release.lto = \"thin\" # x\n[package]\nname = \"x\"\n",
    ),
    root(
        "a dotted profile beside the one that is meant",
        "lto: fat",
        "profile.dev.opt-level = 1\n[package]\nname = \"x\"\n",
        "profile.dev.opt-level = 1\n@lto\nprofile.release.lto = \"fat\"\n[package]\nname = \"x\"\n",
    ),
    root(
        "dotted keys under a header stay dotted",
        "lto: fat",
        "[profile]\nrelease.debug = 1\nrelease.panic = \"abort\"\ndev.debug = 2\n",
        "[profile]\nrelease.debug = 1\nrelease.panic = \"abort\"\n@lto\nrelease.lto = \"fat\"\ndev.debug = 2\n",
    ),
    root(
        "a header of profiles without the one that is meant",
        "lto: fat",
        "[profile]\ndev.debug = 2\n\n[lints]\n",
        "[profile]\ndev.debug = 2\n\n[profile.release]\n@lto\nlto = \"fat\"\n\n[lints]\n",
    ),
    root(
        "an inline table takes new keys between its braces",
        "lto: fat; panic: abort",
        "[profile]\nrelease = { debug = 1, lto = true } # x\n",
        "[profile]\n@panic\nrelease = { debug = 1, lto = true, panic = \"abort\" } # x\n",
    ),
    root(
        "an inline table of all profiles",
        "lto: fat; codegen-units: 1",
        "profile = { dev = { debug = 2 } }\n[package]\nname = \"x\"\n",
        "@lto\n@codegen-units\nprofile = { dev = { debug = 2 }, release.lto = \"fat\", release.codegen-units = 1 }\n\
         [package]\nname = \"x\"\n",
    ),
    root(
        "a key inside an inline table is changed in place",
        "lto: thin; debug: 0",
        "[profile]\nrelease = { lto = true, debug = 1 }\n",
        "[profile]\n@lto\n@debug\nrelease = { lto = \"thin\", debug = 0 }\n",
    ),
    root("an empty inline table", "lto: fat", "profile.release = {}\n", "@lto\nprofile.release = { lto = \"fat\" }\n"),
    root(
        "what is said already in other words is left alone",
        "lto: fat; codegen-units: 1; debug: none; opt-level: s; panic: abort",
        "[profile.release]\nlto = true\ncodegen-units = 0x1\ndebug = false\nopt-level = 's'\npanic = \"abort\"\n",
        "[profile.release]\nlto = true\ncodegen-units = 0x1\ndebug = false\nopt-level = 's'\npanic = \"abort\"\n",
    ),
    root(
        "quoted names are the same names",
        "lto: fat",
        "[\"profile\".'release']\n\"lto\" = false\n",
        "[\"profile\".'release']\n@lto\n\"lto\" = \"fat\"\n",
    ),
    root(
        "another profile than the release profile",
        "profile: bench; lto: fat",
        "[profile.release]\nlto = \"thin\"\n",
        "[profile.release]\nlto = \"thin\"\n\n[profile.bench]\n@lto\nlto = \"fat\"\n",
    ),
    root(
        "a profile of the user's own that is nowhere yet inherits",
        "profile: dist; lto: fat",
        "[package]\nname = \"x\"\n",
        "[package]\nname = \"x\"\n\n[profile.dist]\ninherits = \"release\"\n@lto\nlto = \"fat\"\n",
    ),
    root(
        "a profile of the user's own is as it was",
        "profile: dist; lto: fat",
        "[profile.dist]\ninherits = \"bench\"\n",
        "[profile.dist]\ninherits = \"bench\"\n@lto\nlto = \"fat\"\n",
    ),
    root(
        "old evidence gives way where it stands",
        "lto: fat; codegen-units: 1",
        "[profile.release]\n# Mine.\n# perfplan: lto: -1 %, by `cargo perfplan tune`\n# perfplan: lto = x\n# Also mine.\nlto = \"fat\"\n\
         # perfplan: codegen-units-of-mine\ncodegen-units = 2\n",
        "[profile.release]\n# Mine.\n@lto\n# Also mine.\nlto = \"fat\"\n\
         # perfplan: codegen-units-of-mine\n@codegen-units\ncodegen-units = 1\n",
    ),
    root(
        "a last line without an end gets one",
        "lto: fat",
        "[profile.release]\ndebug = 1",
        "[profile.release]\ndebug = 1\n@lto\nlto = \"fat\"\n",
    ),
    root(
        "a last line without an end, before a new table",
        "lto: fat",
        "[workspace]\nmembers = [\n  \"a\",\n]",
        "[workspace]\nmembers = [\n  \"a\",\n]\n\n[profile.release]\n@lto\nlto = \"fat\"\n",
    ),
    root(
        "blank lines at the end are enough",
        "lto: fat",
        "[workspace]\n\n",
        "[workspace]\n\n[profile.release]\n@lto\nlto = \"fat\"\n",
    ),
];

#[test]
fn the_edited_profile_says_what_was_asked_and_the_rest_says_what_it_did() {
    for case in CASES {
        let asked = wanted(case.wanted, "");
        let profile = asked.setting("profile").unwrap_or("release").to_owned();
        let (mut before, mut after) = (parsed(case.before), parsed(&patched(case, case.before, "").0));
        let same = [("lto", "true", "fat"), ("debug", "false", "none")];
        for (knob, setting) in asked.settings.iter().filter(|(knob, _)| *knob != "profile") {
            let value = at(&after, &["profile", &profile, knob]).unwrap_or_else(|| panic!("{}: {knob}", case.says));
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_same = word == *setting || same.contains(&(knob.as_str(), word.as_str(), setting.as_str()));
            assert!(is_same, "{}: {knob} is {word}", case.says);
        }
        for table in [&mut before, &mut after] {
            let profiles = table.entry("profile").or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap();
            let of_it = profiles.entry(profile.clone()).or_insert_with(|| Value::Table(Table::new()));
            of_it.as_table_mut().unwrap().retain(|knob, _| !asked.settings.contains_key(knob) && knob != "inherits");
        }
        assert_eq!(after, before, "{}", case.says);
    }
}

#[test]
fn a_profile_in_the_configuration_is_edited_there_as_it_wins() {
    let mut all = manifests(Of::Root, "[profile.release]\nlto = false\n");
    all.config = Some(file(CONFIG, "[profile.release]\nlto = \"thin\"\n"));
    let edits = patch(&wanted("lto: fat; panic: abort", "-4 %"), &all).unwrap().edits;
    let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!(paths, [CONFIG, "Cargo.toml"]);
    assert_eq!(at(&parsed(&edits[0].new), &["profile", "release", "lto"]).unwrap().as_str(), Some("fat"));
    let manifest = parsed(&edits[1].new);
    assert_eq!(at(&manifest, &["profile", "release", "lto"]).unwrap().as_bool(), Some(false));
    assert_eq!(at(&manifest, &["profile", "release", "panic"]).unwrap().as_str(), Some("abort"));
}

#[test]
fn a_profile_in_an_outer_configuration_is_overruled_by_the_workspace() {
    let mut all = manifests(Of::Root, "");
    all.outer = vec![file("/home/u/.cargo/config.toml", "profile.release.lto = \"off\"")];
    let edits = patch(&wanted("lto: fat", "-4 %"), &all).unwrap().edits;
    assert_eq!((edits.len(), edits[0].path.as_str(), &edits[0].old), (1, CONFIG, &None));
    assert!(edits[0].new.contains("[profile.release]\n# perfplan: lto: -4 %"), "{}", edits[0].new);
}
