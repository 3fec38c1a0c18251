//! An EmployeeMatch as the watch delivers it, parsed only as far as needed to find
//! its integration and person: most events are caused by our own writes.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{EmployeeMatch, FIELD_MANAGER, INTEGRATION_LABEL};

/// See the module. An object that this version of the operator cannot parse does not fail the watch.
#[derive(Clone, Debug, Deserialize)]
pub struct Watched {
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Option<Value>,
}

impl Watched {
    /// The name of its integration.
    pub fn integration(&self) -> Option<&str> {
        let named = self.spec["integrationRef"]["name"].as_str();
        named.or_else(|| self.labels().get(INTEGRATION_LABEL).map(String::as_str))
    }

    /// The Okta id of its person.
    pub fn person(&self) -> Option<&str> {
        self.spec["oktaUserId"].as_str()
    }

    pub(super) fn spec(&self) -> &Value {
        &self.spec
    }

    pub(super) fn status(&self) -> &Value {
        self.status.as_ref().unwrap_or(&Value::Null)
    }

    /// Whether the operator is the only field manager.
    pub fn is_only_ours(&self) -> bool {
        self.managed_fields()
            .iter()
            .all(|fields| fields.manager.as_deref() == Some(FIELD_MANAGER))
    }

    /// # Errors
    /// The object does not match this version's schema.
    pub fn read(self) -> Result<EmployeeMatch, serde_json::Error> {
        Ok(EmployeeMatch {
            metadata: self.metadata,
            spec: serde_json::from_value(self.spec)?,
            status: self.status.map(serde_json::from_value).transpose()?,
        })
    }
}

impl Resource for Watched {
    type DynamicType = ();
    type Scope = <EmployeeMatch as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        EmployeeMatch::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        EmployeeMatch::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        EmployeeMatch::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        EmployeeMatch::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
