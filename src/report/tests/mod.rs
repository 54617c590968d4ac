//! The formats as readers meet them.

mod blame;
mod comment;
mod formats;
mod markdown;
mod performance;
mod profile;
mod steps;
mod terminal;
