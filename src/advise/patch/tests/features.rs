//! Allocators and features.

use super::*;

const fn package(says: &'static str, wanted: &'static str, before: &'static str, after: &'static str) -> Case {
    Case { says, of: Of::Package, wanted, before, after }
}

pub(super) const CASES: &[Case] = &[
    package(
        "an allocator becomes a default feature",
        "allocator: jemalloc",
        "[features]\njemalloc = [\"harness/jemalloc\"]\n\n[dependencies]\nharness = \"1\"\n",
        "[features]\njemalloc = [\"harness/jemalloc\"]\n@allocator\ndefault = [\"jemalloc\"]\n\n[dependencies]\nharness = \"1\"\n",
    ),
    package(
        "beside other defaults",
        "allocator: mimalloc",
        "[features]\ndefault = [\n  \"std\",\n]\nstd = []\nmimalloc = []\n",
        "[features]\n@allocator\ndefault = [\n  \"std\",\n  \"mimalloc\",\n]\nstd = []\nmimalloc = []\n",
    ),
    package(
        "one allocator takes the place of another",
        "allocator: mimalloc",
        "[features]\ndefault = [\"std\", \"jemalloc\"]\nstd = []\njemalloc = []\nmimalloc = []\n",
        "[features]\n@allocator\ndefault = [\"std\", \"mimalloc\"]\nstd = []\njemalloc = []\nmimalloc = []\n",
    ),
    package(
        "one that is there stays as it is",
        "allocator: mimalloc",
        "[features]\ndefault = [\"mimalloc\"]\nmimalloc = []\n",
        "[features]\ndefault = [\"mimalloc\"]\nmimalloc = []\n",
    ),
    package("the system's allocator needs nothing", "allocator: system", "[package]\n", "[package]\n"),
    package(
        "several features and an allocator",
        "features: simd,fast-hash; allocator: jemalloc",
        "[features]\ndefault = []\nsimd = []\nfast-hash = []\njemalloc = []\n",
        "[features]\n@features\n@allocator\ndefault = [\"simd\", \"fast-hash\", \"jemalloc\"]\nsimd = []\nfast-hash = []\njemalloc = []\n",
    ),
    package(
        "an optional dependency is a feature",
        "features: rayon",
        "[dependencies]\nrayon = { version = \"1\", optional = true }\n",
        "[dependencies]\nrayon = { version = \"1\", optional = true }\n\n[features]\n@features\ndefault = [\"rayon\"]\n",
    ),
];

fn by_hand(settings: &str, manifest: &str) -> Patch {
    patch(&wanted(settings, ""), &manifests(Of::Package, manifest)).unwrap()
}

#[test]
fn the_defaults_name_what_was_asked_once() {
    for case in CASES {
        let after = parsed(&patched(case, case.before, "").0);
        let default = at(&after, &["features", "default"]).map_or_else(String::new, Value::to_string);
        let asked = case.wanted.split([';', ',', ' ']).filter(|word| !word.is_empty() && !word.ends_with(':'));
        for feature in asked.filter(|word| *word != "system") {
            assert_eq!(default.matches(&format!("\"{feature}\"")).count(), 1, "{}: {default}", case.says);
        }
    }
}

#[test]
fn a_package_without_the_allocators_feature_gets_the_lines_to_write() {
    let patch = by_hand("allocator: jemalloc", "[features]\nmimalloc = []\n");
    assert!(patch.edits.is_empty());
    assert_eq!(
        patch.by_hand[0].lines,
        [
            "cargo add --package engine tikv-jemallocator",
            "#[global_allocator]",
            "static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;"
        ]
    );
}

#[test]
fn a_hidden_optional_dependency_is_no_feature() {
    let manifest = "[features]\nfast = [\"dep:rayon\"]\n[dependencies]\nrayon = { version = \"1\", optional = true }\n";
    let patch = by_hand("features: rayon", manifest);
    assert!(patch.edits.is_empty());
    assert_eq!(told(&patch.by_hand), [("features", "cargo build --release --features rayon".to_owned())]);
}

#[test]
fn a_feature_that_one_package_has_is_switched_on_there_alone() {
    let mut all = manifests(Of::Package, "[features]\nsimd = []\n");
    all.packages.push(Package { name: "other".to_owned(), manifest: file("other/Cargo.toml", "[package]\n") });
    let patch = patch(&wanted("features: simd", ""), &all).unwrap();
    let paths: Vec<&str> = patch.edits.iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!((paths, patch.by_hand), (vec!["engine/Cargo.toml"], Vec::new()));
}
