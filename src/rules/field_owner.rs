//! Who declares a field, and who set it last, by `metadata.managedFields`: a decision that stands in Git would be put
//! back by the tool that applies it, so it is changed there.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;

use crate::api::{FIELD_MANAGER, REVIEW_MANAGER};

/// The field manager of `kubectl apply` without `--server-side`, whose operation is Update.
const CLIENT_SIDE_APPLY: &str = "kubectl-client-side-apply";

/// Returns the name of another field manager that declares one of the fields of `spec`, from a manifest.
pub fn declared_by<'a>(entries: &'a [ManagedFieldsEntry], fields: &[&str]) -> Option<&'a str> {
    let declares = |entry: &&ManagedFieldsEntry| {
        let manager = entry.manager.as_deref().unwrap_or_default();
        let is_own = manager == REVIEW_MANAGER || manager == FIELD_MANAGER;
        !is_own && (entry.operation.as_deref() == Some("Apply") || manager == CLIENT_SIDE_APPLY)
    };
    let mut declaring = entries.iter().filter(declares);
    let entry = declaring.find(|entry| owns(entry, fields))?;
    Some(entry.manager.as_deref().unwrap_or("another field manager"))
}

/// Returns the field manager that set one of the fields of `spec` last.
pub fn last_set<'a>(entries: &'a [ManagedFieldsEntry], fields: &[&str]) -> Option<&'a ManagedFieldsEntry> {
    let owners = entries.iter().filter(|entry| owns(entry, fields));
    owners.max_by_key(|entry| entry.time.as_ref().map(|time| time.0))
}

fn owns(entry: &ManagedFieldsEntry, fields: &[&str]) -> bool {
    let spec = entry.fields_v1.as_ref().and_then(|fields| fields.0.get("f:spec"));
    spec.is_some_and(|spec| {
        fields
            .iter()
            .any(|field| spec.get(format!("f:{field}")).is_some())
    })
}

/// The fields of a decision.
pub const OF_DECISIONS: [&str; 4] = ["decision", "employeeIds", "rejectedEmployeeIds", "note"];
/// The fields that finalize and approve.
pub const OF_APPROVALS: [&str; 2] = ["finalized", "approvedPlan"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_manifest_declares_a_decision() {
        let entry = |manager: &str, operation: &str, field: &str| -> ManagedFieldsEntry {
            serde_json::from_value(json!({
                "manager": manager, "operation": operation, "fieldsV1": { "f:spec": { format!("f:{field}"): {} } },
            }))
            .unwrap()
        };
        for (manager, operation, field, declares) in [
            ("kustomize-controller", "Apply", "decision", true),
            ("argocd-controller", "Apply", "note", true),
            ("kubectl-client-side-apply", "Update", "employeeIds", true),
            ("kubectl-edit", "Update", "decision", false),
            ("kubectl-patch", "Update", "decision", false),
            (REVIEW_MANAGER, "Apply", "decision", false),
            (FIELD_MANAGER, "Apply", "oktaUserId", false),
            ("kustomize-controller", "Apply", "oktaUserId", false),
        ] {
            let entries = [entry(manager, operation, field)];
            assert_eq!(
                declared_by(&entries, &OF_DECISIONS),
                declares.then_some(manager),
                "{manager} {operation} {field}"
            );
        }
    }
}
