//! What is said of workloads and variants that can't be.

use super::says;

#[test]
fn a_workload_is_a_package_or_a_command() {
    says(
        "[[workload]]\nname = \"x\"",
        &[
            "perfplan.toml:1:1: a workload without a package or a command",
            "  |",
            "1 | [[workload]]",
            "  | ^^^^^^^^^^^^",
            r#"  = help: add package = "..." (a package of the workspace) or command = ["program", "argument"]"#,
        ],
    );
    says(
        "[[workload]]\npackage = \"x\"\ncommand = [\"x\"]",
        &[
            "perfplan.toml:3:11: a workload is a package or a command, not both",
            "  |",
            r#"3 | command = ["x"]"#,
            "  |           ^^^^^",
            "  = help: remove one of them",
        ],
    );
    says(
        "[[workload]]\ncommand = []",
        &[
            "perfplan.toml:2:11: an empty command",
            "  |",
            "2 | command = []",
            "  |           ^^",
            r#"  = help: write the program and its arguments: ["wc", "-l", "file"]"#,
        ],
    );
    says(
        "[[workload]]\ncommand = [\"wc\"]\nfeatures = [\"x\"]",
        &[
            "perfplan.toml:3:12: features belongs to a package, not to a command",
            "  |",
            r#"3 | features = ["x"]"#,
            "  |            ^^^^^",
            "  = help: remove it",
        ],
    );
    says(
        "[[workload]]\ncommand = [\"my program\"]",
        &[
            r#"perfplan.toml:2:11: a workload is made of letters, digits and _-./+=, not ' ': "my program""#,
            "  |",
            r#"2 | command = ["my program"]"#,
            "  |           ^^^^^^^^^^^^^^",
            r#"  = help: give it a fitting name: name = "...""#,
        ],
    );
}

#[test]
fn names_are_unique() {
    says(
        "[[workload]]\npackage = \"a\"\n\n[[workload]]\npackage = \"a\"",
        &[
            r#"perfplan.toml:5:11: two workloads are called "a""#,
            "  |",
            r#"5 | package = "a""#,
            "  |           ^^^",
            r#"  = help: give each its own: name = "...""#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\n[[variant]]\nname = \"a\"",
        &[
            r#"perfplan.toml:4:8: two variants are called "a""#,
            "  |",
            r#"4 | name = "a""#,
            "  |        ^^^",
            r#"  = help: give each its own: name = "...""#,
        ],
    );
}

#[test]
fn a_variant_has_a_fitting_name_and_there_is_at_least_one() {
    says(
        "[[variant]]\nlto = \"fat\"",
        &[
            r#"perfplan.toml:1:1: the key "name" is missing"#,
            "  |",
            "1 | [[variant]]",
            "  | ^^^^^^^^^^^",
            "  = help: add it: name = ...",
        ],
    );
    says(
        "[[variant]]\nname = \"../a\"",
        &[
            r#"perfplan.toml:2:8: no part of a variant is empty or begins with a dot: "../a""#,
            "  |",
            r#"2 | name = "../a""#,
            "  |        ^^^^^^",
            r#"  = help: write a name such as "fat-lto""#,
        ],
    );
    says(
        "variant = []",
        &[
            "perfplan.toml:1:11: there is no variant",
            "  |",
            "1 | variant = []",
            "  |           ^^",
            r#"  = help: name one, or leave the key out for the variant "release""#,
        ],
    );
}

#[test]
fn the_baseline_is_one_of_the_variants() {
    says(
        "[measure]\nbaseline = \"relaese\"",
        &[
            r#"perfplan.toml:2:12: there is no variant "relaese""#,
            "  |",
            r#"2 | baseline = "relaese""#,
            "  |            ^^^^^^^^^",
            r#"  = help: did you mean "release"?"#,
        ],
    );
}

#[test]
fn knobs_are_checked() {
    says(
        "[[variant]]\nname = \"a\"\ncodegen-units = 0",
        &[
            "perfplan.toml:3:17: integer `0` does not fit here",
            "  |",
            "3 | codegen-units = 0",
            "  |                 ^",
            "  = help: expected a whole number from 1 to 4294967295",
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nenv = { \"A=B\" = \"x\" }",
        &[
            r#"perfplan.toml:3:9: "A=B" can't be the name of an environment variable"#,
            "  |",
            r#"3 | env = { "A=B" = "x" }"#,
            "  |         ^^^^^",
            r#"  = help: write the name alone: env = { NAME = "value" }"#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nonly = [\"!\"]",
        &[
            r#"perfplan.toml:3:9: "!" is not a filter"#,
            "  |",
            r#"3 | only = ["!"]"#,
            "  |         ^^^",
            r#"  = help: write a part of a case's name, such as "redb/cached" or "engine::*""#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nprofile = \"a.b\"",
        &[
            r#"perfplan.toml:3:11: "a.b" is not a name that cargo takes"#,
            "  |",
            r#"3 | profile = "a.b""#,
            "  |           ^^^^^",
            "  = help: write letters, digits, - and _",
        ],
    );
}
