//! What a text of JSON would take to hold, before anything holds it.
//!
//! A few bytes of text can become hundreds of memory: `{"a":[]}` is eight, and a map with a name and a list.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep lists and objects may lie in each other; a run has ten levels. (serde_json itself stops at 128.)
const DEEPEST: usize = 32;
/// The longest text anywhere, names of fields included, in bytes. Errors of builds are the longest that runs have.
const LONGEST_TEXT: usize = 64 << 10;
/// The most memory that a run may take, in bytes. One that fills its file with rounds takes two thirds of it.
const MOST_MEMORY: usize = 512 << 20;

/// What things take at most, in bytes: names of cases are two texts each, and a map has room for eleven entries at once.
mod takes {
    pub(super) const NUMBER: usize = 8;
    pub(super) const TEXT: usize = 112;
    pub(super) const KEY: usize = 32;
    pub(super) const LIST: usize = 40;
    pub(super) const OBJECT: usize = 600;
}

/// Reads all of a text and keeps nothing of it.
///
/// # Errors
/// Where it is no JSON (with line and column), is nested too deeply, has an overlong text, or would take too much memory.
pub(super) fn shape(json: &[u8]) -> Result<(), String> {
    let mut left = MOST_MEMORY;
    let mut reader = serde_json::Deserializer::from_slice(json);
    let all = Value { left: &mut left, depth: 0 }.deserialize(&mut reader).and_then(|()| reader.end());
    all.map_err(|error| error.to_string())
}

/// Any value, at some depth, and the memory that is left for it.
struct Value<'l> {
    left: &'l mut usize,
    depth: usize,
}

impl Value<'_> {
    fn take<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        let left = self.left.checked_sub(bytes);
        *self.left =
            left.ok_or_else(|| E::custom("it would take more than 512 MiB of memory: split the run with filters"))?;
        Ok(())
    }

    fn inner(&mut self) -> Value<'_> {
        Value { left: self.left, depth: self.depth + 1 }
    }

    fn open<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        if self.depth == DEEPEST {
            return Err(E::custom(format!("it is nested more than {DEEPEST} levels deep")));
        }
        self.take(bytes)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(mut self, _: i64) -> Result<(), E> {
        self.take(takes::NUMBER)
    }

    fn visit_u64<E: de::Error>(mut self, _: u64) -> Result<(), E> {
        self.take(takes::NUMBER)
    }

    fn visit_f64<E: de::Error>(mut self, _: f64) -> Result<(), E> {
        self.take(takes::NUMBER)
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        if text.len() > LONGEST_TEXT {
            return Err(E::custom(format!("a text has {} bytes, more than 64 KiB", text.len())));
        }
        self.take(takes::TEXT + text.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.open(takes::LIST)?;
        while list.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        self.open(takes::OBJECT)?;
        while object.next_key_seed(Key(self.inner()))?.is_some() {
            object.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}

/// The name of a field or of an entry. Most are those of fields, which nobody holds.
struct Key<'l>(Value<'l>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(mut self, name: &str) -> Result<(), E> {
        if name.len() > LONGEST_TEXT {
            return Err(E::custom(format!("a name has {} bytes, more than 64 KiB", name.len())));
        }
        self.0.take(takes::KEY + name.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        shape(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_json_of_a_decent_size_passes() {
        shape(include_bytes!("../../../fixtures/run-format-1.json")).unwrap();
        shape(format!("[\"{}\", {{}}, null, true, -1, 1e3]", "x".repeat(LONGEST_TEXT)).as_bytes()).unwrap();
        shape(("[".repeat(DEEPEST) + &"]".repeat(DEEPEST)).as_bytes()).unwrap();
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_refused_with_its_place() {
        let lists = "[".repeat(DEEPEST + 1) + &"]".repeat(DEEPEST + 1);
        assert!(refused(&lists).contains("more than 32 levels deep at line 1"), "{}", refused(&lists));
        assert!(refused(&(r#"{"a":"#.repeat(DEEPEST + 1) + "1" + &"}".repeat(DEEPEST + 1))).contains("levels"));
        assert!(refused(&"[".repeat(1 << 20)).contains("levels deep"));
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert!(refused(&format!("[\"{long}\"]")).contains("a text has 65537 bytes"));
        assert!(refused(&format!("{{\"{long}\": 1}}")).contains("a name has 65537 bytes"));
        assert!(refused("[1] [2]").contains("trailing characters"));
    }

    #[test]
    fn what_swells_is_refused_before_it_does() {
        for piece in [r#"{"a":[]},"#, "\"a::a\",", "[],"] {
            let many = format!("[{}0]", piece.repeat((48 << 20) / piece.len()));
            assert!(refused(&many).contains("more than 512 MiB of memory"), "{piece}");
        }
        shape(format!("[{}0]", "0,".repeat(32 << 20 >> 1)).as_bytes()).unwrap();
    }
}
