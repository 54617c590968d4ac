//! Pairs arms and estimates changes. Knows nothing of tolerances.

mod change;
mod pairs;

pub use change::{Change, Spread};
pub use pairs::{Sides, across, within};
