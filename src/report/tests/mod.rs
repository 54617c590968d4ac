//! The formats as readers meet them.

mod formats;
mod markdown;
mod terminal;
