//! The matrix on a small real project: what each knob bought, and the patch that takes it.

use std::fs;

use crate::support::Project;

/// One knob that can only hurt, and one that changes nothing which these cases notice.
const PLAN: &str = r#"
[gate]
tolerance = "10%"

[[variant]]
name = "debug-like"
opt-level = 1

[matrix]
opt-level = [3]
frame-pointers = [true]
target-cpu = ["no-such-cpu"]
"#;

#[test]
fn a_knob_that_pays_ends_up_in_the_manifest_once() {
    let extra = r#"suite.case("mean", |_| { let all: Vec<f32> = (0..4_000).map(|n| n as f32).collect();
        move |index: u64| all.iter().map(|x| x * x + index as f32).fold(0.0, f32::max).to_bits() });"#;
    let project = Project::with(extra);
    project.write("perfplan.toml", PLAN);
    let told = project.perfplan(&["tune", "mean", "--budget", "20s"]).exits(0);
    let told = told.says("Take opt-level=3").says("measured by itself").says("no-such-cpu").says("+opt-level = 3");
    assert!(!fs::read_to_string(project.path().join("Cargo.toml")).unwrap().contains("opt-level"), "written unasked");
    let run = told.err.lines().find_map(|line| line.strip_prefix("report and plots: ")).unwrap().to_owned();
    for file in ["run.json", "tune.md", "tune.json", "tune.patch", "plots/effects.svg", "plots/pareto-size.svg"] {
        assert!(fs::metadata(project.path().join(&run).join(file)).is_ok(), "{file} is missing in {run}");
    }
    let id = run.rsplit('/').next().unwrap();
    let again = ["tune", "mean", "--from", id, "--no-confirm", "--write"];
    project.perfplan(&again).exits(0).says("written: Cargo.toml");
    let once = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    assert!(once.contains("# perfplan: opt-level") && once.contains("opt-level = 3"), "{once}");
    project.perfplan(&again).exits(0);
    assert_eq!(fs::read_to_string(project.path().join("Cargo.toml")).unwrap(), once);
}

#[test]
fn where_nothing_pays_the_build_is_left_as_it_is() {
    let project = Project::new();
    project.write("perfplan.toml", "[gate]\ntolerance = \"20%\"\n[matrix]\nframe-pointers = [true]\n");
    let told = project.perfplan(&["tune", "sum", "--budget", "10s"]).exits(0).says("Leave");
    assert!(!told.out.contains("+++"), "{}", told.out);
}
