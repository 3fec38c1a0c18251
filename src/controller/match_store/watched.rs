//! An EmployeeMatch as the watch delivers it, parsed only as far as needed to find
//! its integration and person: most events are caused by our own writes.

use kube::ResourceExt;

use crate::{
    api::{EmployeeMatch, FIELD_MANAGER, INTEGRATION_LABEL},
    controller::watched,
};

/// See the module.
pub type Watched = watched::Watched<EmployeeMatch>;

impl Watched {
    /// The name of its integration.
    pub fn integration(&self) -> Option<&str> {
        let named = self.spec()["integrationRef"]["name"].as_str();
        named.or_else(|| self.labels().get(INTEGRATION_LABEL).map(String::as_str))
    }

    /// The Okta id of its person.
    pub fn person(&self) -> Option<&str> {
        self.spec()["oktaUserId"].as_str()
    }

    /// Whether the operator is the only field manager.
    pub fn is_only_ours(&self) -> bool {
        self.managed_fields()
            .iter()
            .all(|fields| fields.manager.as_deref() == Some(FIELD_MANAGER))
    }
}
