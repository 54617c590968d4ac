//! A judged run made readable: one view model, and one pure renderer per format that returns text.
//!
//! ```text
//!   Run + Judgement ──> View ──┬──> terminal   for the person at the prompt
//!              │               ├──> markdown   for comments and job summaries
//!              │               └──> forest     all rows in one picture (SVG)
//!              └──> json                       for scripts
//!
//!   Advice ──> tune: the same for what each knob of the build bought
//! ```
//!
//! Nothing is decided here and no file is opened. Names come from files and may be hostile: [`View::of`] makes them harmless
//! to any reader, and every renderer escapes what its own format would act on.

mod absolute;
mod arms;
mod cells;
mod drawing;
mod forest;
mod json;
mod line;
mod markdown;
mod marker;
mod numbers;
mod page;
mod palette;
mod scale;
mod summary;
mod table;
mod terminal;
mod text;
mod tune;
mod view;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

pub use absolute::Absolute;
pub use cells::{CellLine, Cells, Progress, cells_markdown, cells_terminal};
pub use forest::forest;
pub use json::{REPORT_FORMAT, json};
pub use line::{Group, Line, Standing};
pub use markdown::{LONGEST, markdown};
pub use page::Style;
pub use terminal::terminal;
pub use text::{harmless, wrapped};
pub use tune::{Confirmation, TUNE_FORMAT, Tune, effects, pareto, tune_json, tune_markdown, tune_terminal};
pub use view::{Broken, View};
