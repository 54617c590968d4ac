//! What is said on a pull request: one comment that is kept up to date, the output of a check run, a commit's status.
//!
//! ```text
//!                  ┌──> comment   marker, verdict, what needs eyes, the rest folded
//!   View + Frame ──┼──> check     the same, with a note per step of the plan that failed
//!                  └──> status    the verdict alone
//! ```
//!
//! A run that a pull request made is hostile as a whole: no text of it becomes a link, a mention, a reference, a picture or HTML.
//! The only links are those of the [`Frame`], which the caller knows from elsewhere.

mod body;
mod broken;
mod chart;
mod check;
mod claims;
mod frame;
mod quiet;
mod rows;
mod sticky;
mod verdict;

pub use body::comment;
pub use check::{CheckText, Note, check, status};
pub use frame::Frame;
pub use sticky::{marker, order_of};
