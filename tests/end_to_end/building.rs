//! Builds on a small real project: what the cache holds is not built, what can't be built spoils nothing else.

use std::fs;

use crate::support::Project;

const PLAN: &str = r#"
[gate]
tolerance = "20%"

[[variant]]
name = "release"

[[variant]]
name = "small-code"
opt-level = "s"

[[variant]]
name = "tuned"
env = { UNREAD = "1" }
"#;

#[test]
fn nothing_is_built_twice_over_variants_runs_and_revisions() {
    let project = Project::new();
    project.write("perfplan.toml", PLAN);
    project.commit("plan");
    project.perfplan(&["plan"]).exits(0).says("to build: 2 of 3 cells").says("as release");
    project.perfplan(&["build"]).exits(0).says("2 built, 1 ready before");
    project.perfplan(&["build"]).exits(0).says("0 built, 3 ready before");

    let source = fs::read_to_string(project.path().join("src/main.rs")).unwrap();
    project.write("src/main.rs", &source.replace("2_000", "2_100"));
    project.perfplan(&["plan"]).exits(0).says("to build: 2 of 3 cells, about");
    // Cargo's own object files are gone: only the cache of programs can know the commit's.
    fs::remove_dir_all(project.path().join("target/perfplan/build")).unwrap();
    project.perfplan(&["plan", "--against", "HEAD"]).exits(0).says("to build: 1 of 2 cells");
    project.write("src/main.rs", &source);
    project.perfplan(&["build"]).exits(0).says("0 built, 3 ready before");
    assert!(!project.path().join("target/perfplan/build").exists(), "cargo was called though all was known");

    project.perfplan(&["clean"]).exits(0).says("artifacts");
    project.perfplan(&["plan"]).exits(0).says("to build: 2 of 3 cells");
}

#[test]
fn a_file_that_is_included_from_elsewhere_counts_as_source() {
    let project = Project::with(r#"suite.case("text", |_| |_: u64| include_str!("../../outside.txt").len());"#);
    let outside = project.path().parent().unwrap().join("outside.txt");
    fs::write(&outside, "one").unwrap();
    project.perfplan(&["build"]).exits(0).says("1 built");
    project.perfplan(&["build"]).exits(0).says("1 ready before");
    fs::write(&outside, "two").unwrap();
    project.perfplan(&["build"]).exits(0).says("1 built");
    fs::remove_file(outside).unwrap();
}

#[test]
fn a_cell_that_fails_says_why_and_the_others_are_finished() {
    let project = Project::new();
    project.write(
        "perfplan.toml",
        r#"
[[variant]]
name = "release"

[[variant]]
name = "no-link"
rustflags = ["-Clink-arg=-lno-such-library"]

[[variant]]
name = "no-feature"
allocator = "mimalloc"

[[variant]]
name = "no-cpu"
target-cpu = "x86-64-v33"

[[variant]]
name = "debug-info"
debug = "none"
"#,
    );
    let told = project.perfplan(&["build"]).exits(1);
    let told = told.says("no-such-library").says("has no feature \"mimalloc\"").says("x86-64-v3");
    told.says("2 built, 0 ready before, 2 failed, 1 skipped");
    project.perfplan(&["build", "--format", "json"]).exits(1).says("\"progress\": \"skipped\"");
}

#[test]
fn sources_that_change_during_a_build_are_noticed() {
    let project = Project::new();
    let script = "fn main() { std::fs::write(\"Cargo.lock\", std::fs::read_to_string(\"Cargo.lock\").unwrap() + \"\\n\").unwrap(); }";
    project.write("build.rs", script);
    project.perfplan(&["build"]).exits(1).says("Cargo.lock changed while this was built");
    project.write("build.rs", "fn main() {}");
    project.perfplan(&["build"]).exits(0).says("1 built");
}

#[test]
fn another_revision_is_never_taken_for_the_working_tree() {
    let project = Project::with(r#"suite.case("text", |_| |_: u64| include_str!("../other/data.txt").len());"#);
    // Inside the repository and outside the package: what is there counts because the compiler reads it.
    project.write("other/Cargo.toml", "[package]\nname = \"other\"\n[workspace]\n");
    project.write("other/data.txt", "one");
    project.commit("data");
    project.perfplan(&["build", "--against", "HEAD"]).exits(0).says("1 built, 1 ready before");
    project.write("other/data.txt", "three");
    project.perfplan(&["build", "--against", "HEAD"]).exits(0).says("1 built, 1 ready before");
    // A workload by another name is another program's file.
    project.write("perfplan.toml", "[[workload]]\nname = \"renamed\"\npackage = \"small\"\n");
    project.perfplan(&["build", "--format", "json"]).exits(0).says("/renamed\"");
}

#[test]
fn another_revision_is_built_with_its_own_configuration() {
    let project = Project::new();
    project.write(".cargo/config.toml", "[profile.release]\nopt-level = 1\n");
    project.commit("configuration");
    project.write(".cargo/config.toml", "[profile.release]\nopt-level = 3\n");
    project.perfplan(&["build", "--against", "HEAD"]).exits(0).says("2 built, 0 ready before");
    let told = project.perfplan(&["build", "--against", "HEAD", "--format", "json"]).exits(0);
    let built: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let programs = |cell: usize| built["cells"][cell]["programs"][0].as_str().unwrap().to_owned();
    assert_ne!(programs(0), programs(1), "both sides were built with the working tree's configuration");
}

#[test]
fn flags_of_the_users_own_reach_every_variant() {
    let project = Project::with("#[cfg(marked)] suite.case(\"marked\", |_| |index: u64| index ^ 1);");
    project.write(".cargo/config.toml", "[target.'cfg(unix)']\nrustflags = [\"--cfg\", \"marked\"]\n");
    project
        .write("perfplan.toml", "[[variant]]\nname = \"release\"\n[[variant]]\nname = \"fp\"\nframe-pointers = true\n");
    let told = project.perfplan(&["run", "marked", "--budget", "1s"]).exits_any(&[0, 3]).says("small::marked");
    assert!(!told.out.contains("missing"), "{}", told.out);
}
