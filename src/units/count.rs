//! Counts: `100k`, `1.5M`.

use super::Unreadable;
use super::number::{readable, whole_with_unit};

const EXPECTED: &str = r#"a whole number, with k, M, G or T for thousands and more, such as "640", "100k" or "1.5M""#;

const UNITS: [(&str, u64); 5] =
    [("", 1), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)];

const STEPS: [(f64, &str); 5] = [(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];

/// Prints a count (a mean may have a fraction) with three or four significant digits: `12.3k`.
#[must_use]
pub fn count(count: f64) -> String {
    readable(count, &STEPS)
}

/// Reads a count.
///
/// # Errors
/// Where the text is none: a sign, an unknown unit, no whole number, more than `u64` holds.
pub fn parse_count(text: &str) -> Result<u64, Unreadable> {
    whole_with_unit(text, &UNITS).ok_or_else(|| Unreadable::new(text, "a count", EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_are_written() {
        let counts = ["0", "640", "100k", "1.5M", "2 G"].map(|text| parse_count(text).unwrap());
        assert_eq!(counts, [0, 640, 100_000, 1_500_000, 2_000_000_000]);
        for text in ["", "k", "1.5", "-1", "100K", "1e3", "99999999T"] {
            assert!(parse_count(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_printed_count_reads_back_within_its_digits() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..2_000 {
            let exact = (random.f64() * 34.0).exp().round();
            let printed = count(exact);
            let read = parse_count(&printed).unwrap() as f64;
            assert!((read / exact - 1.0).abs() <= 0.0051, "{exact} -> {printed} -> {read}");
        }
        assert_eq!([7.0, 7.25, 999.0, 12_345.0, 9_999_999.0].map(count), ["7", "7.25", "999", "12.3k", "10.0M"]);
    }
}
