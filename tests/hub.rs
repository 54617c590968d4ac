//! The GitHub that tests publish to, itself tested: by a client of a few lines, and against GitHub's own description.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "hub/tests/answers.rs"]
mod answers;
#[path = "hub/tests/client.rs"]
mod client;
#[path = "hub/tests/described.rs"]
mod described;
#[path = "hub/tests/faults.rs"]
mod faults;
#[path = "hub/mod.rs"]
mod hub;
#[path = "hub/tests/spoken.rs"]
mod spoken;
