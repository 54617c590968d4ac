//! Numbers: exact decimals on the way in, three or four significant digits on the way out.

/// Read more digits than this and a product with the largest unit would not fit any more.
const MOST_DIGITS: usize = 18;
/// Print no more decimals than this, however small the value.
const MOST_DECIMALS: i32 = 12;

/// A decimal number as it was written: `digits` / 10^`scale`. Binary floats would turn 0.3 ms into 299,999 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    scale: u32,
}

impl Decimal {
    /// The number at the start of a text, and what follows it. `None` without one: signs, exponents, `.5` and `5.` are refused.
    pub(super) fn leading(text: &str) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        if whole.is_empty() || fraction.contains('.') || whole.len() + fraction.len() > MOST_DIGITS {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Some((Self { digits, scale }, rest))
    }

    /// The product with a unit, to the nearest whole number.
    pub(super) fn times(self, unit: u128) -> u128 {
        let one = 10_u128.pow(self.scale);
        (self.digits * unit + one / 2) / one
    }

    /// The product with a unit, where it is a whole number.
    pub(super) fn times_exactly(self, unit: u128) -> Option<u128> {
        let (product, one) = (self.digits * unit, 10_u128.pow(self.scale));
        product.is_multiple_of(one).then(|| product / one)
    }

    /// The number divided by 100, correctly rounded.
    pub(super) fn hundredth(self) -> Option<f64> {
        format!("{}e-{}", self.digits, self.scale + 2).parse().ok()
    }
}

/// A whole number and one of `units` behind it, spaces between them allowed: `64 KiB`. The product has to be whole.
pub(super) fn whole_with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = Decimal::leading(text.trim())?;
    let (_, worth) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    u64::try_from(number.times_exactly(u128::from(*worth))?).ok()
}

/// The value in the largest of `steps` (worth and name, smallest first) that it fills, in three or four significant digits.
/// Whole values of the smallest step stand as they are. Infinities and NaN are printed as such.
pub(super) fn readable(value: f64, steps: &[(f64, &str)]) -> String {
    let fills = |worth: f64| value != 0.0 && exponent(value / worth) >= 0;
    let step = steps.iter().rfind(|(worth, _)| fills(*worth)).or(steps.first());
    let Some((worth, name)) = step.filter(|_| value.is_finite()) else {
        return value.to_string();
    };
    let smallest = steps.first().is_some_and(|(first, _)| first == worth);
    let scaled = value / worth;
    let whole = smallest && scaled.fract() == 0.0;
    let decimals = if whole { 0 } else { (2 - exponent(scaled)).clamp(0, MOST_DECIMALS) };
    format!("{scaled:.*}{name}", usize::try_from(decimals).unwrap_or(0))
}

/// The power of ten of a value rounded to three digits: 0 for 1.23 and for 0.9996, which is shown as 1.00.
fn exponent(value: f64) -> i32 {
    let scientific = format!("{value:.2e}");
    scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let (number, rest) = Decimal::leading("0.3 ms").unwrap();
        assert_eq!((number.times(1_000_000), rest), (300_000, " ms"));
        assert_eq!(Decimal::leading("0.07").unwrap().0.hundredth(), Some(0.0007));
        assert_eq!(Decimal::leading("1.5").unwrap().0.times_exactly(1), None);
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", ".", ".5", "5.", "1.2.3", "-1", "+1", "x", "1234567890123456789", "0.123456789012345678"] {
            assert_eq!(Decimal::leading(text), None, "{text:?}");
        }
    }

    #[test]
    fn rounding_never_shows_a_thousand_of_a_smaller_unit() {
        let steps = [(1.0, " a"), (1_000.0, " b")];
        let shown = |value| readable(value, &steps);
        assert_eq!(shown(999.4), "999 a");
        assert_eq!(shown(999.6), "1.00 b");
        assert_eq!(shown(9.996), "10.0 a");
        assert_eq!(shown(99.96), "100 a");
        assert_eq!(shown(1_234_567.0), "1235 b");
    }
}
