//! Durations: `5m`, `1.5ms`, `1h30m`.

use std::time::Duration;

use super::Unreadable;
use super::number::{Decimal, readable};

const EXPECTED: &str = r#"a number and a unit (ns, us, ms, s, m, h, d), such as "5m", "90s", "1.5ms" or "1h30m""#;

/// Nanoseconds per unit. Micro has two code points that look alike, and `us` is what keyboards have.
const UNITS: [(&str, u128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", NANOSECONDS),
    ("m", 60 * NANOSECONDS),
    ("min", 60 * NANOSECONDS),
    ("h", 3_600 * NANOSECONDS),
    ("d", 86_400 * NANOSECONDS),
];

const NANOSECONDS: u128 = 1_000_000_000;

const STEPS: [(f64, &str); 7] =
    [(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s"), (60e9, " min"), (3_600e9, " h"), (86_400e9, " d")];

/// Prints nanoseconds in a readable unit, with three or four significant digits: `12.3 µs`.
#[must_use]
pub fn duration_ns(nanoseconds: f64) -> String {
    readable(nanoseconds, &STEPS)
}

/// Reads a duration: numbers with units, the larger ones first, each unit once. Rounded to the nearest nanosecond.
///
/// # Errors
/// Where the text is none: no unit, a sign, an unknown unit, more than 18 digits.
///
/// ```
/// use std::time::Duration;
/// # use perfplan::units::parse_duration;
/// assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5_400));
/// assert!(parse_duration("90").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, Unreadable> {
    read(text.trim()).ok_or_else(|| Unreadable::new(text, "a duration", EXPECTED))
}

fn read(text: &str) -> Option<Duration> {
    let (mut rest, mut total, mut last) = (text, 0, u128::MAX);
    loop {
        let (number, after) = Decimal::leading(rest)?;
        let after = after.trim_start();
        let end = after.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
        if *unit >= last {
            return None;
        }
        total += number.times(*unit);
        (rest, last) = (after.trim_start(), *unit);
        if rest.is_empty() {
            break;
        }
    }
    let seconds = u64::try_from(total / NANOSECONDS).ok()?;
    let nanoseconds = u32::try_from(total % NANOSECONDS).ok()?;
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        let nanoseconds = |text| parse_duration(text).unwrap().as_nanos();
        assert_eq!(nanoseconds("5m"), 300 * NANOSECONDS);
        assert_eq!(nanoseconds(" 90 s "), 90 * NANOSECONDS);
        assert_eq!(nanoseconds("1.5ms"), 1_500_000);
        assert_eq!(nanoseconds("200us"), 200_000);
        assert_eq!((nanoseconds("200µs"), nanoseconds("200μs")), (200_000, 200_000));
        assert_eq!(nanoseconds("1h30m"), 5_400 * NANOSECONDS);
        assert_eq!(nanoseconds("1d 2 h 3min 4s 5ms"), 93_784_005 * 1_000_000);
        assert_eq!((nanoseconds("0.4ns"), nanoseconds("0.6ns")), (0, 1));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_examples() {
        let wrong = [
            "",
            " ",
            "5",
            "m",
            "-5m",
            "5 parsec",
            "5m5m",
            "30m1h",
            "1h30",
            "1e3s",
            "5M",
            "1,5s",
            "999999999999999999d",
        ];
        for text in wrong {
            assert!(parse_duration(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(
            parse_duration("5\u{1b}").unwrap_err().to_string(),
            r#""5\u{1b}" is not a duration: expected a number and a unit (ns, us, ms, s, m, h, d), such as "5m", "90s", "1.5ms" or "1h30m""#
        );
    }

    #[test]
    fn durations_are_printed_in_a_readable_unit() {
        let shown = [0.0, 7.0, 0.25, 12_345.0, 1e6, 59.96e9, 90e9, 7_200e9, 86_400e9, -1_500.0].map(duration_ns);
        let expected =
            ["0 ns", "7 ns", "0.250 ns", "12.3 µs", "1.00 ms", "60.0 s", "1.50 min", "2.00 h", "1.00 d", "-1.50 µs"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_printed_duration_reads_back_within_its_digits() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..5_000 {
            let nanoseconds = (random.f64() * 36.0).exp().round();
            let printed = duration_ns(nanoseconds);
            let read = parse_duration(&printed).unwrap().as_secs_f64() * 1e9;
            assert!((read / nanoseconds - 1.0).abs() <= 0.0051, "{nanoseconds} -> {printed} -> {read}");
            let digits = printed.chars().filter(char::is_ascii_digit).count();
            assert!((1..=4).contains(&digits), "{nanoseconds} -> {printed}");
        }
    }

    #[test]
    fn any_whole_duration_in_parts_is_read_exactly() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..2_000 {
            let (hours, minutes, micros) = (random.u64(..5_000), random.u64(..60), random.u64(..60_000_000));
            let text = format!("{hours}h{minutes}m{}.{:06}s", micros / 1_000_000, micros % 1_000_000);
            let expected = Duration::from_secs(hours * 3_600 + minutes * 60) + Duration::from_micros(micros);
            assert_eq!(parse_duration(&text).unwrap(), expected, "{text}");
        }
    }
}
