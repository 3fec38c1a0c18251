//! Minimal manifests of both kinds, which each test case modifies.

use serde_json::{Value, json};

/// An OktaIntegration with the required fields only.
pub fn integration() -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "OktaIntegration",
        "metadata": { "name": "acme" },
        "spec": {
            "okta": {
                "orgUrl": "https://acme.okta.com",
                "auth": { "apiToken": { "secretRef": { "name": "okta", "key": "token" } } },
            },
            "insightful": { "apiToken": { "secretRef": { "name": "insightful", "key": "token" } } },
        },
    })
}

/// An EmployeeMatch without a decision.
pub fn employee_match() -> Value {
    json!({
        "apiVersion": "integrations.insightful.io/v1alpha1",
        "kind": "EmployeeMatch",
        "metadata": { "name": "acme-00u1a-abcde" },
        "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": "00u1A" },
    })
}

/// Sets the field at `path` of the spec, such as `okta.orgUrl`, or removes it if `value` is null.
pub fn with(mut manifest: Value, path: &str, value: Value) -> Value {
    let mut place = &mut manifest["spec"];
    let (parents, field) = path.rsplit_once('.').unwrap_or(("", path));
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        place = &mut place[parent];
    }
    if value.is_null() {
        place.as_object_mut().unwrap().remove(field);
    } else {
        place[field] = value;
    }
    manifest
}
