//! People and employees for the tests.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Company;
use crate::api::{EmployeeMatch, OktaIntegration, UnmatchedEmployee, match_name, unmatched_employee_name};

/// A person in `state`, with the employee that is shown, its confidence in percent, and the employee's name of theirs.
pub(super) fn person(
    id: &str,
    name: &str,
    state: &str,
    employee: Option<&str>,
    confidence: i32,
) -> EmployeeMatch {
    let email = format!("{id}@acme.com");
    let mut status = json!({
        "state": state,
        "person": { "name": name, "email": email, "status": "ACTIVE", "team": "Engineering" },
        "proposal": { "kind": "None" },
    });
    if let Some(employee) = employee {
        status["employee"] =
            json!({ "id": employee, "name": name, "email": "old@acme.com", "team": "Default" });
        status["proposal"] = json!({
            "kind": if state == "Review" { "Review" } else { "Auto" },
            "employeeIds": [employee],
            "confidence": confidence,
            "evidence": "SameNameOnly",
            "reasons": ["another person has the same name", "same name"],
            "candidates": [{
                "employeeId": employee, "name": name, "email": "old@acme.com", "team": "Default",
                "confidence": confidence, "reasons": ["same name"],
            }],
        });
    }
    object(json!({
        "metadata": { "name": match_name("acme", id), "namespace": "people" },
        "spec": { "integrationRef": { "name": "acme" }, "oktaUserId": id },
        "status": status,
    }))
}

/// The object with another status.
pub(super) fn with(object: EmployeeMatch, change: impl FnOnce(&mut Value)) -> EmployeeMatch {
    let mut value = serde_json::to_value(&object).unwrap();
    change(&mut value["status"]);
    serde_json::from_value(value).unwrap()
}

fn object(mut value: Value) -> EmployeeMatch {
    value["apiVersion"] = json!("integrations.insightful.io/v1alpha1");
    value["kind"] = json!("EmployeeMatch");
    serde_json::from_value(value).unwrap()
}

/// An employee without a person.
pub(super) fn employee(id: &str, name: &str) -> UnmatchedEmployee {
    serde_json::from_value(json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "UnmatchedEmployee",
        "metadata": { "name": unmatched_employee_name("acme", id) },
        "spec": { "integrationRef": { "name": "acme" }, "employeeId": id },
        "status": { "employee": {
            "id": id, "name": name, "email": format!("{id}@old.com"), "active": true, "deactivated": false,
        } },
    }))
    .unwrap()
}

pub(super) fn integration(status: Value) -> OktaIntegration {
    let secret = json!({ "secretRef": { "name": "okta", "key": "token" } });
    serde_json::from_value(json!({
        "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "OktaIntegration",
        "metadata": { "name": "acme", "namespace": "people" },
        "spec": {
            "okta": { "orgUrl": "https://acme.okta.com", "auth": { "apiToken": secret } },
            "insightful": { "apiToken": secret },
        },
        "status": status,
    }))
    .unwrap()
}

pub(super) fn company(people: Vec<EmployeeMatch>, unmatched: Vec<UnmatchedEmployee>) -> Company {
    Company::new(
        Arc::new(integration(json!({}))),
        people.into_iter().map(Arc::new),
        unmatched.into_iter().map(Arc::new),
    )
}
