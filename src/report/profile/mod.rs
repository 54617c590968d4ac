//! Where the time of a case goes, or its allocations, instructions, system calls: of one build, or what differs between two.
//!
//! ```text
//!   Sides ──> Shown ──┬──> profile            for the person at the prompt
//!                     └──> profile_markdown   for job summaries
//! ```

mod difference;
mod markdown;
mod shown;
mod sides;
mod terminal;

pub use markdown::profile_markdown;
pub use sides::{ProfileSide, Sides};
pub use terminal::profile;
