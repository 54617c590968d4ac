//! Sampling real programs.

mod builds;
mod methods;
mod running;
