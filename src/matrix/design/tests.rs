//! Designs of whole plans.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::plan::Knob;

fn plan(text: &str) -> Plan {
    Plan::parse(text, Path::new("perfplan.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn designed(text: &str) -> Design {
    design(&plan(text)).unwrap()
}

fn names(design: &Design) -> Vec<&str> {
    design.variants.iter().map(|variant| variant.name.as_str()).collect()
}

/// Three axes of 2, 3 and 4 levels.
const AXES: &str = r#"
    pgo = [true]
    lto = ["thin", "fat"]
    opt-level = [2, "s", "z"]
"#;

#[test]
fn one_at_a_time_is_the_baseline_and_one_cell_per_value() {
    let design = designed("");
    let expected = [
        "release",
        "lto=thin",
        "lto=fat",
        "codegen-units=1",
        "panic=abort",
        "target-cpu=native",
        "allocator=jemalloc",
        "allocator=mimalloc",
        "pgo=true",
    ];
    assert_eq!(names(&design), expected);
    assert_eq!((design.kind, design.resolution, design.runs), (DesignKind::OneAtATime, None, 9));
    let knobs: Vec<BTreeMap<_, _>> = design.variants.iter().map(Variant::knobs).collect();
    assert!(knobs[0].is_empty() && knobs[1..].iter().all(|knobs| knobs.len() == 1));
    assert_eq!(design.meaning(), "each knob's effect is seen alone, interactions are not seen");
}

#[test]
fn a_full_design_is_the_product_of_all_axes_and_each_cell_occurs_once() {
    let design = designed(&format!("[matrix]\ndesign = \"full\"\n{AXES}"));
    assert_eq!((design.variants.len(), design.runs, design.resolution), (2 * 3 * 4, 24, None));
    let cells: BTreeSet<_> = design.variants.iter().map(|variant| variant.knobs()).collect();
    assert_eq!(cells.len(), 24);
    assert_eq!(names(&design)[..3], ["release", "pgo=true", "opt-level=2"]);
    assert_eq!(names(&design)[23], "lto=fat+opt-level=z+pgo=true");
}

#[test]
fn everything_is_derived_from_the_baseline_variant_and_from_no_other() {
    let text = r#"
        [[variant]]
        name = "shipped"
        lto = "fat"
        env = { A = "b" }
        features = ["x"]
        same-results = false
        only = ["engine::*"]
        explicit = true
        [[variant]]
        name = "other"
        panic = "abort"
        [matrix]
        lto = ["thin"]
        env = [{ C = "d" }]
        features = [[], ["x", "y"]]
    "#;
    let design = designed(text);
    assert_eq!(names(&design), ["shipped", "lto=thin", "features=none", "features=x-y", "env=C-d"]);
    let baseline = plan(text).variants.remove(0);
    assert_eq!(design.variants[0], baseline);
    let expected =
        Variant { name: "lto=thin".parse().unwrap(), lto: Some("thin".to_owned()), explicit: false, ..baseline };
    assert_eq!(design.variants[1], expected);
    assert_eq!(design.variants[4].env, [("C".to_owned(), "d".to_owned())].into());
    assert!(design.variants[2].features.is_empty());
}

#[test]
fn constraints_hold_in_every_cell_and_what_they_leave_out_is_named() {
    let exclude = r#"exclude = [{ pgo = true, opt-level = ["s", "z"] }, { lto = "fat", pgo = false, opt-level = 2 }]"#;
    for (kind, total) in [("full", 24), ("fractional", 24)] {
        let design = designed(&format!("[matrix]\ndesign = \"{kind}\"\n{exclude}\n{AXES}"));
        assert_eq!(design.variants.len() + design.excluded.len(), total, "{kind}");
        for variant in &design.variants {
            let small = matches!(variant.opt_level.as_deref(), Some("s" | "z"));
            let slow = variant.lto.as_deref() == Some("fat") && variant.opt_level.as_deref() == Some("2");
            assert!(!(variant.pgo && small) && (variant.pgo || !slow), "{}", variant.name);
        }
        assert_eq!(design.excluded.len(), 7, "{kind}");
        let first = design.excluded.iter().find(|left_out| left_out.name.as_str() == "opt-level=s+pgo=true").unwrap();
        assert_eq!(first.by.to_string(), "opt-level=s|z with pgo=true");
        assert!(design.meaning().ends_with("; that holds before 7 combinations were left out"), "{}", design.meaning());
    }
}

#[test]
fn a_fraction_reaches_the_resolution_with_fewer_runs_than_the_product() {
    let fractional = |resolution| designed(&format!("[matrix]\ndesign = \"fractional\"\nresolution = {resolution}"));
    let found = [3, 4, 5].map(|resolution| {
        let design = fractional(resolution);
        assert_eq!(design.variants[0].name.as_str(), "release");
        assert_eq!(design.variants.iter().map(Variant::resolved).collect::<BTreeSet<_>>().len(), design.variants.len());
        (design.runs, design.resolution, design.meaning())
    });
    let [three, four, five] = found;
    assert_eq!((three.0, three.1), (16, Some(3)));
    assert_eq!(three.2, "main effects are clear of each other, but not of two-knob interactions");
    assert_eq!((four.0, four.1), (32, Some(4)));
    let repeats = "; that counts 4 runs that came to the same as others";
    assert_eq!(four.2, format!("main effects are clear of each other and of two-knob interactions{repeats}"));
    assert_eq!((five.0, five.1), (128, Some(5)));
    assert!(five.2.starts_with("main effects and two-knob interactions are clear of each other; that counts 16 runs"));
}

#[test]
fn a_fraction_that_leaves_nothing_out_says_so() {
    let design = designed("[matrix]\ndesign = \"fractional\"\nlto = [\"thin\", \"fat\"]\npgo = [true]");
    // The four codes of the axis with three levels make eight runs, of which two come to the same as others.
    assert_eq!((design.runs, design.variants.len(), design.resolution), (8, 6, None));
    assert_eq!(design.meaning(), "every combination: all effects are clear of each other");
}

#[test]
fn names_of_all_cells_are_unique_and_no_cell_takes_the_baselines() {
    let text = r#"
        [[variant]]
        name = "lto=fat"
        [matrix]
        design = "full"
        lto = ["thin", "fat"]
        rustflags = [["-Ca b"], ["-Ca", "b"], ["-Ca-b"]]
        env = [{ A = "/tmp/.x" }, { A = "-tmp-.x" }]
    "#;
    let design = designed(text);
    assert_eq!(names(&design).into_iter().collect::<BTreeSet<_>>().len(), 3 * 4 * 3);
    assert_eq!(names(&design).iter().filter(|name| **name == "lto=fat").count(), 1);
    assert!(names(&design).contains(&"lto=fat-2"));
}

#[test]
fn too_many_cells_are_counted_and_another_design_is_offered() {
    let axes = Knob::ALL.iter().filter_map(|knob| match knob {
        Knob::Lto => Some(r#"lto = ["off", "thin", "fat"]"#),
        Knob::CodegenUnits => Some("codegen-units = [1, 2, 4]"),
        Knob::OptLevel => Some(r#"opt-level = [1, 2, "s"]"#),
        Knob::TargetCpu => Some(r#"target-cpu = ["native", "x86-64-v2", "x86-64-v3"]"#),
        Knob::Allocator => Some(r#"allocator = ["jemalloc", "mimalloc", "snmalloc"]"#),
        _ => None,
    });
    let axes = axes.collect::<Vec<_>>().join("\n");
    let refused =
        |head: &str| design(&plan(&format!("[matrix]\n{head}\n{axes}"))).map(|design| design.runs).unwrap_err();
    let full = refused("design = \"full\"");
    assert!(full.contains("1024 cells, and 512 are the most") && full.contains("design = \"fractional\""), "{full}");
    let many = (1..=512).map(|units| units.to_string()).collect::<Vec<_>>().join(", ");
    let many = design(&plan(&format!("[matrix]\ncodegen-units = [{many}]"))).map(|design| design.runs).unwrap_err();
    assert!(many.contains("513 cells"), "{many}");
    let more = "debug = [0, 1, 2]\nlinker = [\"lld\", \"mold\", \"wild\"]\npgo = [true]\nbolt = [true]";
    let fine = refused(&format!("design = \"fractional\"\nresolution = 5\n{more}"));
    assert!(fine.contains("ask for a lower resolution"), "{fine}");
}
