//! `[[waiver]]`: what it means, and what is said of waivers that can't be.

use super::{parse, says};

/// A waiver with one line in place of its own.
fn with(key: &str, line: &str) -> String {
    let lines = [
        ("case", r#"case = "engine::book/*""#),
        ("metric", r#"metric = "wall""#),
        ("commit", r#"commit = "ABCDEF01""#),
        ("reason", r#"reason = "checks every order twice""#),
        ("expires", "expires = 2027-03-31"),
    ];
    let lines = lines.map(|(name, usual)| if name == key { line } else { usual });
    format!("[[waiver]]\n{}", lines.join("\n"))
}

#[test]
fn a_waiver_is_a_case_a_metric_a_commit_a_reason_and_a_last_day() {
    let waiver = parse(&with("", "")).waivers.remove(0);
    assert!(waiver.covers(&"engine::book/hash".parse().unwrap(), &"wall".parse().unwrap()));
    assert_eq!((waiver.commit.as_str(), waiver.expires.as_str()), ("abcdef01", "2027-03-31"));
    assert_eq!(waiver.reason, "checks every order twice");
    assert!(parse("").waivers.is_empty());
}

#[test]
fn a_waiver_that_says_too_little_is_refused_with_what_to_write() {
    says(
        &with("expires", r#"expires = 2027-03-31T10:00:00Z"#),
        &[
            "perfplan.toml:6:11: the last day of a waiver is a date",
            "  |",
            "6 | expires = 2027-03-31T10:00:00Z",
            "  |           ^^^^^^^^^^^^^^^^^^^^",
            "  = help: write it so: expires = 2027-03-31",
        ],
    );
    says(
        &with("commit", r#"commit = "main""#),
        &[
            r#"perfplan.toml:4:10: "main" is not the id of a commit"#,
            "  |",
            r#"4 | commit = "main""#,
            "  |          ^^^^^^",
            "  = help: write the id of the commit that made it worse: git log",
        ],
    );
    says(
        &with("case", r#"case = "book""#),
        &[
            r#"perfplan.toml:2:8: "book" names no case"#,
            "  |",
            r#"2 | case = "book""#,
            "  |        ^^^^^^",
            r#"  = help: write the whole name, or a pattern for it: "engine::book/hash", "engine::book/*""#,
        ],
    );
    says(
        &with("reason", r#"reason = " ""#),
        &[
            "perfplan.toml:5:10: this is not one line of at most 500 bytes",
            "  |",
            r#"5 | reason = " ""#,
            "  |          ^^^",
            "  = help: write one line, or leave the key out",
        ],
    );
}
