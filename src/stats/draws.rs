//! Random numbers for the tests of this room.

use std::f64::consts::TAU;

use fastrand::Rng;

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

/// `n` independent numbers from an exponential distribution moved to mean zero: variance 1, skewness 2.
pub(super) fn skewed(rng: &mut Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| -(1.0 - rng.f64()).ln() - 1.0).collect()
}
