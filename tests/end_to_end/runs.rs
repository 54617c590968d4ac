//! The real tool on a small real project: builds, processes, git.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Project, Told};

/// Two ways to build, and rows that are decided quickly.
const PLAN: &str = r#"
[gate]
tolerance = "20%"

[[variant]]
name = "release"

[[variant]]
name = "small-code"
opt-level = "s"
"#;

/// Nothing is ever decided: the same work twice, and a tolerance below what any machine sees. Only a budget ends it.
const ENDLESS: &str = r#"
[gate]
tolerance = "0.0001%"

[[variant]]
name = "release"

[[variant]]
name = "same"
env = { UNREAD = "1" }
"#;

#[test]
fn an_unchanged_tree_is_the_same_code_and_a_drill_fires_the_gate() {
    let project = Project::new();
    project.perfplan(&["run", "--against", "HEAD"]).exits(0).says("same code");
    let drill = project.perfplan(&["run", "--against", "HEAD", "--handicap", "small::sum=60%", "--budget", "20s"]);
    let drill = drill.exits(3).says("regressed");
    let (case, rest) = drill.out.split_once("small::sum").unwrap_or_default();
    assert!(!case.contains("small::boxes") && rest.contains("handicap +60.00 %"), "{}", drill.out);
}

#[test]
fn variants_are_compared_and_the_run_is_kept_with_its_report() {
    let project = Project::new();
    project.write("perfplan.toml", PLAN);
    let told = project.perfplan(&["run", "--budget", "10s", "--save", "first", "--format", "json"]).exits_any(&[0, 3]);
    let report: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(report["judgement"]["rows"].as_array().map(Vec::len), Some(2), "{}", told.out);
    let run = project.runs().pop().unwrap();
    for file in ["run.json", "journal.jsonl", "report.md", "plots/forest.svg"] {
        assert!(run.join(file).exists(), "{file} is missing in {}", run.display());
    }
    project.perfplan(&["baseline", "list"]).exits(0).says("first");
    project.perfplan(&["report", "latest"]).exits(0).says("small-code");
    project.perfplan(&["compare", "first", "latest"]).exits(0).says("4 same code");
    let other = fs::read_to_string(project.path().join("src/main.rs")).unwrap().replace("2_000", "2_100");
    project.write("src/main.rs", &other);
    project.perfplan(&["run", "sum", "--variant", "release", "--budget", "2s"]).exits(0);
    project.perfplan(&["compare", "first", "latest"]).exits_any(&[0, 3]).says("stored");
    // Layouts are drawn anew in every run, and nothing of them is left.
    assert!(
        fs::read_dir(project.path().join("target/perfplan/layouts"))
            .unwrap()
            .flatten()
            .all(|entry| { fs::read_dir(entry.path()).unwrap().next().is_none() })
    );
}

#[test]
fn cases_that_break_are_reported_and_the_others_are_measured() {
    let project = Project::with(
        r#"suite.case("panics", |_| |index: u64| assert!(index > 1_000_000, "index {index} is too small"));
           suite.case("aborts", |_| |_| -> u64 { std::process::abort() });
           suite.case("hangs", |_| |_| -> u64 { loop { std::thread::park() } });
           suite.case("differs", |_| |_| std::env::var("SIDE").is_ok());"#,
    );
    let plan = "[measure]\ntimeout = \"1s\"\n[gate]\ntolerance = \"20%\"\n\
                [[variant]]\nname = \"release\"\n[[variant]]\nname = \"other\"\nenv = { SIDE = \"b\" }\n\
                [[variant]]\nname = \"broken\"\nfeatures = [\"nonsense\"]\n";
    project.write("perfplan.toml", plan);
    let told = project.perfplan(&["run", "--budget", "10s"]).exits(1);
    let told = told.says("index 0 is too small").says("SIGABRT").says("did not answer for 1 s").says("results differ");
    let told = told.says("has no feature \"nonsense\"");
    assert!(told.out.contains("small::sum") || told.out.contains("sum"), "the good cases are measured: {}", told.out);
}

#[test]
fn wrong_plans_and_arguments_are_usage_errors_that_name_the_place() {
    let project = Project::new();
    project.write("perfplan.toml", "[gate]\ntolerence = \"1%\"\n");
    project.perfplan(&["run"]).exits(2).says("perfplan.toml:2:1").says("tolerance");
    project.write("perfplan.toml", "[gate]\ntolerance = \"1 parsec\"\n");
    project.perfplan(&["run"]).exits(2).says("perfplan.toml:2:13");
    project.write("perfplan.toml", "");
    project.perfplan(&["run", "nothing-like-this"]).exits(2).says("nothing-like-this");
    project.perfplan(&["run", "--against", "no-such-revision"]).exits(2).says("no-such-revision");
    project.perfplan(&["run", "--variant", "fat"]).exits(2).says("has no variant fat");
    project.perfplan(&["run", "--handicap", "small::sum"]).exits(2).says("CASE=2%");
    project.perfplan(&["run", "--resume"]).exits(2).says("nothing to resume");
    project.perfplan(&["run", "!small"]).exits(2).says("none of 2 cases");
    project.write("perfplan.toml", "[[workload]]\npackage = \"smal\"\n");
    project.perfplan(&["run"]).exits(2).says("no package \"smal\"").says("it has: small");
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let project = Project::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = project.perfplan_command(&["schema"]).stdout(full).output().unwrap();
    Told::of(output).exits(1).says("writing the result");
}

#[test]
fn a_program_that_does_not_compile_is_reported_with_the_compilers_words() {
    let project = Project::new();
    project.write("src/main.rs", "fn main() { let x: u32 = \"text\"; }\n");
    project.perfplan(&["run", "--budget", "5s"]).exits(1).says("mismatched types");
    // With a filter too: a case that did not build is no wrong filter.
    project.perfplan(&["run", "sum", "--budget", "5s"]).exits(1).says("mismatched types");
}

#[test]
fn a_base_revision_that_does_not_compile_is_a_failure_of_the_run() {
    let project = Project::new();
    let good = fs::read_to_string(project.path().join("src/main.rs")).unwrap();
    project.write("src/main.rs", "fn main() { let x: u32 = \"text\"; }\n");
    project.commit("break it");
    project.write("src/main.rs", &good);
    project.perfplan(&["run", "--against", "HEAD"]).exits(1).says("mismatched types").says("small::sum");
}

#[test]
fn a_case_that_cannot_be_named_is_told_and_the_others_are_measured() {
    let project = Project::with(r#"suite.case("na\u{ef}ve", |_| |index: u64| index);"#);
    let told = project.perfplan(&["run", "--budget", "1s"]).exits(1).says("a case of small");
    assert!(told.out.contains("small::sum"), "{}", told.out);
}

#[test]
fn a_corrupt_run_file_is_refused_with_its_place() {
    let project = Project::new();
    project.write("run.json", "{\"format\": 1, \"id\": ");
    project.perfplan(&["compare", "run.json", "run.json"]).exits(1).says("run.json").says("line 1");
    project.write("run.json", "{\"format\": 99}");
    project.perfplan(&["report", "run.json"]).exits(1).says("99");
}

#[test]
fn a_killed_run_leaves_no_child_and_is_resumed_without_loss() {
    let project = Project::new();
    project.write("perfplan.toml", ENDLESS);
    project.perfplan(&["run", "--budget", "1s"]).exits(0);
    let mut before = None;
    for pause in [900, 1_700] {
        let arguments: &[&str] =
            if before.is_none() { &["run", "--budget", "8s"] } else { &["run", "--budget", "8s", "--resume"] };
        let mut tool = project.perfplan_command(arguments).spawn().unwrap();
        let journal = wait_for_rounds(&project, before.unwrap_or(0));
        thread::sleep(Duration::from_millis(pause));
        tool.kill().unwrap();
        tool.wait().unwrap();
        assert_no_process_of(project.path());
        let rounds = rounds_in(&journal);
        assert!(rounds >= before.unwrap_or(0), "rounds were lost: {rounds}, before {before:?}");
        before = Some(rounds);
    }
    let told = project.perfplan(&["run", "--budget", "3s", "--resume"]).exits(0);
    let run = project.runs().pop().unwrap();
    assert!(run.join("run.json").exists(), "{told:?}");
    assert!(rounds_in(&run.join("journal.jsonl")) > before.unwrap());
    let left = fs::read_dir(project.path().join("target/perfplan/layouts")).unwrap().count();
    assert_eq!(left, 0, "layouts of the killed runs are left");
}

fn rounds_in(journal: &Path) -> usize {
    fs::read_to_string(journal).unwrap_or_default().lines().filter(|line| line.starts_with("{\"round\"")).count()
}

/// Waits until the latest run has more rounds than it had.
fn wait_for_rounds(project: &Project, before: usize) -> std::path::PathBuf {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let journal = project.runs().pop().map(|run| run.join("journal.jsonl"));
        if let Some(journal) = journal.filter(|journal| project.runs().len() > 1 && rounds_in(journal) > before) {
            return journal;
        }
        assert!(Instant::now() < end, "no rounds were measured");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Workers run programs below the project's folder; the kernel may take a moment to end them.
fn assert_no_process_of(folder: &Path) {
    let folder = fs::canonicalize(folder).unwrap();
    let alive = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|process| fs::read_link(process.path().join("exe")).ok())
            .any(|exe| exe.starts_with(&folder))
    };
    let end = Instant::now() + Duration::from_secs(2);
    while alive() {
        assert!(Instant::now() < end, "a child outlived the tool");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_detached_head_works_and_a_shallow_clone_says_what_to_fetch() {
    let project = Project::new();
    project.write("note", "1");
    project.commit("second");
    project.git(&["checkout", "--quiet", "--detach"]);
    project.perfplan(&["run", "--against", "main~1"]).exits(0).says("same code");
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", project.path().display());
    project.git(&["clone", "--quiet", "--depth", "1", &from, clone.path().to_str().unwrap()]);
    let mut command = project.perfplan_command(&["run", "--against", "HEAD~1"]);
    Told::of(command.current_dir(clone.path()).output().unwrap()).exits(2).says("shallow");
}

#[test]
fn commands_are_workloads_too() {
    let project = Project::new();
    let plan = "[[workload]]\nname = \"shell\"\ncommand = [\"sh\", \"-c\", \"test -z \\\"$SLOW\\\" || sleep 0.05\"]\n\
                [[variant]]\nname = \"release\"\n[[variant]]\nname = \"slow\"\nenv = { SLOW = \"1\" }\n";
    project.write("perfplan.toml", plan);
    project.perfplan(&["run", "--budget", "10s"]).exits(0).says("shell::run").says("regressed");
    project.write("perfplan.toml", "[[workload]]\ncommand = [\"sleep\", \"100\"]\ntimeout = \"200ms\"\n");
    project.perfplan(&["run"]).exits(1).says("it took longer than 0.2 s");
}

#[test]
fn a_guided_build_is_trained_first_and_only_once_or_says_which_tool_it_lacks() {
    let project = Project::new();
    project.write("perfplan.toml", "[[variant]]\nname = \"release\"\n[[variant]]\nname = \"guided\"\npgo = true\n");
    let told = project.perfplan(&["run", "--budget", "2s"]).exits_any(&[0, 1]);
    if told.code == Some(1) {
        // A machine without LLVM's tools: the other variants are measured, and the way to the tool is told.
        told.says("llvm-profdata").says("rustup component add llvm-tools");
        return;
    }
    told.says("trained on this case at quick size");
    let again = project.perfplan(&["run", "--budget", "1s"]).exits(0).says("trained on this case");
    assert!(!again.err.contains("built guided"), "nothing changed: {}", again.err);
}

#[test]
fn the_schema_describes_what_is_written() {
    let project = Project::new();
    let told = project.perfplan(&["schema"]).exits(0);
    let schema: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    assert!(schema["properties"]["measurements"].is_object(), "{}", told.out);
}
