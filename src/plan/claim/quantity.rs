//! Numbers with units: read and written so that both come to the same number.

use crate::plan::fault::Refusal;
use crate::plan::nearest::nearest;
use crate::units::{parse_bytes, parse_duration};

/// Numbers have at most this many digits between the first and the last that is not 0: as many as `f64` tells apart.
const MOST_DIGITS: usize = 15;
/// Nothing above zero that is measured is smaller.
const LEAST: f64 = 1e-12;
/// Nothing that is measured is as large: 11 days in nanoseconds, a petabyte.
const MOST: f64 = 1e15;

const TIMES: [&str; 8] = ["ns", "us", "ms", "s", "m", "min", "h", "d"];
const SIZES: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"];
/// What stands behind counts, and the power of ten that it means.
const THOUSANDS: [(&str, i32); 5] = [("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0)];

/// Sizes by their worth, decimal ones first: of two that say the same number, the first is written.
const SIZE_STEPS: [(f64, &str); 8] = [
    (1e12, "TB"),
    (1_099_511_627_776.0, "TiB"),
    (1e9, "GB"),
    (1_073_741_824.0, "GiB"),
    (1e6, "MB"),
    (1_048_576.0, "MiB"),
    (1e3, "kB"),
    (1_024.0, "KiB"),
];
const TIME_STEPS: [(f64, &str); 3] = [(1e9, "s"), (1e6, "ms"), (1e3, "us")];
const COUNT_STEPS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// How the values of a measure are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Durations; nanoseconds.
    Time,
    /// Sizes; bytes.
    Bytes,
    /// Plain numbers.
    Count,
    /// Numbers per second.
    Rate,
    /// Percentages of a whole.
    Share,
    /// Durations of a case's own that are in seconds, as their name says; seconds.
    Seconds,
    /// Whatever a case reports: any of these.
    Any,
}

impl Kind {
    /// Reads a quantity into the base unit: a number, and its unit behind it. Zero needs no unit.
    pub(super) fn read(self, text: &str) -> Result<f64, Refusal> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit: String = unit.chars().filter(|c| !c.is_whitespace()).collect();
        if unit.is_empty() && decimal(number, 0)? == 0.0 {
            return Ok(0.0);
        }
        let value = match (self, unit.as_str()) {
            (Self::Time, "ns") | (Self::Bytes, "B") => decimal(number, 0),
            (Self::Time, unit) => time(text, unit),
            (Self::Bytes, unit) => size(text, unit),
            (Self::Count, unit) => thousands(number, unit).unwrap_or_else(|| Err(count(text, unit))),
            (Self::Rate, unit) => {
                let per_second = unit.strip_suffix("/s").and_then(|unit| thousands(number, unit));
                per_second.unwrap_or_else(|| Err(rate(text, unit)))
            }
            (Self::Share, "%") => share(text, number),
            (Self::Share, _) => Err(Refusal::new(format!("{text:?} is not a share"), r#"write a percentage: "1%""#)),
            (Self::Seconds, unit) if is_time(unit) => Self::Time.read(text).map(|ns| tidy(ns / 1e9)),
            (Self::Seconds, _) => return Self::Any.read(text),
            (Self::Any, "%") => decimal(number, -2),
            (Self::Any, unit) if unit.ends_with("/s") => return Self::Rate.read(text),
            (Self::Any, unit) if is_time(unit) => return Self::Time.read(text),
            (Self::Any, unit) if SIZES.contains(&unit) || unit.ends_with('B') => return Self::Bytes.read(text),
            (Self::Any, unit) => thousands(number, unit).unwrap_or_else(|| Err(any(text, unit))),
        };
        plausible(value?)
    }

    /// Writes a value so that [`read`](Self::read) gives it back: in the largest unit that makes it a whole number, else in
    /// the base unit.
    pub(super) fn print(self, value: f64) -> String {
        match self {
            Self::Share => format!("{}%", decimal_text(value, 2)),
            _ if value == 0.0 => "0".to_owned(),
            Self::Time => in_steps(value, &TIME_STEPS, "ns"),
            Self::Bytes => in_steps(value, &SIZE_STEPS, "B"),
            Self::Count | Self::Seconds | Self::Any => in_steps(value, &COUNT_STEPS, ""),
            Self::Rate => format!("{}/s", in_steps(value, &COUNT_STEPS, "")),
        }
    }
}

/// A value of this kind that was computed from a claim's numbers, rounded back to a decimal number.
pub(super) fn computed(kind: Kind, value: f64) -> Result<f64, Refusal> {
    let value = plausible(tidy(value))?;
    Ok(if kind == Kind::Share { value.min(1.0) } else { value })
}

/// Checks that a value can be measured at all.
pub(super) fn plausible(value: f64) -> Result<f64, Refusal> {
    match value == 0.0 || (LEAST..MOST).contains(&value) {
        true => Ok(value),
        false if value < LEAST => {
            Err(Refusal::new("this is less than anything that is measured", "write a larger number"))
        }
        false => Err(Refusal::new("this is more than anything that is measured", "write a smaller number")),
    }
}

/// The number `digits` times a power of ten, correctly rounded.
pub(super) fn decimal(digits: &str, exponent: i32) -> Result<f64, Refusal> {
    let significant = digits.replace('.', "");
    if significant.trim_matches('0').len() > MOST_DIGITS {
        let help = format!("write at most {MOST_DIGITS} digits");
        return Err(Refusal::new(format!("{digits:?} has more digits than can be told apart"), help));
    }
    let refused = |_| Refusal::new(format!("{digits:?} is not a number"), r#"write digits, such as "0.7" or "100""#);
    format!("{digits}e{exponent}").parse().map_err(refused)
}

/// A value times a power of ten, in digits alone.
pub(super) fn decimal_text(value: f64, exponent: i32) -> String {
    let scientific = format!("{value:e}");
    let moved = scientific.split_once('e').and_then(|(digits, own)| {
        let exponent = own.parse::<i32>().ok()?.checked_add(exponent)?;
        format!("{digits}e{exponent}").parse::<f64>().ok()
    });
    moved.unwrap_or(value).to_string()
}

/// Rounds what was computed from decimal numbers back to one: 1 - 0.3 is 0.7.
pub(super) fn tidy(value: f64) -> f64 {
    let digits = MOST_DIGITS - 1;
    format!("{value:.digits$e}").parse().unwrap_or(value)
}

fn in_steps(value: f64, steps: &[(f64, &str)], base: &str) -> String {
    let whole = steps.iter().filter(|(worth, _)| value % worth == 0.0);
    let shortest = whole.max_by(|(one, _), (other, _)| one.total_cmp(other));
    match shortest {
        Some((worth, unit)) => format!("{}{unit}", value / worth),
        None => format!("{value}{base}"),
    }
}

/// Whether it is a unit of time, or several with numbers between them: `1h30m`.
fn is_time(unit: &str) -> bool {
    TIMES.contains(&unit) || unit.ends_with('s') || unit.contains(|c: char| c.is_ascii_digit())
}

fn time(text: &str, unit: &str) -> Result<f64, Refusal> {
    if unit.is_empty() {
        let help = format!("write \"{text}ms\" or another unit, or \"{text}x before\"");
        return Err(Refusal::new(format!("{text:?} is not a duration"), help));
    }
    let refused = |error| hinted(Refusal::from(error), unit, &TIMES);
    parse_duration(text).map(|time| time.as_nanos() as f64).map_err(refused)
}

fn size(text: &str, unit: &str) -> Result<f64, Refusal> {
    let refused = |error| hinted(Refusal::from(error), unit, &SIZES);
    parse_bytes(text).map(|bytes| bytes as f64).map_err(refused)
}

fn share(text: &str, number: &str) -> Result<f64, Refusal> {
    match decimal(number, -2)? {
        share if share <= 1.0 => Ok(share),
        _ => Err(Refusal::new(format!("{text:?} is more than the whole"), r#"write at most "100%""#)),
    }
}

/// `None` where the unit is none of these.
fn thousands(number: &str, unit: &str) -> Option<Result<f64, Refusal>> {
    THOUSANDS.iter().find(|(known, _)| *known == unit).map(|(_, exponent)| decimal(number, *exponent))
}

fn count(text: &str, unit: &str) -> Refusal {
    let help = r#"write a number, with k, M, G or T for thousands and more, such as "12" or "1.5M""#;
    hinted(Refusal::new(format!("{text:?} is not a count"), help), unit, &["k", "M", "G", "T"])
}

fn rate(text: &str, unit: &str) -> Refusal {
    let help = match thousands("1", unit) {
        Some(_) => format!("write it per second: \"{}/s\"", text.trim()),
        None => r#"write a number per second, such as "640/s" or "100k/s""#.to_owned(),
    };
    Refusal::new(format!("{text:?} is not a rate"), help)
}

fn any(text: &str, unit: &str) -> Refusal {
    let known: Vec<&str> = ["%", "k", "M", "G", "T"].into_iter().chain(TIMES).chain(SIZES).collect();
    let help = r#"write a plain number, or one with a unit: "70%", "1.5M", "100k/s", "2ms", "64KiB""#;
    hinted(Refusal::new(format!("{text:?} has an unknown unit"), help), unit, &known)
}

/// The refusal with the unit that was meant, where one is near. A unit of another kind is no slip.
fn hinted(refusal: Refusal, unit: &str, known: &[&str]) -> Refusal {
    let other = TIMES.contains(&unit) || SIZES.contains(&unit);
    match nearest(unit, known.iter().copied()).first() {
        Some(near) if !other => Refusal { help: format!("did you mean {near:?}?"), ..refusal },
        _ => refusal,
    }
}
