//! The body of a server-side apply.

use kube::api::Patch;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::text::yaml_safe_json;

/// A server-side apply of an object whose strings may hold any character: one control character in a name would be
/// refused otherwise, and stop its integration.
///
/// # Errors
/// The object cannot be serialized.
pub fn apply_patch(object: &impl Serialize) -> Result<Patch<Box<RawValue>>, kube::Error> {
    let body = || RawValue::from_string(yaml_safe_json(&serde_json::to_string(object)?).into_owned());
    body().map(Patch::Apply).map_err(kube::Error::SerdeError)
}
