//! What a pull request could upload instead of its run: each is refused, or can do no harm. All of it goes through the functions
//! that the judging side calls.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archives;
mod bombs;
mod costs;
mod fuzz;
mod json;
mod names;
mod numbers;
mod origins;
mod plans;
mod support;
mod zip;
