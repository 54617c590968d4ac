//! The name of one part of a divided run.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most shards that a run is divided into.
const MOST: u16 = 256;

/// Which part of a divided run: `2/3` is the second of three. Of the same count, they are ordered by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Shard {
    count: NonZeroU16,
    /// Counted from 0, below `count`.
    index: u16,
}

impl Shard {
    /// The shard of this number, counted from 1, of so many.
    ///
    /// # Errors
    /// Where there is no such shard, or there are more than 256.
    pub fn new(number: u16, count: u16) -> Result<Self, String> {
        if count > MOST {
            return Err(format!("a run is divided into at most {MOST} shards, not {count}"));
        }
        match (number.checked_sub(1), NonZeroU16::new(count)) {
            (Some(index), Some(count)) if index < count.get() => Ok(Self { count, index }),
            (_, None) => Err("a run is not divided into 0 shards: 1/3 is the first of three".to_owned()),
            _ => Err(format!("there is no shard {number} of {count}: they are counted from 1 to {count}")),
        }
    }

    /// Its place among all shards, counted from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.index)
    }

    /// How many shards there are; never 0.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.count.get())
    }

    /// All shards that it is one of, in order.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (0..self.count.get()).map(move |index| Self { index, ..self })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // A number that no `u16` holds is above what is allowed all the same.
            plain.then(|| digits.parse().unwrap_or(u16::MAX))
        };
        let parts = text.split_once('/').and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = parts.ok_or_else(|| format!("a shard is NUMBER/COUNT such as 2/3, not {text:?}"))?;
        Self::new(index, count)
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        for text in ["1/1", "2/3", "256/256"] {
            let shard: Shard = text.parse().unwrap();
            assert_eq!(shard.to_string(), text);
        }
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!((shard.index(), shard.count()), (1, 3));
        assert_eq!(shard.all().map(|shard| shard.to_string()).collect::<Vec<_>>(), ["1/3", "2/3", "3/3"]);
    }

    #[test]
    fn what_is_no_shard_is_refused_with_the_reason() {
        for (text, reason) in [
            ("0/3", "counted from 1 to 3"),
            ("4/3", "no shard 4 of 3"),
            ("3/0", "not divided into 0"),
            ("0/0", "not divided into 0"),
            ("1/257", "at most 256"),
            ("1/99999999", "at most 256"),
            ("2", "NUMBER/COUNT"),
            ("+1/3", "NUMBER/COUNT"),
            ("/3", "NUMBER/COUNT"),
            ("1/3/3", "NUMBER/COUNT"),
            ("", "NUMBER/COUNT"),
        ] {
            let said = text.parse::<Shard>().unwrap_err();
            assert!(said.contains(reason), "{text:?}: {said}");
            assert!(serde_json::from_value::<Shard>(text.into()).is_err());
        }
    }
}
