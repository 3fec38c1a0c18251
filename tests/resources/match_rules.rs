//! The validation rules of EmployeeMatch: manifests that each rule rejects, and similar ones that are accepted.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::EmployeeMatch;
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, with},
    plane,
    verdicts::{
        Case,
        Verdict::{self, Accepted, Refused},
        assert_every_rule_has_a_case, assert_verdicts,
    },
};

const INTEGRATION_CHANGED: &str =
    "integrationRef cannot be changed: delete this EmployeeMatch and create one for the other integration";
const PERSON_CHANGED: &str = "oktaUserId cannot be changed: each person has an EmployeeMatch of their own";

#[tokio::test]
async fn each_rule_rejects_invalid_manifests_and_accepts_valid_ones() {
    let needs =
        Refused("decision Match needs employeeIds: name the employee (see status.proposal.candidates)");
    let only =
        Refused("employeeIds go with decision Match only: set decision to Match, or remove employeeIds");
    let twice = Refused("employeeIds names an employee twice: name each once");
    let both = Refused("an employee cannot be both in employeeIds and in rejectedEmployeeIds");
    let cases = [
        case(json!({}), Accepted),
        case(json!({ "decision": "Auto" }), Accepted),
        case(json!({ "decision": "Create" }), Accepted),
        case(json!({ "decision": "Ignore" }), Accepted),
        case(json!({ "decision": "Match", "employeeIds": ["w1"] }), Accepted),
        case(
            json!({ "decision": "Match", "employeeIds": ["w1", "w2"] }),
            Accepted,
        ),
        case(json!({ "decision": "Match" }), needs),
        case(json!({ "decision": "Match", "employeeIds": [] }), needs),
        case(json!({ "employeeIds": ["w1"] }), only),
        case(json!({ "decision": "Auto", "employeeIds": ["w1"] }), only),
        case(json!({ "decision": "Create", "employeeIds": ["w1"] }), only),
        case(json!({ "decision": "Ignore", "employeeIds": ["w1"] }), only),
        case(json!({ "decision": "Auto", "employeeIds": [] }), Accepted),
        case(
            json!({ "decision": "Match", "employeeIds": ["w1", "w2", "w1"] }),
            twice,
        ),
        case(json!({ "rejectedEmployeeIds": ["w1", "w2"] }), Accepted),
        case(
            json!({ "rejectedEmployeeIds": ["w1", "w1"] }),
            Refused("Duplicate value"),
        ),
        case(
            json!({ "decision": "Match", "employeeIds": ["w1"], "rejectedEmployeeIds": ["w2"] }),
            Accepted,
        ),
        case(
            json!({ "decision": "Match", "employeeIds": ["w1", "w2"], "rejectedEmployeeIds": ["w3", "w2"] }),
            both,
        ),
        case(json!({ "note": "x".repeat(1024) }), Accepted),
        case(
            json!({ "note": "x".repeat(1025) }),
            Refused("may not be more than 1024"),
        ),
        case(
            json!({ "decision": "Match", "employeeIds": [""] }),
            Refused("at least 1 chars long"),
        ),
        case(
            json!({ "decision": "Matched" }),
            Refused(r#"supported values: "Auto", "Match", "Create", "Ignore""#),
        ),
        case(json!({ "oktaUserId": "" }), Refused("at least 1 chars long")),
        case(
            json!({ "integrationRef": {} }),
            Refused("spec.integrationRef.name: Required value"),
        ),
        case(
            json!({ "employeeId": "w1" }),
            Refused(r#"unknown field "spec.employeeId""#),
        ),
        without("oktaUserId", Refused("spec.oktaUserId: Required value")),
        without("integrationRef", Refused("spec.integrationRef: Required value")),
    ];
    assert_every_rule_has_a_case::<EmployeeMatch>(&cases, &[INTEGRATION_CHANGED, PERSON_CHANGED]);
    assert_verdicts("employeematches", &cases).await;
}

/// The minimal EmployeeMatch with these fields in its spec.
fn case(fields: Value, verdict: Verdict) -> Case {
    let what = fields.to_string();
    let set = |manifest, (field, value): (&String, &Value)| with(manifest, field, value.clone());
    let manifest = fields.as_object().unwrap().iter().fold(employee_match(), set);
    (what, manifest, verdict)
}

fn without(field: &str, verdict: Verdict) -> Case {
    let manifest = with(employee_match(), field, Value::Null);
    (format!("without {field}"), manifest, verdict)
}

#[tokio::test]
async fn the_person_and_the_integration_of_a_match_cannot_be_changed() {
    let plane = plane().await;
    let namespace = plane.namespace("rules").await.unwrap();
    let api: Api<EmployeeMatch> = Api::namespaced(plane.admin_client().await.unwrap(), &namespace);
    let manifest = employee_match();
    let name = manifest["metadata"]["name"].as_str().unwrap();
    api.patch(name, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
        .await
        .unwrap();

    for (spec, expected) in [
        (
            json!({ "integrationRef": { "name": "other" } }),
            Err(INTEGRATION_CHANGED),
        ),
        (json!({ "oktaUserId": "00u1B" }), Err(PERSON_CHANGED)),
        (
            json!({ "integrationRef": { "name": "acme" }, "oktaUserId": "00u1A" }),
            Ok(()),
        ),
        (json!({ "decision": "Ignore" }), Ok(())),
    ] {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let answer = api.patch(name, &PatchParams::default(), &patch).await;
        match (expected, answer) {
            (Ok(()), Ok(_)) => {}
            (Err(message), Err(kube::Error::Api(status))) if status.code == 422 => {
                assert!(status.message.contains(message), "{spec}: {}", status.message);
            }
            (expected, answer) => panic!("{spec}: {answer:?}, expected {expected:?}"),
        }
    }
}
