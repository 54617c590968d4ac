//! A judged run made readable: one view model, and one pure renderer per format that returns text.
//!
//! ```text
//!   Run + Judgement ──> View ──┬──> terminal   for the person at the prompt
//!              │               ├──> markdown   for comments and job summaries
//!              │               └──> forest     all rows in one picture (SVG)
//!              └──> json                       for scripts
//! ```
//!
//! Nothing is decided here and no file is opened. Names come from files and may be hostile: [`View::of`] makes them harmless
//! to any reader, and every renderer escapes what its own format would act on.

mod absolute;
mod arms;
mod forest;
mod json;
mod line;
mod markdown;
mod marker;
mod numbers;
mod palette;
mod scale;
mod summary;
mod table;
mod terminal;
mod text;
mod view;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

pub use absolute::Absolute;
pub use forest::forest;
pub use json::{REPORT_FORMAT, json};
pub use line::{Group, Line, Standing};
pub use markdown::{LONGEST, markdown};
pub use terminal::{Style, terminal};
pub use text::harmless;
pub use view::{Broken, View};
