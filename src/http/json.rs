//! Fields of records that somebody else writes: absent, null, empty and unexpected ones must not
//! make the whole list unreadable.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text; None if it is absent, null or blank. A number is taken as it is written.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A text that nothing works without.
pub(crate) fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if id.is_empty() {
        Err(serde::de::Error::custom("an id is empty"))
    } else {
        Ok(id)
    }
}
