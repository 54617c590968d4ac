//! What each step of a plan bought, commit by commit: a file that is kept with the sources, and whose lines stay where they are
//! while the measured numbers do.

mod history;
mod newest;
mod summary;

pub use summary::performance_summary;
