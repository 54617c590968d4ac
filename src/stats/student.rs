//! Student's t and the normal distribution, as the other files need them: two-sided, and exact far into the tails.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::{beta::beta_reg, erf, gamma::ln_gamma};

/// Above this many degrees of freedom the t distribution is the normal one for every purpose here, and the incomplete
/// beta function starts to lose digits.
const NORMAL_FROM: f64 = 1e7;

/// The chance that a standard normal variable exceeds `z`.
pub(super) fn normal_upper(z: f64) -> f64 {
    0.5 * erf::erfc(z / SQRT_2)
}

/// The point that a standard normal variable exceeds with chance `p`.
pub(super) fn normal_point(p: f64) -> f64 {
    SQRT_2 * erf::erfc_inv(2.0 * p)
}

/// P(|T| >= |t|) for Student's t with `df` degrees of freedom (any positive number, infinity included).
pub(super) fn two_sided_p(t: f64, df: f64) -> f64 {
    let squared = t * t;
    if df >= NORMAL_FROM {
        return erf::erfc(t.abs() / SQRT_2);
    }
    let x = df / (df + squared);
    if x > 0.0 { beta_reg(0.5 * df, 0.5, x) } else { 0.0 }
}

/// The t > 0 with `two_sided_p(t, df) == alpha`, for `alpha` in (0, 1).
///
/// Newton's method on ln p as a function of ln t: that function is decreasing and concave, so the iteration converges
/// from any start. The inverse that statrs 0.19 offers (`StudentsT::inverse_cdf`) loops without end for some pairs of
/// large `df` and `alpha`.
pub(super) fn critical(alpha: f64, df: f64) -> f64 {
    let mut t = normal_point(0.5 * alpha);
    if df >= NORMAL_FROM {
        return t;
    }
    let scale = ln_gamma(0.5 * (df + 1.0)) - ln_gamma(0.5 * df) - 0.5 * (df * PI).ln();
    for _ in 0..32 {
        let p = two_sided_p(t, df);
        if p == 0.0 {
            return f64::INFINITY; // beyond what a double can hold: df near 1 and alpha below about 1e-150
        }
        let density = (scale - 0.5 * (df + 1.0) * (t * t / df).ln_1p()).exp();
        let step = (p / alpha).ln() * p / (2.0 * density * t);
        t *= step.exp();
        if step.abs() < 1e-10 {
            break;
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From scipy 1.17: `stats.t.isf(alpha / 2, df)`.
    const CRITICAL: [(f64, f64, f64); 12] = [
        (1.0, 0.05, 12.706204736174705),
        (1.0, 1e-15, 636619772367581.4),
        (2.0, 0.9, 0.14213381090374025),
        (3.0, 1e-4, 28.000130010948972),
        (4.5, 0.01, 4.2728239930112935),
        (9.0, 0.05, 2.2621571627982053),
        (9.0, 1e-8, 19.78217906536479),
        (30.0, 1e-4, 4.482417175409747),
        (199.0, 0.01, 2.6007602160585166),
        (199.0, 1e-15, 8.73509759774696),
        (640.0, 3e-4, 3.6352689946988126),
        (1e5, 0.05, 1.95998770753461),
    ];

    #[test]
    fn critical_values_match_scipy_from_one_degree_of_freedom_to_many() {
        for (df, alpha, expected) in CRITICAL {
            let found = critical(alpha, df);
            assert!((found / expected - 1.0).abs() < 1e-9, "df {df}, alpha {alpha}: {found}, not {expected}");
        }
    }

    #[test]
    fn p_of_the_critical_value_is_alpha_over_the_whole_range() {
        for df in [1.0, 1.3, 2.0, 3.0, 9.0, 49.0, 639.0, 1e4, 1e6, 1e9, f64::INFINITY] {
            for alpha in [0.9, 0.3, 0.05, 1e-3, 1e-6, 1e-12, 1e-40] {
                let p = two_sided_p(critical(alpha, df), df);
                assert!((p / alpha - 1.0).abs() < 1e-7, "df {df}, alpha {alpha}: {p}");
            }
        }
    }

    #[test]
    fn a_level_below_any_double_gives_infinity_instead_of_nonsense() {
        assert_eq!(critical(1e-200, 1.0), f64::INFINITY);
        assert_eq!(two_sided_p(1e200, 1.0), 0.0);
        assert_eq!(two_sided_p(0.0, 5.0), 1.0);
    }

    #[test]
    fn normal_tails_match_scipy() {
        assert!((normal_upper(1.959963984540054) - 0.025).abs() < 1e-11);
        assert!((normal_upper(10.0) / 7.61985302416047e-24 - 1.0).abs() < 1e-9);
        assert!((normal_point(1e-9) - 5.9978070150076865).abs() < 1e-9);
        assert!((normal_point(0.9) + 1.2815515655446004).abs() < 1e-9);
    }
}
