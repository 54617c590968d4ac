//! The program as a person starts it.

use std::process::Command;

/// Names that the executable plan refers to; a missing one breaks its steps.
const CASES: [&str; 8] = [
    "contacts/rebuilt",
    "contacts/prepared",
    "msisdn/formatted",
    "msisdn/arithmetic",
    "durations/rebuilt",
    "durations/reused",
    "arrivals/rebuilt",
    "arrivals/reused",
];

#[test]
fn every_case_is_listed_with_a_sentence_about_it() {
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let output = Command::new(env!("CARGO_BIN_EXE_generator")).arg("list").output().unwrap();
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    let about = |case: &str| listed.lines().find_map(|line| line.strip_prefix(case)?.strip_prefix(' ')).map(str::trim);
    for case in CASES {
        assert!(about(case).is_some_and(|about| about.len() > 20), "{case} is not listed:\n{listed}");
    }
    assert_eq!(listed.lines().count(), CASES.len(), "{listed}");
}
