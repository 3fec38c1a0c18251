//! Lenient fields of the services' records: an unexpected value must not make a whole list
//! unreadable.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string or number; None if it is absent, null, blank or anything else.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A string that must be there and not be empty.
pub(crate) fn required_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if id.is_empty() {
        Err(serde::de::Error::custom("empty ID"))
    } else {
        Ok(id)
    }
}
