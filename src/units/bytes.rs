//! Sizes: `2 GB`, `64 KiB`.

use super::Unreadable;
use super::number::{readable, whole_with_unit};

const EXPECTED: &str = r#"a number and a unit (B, kB, MB, GB, TB, or KiB, MiB, GiB, TiB), such as "2 GB" or "64 KiB""#;

const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

const STEPS: [(f64, &str); 5] =
    [(1.0, " B"), (1_024.0, " KiB"), (1_048_576.0, " MiB"), (1_073_741_824.0, " GiB"), (1_099_511_627_776.0, " TiB")];

/// Prints a size in a readable unit (powers of 1,024), with three or four significant digits: `64.0 KiB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    readable(bytes, &STEPS)
}

/// Reads a size in bytes. `kB` is 1,000 bytes, `KiB` is 1,024.
///
/// # Errors
/// Where the text is none: no unit, a sign, an unknown unit, no whole number of bytes, more than `u64` holds.
pub fn parse_bytes(text: &str) -> Result<u64, Unreadable> {
    whole_with_unit(text, &UNITS).ok_or_else(|| Unreadable::new(text, "a size", EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!(parse_bytes("2 GB").unwrap(), 2_000_000_000);
        assert_eq!(parse_bytes("64 KiB").unwrap(), 65_536);
        assert_eq!(parse_bytes("1.5MiB").unwrap(), 1_572_864);
        assert_eq!(parse_bytes("0 B").unwrap(), 0);
    }

    #[test]
    fn what_is_no_size_is_refused_with_examples() {
        for text in ["", "5", "B", "2 gb", "2 Gbit", "-1 B", "0.3 B", "0.0001 kB", "99999999 TiB"] {
            assert!(parse_bytes(text).is_err(), "{text:?} was accepted");
        }
        let error = parse_bytes("2G").unwrap_err();
        assert_eq!(error.problem(), r#""2G" is not a size"#);
        assert!(error.expected().contains("64 KiB"));
    }

    #[test]
    fn sizes_are_printed_in_a_readable_unit() {
        let shown = [0.0, 12.5, 1_000.0, 1_020.0, 1_023.9, 65_536.0, 2e9, 3e15].map(bytes);
        assert_eq!(shown, ["0 B", "12.5 B", "1000 B", "1020 B", "1.00 KiB", "64.0 KiB", "1.86 GiB", "2728 TiB"]);
    }

    #[test]
    fn whole_units_read_back_exactly() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..2_000 {
            let (name, worth) = UNITS[random.usize(..UNITS.len())];
            let number = random.u64(..1_000_000);
            assert_eq!(parse_bytes(&format!("{number} {name}")).unwrap(), number * worth);
        }
    }
}
