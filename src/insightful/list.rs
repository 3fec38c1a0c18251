//! Parses a list record by record, because Insightful's records take several times the memory of the
//! model's.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Error, Value};

use super::organization::{self, Organizations};
use crate::model::Unreadable;

pub(super) type Parse<T> = fn(Value) -> Result<T, Unreadable>;

/// A whole list.
pub(super) struct Listing<T> {
    pub(super) records: Vec<T>,
    /// The records that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
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
        let mut listing = Listing {
            records: Vec::new(),
            unreadable: Vec::new(),
            organizations: Organizations::new(),
        };
        while let Some(record) = list.next_element::<Value>()? {
            organization::note(&mut listing.organizations, &record);
            match (self.0)(record) {
                Ok(record) => listing.records.push(record),
                Err(record) => listing.unreadable.push(record),
            }
        }
        Ok(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insightful::team;

    #[test]
    fn an_invalid_list_differs_from_an_invalid_record() {
        for (json, expected) in [
            (r#" [{"id": "w1", "name": "A"}] "#, (1, 0)),
            ("[]", (0, 0)),
            (
                r#"[{"id": "w1", "name": "A"}, "x", {"id": "w2", "name": "B"}]"#,
                (2, 1),
            ),
            (r#"[{"id": "w1"}, null, {"id": 2, "name": "B"}]"#, (0, 3)),
        ] {
            let listing = records(json.as_bytes(), team).unwrap();
            let found = (listing.records.len(), listing.unreadable.len());
            assert_eq!(found, expected, "{json}");
        }
        for no_list in [r#"[1, "x", "#, "[1] 2", "{}", "null", "", r#"{"items": [1]}"#] {
            assert!(records(no_list.as_bytes(), team).is_err(), "{no_list}");
        }
    }
}
