//! Flags for rustc.

use super::*;

const fn config(says: &'static str, wanted: &'static str, before: &'static str, after: &'static str) -> Case {
    Case { says, of: Of::Config, wanted, before, after }
}

pub(super) const CASES: &[Case] = &[
    config(
        "a new file",
        "target-cpu: native",
        "",
        "[target.x86_64-unknown-linux-gnu]\n@target-cpu\nrustflags = [\"-Ctarget-cpu=native\"]\n",
    ),
    config(
        "every knob is the flag that was measured",
        "target-cpu: native;frame-pointers: true;linker: mold;rustflags: -C relro-level=off --cfg fast",
        "[alias]\nb = \"build\"\n",
        "[alias]\nb = \"build\"\n\n[target.x86_64-unknown-linux-gnu]\n@rustflags\n@target-cpu\n@frame-pointers\n@linker\n\
         rustflags = [\"-C\", \"relro-level=off\", \"--cfg\", \"fast\", \"-Ctarget-cpu=native\", \
         \"-Cforce-frame-pointers=yes\", \"-Clink-arg=-fuse-ld=mold\"]\n",
    ),
    config(
        "the target's own table is used",
        "linker: lld",
        "[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\" # why\n\n[net]\noffline = true\n",
        "[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\" # why\n@linker\nrustflags = [\"-Clink-arg=-fuse-ld=lld\"]\n\n\
         [net]\noffline = true\n",
    ),
    config(
        "a list for the target is in force, whatever the build's says",
        "target-cpu: native",
        "[build]\nrustflags = [\"-g\"]\n[target.x86_64-unknown-linux-gnu]\nrustflags = [\n    \"-Copt-level=3\", # x, y\n]\n",
        "[build]\nrustflags = [\"-g\"]\n[target.x86_64-unknown-linux-gnu]\n@target-cpu\nrustflags = [\n    \"-Copt-level=3\", # x, y\n    \
         \"-Ctarget-cpu=native\",\n]\n",
    ),
    config(
        "the build's list is in force, and no list for the target may silence it",
        "target-cpu: native",
        "[build]\nrustflags = [\"-g\"] # all\n",
        "[build]\n@target-cpu\nrustflags = [\"-g\", \"-Ctarget-cpu=native\"] # all\n",
    ),
    config(
        "an empty list for the target silences nothing",
        "target-cpu: native",
        "[build]\nrustflags = \"-g\"\n[target.x86_64-unknown-linux-gnu]\nrustflags = []\n",
        "[build]\n@target-cpu\nrustflags = \"-g -Ctarget-cpu=native\"\n[target.x86_64-unknown-linux-gnu]\nrustflags = []\n",
    ),
    config(
        "an empty list is filled",
        "target-cpu: native",
        "[target]\nx86_64-unknown-linux-gnu.rustflags = []\n",
        "[target]\n@target-cpu\nx86_64-unknown-linux-gnu.rustflags = [\"-Ctarget-cpu=native\"]\n",
    ),
    config(
        "a list for a condition that holds is joined with the target's own",
        "target-cpu: native",
        "[build]\nrustflags = [\"-g\"]\n\n[target.'cfg(all(unix, target_arch = \"x86_64\"))']\nrustflags = \"-Cpanic=abort\"\n",
        "[build]\nrustflags = [\"-g\"]\n\n[target.'cfg(all(unix, target_arch = \"x86_64\"))']\nrustflags = \"-Cpanic=abort\"\n\n\
         [target.x86_64-unknown-linux-gnu]\n@target-cpu\nrustflags = [\"-Ctarget-cpu=native\"]\n",
    ),
    config(
        "a condition that does not hold is of no account",
        "target-cpu: native",
        "[build]\nrustflags = [\"-g\"]\n\n[target.'cfg(windows)']\nrustflags = [\"-Ctarget-cpu=x86-64\"]\n\
         [target.aarch64-apple-darwin]\nrustflags = [\"-Ctarget-cpu=apple-m1\"]\n",
        "[build]\n@target-cpu\nrustflags = [\"-g\", \"-Ctarget-cpu=native\"]\n\n[target.'cfg(windows)']\nrustflags = [\"-Ctarget-cpu=x86-64\"]\n\
         [target.aarch64-apple-darwin]\nrustflags = [\"-Ctarget-cpu=apple-m1\"]\n",
    ),
    config(
        "an old value gives way where it stands, as conditions come behind the target's own list",
        "target-cpu: native; frame-pointers: false",
        "[target.'cfg(unix)']\nrustflags = [\"-C\", \"target-cpu=x86-64-v2\"] # old\n",
        "[target.'cfg(unix)']\n@target-cpu\nrustflags = [\"-C\", \"target-cpu=native\"] # old\n\n\
         [target.x86_64-unknown-linux-gnu]\n@frame-pointers\nrustflags = [\"-Cforce-frame-pointers=no\"]\n",
    ),
    config(
        "an old value in a string gives way",
        "target-cpu: native; linker: mold",
        "[build]\nrustflags = '-C target-cpu=x86-64-v3  -Clink-arg=-fuse-ld=lld -g'\n",
        "[build]\n@target-cpu\n@linker\nrustflags = \"-C target-cpu=native -Clink-arg=-fuse-ld=mold -g\"\n",
    ),
    config(
        "an array over several lines keeps its form",
        "target-cpu: native; linker: mold",
        "[build]\nrustflags = [\n  # The old machines.\n  \"-Ctarget-cpu=x86-64-v2\",\n  \"-g\" # no comma\n]\njobs = 2\n",
        "[build]\n@target-cpu\n@linker\nrustflags = [\n  # The old machines.\n  \"-Ctarget-cpu=native\",\n  \"-g\", # no comma\n  \
         \"-Clink-arg=-fuse-ld=mold\"\n]\njobs = 2\n",
    ),
    config(
        "what is there already is left alone",
        "target-cpu: native; frame-pointers: true; rustflags: --cfg fast",
        "[build]\nrustflags = [\"-C\", \"target-cpu=native\", \"-C force_frame_pointers=yes\", \"--cfg\", \"fast\"]\n",
        "[build]\nrustflags = [\"-C\", \"target-cpu=native\", \"-C force_frame_pointers=yes\", \"--cfg\", \"fast\"]\n",
    ),
    config(
        "inline tables",
        "target-cpu: native",
        "target = { x86_64-unknown-linux-gnu = { linker = \"clang\" } }\n",
        "@target-cpu\ntarget = { x86_64-unknown-linux-gnu = { linker = \"clang\", rustflags = [\"-Ctarget-cpu=native\"] } }\n",
    ),
    config(
        "a dotted list of the build",
        "target-cpu: native",
        "build.rustflags = [\"-g\"]\nbuild.jobs = 2\n",
        "@target-cpu\nbuild.rustflags = [\"-g\", \"-Ctarget-cpu=native\"]\nbuild.jobs = 2\n",
    ),
];

/// The flags that cargo takes from a configuration, in order.
fn flags_in_force(text: &str) -> Vec<String> {
    let table = parsed(text);
    let words = |path: &[&str]| match at(&table, path) {
        Some(Value::String(words)) => words.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(words)) => words.iter().map(|word| word.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    };
    let holds = ["cfg(unix)", "cfg(all(unix, target_arch = \"x86_64\"))"];
    let mut found: Vec<String> = words(&["target", TRIPLE, "rustflags"]);
    found.extend(holds.iter().flat_map(|name| words(&["target", name, "rustflags"])));
    if found.is_empty() { words(&["build", "rustflags"]) } else { found }
}

/// Flags in one spelling: `-C x=y` is `-Cx=y`.
fn joined(flags: &[String]) -> String {
    format!(" {} ", flags.join(" ")).replace(" -C ", " -C")
}

#[test]
fn the_flags_in_force_are_what_they_were_and_what_was_asked() {
    for case in CASES {
        let (before, after) = (flags_in_force(case.before), joined(&flags_in_force(&patched(case, case.before, "").0)));
        let asked = wanted(case.wanted, "");
        let linker = |name: &str| format!(" -Clink-arg=-fuse-ld={name} ");
        for (knob, flag) in [
            ("target-cpu", asked.setting("target-cpu").map(|cpu| format!(" -Ctarget-cpu={cpu} "))),
            ("linker", asked.setting("linker").map(linker)),
        ] {
            let Some(flag) = flag else { continue };
            assert_eq!(after.matches(&flag).count(), 1, "{}: {after}", case.says);
            assert_eq!(
                after.matches(if knob == "linker" { "-fuse-ld=" } else { "target-cpu=" }).count(),
                1,
                "{}",
                case.says
            );
        }
        for kept in before.iter().filter(|flag| ["-g", "-Cpanic=abort", "-Copt-level=3"].contains(&flag.as_str())) {
            assert!(after.contains(&format!(" {kept} ")), "{}: {kept} is lost: {after}", case.says);
        }
    }
}

fn with_outer(text: &str) -> Patch {
    let mut all = manifests(Of::Config, "");
    all.outer = vec![file("/home/u/.cargo/config.toml", text)];
    patch(&wanted("target-cpu: native", "-4 %"), &all).unwrap()
}

#[test]
fn flags_of_an_outer_configuration_are_not_silenced() {
    let joined = with_outer("[build]\nrustflags = [\"-g\"]\n");
    assert_eq!(
        at(&parsed(&joined.edits[0].new), &["build", "rustflags"]).unwrap().to_string(),
        "[\"-Ctarget-cpu=native\"]"
    );
    let target = with_outer("[build]\nrustflags = [\"-g\"]\n[target.'cfg(unix)']\nrustflags = [\"-g\"]\n");
    assert!(target.edits[0].new.starts_with("[target.x86_64-unknown-linux-gnu]\n"), "{target:?}");
}

#[test]
fn a_string_of_an_outer_configuration_is_left_to_the_user() {
    let patch = with_outer("[build]\nrustflags = \"-g\"\n");
    assert!(patch.edits.is_empty(), "{patch:?}");
    assert_eq!(told(&patch.by_hand), [("target-cpu", "-Ctarget-cpu=native".to_owned())]);
    assert!(patch.by_hand[0].says.contains("/home/u/.cargo/config.toml"), "{patch:?}");
}

#[test]
fn a_legacy_file_is_edited_where_it_is() {
    let mut all = manifests(Of::Config, "");
    all.config = Some(file(".cargo/config", "[build]\njobs = 1\n"));
    let patch = patch(&wanted("linker: mold", ""), &all).unwrap();
    assert_eq!(patch.edits[0].path, ".cargo/config");
}

#[test]
fn a_processor_for_every_target_is_warned_of() {
    let cautions =
        |text: &str| patch(&wanted("target-cpu: x86-64-v3", ""), &manifests(Of::Config, text)).unwrap().cautions;
    assert!(cautions("[build]\nrustflags = [\"-g\"]\n")[0].says.contains("every target"));
    assert!(cautions("").iter().all(|note| !note.says.contains("every target")));
}
