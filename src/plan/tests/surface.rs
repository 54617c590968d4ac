//! What can be said in a plan, and what it means.

use std::path::Path;
use std::time::Duration;

use super::parse;
use crate::plan::{Allocator, Filters, Knob, Size, Variant, Workload, WorkloadSource};
use crate::samples::Gate;

pub(super) const FULL: &str = r#"
[gate]
family-error = "5%"
tolerance = "0.5 %"
metrics = ["wall", "cpu"]
[gate.tolerances]
"latency.p99" = "20%"
[measure]
budget = "1h30m"
quick-budget = "30s"
size = "full"
most-rounds = 100
batch = "2ms"
round = "50ms"
timeout = "5s"
shuffle-layouts = false
layouts = 8
baseline = "fat"
[[workload]]
package = "generator"
bin = "gen"
features = ["x"]
[[workload]]
package = "engine"
timeout = "3s"
[[workload]]
command = ["/usr/bin/wc", "-l", "Cargo.lock"]
[[variant]]
name = "release"
[[variant]]
name = "fat"
profile = "dist"
lto = true
codegen-units = 1
opt-level = 3
panic = "abort"
debug = 1
target-cpu = "native"
allocator = "jemalloc"
features = ["x"]
rustflags = ["-C", "prefer-dynamic=no"]
env = { MALLOC_CONF = "narenas:1" }
same-results = false
only = ["generator::*", "!naive"]
explicit = true
[matrix]
design = "fractional"
resolution = 5
lto = ["off", "thin"]
opt-level = [2, "s"]
features = [[], ["x", "y"]]
env = [{ MALLOC_CONF = "narenas:4" }]
exclude = [{ lto = "thin", opt-level = ["s", 3] }]
[[step]]
id = "redb-cache"
title = "Read once"
before = "generator::redb/naive"
after = "generator::redb/cached"
claims = ["wall <= before - 30%", 'checksum == before']
plan = "000 section 1"
expect = "refuted: 12 %"
[[step]]
id = "scan"
case = "engine::scan"
claims = ["wall in 10ns .. 50ns"]
"#;

#[test]
fn every_key_reaches_the_plan() {
    let plan = parse(FULL);
    assert_eq!(plan.path.as_deref(), Some(Path::new("perfplan.toml")));
    assert_eq!((plan.gate.family_error, plan.gate.tolerance, plan.gate.most_rounds), (0.05, 0.005, 100));
    assert_eq!(plan.gate.metrics, ["wall", "cpu"].map(|metric| metric.parse().unwrap()));
    let measure = &plan.measure;
    assert_eq!((measure.budget, measure.quick_budget), (Duration::from_secs(5_400), Duration::from_secs(30)));
    assert_eq!((measure.size, measure.layouts, measure.shuffle_layouts), (Size::Full, 8, false));
    let (batch, round) = (Duration::from_millis(2), Duration::from_millis(50));
    assert_eq!((measure.batch, measure.round, measure.timeout), (batch, round, Duration::from_secs(5)));
    assert_eq!(plan.baseline.as_str(), "fat");
}

#[test]
fn workloads_take_their_names_from_what_they_run_and_may_have_timeouts_of_their_own() {
    let package = |name: &str, package: &str, bin: Option<&str>, features: &[&str], timeout| Workload {
        name: name.to_owned(),
        timeout,
        source: WorkloadSource::Package {
            package: package.to_owned(),
            bin: bin.map(str::to_owned),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        },
    };
    let argv = ["/usr/bin/wc", "-l", "Cargo.lock"].map(str::to_owned).to_vec();
    let command = Workload { name: "wc".to_owned(), timeout: None, source: WorkloadSource::Command { argv } };
    let engine = package("engine", "engine", None, &[], Some(Duration::from_secs(3)));
    assert_eq!(Workload::package("engine"), package("engine", "engine", None, &[], None));
    assert_eq!(parse(FULL).workloads, [package("gen", "generator", Some("gen"), &["x"], None), engine, command]);
}

#[test]
fn every_knob_reaches_the_variant() {
    let text = |text: &str| Some(text.to_owned());
    let only = Filters::new(&["generator::*", "!naive"]).unwrap();
    let fat = Variant {
        profile: text("dist"),
        lto: text("fat"),
        codegen_units: Some(1),
        opt_level: text("3"),
        panic: text("abort"),
        debug: text("limited"),
        target_cpu: text("native"),
        allocator: Some(Allocator::Jemalloc),
        features: vec!["x".to_owned()],
        rustflags: ["-C", "prefer-dynamic=no"].map(str::to_owned).to_vec(),
        env: [("MALLOC_CONF".to_owned(), "narenas:1".to_owned())].into(),
        same_results: false,
        only,
        explicit: true,
        ..Variant::plain("fat".parse().unwrap())
    };
    assert_eq!(parse(FULL).variants, [Variant::plain("release".parse().unwrap()), fat]);
}

#[test]
fn knobs_are_written_as_in_a_cargo_manifest() {
    let knob = |line: &str| parse(&format!("[[variant]]\nname = \"v\"\n{line}")).variants.remove(0);
    let lto = ["\"off\"", "\"thin\"", "\"fat\"", "true", "false"].map(|lto| knob(&format!("lto = {lto}")).lto.unwrap());
    assert_eq!(lto, ["off", "thin", "fat", "fat", "false"]);
    let levels = ["0", "\"2\"", "\"s\"", "\"z\""].map(|level| knob(&format!("opt-level = {level}")).opt_level.unwrap());
    assert_eq!(levels, ["0", "2", "s", "z"]);
    let debug = ["true", "false", "0", "2", "\"line-tables-only\""]
        .map(|debug| knob(&format!("debug = {debug}")).debug.unwrap());
    assert_eq!(debug, ["full", "none", "none", "full", "line-tables-only"]);
}

#[test]
fn an_empty_plan_is_the_defaults_and_these_are_the_gates_own() {
    let plan = parse("");
    assert_eq!(plan.gate, Gate::default());
    assert_eq!(plan.measure.budget, Duration::from_secs(600));
    assert_eq!((plan.measure.size, plan.measure.shuffle_layouts), (Size::Default, true));
    assert_eq!(plan.variants, [Variant::plain("release".parse().unwrap())]);
    assert_eq!((plan.baseline.as_str(), plan.workloads.len()), ("release", 0));
}

#[test]
fn the_file_overrides_the_defaults_key_by_key_and_lists_as_a_whole() {
    let plan = parse(
        "gate.tolerances.wall = \"2%\"\ngate.tolerances.\"latency.p99\" = \"3%\"\nvariant = [{ name = \"a\" }, { name = \"b\" }]",
    );
    let tolerance = |metric: &str| plan.gate.tolerance(&metric.parse().unwrap());
    assert_eq!(["wall", "latency.p99", "latency.p50", "cpu"].map(tolerance), [0.02, 0.03, 0.05, 0.01]);
    assert_eq!((plan.variants.len(), plan.baseline.as_str()), (2, "a"));
    assert_eq!(plan.variant(&"b".parse().unwrap()).map(|variant| variant.name.as_str()), Some("b"));
    assert_eq!(plan.measure.layouts, 640);
}

#[test]
fn the_commented_examples_of_the_defaults_are_plans_too() {
    let defaults = include_str!("../default.toml");
    let switched_on = |line: &str| {
        let example = line.strip_prefix("# ").filter(|rest| rest.starts_with("[[") || rest.contains(" = "));
        example.unwrap_or(line).to_owned() + "\n"
    };
    let on = |text: &str| parse(&text.lines().map(switched_on).collect::<String>());
    let (above, matrix) = defaults.split_once("[matrix]").unwrap();
    let plan = on(above);
    assert_eq!((plan.steps.len(), plan.steps[0].claims.len()), (1, 3));
    assert_eq!((plan.workloads.len(), plan.variants[0].codegen_units), (2, Some(1)));
    assert_eq!(plan.variants[0].allocator, Some(Allocator::Jemalloc));
    let plan = on(&format!("[matrix]{matrix}"));
    assert_eq!((plan.matrix.axes.len(), plan.matrix.exclude.len()), (Knob::ALL.len(), 1));
}
