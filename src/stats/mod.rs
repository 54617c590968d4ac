//! Statistics, and nothing else: numbers in, estimates and probabilities out.
//!
//! The room knows no benchmark, reads no clock and does no I/O; whatever is drawn at random takes its seed as an
//! argument, so every result can be had again from the same numbers. It imports nothing of the project.
//!
//! - one sample: [`mean`], [`mean_interval`], [`share_never_seen`], [`signed_rank_interval`], [`signed_rank_p`], [`mean_between`], [`median`], [`spread`]
//! - two samples: [`welch_interval`], [`ratio_interval`], [`distribution_distance`]
//! - many looks at growing data: [`looks`], [`Spending`]
//! - many rows in one report: [`holm_levels`]
//! - many effects in one table: [`least_squares`], [`standard_error`], [`normal_interval`]
//! - planning: [`components`], [`best_blocks`], [`smallest_visible`]

mod components;
mod distributions;
#[cfg(test)]
mod draws;
mod interval;
mod least_squares;
mod multiple;
mod power;
mod ratio;
mod sequential;
mod signed_rank;
#[cfg(test)]
mod simulations;
mod student;
mod summary;

pub use components::{Components, best_blocks, components};
pub use distributions::{Distance, distribution_distance};
pub use interval::{Estimate, welch_interval};
pub use least_squares::{least_squares, normal_interval, standard_error};
pub use multiple::holm_levels;
pub use power::smallest_visible;
pub use ratio::{mean_interval, ratio_interval, share_never_seen};
pub use sequential::{Spending, looks};
pub use signed_rank::{signed_rank_interval, signed_rank_p};
pub use summary::{mean, mean_between, median, spread};
