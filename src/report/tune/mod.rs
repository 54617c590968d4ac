//! An advice made readable: what each knob of the build bought, and what to take.
//!
//! ```text
//!   Advice + Run ──> Tune ──┬──> tune_terminal   for the person at the prompt
//!      │  │                 └──> tune_markdown   for job summaries
//!      │  └──> effects, pareto                   pictures (SVG)
//!      └──> tune_json                            for scripts
//! ```

mod confirmation;
mod effects;
mod json;
mod labels;
mod markdown;
mod pareto;
mod phrase;
mod reasons;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

pub use confirmation::Confirmation;
pub use effects::effects;
pub use json::{TUNE_FORMAT, tune_json};
pub use markdown::tune_markdown;
pub use pareto::pareto;
pub use terminal::tune_terminal;
pub use view::Tune;
