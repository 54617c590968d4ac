//! What a run came to, put where people look: a comment that is kept up to date, a check run, a commit status, the job's summary.
//!
//! ```text
//!   Letter ──> comment on the pull request ──┐ each where the token may; what it may not
//!          ──> check run ──> commit status ──┼─> is told, and the next says it instead
//!          ──> summary of the job ───────────┘
//! ```
//!
//! Nothing is computed or reworded here. Publishing the same again changes nothing, and two that publish at once leave one comment.

mod check;
mod comment;
mod delivery;
mod letter;

pub use delivery::{Delivery, Place, Refused, deliver};
pub use letter::{Letter, To};
