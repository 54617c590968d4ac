//! A judged run made readable: one view model, and one pure renderer per format that returns text.
//!
//! ```text
//!   Run + Judgement ──> View ──┬──> terminal   for the person at the prompt
//!              │               ├──> markdown   for job summaries
//!              │               ├──> comment    for pull requests, with what a check run and a status say
//!              │               └──> forest     all rows in one picture (SVG)
//!              └──> json                       for scripts
//!
//!   Run + Judgement, per commit ──> performance_summary   a file that is kept with the sources
//!   Advice ──> tune: the same for what each knob of the build bought
//!   Profile ──> profile: where the time of one build goes, or what differs between two
//! ```
//!
//! Nothing is decided here and no file is opened. Names come from files and may be hostile: [`View::of`] makes them harmless
//! to any reader, and every renderer escapes what its own format would act on.

mod absolute;
mod arms;
mod blame;
mod cells;
mod comment;
mod drawing;
mod forest;
mod json;
mod line;
mod markdown;
mod marker;
mod numbers;
mod page;
mod palette;
mod performance;
mod profile;
mod scale;
mod steps;
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
pub use arms::revision;
pub use blame::{BlameView, CounterLine, FunctionLine};
pub use cells::{CellLine, Cells, Progress, cells_markdown, cells_terminal};
pub use comment::{CheckText, Frame, Note, check, comment, marker, order_of, status};
pub use forest::forest;
pub use json::{REPORT_FORMAT, json};
pub use line::{Group, Line, Standing};
pub use markdown::{LONGEST, markdown};
pub use page::Style;
pub use performance::performance_summary;
pub use profile::{ProfileSide, Sides, profile, profile_markdown};
pub use steps::{ClaimLine, StepView};
pub use terminal::terminal;
pub use text::{harmless, wrapped};
pub use tune::{Confirmation, TUNE_FORMAT, Tune, effects, pareto, tune_json, tune_markdown, tune_terminal};
pub use view::{Broken, View};
