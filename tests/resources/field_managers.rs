//! An admin with decisions in Git and the operator apply the same EmployeeMatch by server-side apply, and neither
//! removes the other's fields.

use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{
    Decision, EmployeeMatch, FIELD_MANAGER, INTEGRATION_LABEL, OktaIntegration,
};
use serde_json::{Value, json};

use crate::{
    manifests::{employee_match, integration, with},
    plane,
};

const ADMIN: &str = "git";

struct Shared {
    api: Api<EmployeeMatch>,
    operators: Value,
}

impl Shared {
    async fn new() -> Self {
        let plane = plane().await;
        let client = plane.admin_client().await.unwrap();
        let namespace = plane.namespace("managers").await.unwrap();
        let integrations: Api<OktaIntegration> = Api::namespaced(client.clone(), &namespace);
        let owner = integrations
            .patch("acme", &PatchParams::apply(ADMIN), &Patch::Apply(integration()))
            .await
            .unwrap()
            .owner_ref(&())
            .unwrap();
        let mut operators = employee_match();
        operators["metadata"]["labels"] = json!({ INTEGRATION_LABEL: "acme" });
        operators["metadata"]["ownerReferences"] = json!([owner]);
        Self {
            api: Api::namespaced(client, &namespace),
            operators,
        }
    }

    /// Applies without force, as both do. A conflict fails the test.
    async fn apply(&self, manager: &str, manifest: &Value) -> EmployeeMatch {
        let name = manifest["metadata"]["name"].as_str().unwrap();
        self.api
            .patch(name, &PatchParams::apply(manager), &Patch::Apply(manifest))
            .await
            .unwrap_or_else(|error| panic!("{manager}: {error}"))
    }
}

fn decided() -> Value {
    let manifest = with(employee_match(), "decision", json!("Match"));
    let manifest = with(manifest, "employeeIds", json!(["w2", "w1"]));
    with(manifest, "rejectedEmployeeIds", json!(["w3"]))
}

fn assert_has_all_fields(object: &EmployeeMatch) {
    assert_eq!(object.spec.decision, Decision::Match);
    assert_eq!(object.spec.employee_ids, ["w2", "w1"]);
    assert_eq!(object.spec.rejected_employee_ids, ["w3"]);
    assert_eq!(object.labels()[INTEGRATION_LABEL], "acme");
    assert_eq!(object.owner_references().len(), 1);
}

#[tokio::test]
async fn the_operator_keeps_an_earlier_decision() {
    let shared = Shared::new().await;
    shared.apply(ADMIN, &decided()).await;
    assert_has_all_fields(&shared.apply(FIELD_MANAGER, &shared.operators).await);
    assert_has_all_fields(&shared.apply(ADMIN, &decided()).await);
}

#[tokio::test]
async fn a_decision_keeps_the_operators_fields() {
    let shared = Shared::new().await;
    let made = shared.apply(FIELD_MANAGER, &shared.operators).await;
    assert_eq!(made.spec.decision, Decision::Auto);
    assert_has_all_fields(&shared.apply(ADMIN, &decided()).await);
    let again = shared.apply(FIELD_MANAGER, &shared.operators).await;
    assert_has_all_fields(&again);

    // A manifest without the decision removes only the decision.
    let undecided = shared.apply(ADMIN, &employee_match()).await;
    assert_eq!(undecided.uid(), again.uid());
    assert_eq!(undecided.spec.decision, Decision::Auto);
    assert!(undecided.spec.employee_ids.is_empty() && undecided.spec.rejected_employee_ids.is_empty());
    assert_eq!(undecided.labels()[INTEGRATION_LABEL], "acme");
    assert_eq!(undecided.owner_references().len(), 1);
}

#[tokio::test]
async fn the_operator_does_not_own_the_decision() {
    let shared = Shared::new().await;
    shared.apply(ADMIN, &decided()).await;
    let object = shared.apply(FIELD_MANAGER, &shared.operators).await;
    let owned = |manager: &str| {
        let mut entries = object.managed_fields().iter();
        let entry = entries
            .find(|entry| entry.manager.as_deref() == Some(manager))
            .unwrap();
        let fields = &entry.fields_v1.as_ref().unwrap().0["f:spec"];
        fields.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(owned(FIELD_MANAGER), ["f:integrationRef", "f:oktaUserId"]);
    assert_eq!(
        owned(ADMIN),
        [
            "f:decision",
            "f:employeeIds",
            "f:integrationRef",
            "f:oktaUserId",
            "f:rejectedEmployeeIds"
        ]
    );

    // So a third manager's decision conflicts with the admin, not with the operator.
    let other = with(employee_match(), "decision", json!("Ignore"));
    let name = other["metadata"]["name"].as_str().unwrap();
    let refused = shared
        .api
        .patch(name, &PatchParams::apply("other"), &Patch::Apply(&other))
        .await;
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains(r#"conflict with "git": .spec.decision"#),
        "{message}"
    );
}
