//! Parses a list record by record, because Insightful's records take several times the memory of the
//! model's.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Error, Value};

use super::organization::{self, Organizations};

pub(super) type Parse<T> = fn(Value) -> Result<T, Error>;

/// A whole list.
pub(super) struct Listing<T> {
    /// All records, or the error of the first that could not be parsed.
    pub(super) records: Result<Vec<T>, Error>,
    pub(super) organizations: Organizations,
}

/// Parses each record of a list.
///
/// # Errors
/// An error of the list itself, which may be truncated.
pub(super) fn records<T>(json: &[u8], parse: Parse<T>) -> Result<Listing<T>, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let records = List(parse).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(records)
}

struct List<T>(Parse<T>);

impl<'de, T> DeserializeSeed<'de> for List<T> {
    type Value = Listing<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T> Visitor<'de> for List<T> {
    type Value = Listing<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut records = Ok(Vec::new());
        let mut organizations = Organizations::new();
        while let Some(record) = list.next_element::<Value>()? {
            organization::note(&mut organizations, &record);
            // Continues after a bad record, because the list may be truncated too.
            if let Ok(valid) = &mut records {
                match (self.0)(record) {
                    Ok(record) => valid.push(record),
                    Err(error) => records = Err(error),
                }
            }
        }
        Ok(Listing {
            records,
            organizations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn an_invalid_list_differs_from_an_invalid_record() {
        let parse: Parse<u8> = u8::deserialize;
        for (json, expected) in [
            (" [1, 2] ", Some(vec![1, 2])),
            ("[]", Some(vec![])),
            (r#"[1, "x", 2]"#, None),
        ] {
            let listing = records(json.as_bytes(), parse).unwrap();
            assert_eq!(listing.records.ok(), expected, "{json}");
        }
        for no_list in [r#"[1, "x", "#, "[1] 2", "{}", "null", "", r#"{"items": [1]}"#] {
            assert!(records(no_list.as_bytes(), parse).is_err(), "{no_list}");
        }
    }
}
