//! The workflows that are given away, and this repository's own: their rules, and the gate run as a runner would run it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a failed test says where its evidence is")]

mod expressions;
mod files;
mod gate;
mod init;
mod project;
mod rules;
mod runner;
