//! Profile-guided optimisation: the tool that merges profiles, the merged profile, and what it covers.
//!
//! A training build (`-Cprofile-generate=FOLDER`, a fresh folder for each build) runs its training and leaves `.profraw`
//! files; [`merge`] makes one profile of them, named by its content; the final build takes it with `-Cprofile-use=PROFILE`,
//! the same flags otherwise, and [`DIAGNOSE`], so that [`Diagnostics`] can tell which functions it did not fit.

mod coverage;
mod merge;
#[cfg(test)]
mod tests;
mod tool;

pub use coverage::{Coverage, DIAGNOSE, Diagnostics, ran};
pub use merge::{LeftOut, Merged, merge};
pub(super) use tool::version_told;
pub use tool::{Profdata, Search};
