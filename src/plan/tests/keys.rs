//! What is said of keys and values that can't be.

use super::says;

#[test]
fn an_unknown_key_is_answered_with_the_one_that_was_meant() {
    says(
        "[gate]\ntolerence = \"1%\"",
        &[
            r#"perfplan.toml:2:1: unknown key "tolerence""#,
            "  |",
            r#"2 | tolerence = "1%""#,
            "  | ^^^^^^^^^",
            r#"  = help: did you mean "tolerance"?"#,
        ],
    );
    says(
        "[gates]\ntolerance = \"1%\"",
        &[
            r#"perfplan.toml:1:2: unknown key "gates""#,
            "  |",
            "1 | [gates]",
            "  |  ^^^^^",
            r#"  = help: did you mean "gate"?"#,
        ],
    );
}

#[test]
fn where_no_key_is_near_all_are_named() {
    says(
        "[gate]\nseverity = 3",
        &[
            r#"perfplan.toml:2:1: unknown key "severity""#,
            "  |",
            "2 | severity = 3",
            "  | ^^^^^^^^",
            r#"  = help: choose from "family-error", "tolerance", "tolerances", "metrics""#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nallocator = \"tbb\"",
        &[
            r#"perfplan.toml:3:13: unknown allocator "tbb""#,
            "  |",
            r#"3 | allocator = "tbb""#,
            "  |             ^^^^^",
            r#"  = help: choose from "system", "jemalloc", "mimalloc", "snmalloc""#,
        ],
    );
}

#[test]
fn a_value_of_the_wrong_unit_is_pointed_at() {
    says(
        "[gate]\ntolerance = \"1 parsec\"",
        &[
            r#"perfplan.toml:2:13: "1 parsec" is not a percentage"#,
            "  |",
            r#"2 | tolerance = "1 parsec""#,
            "  |             ^^^^^^^^^^",
            r#"  = help: write a number and %, such as "1%" or "0.25 %""#,
        ],
    );
    says(
        "[measure]\nbudget = \"10\"",
        &[
            r#"perfplan.toml:2:10: "10" is not a duration"#,
            "  |",
            r#"2 | budget = "10""#,
            "  |          ^^^^",
            r#"  = help: write a number and a unit (ns, us, ms, s, m, h, d), such as "5m", "90s", "1.5ms" or "1h30m""#,
        ],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_what_is_expected() {
    says(
        "[gate]\ntolerance = 0.01",
        &[
            "perfplan.toml:2:13: floating point `0.01` does not fit here",
            "  |",
            "2 | tolerance = 0.01",
            "  |             ^^^^",
            r#"  = help: expected a percentage such as "1%""#,
        ],
    );
    says(
        "gate = 3",
        &[
            "perfplan.toml:1:8: integer `3` does not fit here",
            "  |",
            "1 | gate = 3",
            "  |        ^",
            "  = help: expected a table",
        ],
    );
    says(
        "[measure]\nlayouts = 0",
        &[
            "perfplan.toml:2:11: integer `0` does not fit here",
            "  |",
            "2 | layouts = 0",
            "  |           ^",
            "  = help: expected a whole number from 1 to 4294967295",
        ],
    );
}

#[test]
fn shares_and_times_have_bounds() {
    says(
        "[gate]\ntolerance = \"0%\"",
        &[
            r#"perfplan.toml:2:13: "0%" can't be a tolerance"#,
            "  |",
            r#"2 | tolerance = "0%""#,
            "  |             ^^^^",
            r#"  = help: write more than "0%" and at most "100%", such as "1%""#,
        ],
    );
    says(
        "[gate.tolerances]\nwall = \"101%\"",
        &[
            r#"perfplan.toml:2:8: "101%" can't be a tolerance"#,
            "  |",
            r#"2 | wall = "101%""#,
            "  |        ^^^^^^",
            r#"  = help: write more than "0%" and at most "100%", such as "1%""#,
        ],
    );
    says(
        "[gate]\nfamily-error = \"60%\"",
        &[
            r#"perfplan.toml:2:16: "60%" can't be a chance of error"#,
            "  |",
            r#"2 | family-error = "60%""#,
            "  |                ^^^^^",
            r#"  = help: write more than "0%" and at most "50%", such as "1%""#,
        ],
    );
    says(
        "[measure]\nquick-budget = \"0s\"",
        &[
            r#"perfplan.toml:2:16: "0s" is no time at all"#,
            "  |",
            r#"2 | quick-budget = "0s""#,
            "  |                ^^^^",
            r#"  = help: write more than zero, such as "90s""#,
        ],
    );
}

#[test]
fn words_are_corrected() {
    says(
        "[measure]\nsize = \"fulll\"",
        &[
            r#"perfplan.toml:2:8: unknown size "fulll""#,
            "  |",
            r#"2 | size = "fulll""#,
            "  |        ^^^^^^^",
            r#"  = help: did you mean "full"?"#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nallocator = \"jmalloc\"",
        &[
            r#"perfplan.toml:3:13: unknown allocator "jmalloc""#,
            "  |",
            r#"3 | allocator = "jmalloc""#,
            "  |             ^^^^^^^^^",
            r#"  = help: did you mean "jemalloc"?"#,
        ],
    );
    says(
        "[[variant]]\nname = \"a\"\nopt-level = 4",
        &[
            r#"perfplan.toml:3:13: unknown opt-level "4""#,
            "  |",
            "3 | opt-level = 4",
            "  |             ^",
            r#"  = help: choose from "0", "1", "2", "3", "s", "z""#,
        ],
    );
}

#[test]
fn metrics_have_plain_names_and_each_stands_once() {
    says(
        "[gate]\nmetrics = [\"wall\", \"rss peak\"]",
        &[
            r#"perfplan.toml:2:20: a metric is 1 to 100 letters, digits, dots, - and _: "rss peak""#,
            "  |",
            r#"2 | metrics = ["wall", "rss peak"]"#,
            "  |                    ^^^^^^^^^^",
            r#"  = help: write a name such as "wall" or "latency.p99""#,
        ],
    );
    says(
        "[gate]\nmetrics = [\n  \"wall\",\n  \"wall\",\n]",
        &[
            r#"perfplan.toml:4:3: the metric "wall" is named twice"#,
            "  |",
            r#"4 |   "wall","#,
            "  |   ^^^^^^",
            "  = help: remove one of them",
        ],
    );
    says(
        "[gate]\nmetrics = []",
        &[
            "perfplan.toml:2:11: no metric is judged",
            "  |",
            "2 | metrics = []",
            "  |           ^^",
            "  = help: name a metric, or leave the key out for those that are judged by default",
        ],
    );
}

#[test]
fn a_metric_with_dots_that_is_not_quoted_is_explained() {
    says(
        "[gate.tolerances]\nlatency.p99 = \"10%\"",
        &[
            "perfplan.toml:2:1: a table does not fit here",
            "  |",
            r#"2 | latency.p99 = "10%""#,
            "  | ^^^^^^^",
            r#"  = help: expected a percentage; a metric with dots is written in quotes: "latency.p99" = "10%""#,
        ],
    );
}
