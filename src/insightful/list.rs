//! Parses a list record by record, because Insightful's records take several times the memory of the
//! model's.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Error, Value};

pub(super) type Parse<T> = fn(Value) -> Result<T, Error>;

/// Parses each record of a list. The outer error is one of the list itself, which may be truncated; the
/// inner error is one of a record.
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
            // Continues after a bad record, because the list may be truncated too.
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
    fn an_invalid_list_differs_from_an_invalid_record() {
        let parse: Parse<u8> = u8::deserialize;
        assert_eq!(records(b" [1, 2] ", parse).unwrap().unwrap(), [1, 2]);
        assert!(records(b"[]", parse).unwrap().unwrap().is_empty());
        assert!(records(br#"[1, "x", 2]"#, parse).unwrap().is_err());
        for no_list in [r#"[1, "x", "#, "[1] 2", "{}", "null", "", r#"{"items": [1]}"#] {
            assert!(records(no_list.as_bytes(), parse).is_err(), "{no_list}");
        }
    }
}
