//! Instructions by callgrind: exact counts where the machine has no counters, and per function.
//!
//! Valgrind runs a program some 25 times slower, so this counts and never times. A worker is counted between the fences of its
//! `trace` command: the dump that the second fence makes holds the work only ([`Dump::is_requested`]).

mod names;
mod parse;
#[cfg(test)]
mod tests;
mod tool;

pub use parse::{Cost, Dump, parse};
pub use tool::{Callgrind, Children, read};
