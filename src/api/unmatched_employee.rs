//! `UnmatchedEmployee`: an Insightful employee whom no person is matched with or proposed for.
#![expect(
    clippy::duplicated_attributes,
    reason = "each printer column has a type and a path"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{IntegrationRef, object_name};

/// Which employee the object is about. The operator creates, updates and deletes these objects.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "integrations.insightful.io",
    version = "v1alpha1",
    kind = "UnmatchedEmployee",
    plural = "unmatchedemployees",
    namespaced,
    shortname = "ue",
    category = "insightful",
    status = "UnmatchedEmployeeStatus",
    derive = "PartialEq",
    doc = "One Insightful employee whom no person is matched with or proposed for. Made by the operator, to be read only: to match the employee, name its id in spec.employeeIds of the person's EmployeeMatch.",
    printcolumn(name = "EMPLOYEE", type_ = "string", json_path = ".status.employee.name"),
    printcolumn(name = "EMAIL", type_ = "string", json_path = ".status.employee.email"),
    printcolumn(name = "TEAM", type_ = "string", json_path = ".status.employee.team"),
    printcolumn(name = "ACTIVE", type_ = "boolean", json_path = ".status.employee.active"),
    printcolumn(name = "NEAREST", type_ = "string", json_path = ".status.nearest.person"),
    printcolumn(
        name = "CONFIDENCE",
        type_ = "integer",
        json_path = ".status.nearest.confidence",
        priority = 1
    ),
    printcolumn(
        name = "EMPLOYEE ID",
        type_ = "string",
        json_path = ".spec.employeeId",
        priority = 1
    ),
    selectable = ".spec.integrationRef.name",
    selectable = ".spec.employeeId",
    selectable = ".status.employee.email"
)]
#[serde(rename_all = "camelCase")]
pub struct UnmatchedEmployeeSpec {
    /// The integration that this employee belongs to, in the same namespace.
    #[x_kube(validation = Rule::new("self == oldSelf").message("integrationRef cannot be changed"))]
    pub integration_ref: IntegrationRef,
    /// Insightful's id of the employee, to use in `employeeIds` of an EmployeeMatch.
    #[x_kube(validation = Rule::new("self == oldSelf").message("employeeId cannot be changed"))]
    #[schemars(length(min = 1, max = 64))]
    pub employee_id: String,
}

/// The employee as of the last sync.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnmatchedEmployeeStatus {
    /// The employee in Insightful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<UnmatchedEmployeeSummary>,
    /// The person who resembles the employee most, though not enough to be proposed. Absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestPerson>,
}

/// An employee in Insightful.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnmatchedEmployeeSummary {
    /// Insightful's id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Email; empty if the employee has none.
    pub email: String,
    /// Name of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether the employee is active: the opposite of `deactivated`, for the column ACTIVE.
    pub active: bool,
    /// Whether the employee is deactivated.
    pub deactivated: bool,
    /// When the record was created in Insightful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
}

/// A person who resembles an employee.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NearestPerson {
    /// First and last name.
    pub person: String,
    /// Okta's id of the person.
    pub okta_user_id: String,
    /// Confidence in percent that the employee is the person, rounded down.
    pub confidence: i32,
}

/// Returns the name of an employee's UnmatchedEmployee: `<integration>-<lower-case Insightful id>-<first 5
/// hexadecimal digits of the SHA-256 of the exact id>`. What a Kubernetes name cannot hold, such as `_`, is `-`.
pub fn unmatched_employee_name(integration: &str, employee_id: &str) -> String {
    let permitted = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_lowercase(),
        false => '-',
    };
    let id: String = employee_id.chars().map(permitted).collect();
    object_name(integration, &id, employee_id)
}

#[cfg(test)]
mod tests {
    use super::unmatched_employee_name;

    #[test]
    fn a_name_holds_what_kubernetes_permits_and_differs_for_each_id() {
        let names = ["wkA_x", "wka-x", "wka_x", "wk\u{e4}_x"].map(|id| unmatched_employee_name("acme", id));
        for (place, name) in names.iter().enumerate() {
            let is_permitted = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
            assert!(
                name.starts_with("acme-wk") && name.chars().all(is_permitted),
                "{name}"
            );
            assert!(!names[..place].contains(name), "{name}");
        }
    }
}
