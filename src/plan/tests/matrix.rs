//! `[matrix]`: what it means, and what is said where it can't be.

use super::surface::FULL;
use super::{parse, says};
use crate::plan::{Allocator, Axis, DesignKind, Exclusion, Knob, Matrix, Setting};

fn words<const N: usize>(set: fn(String) -> Setting, words: [&str; N]) -> Vec<Setting> {
    words.map(|word| set(word.to_owned())).to_vec()
}

/// The values of every axis, as text.
fn axes(text: &str) -> Vec<String> {
    let values = |axis: &Axis| axis.values.iter().map(Setting::value).collect::<Vec<_>>().join(" ");
    parse(text).matrix.axes.iter().map(|axis| format!("{}: {}", axis.knob, values(axis))).collect()
}

#[test]
fn every_axis_reaches_the_matrix_in_the_order_of_the_knobs() {
    let features = |features: &[&str]| Setting::Features(features.iter().map(|text| (*text).to_owned()).collect());
    let env = Setting::Env([("MALLOC_CONF".to_owned(), "narenas:4".to_owned())].into());
    let axis = |knob, values| Axis { knob, values };
    let expected = Matrix {
        design: DesignKind::Fractional,
        resolution: 5,
        axes: vec![
            axis(Knob::Lto, words(Setting::Lto, ["off", "thin"])),
            axis(Knob::OptLevel, words(Setting::OptLevel, ["2", "s"])),
            axis(Knob::Features, vec![features(&[]), features(&["x", "y"])]),
            axis(Knob::Env, vec![env]),
        ],
        exclude: vec![Exclusion {
            knobs: vec![
                axis(Knob::Lto, words(Setting::Lto, ["thin"])),
                axis(Knob::OptLevel, words(Setting::OptLevel, ["s", "3"])),
            ],
        }],
    };
    assert_eq!(parse(FULL).matrix, expected);
}

#[test]
fn values_are_read_as_in_a_variant() {
    let text = r#"
        [[variant]]
        name = "v"
        profile = "dist"
        [matrix]
        profile = ["release"]
        lto = [true, false]
        codegen-units = [4]
        debug = [0, 1]
        target-cpu = ["x86-64-v3"]
        linker = ["wild"]
        frame-pointers = [true, false]
        allocator = ["snmalloc"]
        pgo = [true]
        bolt = [true]
        rustflags = [["-C", "x=y"], ["-Cz"]]
    "#;
    let expected = [
        "profile: release",
        "lto: fat false",
        "codegen-units: 4",
        "debug: none limited",
        "target-cpu: x86-64-v3",
        "linker: wild",
        "frame-pointers: true false",
        "allocator: snmalloc",
        "pgo: true",
        "bolt: true",
        "rustflags: -C x=y -Cz",
    ];
    assert_eq!(axes(text), expected);
}

#[test]
fn the_default_axes_stand_without_what_the_baseline_has_until_the_file_names_one() {
    let all =
        ["lto: thin fat", "codegen-units: 1", "panic: abort", "target-cpu: native", "allocator: jemalloc mimalloc"];
    let all = [all.as_slice(), &["pgo: true"]].concat();
    assert_eq!(axes(""), all);
    assert_eq!(axes("[matrix]\ndesign = \"full\"\nexclude = [{ lto = \"fat\", pgo = true }]"), all);
    let shipped = "[[variant]]\nname = \"v\"\nlto = \"fat\"\npanic = \"abort\"\npgo = true\nallocator = \"jemalloc\"";
    assert_eq!(axes(shipped), ["lto: thin", "codegen-units: 1", "target-cpu: native", "allocator: mimalloc"]);
    assert_eq!(axes("[matrix]\nlto = [\"fat\"]"), ["lto: fat"]);
    let matrix = parse("[matrix]\nlto = [\"fat\"]").matrix;
    assert_eq!((matrix.design, matrix.resolution, matrix.exclude.len()), (DesignKind::OneAtATime, 4, 0));
}

#[test]
fn an_exclusion_says_one_value_or_a_list_of_them() {
    let exclusion = |key: &str| {
        let axes = "features = [[\"a\"], [\"a\", \"b\"]]\nenv = [{ A = \"b\" }]\npgo = [true]";
        let text = format!("[matrix]\n{axes}\nexclude = [{{ pgo = true, {key} }}]");
        parse(&text).matrix.exclude.remove(0).to_string()
    };
    let cases = [
        ("features = [\"a\", \"b\"]", "pgo=true with features=a,b"),
        ("features = [[\"a\"], [\"a\", \"b\"]]", "pgo=true with features=a|a,b"),
        ("features = []", "pgo=true with features="),
        ("env = { A = \"b\" }", "pgo=true with env=A=b"),
        ("env = [{ A = \"b\" }, {}]", "pgo=true with env=A=b|"),
        ("allocator = \"system\"", "allocator=system with pgo=true"),
    ];
    for (key, expected) in cases {
        assert_eq!(exclusion(key), expected);
    }
}

#[test]
fn an_exclusion_hits_what_has_one_value_of_every_knob() {
    let plan =
        parse("[matrix]\nopt-level = [2, \"s\"]\npgo = [true]\nexclude = [{ pgo = true, opt-level = [2, \"s\"] }]");
    let (exclusion, plain) = (&plan.matrix.exclude[0], &plan.variants[0]);
    let guided = plain.with(&Setting::Pgo(true));
    let small = guided.with(&Setting::OptLevel("s".to_owned()));
    let other = small.with(&Setting::Allocator(Allocator::Jemalloc));
    assert_eq!([plain, &guided, &small, &other].map(|variant| exclusion.hits(variant)), [false, false, true, true]);
}

#[test]
fn an_unknown_key_is_answered_with_the_knob_that_was_meant() {
    says(
        "[matrix]\nalocator = [\"jemalloc\"]",
        &[
            r#"perfplan.toml:2:1: unknown key "alocator""#,
            "  |",
            r#"2 | alocator = ["jemalloc"]"#,
            "  | ^^^^^^^^",
            r#"  = help: did you mean "allocator"?"#,
        ],
    );
    says(
        "[matrix]\ndesing = \"full\"",
        &[
            r#"perfplan.toml:2:1: unknown key "desing""#,
            "  |",
            r#"2 | desing = "full""#,
            "  | ^^^^^^",
            r#"  = help: did you mean "design"?"#,
        ],
    );
    says(
        "[matrix]\nexclude = [{ pgo = true, design = \"full\", opt-levl = 2 }]",
        &[
            r#"perfplan.toml:2:26: unknown key "design""#,
            "  |",
            r#"2 | exclude = [{ pgo = true, design = "full", opt-levl = 2 }]"#,
            "  |                          ^^^^^^",
            concat!(
                r#"  = help: choose from "profile", "lto", "codegen-units", "opt-level", "panic", "debug", "target-cpu", "#,
                r#""linker", "frame-pointers", "allocator", "pgo", "bolt", "features", "rustflags", "env""#
            ),
        ],
    );
}

#[test]
fn words_and_numbers_are_checked_where_they_stand() {
    says(
        "[matrix]\nlto = [\"thin\", \"fatt\"]",
        &[
            r#"perfplan.toml:2:16: unknown lto "fatt""#,
            "  |",
            r#"2 | lto = ["thin", "fatt"]"#,
            "  |                ^^^^^^",
            r#"  = help: did you mean "fat"?"#,
        ],
    );
    says(
        "[matrix]\ndesign = \"fractinal\"",
        &[
            r#"perfplan.toml:2:10: unknown design "fractinal""#,
            "  |",
            r#"2 | design = "fractinal""#,
            "  |          ^^^^^^^^^^^",
            r#"  = help: did you mean "fractional"?"#,
        ],
    );
    says(
        "[matrix]\nresolution = 2",
        &[
            "perfplan.toml:2:14: integer `2` does not fit here",
            "  |",
            "2 | resolution = 2",
            "  |              ^",
            "  = help: expected a whole number from 3 to 5",
        ],
    );
    says(
        "[matrix]\nenv = [{ \"A=B\" = \"x\" }]",
        &[
            r#"perfplan.toml:2:10: "A=B" can't be the name of an environment variable"#,
            "  |",
            r#"2 | env = [{ "A=B" = "x" }]"#,
            "  |          ^^^^^",
            r#"  = help: write the name alone: env = { NAME = "value" }"#,
        ],
    );
}

#[test]
fn an_axis_is_a_list_and_names_something() {
    says(
        "[matrix]\nlto = \"fat\"",
        &[
            r#"perfplan.toml:2:7: string "fat" does not fit here"#,
            "  |",
            r#"2 | lto = "fat""#,
            "  |       ^^^^^",
            "  = help: expected a list: [...]",
        ],
    );
    says(
        "[matrix]\nlto = []",
        &[
            "perfplan.toml:2:7: no value of lto is named",
            "  |",
            "2 | lto = []",
            "  |       ^^",
            "  = help: name a value, or leave the key out",
        ],
    );
}

#[test]
fn a_value_that_the_baseline_has_or_that_stands_twice_is_refused() {
    says(
        "[[variant]]\nname = \"v\"\nlto = true\n[matrix]\nlto = [\"thin\", \"fat\"]",
        &[
            r#"perfplan.toml:5:16: the baseline variant "v" has lto "fat" already"#,
            "  |",
            r#"5 | lto = ["thin", "fat"]"#,
            "  |                ^^^^^",
            "  = help: remove it: the baseline variant's own value is tried anyway",
        ],
    );
    says(
        "[matrix]\nallocator = [\"system\"]",
        &[
            r#"perfplan.toml:2:14: the baseline variant "release" has allocator "system" already"#,
            "  |",
            r#"2 | allocator = ["system"]"#,
            "  |              ^^^^^^^^",
            "  = help: remove it: the baseline variant's own value is tried anyway",
        ],
    );
    says(
        "[matrix]\nfeatures = [[\"a\", \"b\"], [\"b\", \"a\"]]",
        &[
            r#"perfplan.toml:2:25: features "b,a" stands twice"#,
            "  |",
            r#"2 | features = [["a", "b"], ["b", "a"]]"#,
            "  |                         ^^^^^^^^^^",
            "  = help: remove one of them",
        ],
    );
}

#[test]
fn an_exclusion_names_what_can_be_met() {
    says(
        "[matrix]\nopt-level = [2, \"s\"]\npgo = [true]\nexclude = [{ pgo = true, opt-level = [\"s\", \"z\"] }]",
        &[
            r#"perfplan.toml:4:44: opt-level "z" is nowhere in the matrix"#,
            "  |",
            r#"4 | exclude = [{ pgo = true, opt-level = ["s", "z"] }]"#,
            "  |                                            ^^^",
            r#"  = help: choose from "2", "s""#,
        ],
    );
    says(
        "[matrix]\npgo = [true]\n[[matrix.exclude]]\nlinker = \"mold\"",
        &[
            r#"perfplan.toml:4:10: linker "mold" is nowhere in the matrix"#,
            "  |",
            r#"4 | linker = "mold""#,
            "  |          ^^^^^^",
            "  = help: no cell sets linker: add an axis, or remove it",
        ],
    );
    says(
        "[matrix]\nexclude = [{}]",
        &[
            "perfplan.toml:2:12: an exclusion without a knob",
            "  |",
            "2 | exclude = [{}]",
            "  |            ^^",
            r#"  = help: name what does not go together, such as { pgo = true, opt-level = "s" }"#,
        ],
    );
    says(
        "[matrix]\nexclude = [{ pgo = [] }]",
        &[
            "perfplan.toml:2:20: no value of pgo is named",
            "  |",
            "2 | exclude = [{ pgo = [] }]",
            "  |                    ^^",
            "  = help: name a value, or leave the key out",
        ],
    );
}

#[test]
fn the_baseline_variant_can_not_be_excluded() {
    says(
        "[matrix]\nexclude = [{ pgo = [true, false] }]",
        &[
            r#"perfplan.toml:2:12: this leaves out the baseline variant "release" itself"#,
            "  |",
            "2 | exclude = [{ pgo = [true, false] }]",
            "  |            ^^^^^^^^^^^^^^^^^^^^^^^",
            "  = help: add a value that the baseline variant does not have",
        ],
    );
}
