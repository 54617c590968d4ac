//! Random numbers for the tests of this room, and the textbook interval that they are held against.

use std::f64::consts::TAU;

use fastrand::Rng;

use super::interval::Estimate;
use super::summary::{mean, variance};

/// `n` independent standard normal numbers (Box & Muller 1958).
pub(super) fn normals(rng: &mut Rng, n: usize) -> Vec<f64> {
    let mut values = Vec::with_capacity(n + 1);
    while values.len() < n {
        let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), TAU * rng.f64());
        values.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    values.truncate(n);
    values
}

/// Student's t interval for the mean.
pub(super) fn t_interval(values: &[f64], alpha: f64) -> Estimate {
    let n = values.len();
    Estimate::student(mean(values), (variance(values) / n as f64).sqrt(), n as f64 - 1.0, n, alpha)
}
