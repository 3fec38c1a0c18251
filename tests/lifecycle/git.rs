//! Git: a tool that owns decisions and the operator never fight over a field.

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, FIELD_MANAGER, MatchState, OktaIntegration};
use serde_json::{Value, json};

use crate::world::{NAME, World, integration, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn ten_cycles_of_a_git_tool_and_the_operator_change_nothing() {
    let world = World::in_review(open_guard()).await;
    let mut spec = open_guard();
    spec["finalized"] = json!(true);
    let manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), spec);
    let decision = |handle: &str, spec: Value| {
        let id = world.okta.snapshot().user_id(handle);
        let mut object = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1",
            "kind": "EmployeeMatch",
            "metadata": { "name": world.match_name(handle) },
            "spec": { "integrationRef": { "name": NAME }, "oktaUserId": id },
        });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        (world.match_name(handle), object)
    };
    let anna = world.company.employee("anna.becker");
    let decisions = [
        decision(
            "anna.becker",
            json!({ "decision": "Match", "employeeIds": [anna] }),
        ),
        decision("nick.newcomer", json!({ "decision": "Create" })),
        decision("jane.doe", json!({ "decision": "Ignore" })),
    ];
    // Flux and Argo CD apply like this: without force, so that a fight over a field is an error.
    let as_git = PatchParams::apply("flux");
    let apply_all = || async {
        let integrations = world.api::<OktaIntegration>();
        integrations
            .patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
            .await
            .unwrap();
        let matches = world.api::<EmployeeMatch>();
        for (name, manifest) in &decisions {
            matches
                .patch(name, &as_git, &Patch::Apply(manifest))
                .await
                .unwrap();
        }
    };
    apply_all().await;
    world.wait_for_state("anna.becker", MatchState::Matched).await;
    world.wait_for_state("nick.newcomer", MatchState::Matched).await;
    world.sync().await;

    let versions = || async {
        let matches = world.matches().await.into_iter();
        matches
            .map(|(name, object)| (name, object.metadata.resource_version))
            .collect::<Vec<_>>()
    };
    let before = versions().await;
    world.insightful.journal().clear();
    for _ in 0..10 {
        apply_all().await;
        world.sync().await;
    }
    assert_eq!(versions().await, before, "no match was written, by either");
    assert_eq!(world.writes(), Vec::<String>::new());

    let object = world.api::<EmployeeMatch>().get(&decisions[0].0).await.unwrap();
    for entry in object.metadata.managed_fields.unwrap() {
        let fields = serde_json::to_value(&entry.fields_v1).unwrap();
        if entry.manager.as_deref() == Some(FIELD_MANAGER) {
            let spec = &fields["f:spec"];
            assert!(
                spec["f:decision"].is_null() && spec["f:employeeIds"].is_null(),
                "{fields}"
            );
        } else {
            assert!(fields["f:status"].is_null(), "{fields}");
        }
    }
}
