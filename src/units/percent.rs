//! Percentages: `1%` is the fraction 0.01.

use super::Unreadable;
use super::number::Decimal;

const EXPECTED: &str = r#"a number and %, such as "1%" or "0.25 %""#;

/// Prints a fraction as a percentage: `percent(0.0102, 2)` is `1.02 %`. What rounds to zero has no sign.
#[must_use]
pub fn percent(fraction: f64, decimals: usize) -> String {
    let number = format!("{:.decimals$}", fraction * 100.0);
    let zero = number.strip_prefix('-').filter(|digits| digits.chars().all(|c| matches!(c, '0' | '.')));
    format!("{} %", zero.unwrap_or(&number))
}

/// Prints a change: `+1.02 %`, `-0.30 %`, and `0.00 %` for what rounds to zero.
#[must_use]
pub fn signed_percent(fraction: f64, decimals: usize) -> String {
    let plain = percent(fraction, decimals);
    let sign = if plain.contains(|c| matches!(c, '1'..='9')) && fraction > 0.0 { "+" } else { "" };
    format!("{sign}{plain}")
}

/// Reads a percentage as a fraction, correctly rounded: `1%` is exactly the number that `0.01` is. A sign may stand before it.
///
/// # Errors
/// Where the text is none: no `%`, more than 18 digits, an exponent.
pub fn parse_percent(text: &str) -> Result<f64, Unreadable> {
    read(text.trim()).ok_or_else(|| Unreadable::new(text, "a percentage", EXPECTED))
}

fn read(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (-1.0, unsigned),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, unit) = Decimal::leading(unsigned)?;
    let fraction = number.hundredth().filter(|_| unit.trim_start() == "%")?;
    Some(sign * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_without_rounding_errors() {
        let fractions = ["1%", "0.25 %", " 100% ", "-0.7%", "+2 %", "0.1%"].map(|text| parse_percent(text).unwrap());
        assert_eq!(fractions, [0.01, 0.0025, 1.0, -0.007, 0.02, 0.001]);
    }

    #[test]
    fn what_is_no_percentage_is_refused_with_examples() {
        for text in ["", "%", "1", "0.01", "1 percent", "1%%", "--1%", "1e2%", "NaN%", "inf%", "1 ‰"] {
            assert!(parse_percent(text).is_err(), "{text:?} was accepted");
        }
        let expected = r#""1 parsec" is not a percentage: expected a number and %, such as "1%" or "0.25 %""#;
        assert_eq!(parse_percent("1 parsec").unwrap_err().to_string(), expected);
    }

    #[test]
    fn changes_carry_their_sign_and_zero_has_none() {
        let shown = [0.0102, -0.003, 0.0, 0.00001, -0.00001].map(|fraction| signed_percent(fraction, 2));
        assert_eq!(shown, ["+1.02 %", "-0.30 %", "0.00 %", "0.00 %", "0.00 %"]);
        assert_eq!((percent(0.0102, 1), percent(-0.5, 0)), ("1.0 %".to_owned(), "-50 %".to_owned()));
        assert_eq!(signed_percent(f64::INFINITY, 1), "inf %");
    }

    #[test]
    fn printed_percentages_read_back() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..2_000 {
            let basis_points = random.i32(-20_000..20_000);
            let fraction = format!("{basis_points}e-4").parse::<f64>().unwrap();
            assert_eq!(parse_percent(&signed_percent(fraction, 2)).unwrap(), fraction, "{basis_points}");
        }
    }
}
