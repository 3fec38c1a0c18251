//! The two kinds that people write and read: [`OktaIntegration`] and [`EmployeeMatch`].
//!
//! Rules that the API server can check are CEL rules with a sentence that says
//! what to do; `crds/` is generated from these types by the `crd` subcommand.

// The docs of these types become the schema.
#![warn(missing_docs)]

pub mod conditions;
mod employee_match;
mod okta_integration;
mod okta_integration_status;
mod reference;

pub use employee_match::*;
pub use okta_integration::*;
pub use okta_integration_status::*;
pub use reference::reference;

use kube::CustomResourceExt;

/// The API group of both kinds.
pub const GROUP: &str = "integrations.insightful.io";

/// The one name under which the operator writes fields (server-side apply).
pub const FIELD_MANAGER: &str = "okta-insightful-operator";

/// Annotation on an [`OktaIntegration`]: a new value asks for a sync now, which reads everything.
pub const SYNC_REQUESTED_AT: &str = "integrations.insightful.io/sync-requested-at";

/// Label on an [`EmployeeMatch`]: the integration it belongs to.
pub const INTEGRATION_LABEL: &str = "integrations.insightful.io/integration";

/// Both definitions as YAML, each with the file name it has under `crds/`.
///
/// # Errors
/// Only if a definition cannot be written as YAML.
pub fn definitions() -> Result<[(String, String); 2], serde_yaml::SerializeError> {
    fn document<K: CustomResourceExt>() -> Result<(String, String), serde_yaml::SerializeError> {
        Ok((
            format!("{}.yaml", K::crd_name()),
            serde_yaml::to_string(&K::crd())?,
        ))
    }
    Ok([document::<OktaIntegration>()?, document::<EmployeeMatch>()?])
}

/// Serde's way to say "omit this zero".
pub(crate) fn is_zero(value: &i32) -> bool {
    *value == 0
}

/// Serde's way to say "omit this false".
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
