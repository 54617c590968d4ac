//! Why rows changed, made readable: the functions whose time differs, the counters of both sides, and a command that shows more.
//!
//! ```text
//!   Run + Blame ──> BlameView ──┬──> Page::blames   for the person at the prompt
//!                               └──> section        for comments and job summaries
//! ```

mod markdown;
mod stacks;
mod terminal;
mod view;
mod words;

pub(super) use markdown::section;
pub(super) use stacks::{EXACT, taken};
pub(super) use view::blames;
pub use view::{BlameView, CounterLine, FunctionLine};
