//! Why something changed, and whether what a plan claims is true: profiles, claims, blame, and the doctor's look at builds.

use std::fs;
use std::io::Read as _;
use std::ops::Deref;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use perfplan::profile::folded::Folded;

use crate::support::{Project, Told, processes, signal, wait_until};

/// Cases in pairs, each side with something of its own that a claim can be about; and functions that a profile can find.
const CASES: &str = r#"
    use std::{fs::File, hint::black_box, io::{BufWriter, Write as _}};
    // Written out: what is called here, and inlined, would own the time.
    #[inline(never)]
    fn slow_part(seed: u64) -> u64 {
        let (mut sum, mut left) = (seed, if cfg!(feature = "slower") { 24_000 } else { 8_000 });
        while left > 0 { sum = (sum << 5) ^ (sum >> 3) ^ left; left -= 1; }
        black_box(sum);
        seed
    }
    #[inline(never)]
    fn other_part(seed: u64) -> u64 {
        let (mut sum, mut left) = (seed, 2_000_u64);
        while left > 0 { sum = (sum << 7) ^ (sum >> 5) ^ left; left -= 1; }
        sum
    }
    #[inline(never)]
    fn last_part(seed: u64) -> u64 {
        let (mut sum, mut left) = (seed, 2_000_u64);
        while left > 0 { sum = (sum << 9) ^ (sum >> 2) ^ left; left -= 1; }
        sum
    }
    #[inline(never)]
    fn fill(kept: &mut Vec<u64>, index: u64) -> u64 {
        (0..200).for_each(|n| kept.push(black_box(n ^ index)));
        kept.iter().fold(0, |sum, n| sum ^ n)
    }
    fn draws(index: u64, of: impl Fn(f64) -> f64) -> u64 {
        let hash = |n: u64| (index * 100 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        (0..100).for_each(|n| perfplan_harness::observe("size", of(hash(n) as f64 / (1_u64 << 24) as f64)));
        hash(0)
    }
    suite.case("parts", |_| |index: u64| {
        perfplan_harness::gauge("hit.rate", 0.75);
        slow_part(index) ^ other_part(index) ^ last_part(index)
    });
    suite.case("file/each", |_| {
        let mut file = File::create("/dev/null").unwrap();
        move |index: u64| { (0..20).for_each(|_| file.write_all(&index.to_le_bytes()).unwrap()); index }
    });
    suite.case("file/buffered", |_| {
        let mut file = BufWriter::new(File::create("/dev/null").unwrap());
        move |index: u64| {
            (0..20).for_each(|_| file.write_all(&index.to_le_bytes()).unwrap());
            file.flush().unwrap();
            index
        }
    });
    suite.case("vec/grown", |_| |index: u64| fill(&mut Vec::new(), index));
    suite.case("vec/kept", |_| {
        let mut kept = Vec::with_capacity(200);
        move |index: u64| { kept.clear(); fill(&mut kept, index) }
    });
    suite.case("sizes/drawn", |_| |index: u64| draws(index, |x| x));
    suite.case("sizes/again", |_| |index: u64| draws(index, |x| 2.0 * x / 2.0));
    suite.case("sizes/skewed", |_| |index: u64| draws(index, |x| x * x) + 1);
    suite.case("calls", |_| |_: u64| (0..20_000).fold(0, |sum, _| sum ^ u64::from(std::process::id())));
"#;

/// What the slow part does; in the commit before, it was faster.
const NOW: &str = "{ 24_000 } else { 8_000 }";
const BEFORE: &str = "{ 24_000 } else { 4_000 }";

const WORKLOADS: &str = r#"
[[variant]]
name = "release"

[[variant]]
name = "slower"
features = ["slower"]
explicit = true

[[variant]]
name = "unoptimised"
opt-level = 0
explicit = true

# With a linker that is on no machine.
[[variant]]
name = "unbuildable"
linker = "wild"
explicit = true

[[workload]]
package = "small"

[[workload]]
name = "long"
command = ["sh", "repeat.sh", "20"]

[[workload]]
name = "short"
command = ["sh", "repeat.sh", "5"]
"#;

/// One project for all tests here, which leave it as it is: it is built once, and goes with the last of them.
struct Shared(Arc<Project>);

static PROJECT: Mutex<Weak<Project>> = Mutex::new(Weak::new());

impl Shared {
    fn project() -> Self {
        let mut shared = PROJECT.lock().unwrap();
        let project = shared.upgrade().unwrap_or_else(|| Arc::new(made()));
        *shared = Arc::downgrade(&project);
        Self(project)
    }
}

fn made() -> Project {
    let project = Project::with(&CASES.replace(NOW, BEFORE));
    let source = fs::read_to_string(project.path().join("src/main.rs")).unwrap();
    project.write("src/main.rs", &source.replace(BEFORE, NOW));
    project.write("repeat.sh", "n=0\nwhile [ $n -lt $1 ]; do n=$((n + 1)); cat /dev/null; done\n");
    // Without it claims on functions are not judged: what was inlined would be counted as gone.
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", &(manifest + "\n[profile.release]\ndebug = \"limited\"\n"));
    project.write("perfplan.toml", WORKLOADS);
    project.write("claims.toml", &[WORKLOADS, TRUE_STEPS, OTHER_STEPS].concat());
    project.commit("slower");
    project
}

impl Deref for Shared {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.0
    }
}

impl Drop for Shared {
    /// The test that fails is not always the last one to hold the evidence.
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the project is kept at {}", self.path().display());
            std::mem::forget(Arc::clone(&self.0));
        }
    }
}

/// What holds, one step for each way to measure.
const TRUE_STEPS: &str = r#"
[[step]]
id = "buffered"
title = "Write once"
before = "small::file/each"
after = "small::file/buffered"
claims = ["wall <= 0.5x before", "throughput > 2x before", "syscalls(write) <= 0.1x before", "checksum == before"]

[[step]]
id = "kept"
before = "small::vec/grown"
after = "small::vec/kept"
claims = ["alloc.count == 0", "alloc.count <= 0.1x before", "instructions < before"]

[[step]]
id = "parts"
case = "small::parts"
claims = ["profile.share(slow_part) > 50%", "wall < 1s", "rss.peak < 2GB", "binary.text < 100MB", "hit.rate > 70%"]

[[step]]
id = "sizes"
before = "small::sizes/drawn"
after = "small::sizes/again"
claims = ["distribution(size) == before"]

[[step]]
id = "script"
before = "long::run"
after = "short::run"
claims = ["wall < before", "syscalls(clone*, *fork) <= 0.5x before"]
"#;

/// What does not hold, what is known not to, what nobody can tell, and what is not there.
const OTHER_STEPS: &str = r#"
[[step]]
id = "mistaken"
before = "small::vec/kept"
after = "small::vec/grown"
claims = ["wall <= 0.5x before", "alloc.count == 0", "checksum == before"]

[[step]]
id = "expected"
before = "small::sizes/drawn"
after = "small::sizes/skewed"
claims = ["distribution(size) == before"]
expect = "refuted: other sizes"

[[step]]
id = "other-results"
before = "small::sizes/drawn"
after = "small::sizes/skewed"
claims = ["checksum == before"]
expect = "refuted: other sizes"

[[step]]
id = "unseen"
case = "small::sum"
claims = ["cache.hits > 1"]

[[step]]
id = "lost"
case = "small::nothing"
claims = ["wall < 1s"]

[[step]]
id = "unoptimised"
case = "small::sum"
variant = "unoptimised"
claims = ["wall >= 1.5x before", "checksum == before"]

[[step]]
id = "unbuildable"
case = "small::sum"
variant = "unbuildable"
claims = ["wall < before"]
"#;

#[test]
fn claims_of_a_plan_are_confirmed_refuted_or_left_undecided() {
    let project = Shared::project();
    project.perfplan(&["run", "--claims-only"]).exits(2).says("the plan makes no claims").says("[[step]]");
    let claims = |arguments: &[&str]| {
        let usual = ["run", "--claims-only", "--plan", "claims.toml", "--quick", "--budget", "20s"];
        project.perfplan(&[&usual, arguments].concat())
    };
    all_hold(&claims(&["step::buffered", "step::kept", "step::parts", "step::sizes", "step::script"]).exits(0));
    let refuted = claims(&["step::mistaken", "step::unseen", "--format", "json"]).exits(4);
    one_is_refuted_and_one_undecided(&refuted.json());
    // What is known to be refuted fails nothing, unless results differ; what can't be told fails where that is wanted.
    claims(&["step::expected"]).exits(0).says("✗ refuted").says("known so far: refuted: other sizes");
    claims(&["step::other-results"]).exits(4).says("the results differ");
    claims(&["step::unseen", "--strict"]).exits(5).says("? cache.hits > 1");
    claims(&["step::lost"]).exits(1).says("step lost").says("small::nothing is no case of a workload of the plan");
    claims(&["step::unoptimised"]).exits(0).says("(built as variant unoptimised)").says("✓ wall >= 1.5x before");
    if !has("wild") {
        claims(&["step::unbuildable"]).exits(0).says("? wall < before").says("wild");
    }
    let summary = project.perfplan(&["report", "--summary"]).exits(0).out;
    assert!(summary.starts_with("# Performance summary\n") && summary.contains("## Per commit"), "{summary}");
    assert!(summary.contains("| `buffered`") && summary.contains("| `expected`"), "{summary}");
}

fn all_hold(told: &Told) {
    let counted = "instructions < before";
    for text in TRUE_STEPS.lines().filter_map(|line| line.strip_prefix("claims = ")) {
        let claims: Vec<String> = serde_json::from_str(text).unwrap();
        for claim in claims.iter().filter(|claim| *claim != counted || has("valgrind")) {
            assert!(told.out.contains(&format!("✓ {claim}")), "{claim}\n{}", told.out);
        }
    }
    if !has("valgrind") {
        assert!(told.out.contains(&format!("? {counted}")) && told.out.contains("valgrind"), "{}", told.out);
    }
}

fn one_is_refuted_and_one_undecided(report: &serde_json::Value) {
    let steps = report["judgement"]["steps"].as_array().unwrap();
    let holds = |step: usize| -> Vec<&str> {
        steps[step]["claims"].as_array().unwrap().iter().map(|claim| claim["holds"].as_str().unwrap()).collect()
    };
    assert_eq!((holds(0), holds(1)), (vec!["refuted", "refuted", "confirmed"], vec!["undecided"]), "{report:#}");
    let grown = &steps[0]["claims"][1]["measured"];
    assert!(grown["low"].as_f64() >= Some(1.0) && grown["rounds"] == 10, "{report:#}");
    assert!(steps[1]["claims"][0]["measured"].is_null(), "{report:#}");
    assert_eq!(report["counts"]["claims"]["refuted"], 2, "{report:#}");
}

/// Whether the machine has a program.
fn has(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

#[test]
fn a_case_is_profiled_by_time_allocations_instructions_and_system_calls() {
    let project = Shared::project();
    let profile = |arguments: &[&str]| {
        let usual = ["profile", "--quick", "--time", "500ms", "--plan", "claims.toml", "--out", "found"];
        project.perfplan(&[&usual, arguments].concat())
    };
    let told = profile(&["parts"]).exits(0).says("small::parts, release");
    assert_eq!(function_below(&told, "In the function itself"), "small::main::slow_part");
    files_are_what_they_say(&project.path().join("found"), "small.parts.release.samples");

    let told = profile(&["vec/grown", "--of", "allocations"]).exits(0).says("alloc.count");
    assert!(told.out.contains("small::main::fill"), "{}", told.out);
    for stem in ["small.parts.samples", "small.vec~grown.allocations", "small.vec~grown.bytes"] {
        let file = fs::read(project.path().join(format!("found/folded/{stem}.speedscope.json"))).unwrap();
        serde_json::from_slice::<serde_json::Value>(&file).unwrap();
    }
    let told = profile(&["file/each", "--of", "syscalls"]).exits(0);
    assert!(told.out.contains("     20  syscalls.write"), "{}", told.out);
    if has("valgrind") {
        let told = profile(&["parts", "--of", "instructions"]).exits(0).says("callgrind.instructions");
        assert_eq!(function_below(&told, "In the function itself"), "small::main::slow_part");
    }

    let told = profile(&["parts", "--variant", "slower", "--diff"]).exits(0).says("release → slower");
    assert_eq!(function_below(&told, "What differs"), "small::main::slow_part");
    assert!(project.path().join("found/flamegraphs/small.parts.slower.samples.diff.svg").is_file());
    let told = profile(&["step::buffered", "--diff", "--of", "syscalls"]).exits(0);
    assert!(told.out.contains("20      1  -95.0 %  syscalls.write"), "{}", told.out);
    // A shell script and all that it starts: processes that are hardly longer than a sampling period.
    let found = profile(&["long", "--format", "json"]).exits(0).json();
    assert!(found["sides"][0]["profile"]["samples"].as_u64() > Some(10), "{found:#}");

    profile(&["file/"]).exits(2).says("means several: small::file/each, small::file/buffered");
    profile(&["small::part"]).exits(0);
    profile(&["small::pats"]).exits(2).says("did you mean small::parts");
    profile(&["parts", "--diff"]).exits(2).says("a difference has two sides");
}

/// The function in the first row of a table.
fn function_below(told: &Told, heading: &str) -> String {
    let (_, table) = told.out.split_once(&format!("{heading}\n")).unwrap_or_default();
    table.lines().nth(1).and_then(|row| row.rsplit_once("  ")).unwrap_or_default().1.to_owned()
}

/// The picture is XML, the folded stacks are read back, and the other formats have the functions' names.
fn files_are_what_they_say(folder: &Path, stem: &str) {
    let read = |name: String| fs::read(folder.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let svg = String::from_utf8(read(format!("flamegraphs/{stem}.svg"))).unwrap();
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let shown = |node: roxmltree::Node| node.text().is_some_and(|text| text.starts_with("small::main::slow_part ("));
    assert!(picture.descendants().filter(|node| node.has_tag_name("title")).any(shown), "{stem}.svg");
    let folded = String::from_utf8(read(format!("folded/{stem}.folded"))).unwrap();
    let stacks = Folded::parse(&folded).unwrap();
    assert!(stacks.total() > 100 && stacks.to_string() == folded, "{folded}");
    let mut pprof = Vec::new();
    GzDecoder::new(&read(format!("folded/{stem}.pb.gz"))[..]).read_to_end(&mut pprof).unwrap();
    assert!(String::from_utf8_lossy(&pprof).contains("small::main::slow_part"), "{stem}.pb.gz");
}

#[test]
fn a_regression_is_explained_by_the_function_that_got_slower() {
    let project = Shared::project();
    let asked = ["run", "small::parts", "--against", "HEAD~1", "--quick", "--budget", "20s"];
    let told = project.perfplan(&asked).exits(3);
    assert_eq!(function_of_row(&told), "small::main::slow_part");
    let run = told.err.lines().find_map(|line| line.strip_prefix("the run and its plots: ")).unwrap();
    let run = project.path().join(run);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(run.join("report.json")).unwrap()).unwrap();
    let blame = &report["judgement"]["blames"][0];
    assert_eq!(blame["functions"][0]["name"], "small::main::slow_part", "{blame:#}");
    assert!(blame["functions"][0]["low_ns"].as_f64() > Some(0.0), "{blame:#}");
    assert!(!has("valgrind") || blame["work"] == "differs", "{blame:#}");
    for file in ["flamegraphs/small.parts.release.diff.svg", "folded/small.parts.release.folded", "plots/forest.svg"] {
        assert!(run.join(file).is_file(), "{file} is missing in {}", run.display());
    }
    let id = run.file_name().unwrap().to_str().unwrap();
    project.perfplan(&["report", id]).exits(0).says("Why it changed").says("small::main::slow_part");
}

/// The function that is named first below a changed row.
fn function_of_row(told: &Told) -> String {
    let (_, blame) = told.out.split_once("Why it changed\n").unwrap_or_default();
    let mut lines = blame.lines().skip_while(|line| !line.trim_start().starts_with("time "));
    let columns: Vec<&str> = lines.nth(1).unwrap_or_default().split("  ").filter(|part| !part.is_empty()).collect();
    columns.get(2).unwrap_or(&"").trim().to_owned()
}

#[test]
fn the_doctor_finds_what_the_default_release_profile_lacks_and_ends_in_what_can_be_seen() {
    let project = Project::new();
    let told = project.perfplan(&["doctor"]).exits(0).says("[codegen-units-without-lto]");
    let last = told.out.lines().last().unwrap();
    let number = last.strip_prefix("What this machine can see: a change of ").and_then(|rest| rest.split_once(" %"));
    assert!(number.is_some_and(|(number, _)| number.parse::<f64>().is_ok_and(|percent| percent > 0.0)), "{last}");
    let report = project.perfplan(&["doctor", "--format", "json"]).exits(0).json();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["id"] == "codegen-units-without-lto").unwrap();
    assert!(found["about"] == "build" && found["fix"].as_str().unwrap().contains("[profile.release]"), "{found:#}");
    assert!(report["sight"]["visible"].as_f64() > Some(0.0), "{report:#}");
}

/// A way to look into a case, and how it is seen from outside, on one of the processes that take part.
type Look = (&'static [&'static str], fn(&Path) -> bool);

const LOOKS: [Look; 4] = [
    (&["parts", "--time", "60s"], samples),
    (&["calls", "--of", "syscalls"], is_traced),
    (&["long", "--of", "syscalls"], is_traced),
    (&["calls", "--of", "instructions"], is_callgrind),
];

/// The tool takes samples out of memory that it shares with the kernel; whoever only counts does not.
fn samples(process: &Path) -> bool {
    fs::read_to_string(process.join("maps")).is_ok_and(|maps| maps.contains("anon_inode:[perf_event]"))
}

fn is_traced(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
}

fn is_callgrind(process: &Path) -> bool {
    let program = fs::read_link(process.join("exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("callgrind"))
}

#[test]
fn a_profile_that_is_broken_off_leaves_no_process_behind() {
    let project = Shared::project();
    project.perfplan(&["build"]).exits(0);
    let mark = format!("PERFPLAN_TEST={}", project.path().display());
    let here = |(arguments, _): &Look| !arguments.contains(&"instructions") || has("valgrind");
    for (arguments, under_way) in LOOKS.into_iter().filter(here) {
        for (name, code) in [("KILL", None), ("INT", Some(130))] {
            let mut command = project.perfplan_command(&[&["profile"], arguments].concat());
            command.env("PERFPLAN_TEST", project.path()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut tool = command.spawn().unwrap();
            let begun = || processes(&mark).iter().any(|process| under_way(process));
            wait_until(&format!("{arguments:?}"), Duration::from_secs(30), begun);
            signal(&tool, name);
            assert_eq!(tool.wait().unwrap().code(), code, "{arguments:?} after SIG{name}");
            wait_until("the end of all processes", Duration::from_secs(2), || processes(&mark).is_empty());
        }
    }
}

/// A summary as k6 writes it.
fn summary_of_k6(p99: f64) -> String {
    format!(
        r#"{{"metrics": {{"http_req_duration": {{"avg": 1.5, "med": 1.2, "p(95)": 2.5, "p(99)": {p99}, "max": 9}},
           "http_reqs": {{"count": 6000, "rate": 200}}, "http_req_failed": {{"passes": 0, "fails": 6000, "value": 0}}}},
           "root_group": {{}}}}"#
    )
}

#[test]
fn what_k6_measured_is_imported_judged_kept_and_compared() {
    let project = Project::with("");
    for at in 0..12 {
        project.write(&format!("old-{at}.json"), &summary_of_k6(4.0 + 0.01 * f64::from(at)));
        project.write(&format!("new-{at}.json"), &summary_of_k6(6.0 + 0.01 * f64::from(at)));
    }
    let import = |age: &str, arguments: &[&str]| {
        let files: Vec<String> = (0..12).map(|at| format!("{age}-{at}.json")).collect();
        let usual = ["import", "k6", "--claim", "latency.p99 < 5ms"];
        project.perfplan(&[&usual[..], arguments, &files.iter().map(String::as_str).collect::<Vec<_>>()].concat())
    };
    import("old", &["--save", "before"]).exits(0).says("✓ latency.p99 < 5ms").says("4.05 ms");
    import("new", &["--save", "after"]).exits(4).says("✗ latency.p99 < 5ms");
    project.perfplan(&["compare", "before", "after"]).exits(3).says("latency.p99").says("regressed");
    project.perfplan(&["report", "latest"]).exits(1).says("there are no runs");
    // What can't be meant.
    import("old", &["--claim", "wall < before"]).exits(2).says("nothing before an import");
    import("old", &["--claim", "k6.http_req_faild < 1%"]).exits(2).says("k6.http_req_failed");
    let one = |more: &[&str]| project.perfplan(&[&["import", "k6", "old-0.json"], more].concat()).exits(2);
    one(&["--claim", "latency.p99 < 5ms"]).says("5 executions at least");
    one(&["old-0.json"]).says("given twice");
    one(&["--case", "step::x"]).says("steps of the plan");
    project.write("broken.json", "{\"metrics\": ");
    project.perfplan(&["import", "k6", "broken.json"]).exits(1).says("broken.json is no summary of k6").says("line 1");
    project.perfplan(&["import", "k6", "missing.json"]).exits(1).says("missing.json can't be read");
}
