//! Tests of the whole way from a text to a plan or to an error, word by word.

mod hostile;
mod keys;
mod lists;
mod matrix;
mod places;
mod steps;
mod surface;
mod waivers;

use std::path::Path;

use super::Plan;

/// The plan that a text says.
fn parse(text: &str) -> Plan {
    Plan::parse(text, Path::new("perfplan.toml")).unwrap_or_else(|error| panic!("{error}"))
}

/// Compares the error of a plan with the lines expected.
fn says(text: &str, expected: &[&str]) {
    let error = Plan::parse(text, Path::new("perfplan.toml")).expect_err(text).to_string();
    assert_eq!(error, expected.join("\n"), "\n{error}\n");
}
