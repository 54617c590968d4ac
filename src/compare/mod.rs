//! Pairs arms and estimates changes. Knows nothing of tolerances.

mod change;
mod level;
mod pairs;
#[cfg(test)]
mod simulations;

pub use change::{Change, Spread};
pub use level::Level;
pub use pairs::{Sides, across, alone, within};
