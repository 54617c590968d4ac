//! Statistics, and nothing else: numbers in, estimates and probabilities out.
//!
//! The room knows no benchmark, reads no clock and does no I/O; whatever is drawn at random takes its seed as an
//! argument, so every result can be had again from the same numbers. It imports nothing of the project.
//!
//! - one sample: [`mean_interval`], [`clustered_interval`], [`two_way_clustered_interval`], [`signed_rank_interval`],
//!   [`signed_rank_p`], [`bca_interval`],
//!   [`sign_flip_p`], [`interquartile_mean`], [`median`], [`quantile`], [`skewness`]
//! - two samples: [`welch_interval`]
//! - many looks at growing data: [`looks`], [`Spending`]
//! - many rows in one report: [`holm`], [`holm_levels`]
//! - planning: [`components`], [`best_blocks`], [`smallest_visible`]

mod bootstrap;
mod clustered;
mod components;
#[cfg(test)]
mod draws;
mod interval;
mod multiple;
mod permutation;
mod power;
mod sequential;
mod signed_rank;
#[cfg(test)]
mod simulations;
mod student;
mod summary;

pub use bootstrap::bca_interval;
pub use clustered::{clustered_interval, two_way_clustered_interval};
pub use components::{Components, best_blocks, components};
pub use interval::{Estimate, mean_interval, welch_interval};
pub use multiple::{holm, holm_levels};
pub use permutation::sign_flip_p;
pub use power::smallest_visible;
pub use sequential::{Spending, looks};
pub use signed_rank::{signed_rank_interval, signed_rank_p};
pub use summary::{interquartile_mean, median, quantile, skewness};
