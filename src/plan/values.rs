//! The values of a plan that are more than TOML's own: each is read, checked and refused in one place.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::fault::{Refusal, instead};
use super::filter::{EXAMPLES, Filter};
use super::{Allocator, DesignKind, Size};
use crate::samples::{CaseId, Metric, VariantName};
use crate::units::{parse_bytes, parse_duration, parse_percent};

/// A kind of value that is written as text.
pub(super) trait Written {
    /// What it is once it has been read.
    type Value;
    /// What it is called where something of another type is found, with an example.
    const WHAT: &'static str;
    /// Whether `true`, `false` and numbers are read like the text that they look like.
    const BARE: bool = false;
    /// Reads it.
    fn read(text: &str) -> Result<Self::Value, Refusal>;
}

/// A value of the kind `W`.
pub(super) struct Text<W: Written>(pub(super) W::Value);

impl<'de, W: Written> Deserialize<'de> for Text<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData::<W>)).map(Self)
    }
}

struct TextVisitor<W>(PhantomData<W>);

impl<W: Written> Visitor<'_> for TextVisitor<W> {
    type Value = W::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(W::WHAT)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<W::Value, E> {
        W::read(text).map_err(|refusal| E::custom(refusal.message()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<W::Value, E> {
        if W::BARE { self.visit_str(&value.to_string()) } else { Err(E::invalid_type(Unexpected::Bool(value), &self)) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<W::Value, E> {
        if W::BARE {
            self.visit_str(&value.to_string())
        } else {
            Err(E::invalid_type(Unexpected::Signed(value), &self))
        }
    }
}

/// Declares kinds of text that are one of a few words.
macro_rules! choice {
    ($kind:ident, $value:ty, $name:literal, bare: $bare:literal, [$(($word:literal, $meaning:expr)),+]) => {
        pub(super) enum $kind {}

        impl Written for $kind {
            type Value = $value;
            const WHAT: &'static str = concat!("one of", $(" \"", $word, "\""),+);
            const BARE: bool = $bare;

            fn read(text: &str) -> Result<$value, Refusal> {
                match text {
                    $($word => Ok($meaning.into()),)+
                    _ => Err(Refusal::new(format!(concat!("unknown ", $name, " {:?}"), text), instead(text, &[$($word),+]))),
                }
            }
        }
    };
}

choice!(AllocatorWord, Allocator, "allocator", bare: false, [
    ("system", Allocator::System), ("jemalloc", Allocator::Jemalloc), ("mimalloc", Allocator::Mimalloc),
    ("snmalloc", Allocator::Snmalloc)
]);
choice!(Linker, String, "linker", bare: false, [
    ("lld", "lld"), ("mold", "mold"), ("bfd", "bfd"), ("gold", "gold"), ("wild", "wild")
]);
choice!(Lto, String, "lto", bare: true, [
    ("off", "off"), ("thin", "thin"), ("fat", "fat"), ("true", "fat"), ("false", "false")
]);
choice!(OptLevel, String, "opt-level", bare: true, [
    ("0", "0"), ("1", "1"), ("2", "2"), ("3", "3"), ("s", "s"), ("z", "z")
]);
choice!(Panic, String, "panic", bare: false, [("unwind", "unwind"), ("abort", "abort")]);
choice!(Debug, String, "debug", bare: true, [
    ("none", "none"), ("line-directives-only", "line-directives-only"), ("line-tables-only", "line-tables-only"),
    ("limited", "limited"), ("full", "full"), ("true", "full"), ("false", "none"), ("0", "none"), ("1", "limited"), ("2", "full")
]);
choice!(DesignWord, DesignKind, "design", bare: false, [
    ("one-at-a-time", DesignKind::OneAtATime), ("full", DesignKind::Full), ("fractional", DesignKind::Fractional)
]);

/// How large the cases are set up, in the words that workers know.
pub(super) enum SizeWord {}

impl Written for SizeWord {
    type Value = Size;
    const WHAT: &'static str = r#"a size such as "default""#;

    fn read(text: &str) -> Result<Size, Refusal> {
        // The harness' own message names the choices; this one knows the nearest as well.
        let unknown = |_| Refusal::new(format!("unknown size {text:?}"), instead(text, &Size::ALL.map(Size::as_str)));
        text.parse().map_err(unknown)
    }
}

const PERCENTAGE: &str = r#"a percentage such as "1%""#;

/// A tolerance: more than nothing, at most everything.
pub(super) enum Tolerance {}

impl Written for Tolerance {
    type Value = f64;
    const WHAT: &'static str = PERCENTAGE;

    fn read(text: &str) -> Result<f64, Refusal> {
        let allowed = |fraction: f64| fraction > 0.0 && fraction <= 1.0;
        percentage(text, allowed, "a tolerance", r#"write more than "0%" and at most "100%", such as "1%""#)
    }
}

/// The tolerance of a metric: a table here is what TOML makes of a name with dots.
pub(super) enum OwnTolerance {}

impl Written for OwnTolerance {
    type Value = f64;
    const WHAT: &'static str = r#"a percentage; a metric with dots is written in quotes: "latency.p99" = "10%""#;

    fn read(text: &str) -> Result<f64, Refusal> {
        Tolerance::read(text)
    }
}

/// A chance of error: more than nothing, at most one half.
pub(super) enum Chance {}

impl Written for Chance {
    type Value = f64;
    const WHAT: &'static str = PERCENTAGE;

    fn read(text: &str) -> Result<f64, Refusal> {
        let allowed = |fraction: f64| fraction > 0.0 && fraction <= 0.5;
        percentage(text, allowed, "a chance of error", r#"write more than "0%" and at most "50%", such as "1%""#)
    }
}

fn percentage(text: &str, allowed: impl Fn(f64) -> bool, what: &str, help: &str) -> Result<f64, Refusal> {
    let fraction = parse_percent(text)?;
    if allowed(fraction) { Ok(fraction) } else { Err(Refusal::new(format!("{text:?} can't be {what}"), help)) }
}

/// A time that is not zero.
pub(super) enum Time {}

impl Written for Time {
    type Value = Duration;
    const WHAT: &'static str = r#"a duration such as "90s""#;

    fn read(text: &str) -> Result<Duration, Refusal> {
        match parse_duration(text)? {
            Duration::ZERO => {
                Err(Refusal::new(format!("{text:?} is no time at all"), r#"write more than zero, such as "90s""#))
            }
            time => Ok(time),
        }
    }
}

/// A size on disk.
pub(super) enum Bytes {}

impl Written for Bytes {
    type Value = u64;
    const WHAT: &'static str = r#"a size such as "20 GB""#;

    fn read(text: &str) -> Result<u64, Refusal> {
        Ok(parse_bytes(text)?)
    }
}

/// A name of cargo's: of a package, a program, a profile.
pub(super) enum CargoName {}

impl Written for CargoName {
    type Value = String;
    const WHAT: &'static str = r#"a name such as "generator""#;

    fn read(text: &str) -> Result<String, Refusal> {
        if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
            return Ok(text.to_owned());
        }
        Err(Refusal::new(format!("{text:?} is not a name that cargo takes"), "write letters, digits, - and _"))
    }
}

/// The name of a metric.
pub(super) enum MetricName {}

impl Written for MetricName {
    type Value = Metric;
    const WHAT: &'static str = r#"a metric such as "wall""#;

    fn read(text: &str) -> Result<Metric, Refusal> {
        text.parse().map_err(|problem: String| Refusal::new(problem, r#"write a name such as "wall" or "latency.p99""#))
    }
}

/// The name of a variant.
pub(super) enum Name {}

impl Written for Name {
    type Value = VariantName;
    const WHAT: &'static str = r#"a name such as "fat-lto""#;

    fn read(text: &str) -> Result<VariantName, Refusal> {
        text.parse().map_err(|problem: String| Refusal::new(problem, r#"write a name such as "fat-lto""#))
    }
}

/// A filter on cases.
pub(super) enum FilterText {}

impl Written for FilterText {
    type Value = Filter;
    const WHAT: &'static str = r#"a filter such as "engine::*""#;

    fn read(text: &str) -> Result<Filter, Refusal> {
        text.parse().map_err(|problem: String| Refusal::new(problem, format!("write {EXAMPLES}")))
    }
}

/// The name of a case.
pub(super) enum CaseName {}

impl Written for CaseName {
    type Value = CaseId;
    const WHAT: &'static str = r#"a case such as "generator::redb/cached""#;

    fn read(text: &str) -> Result<CaseId, Refusal> {
        let help = r#"write the workload, :: and the case, such as "generator::redb/cached""#;
        text.parse().map_err(|problem: String| Refusal::new(problem, help))
    }
}

/// The longest slug and the longest line, in bytes.
const LONGEST_SLUG: usize = 60;
const LONGEST_LINE: usize = 500;

/// A name that goes into files and links: `redb-snapshot-cache`.
pub(super) enum Slug {}

impl Written for Slug {
    type Value = String;
    const WHAT: &'static str = r#"a name such as "redb-snapshot-cache""#;

    fn read(text: &str) -> Result<String, Refusal> {
        let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if text.len() <= LONGEST_SLUG && text.split('-').all(plain) {
            return Ok(text.to_owned());
        }
        let problem =
            format!("{text:?} is not a name for a step: it has 1 to {LONGEST_SLUG} small letters, digits and single -");
        Err(Refusal::new(problem, format!("write a name such as {:?}", slug_of(text))))
    }
}

/// The slug that is nearest to a text; an example where there is none.
fn slug_of(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    let slug = slug.get(..LONGEST_SLUG).unwrap_or(&slug).trim_end_matches('-');
    if slug.is_empty() { "redb-snapshot-cache".to_owned() } else { slug.to_owned() }
}

/// A line for people.
pub(super) enum Line {}

impl Written for Line {
    type Value = String;
    const WHAT: &'static str = "a line of text";

    fn read(text: &str) -> Result<String, Refusal> {
        if !text.trim().is_empty() && text.len() <= LONGEST_LINE && !text.chars().any(char::is_control) {
            return Ok(text.to_owned());
        }
        let problem = format!("this is not one line of at most {LONGEST_LINE} bytes");
        Err(Refusal::new(problem, "write one line, or leave the key out"))
    }
}

/// The name of an environment variable.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(super) struct EnvName(pub(super) String);

impl TryFrom<String> for EnvName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if !name.is_empty() && !name.contains(['=', '\0']) {
            return Ok(Self(name));
        }
        let problem = format!("{name:?} can't be the name of an environment variable");
        Err(Refusal::new(problem, r#"write the name alone: env = { NAME = "value" }"#).message())
    }
}

/// A whole number from `LEAST` to `MOST`.
pub(super) struct Whole<const LEAST: u32, const MOST: u32>(pub(super) u32);

/// A whole number of at least 1.
pub(super) type Positive = Whole<1, { u32::MAX }>;

/// How many rounds a case may get: a run with more is refused when it is read, as an interval takes memory by their square.
pub(super) type Rounds = Whole<1, 4096>;

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor::<LEAST, MOST>).map(Self)
    }
}

struct WholeVisitor<const LEAST: u32, const MOST: u32>;

impl<const LEAST: u32, const MOST: u32> Visitor<'_> for WholeVisitor<LEAST, MOST> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {LEAST} to {MOST}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u32, E> {
        let fitting = u32::try_from(value).ok().filter(|value| (LEAST..=MOST).contains(value));
        fitting.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }
}
