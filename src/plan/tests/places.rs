//! How places and texts are shown.

use super::says;

#[test]
fn broken_toml_is_pointed_at() {
    says(
        "[gate\ntolerance = 1",
        &["perfplan.toml:1:6: unclosed table", "  |", "1 | [gate", "  |      ^", "  = help: expected `]`"],
    );
    says(
        "[gate]\ntolerance = \"1%\"\ntolerance = \"2%\"",
        &[
            "perfplan.toml:3:1: duplicate key",
            "  |",
            r#"3 | tolerance = "2%""#,
            "  | ^^^^^^^^^",
            "  = help: remove one of them",
        ],
    );
    says(
        "measure.budget",
        &[
            "perfplan.toml:1:15: key with no value",
            "  |",
            "1 | measure.budget",
            "  |               ^",
            "  = help: expected `=`",
        ],
    );
}

#[test]
fn places_survive_windows_line_ends_tabs_and_letters_of_many_bytes() {
    says(
        "# ä\r\n[gate]\r\n\ttolerance = \"1 parsec\" # \u{1f980}\r\n",
        &[
            r#"perfplan.toml:3:14: "1 parsec" is not a percentage"#,
            "  |",
            "3 | \ttolerance = \"1 parsec\" # 🦀",
            "  | \t            ^^^^^^^^^^",
            r#"  = help: write a number and %, such as "1%" or "0.25 %""#,
        ],
    );
    says(
        "gate = { \"größe\" = 1 }\r\n",
        &[
            r#"perfplan.toml:1:10: unknown key "größe""#,
            "  |",
            r#"1 | gate = { "größe" = 1 }"#,
            "  |          ^^^^^^^",
            r#"  = help: choose from "family-error", "tolerance", "tolerances", "metrics""#,
        ],
    );
    says(
        "\u{feff}gates = 1",
        &[
            r#"perfplan.toml:1:1: unknown key "gates""#,
            "  |",
            "1 | gates = 1",
            "  | ^^^^^",
            r#"  = help: did you mean "gate"?"#,
        ],
    );
}

#[test]
fn what_would_act_on_a_terminal_is_shown_as_a_replacement() {
    says(
        "[[variant]]\nname = \"a\"\nlto = \"x\u{202e}y\"",
        &[
            r#"perfplan.toml:3:7: unknown lto "x\u{202e}y""#,
            "  |",
            "3 | lto = \"x\u{fffd}y\"",
            "  |       ^^^^^",
            r#"  = help: choose from "off", "thin", "fat", "true", "false""#,
        ],
    );
    says(
        "[gate]\n\"a\u{1b}[31m\" = 1",
        &[
            "perfplan.toml:2:3: invalid basic string",
            "  |",
            "2 | \"a\u{fffd}[31m\" = 1",
            "  |   ^",
            r#"  = help: expected non-double-quote visible characters, `\`"#,
        ],
    );
    says(
        "[gate]\n\"a\\nb\" = 1",
        &[
            r#"perfplan.toml:2:1: unknown key "a\nb""#,
            "  |",
            r#"2 | "a\nb" = 1"#,
            "  | ^^^^^^",
            r#"  = help: choose from "family-error", "tolerance", "tolerances", "metrics""#,
        ],
    );
}
