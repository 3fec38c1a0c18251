//! Lenient fields of the services' records: an unexpected value must not make a whole list
//! unreadable.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::is_path_segment;

/// A string or number; None if it is absent, null, blank or anything else.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A string, where there is one: a number counts as one. Absent, null and blank are None.
///
/// # Errors
/// For anything else: what would be taken for empty may be a value that is overwritten.
pub(crate) fn text_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(serde::de::Error::custom("must be a string"))
        }
    }
}

/// A string that must be there and be an id.
pub(crate) fn required_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if is_path_segment(&id) {
        Ok(id)
    } else {
        Err(serde::de::Error::custom("not an id"))
    }
}
