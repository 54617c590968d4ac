//! One run over several machines: measured in shards, put together again.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Project, Told};

/// A baseline and three candidates that are the same program, told apart by an environment that nobody reads.
const PLAN: &str = r#"
[gate]
tolerance = "60%"

[[variant]]
name = "release"

[[variant]]
name = "a"
env = { UNREAD = "1" }

[[variant]]
name = "b"
env = { UNREAD = "2" }

[[variant]]
name = "c"
env = { UNREAD = "3" }
"#;

fn report(told: &Told) -> serde_json::Value {
    serde_json::from_str(&told.out).unwrap()
}

/// Case and candidate of every row, as `small::sum a`.
fn rows(told: &Told) -> Vec<String> {
    let report = report(told);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let row = |row: &serde_json::Value| format!("{} {}", text(&row["case"]), text(&row["candidate"]["variant"]));
    let mut rows: Vec<String> = report["judgement"]["rows"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

/// Below `target`, which git ignores: a tree with other files in it is another tree.
fn measure(project: &Project, shard: &str, folder: &str) {
    let arguments = ["run", "--budget", "2s", "--shard", shard, "--out", folder];
    project.perfplan(&arguments).exits(0).says(&format!("shard {shard}"));
}

#[test]
fn shards_come_together_to_what_one_run_would_have_said() {
    let project = Project::new();
    project.write("perfplan.toml", PLAN);
    project.commit("plan");
    let whole = project.perfplan(&["run", "--budget", "4s", "--format", "json"]).exits(0);
    for (shard, folder) in [("1/3", "target/out/x/1"), ("2/3", "target/out/x/2"), ("3/3", "target/out/y/3")] {
        measure(&project, shard, folder);
    }
    let merged = project.perfplan(&["merge", "target/out", "--format", "json", "--save", "all"]).exits(0);
    assert_eq!(rows(&merged), rows(&whole));
    assert_eq!(rows(&merged).len(), 6);
    assert_eq!(report(&merged)["parts"].as_array().map(Vec::len), Some(3));
    project.perfplan(&["report", "latest"]).exits(0).says("3 of 3 shards");
    project.perfplan(&["compare", "all", "latest"]).exits(0).says("12 same code");

    // One left out: the report has what there is, and says what there is not.
    let told = project.perfplan(&["merge", "target/out/x", "--save", "some", "--out", "target/two"]).exits(1);
    let told = told.says("shard 3/3 is missing: cargo perfplan run --budget 2s --shard 3/3");
    drop(told.says("not saved as baseline some"));
    project.perfplan(&["baseline", "save", "some", "target/out/x/1/run.json"]).exits(2).says("a shard is no baseline");

    // What was merged is merged further, in any order.
    let other =
        project.perfplan(&["merge", "target/out/y/3/run.json", "target/out/x/2", "--out", "target/other"]).exits(1);
    drop(other.says("shard 1/3 is missing"));
    project.perfplan(&["merge", "target/two", "target/out/y", "--out", "target/left"]).exits(0);
    project.perfplan(&["merge", "target/out/x/1", "target/other", "target/two", "--out", "target/right"]).exits(0);
    let [left, right] =
        ["target/left", "target/right"].map(|folder| fs::read(project.path().join(folder).join("run.json")).unwrap());
    assert!(left == right, "another grouping gives another run");

    // Shards of another plan, and runs that are no shards, are refused by what differs.
    project.write("perfplan.toml", &PLAN.replace("60%", "70%"));
    project.commit("other plan");
    measure(&project, "3/3", "target/stranger");
    let refused = project.perfplan(&["merge", "target/out/x", "target/stranger"]).exits(2);
    refused.says("are not shards of one run").says("the commit").says("the gate");
}

#[test]
fn a_single_comparison_is_divided_by_cases_and_an_idle_shard_is_no_failure() {
    let project = Project::new();
    let mut seen = BTreeSet::new();
    let folders = ["1/3", "2/3", "3/3"].map(|shard| {
        let folder = format!("target/out-{}", &shard[..1]);
        let arguments =
            ["run", "--against", "HEAD", "--shard", shard, "--format", "json", "--budget", "2s", "--out", &folder];
        for row in rows(&project.perfplan(&arguments).exits(0)) {
            assert!(seen.insert(row), "a case is in two shards");
        }
        folder
    });
    assert_eq!(seen.len(), 2);
    let [one, two, three] = &folders;
    let merged = project.perfplan(&["merge", one, two, three, "--format", "json"]).exits(0);
    assert_eq!(rows(&merged).into_iter().collect::<BTreeSet<_>>(), seen);
}

#[test]
fn wrong_shards_are_usage_errors() {
    let project = Project::new();
    for (shard, reason) in
        [("0/3", "counted from 1 to 3"), ("4/3", "no shard 4 of 3"), ("3/0", "0 shards"), ("x", "2/3")]
    {
        project.perfplan(&["plan", "--shard", shard]).exits(2).says(reason);
    }
    project.perfplan(&["run", "--shard", "1/2", "--save", "x"]).exits(2).says("a shard is no baseline");
    project.perfplan(&["merge"]).exits(2);
    fs::create_dir(project.path().join("empty")).unwrap();
    project.perfplan(&["merge", "empty"]).exits(1).says("holds no run.json");
    project.write("perfplan.toml", PLAN);
    let planned = project.perfplan(&["plan", "--shard", "2/3", "--format", "json"]).exits(0);
    let cells = report(&planned)["cells"].as_array().unwrap().clone();
    let names: Vec<&str> = cells.iter().map(|cell| cell["variant"].as_str().unwrap()).collect();
    assert_eq!(names, ["release", "b"]);
}
