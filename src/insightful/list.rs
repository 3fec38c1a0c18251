//! A list, read record by record. Insightful has no pages, and a hundred
//! thousand employees as they are written are several times what is kept of them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Error, Value};

/// What a record is parsed by.
pub(super) type Parse<T> = fn(Value) -> Result<T, Error>;

/// Each record of a list as `parse` gives it. The outer error says that this is
/// no list, or a part of one; the inner that one of its records is none.
pub(super) fn records<T>(json: &[u8], parse: Parse<T>) -> Result<Result<Vec<T>, Error>, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let records = List(parse).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(records)
}

struct List<T>(Parse<T>);

impl<'de, T> DeserializeSeed<'de> for List<T> {
    type Value = Result<Vec<T>, Error>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T> Visitor<'de> for List<T> {
    type Value = Result<Vec<T>, Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Ok(Vec::new());
        while let Some(record) = list.next_element::<Value>()? {
            // After a bad record the rest is still looked at: it may be no list at all.
            if let Ok(good) = &mut records {
                match (self.0)(record) {
                    Ok(record) => good.push(record),
                    Err(error) => records = Err(error),
                }
            }
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn a_broken_list_and_a_broken_record_are_told_apart() {
        let parse: Parse<u8> = u8::deserialize;
        assert_eq!(records(b" [1, 2] ", parse).unwrap().unwrap(), [1, 2]);
        assert!(records(b"[]", parse).unwrap().unwrap().is_empty());
        assert!(records(br#"[1, "x", 2]"#, parse).unwrap().is_err());
        for no_list in [r#"[1, "x", "#, "[1] 2", "{}", "null", "", r#"{"items": [1]}"#] {
            assert!(records(no_list.as_bytes(), parse).is_err(), "{no_list}");
        }
    }
}
