//! GitOps: the operator and a tool that applies decisions from Git own different fields.

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, FIELD_MANAGER, MatchState, OktaIntegration};
use serde_json::{Value, json};

use crate::world::{NAME, World, integration, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn repeated_applies_from_git_and_syncs_change_nothing() {
    let world = World::in_review(open_guard()).await;
    let mut spec = open_guard();
    spec["finalized"] = json!(true);
    let manifest = integration(NAME, &world.okta.url(), &world.insightful.url(), spec);
    let decision = |handle: &str, spec: Value| (world.match_name(handle), world.match_manifest(handle, spec));
    let anna = world.company.employee("anna.becker");
    let decisions = [
        decision(
            "anna.becker",
            json!({ "decision": "Match", "employeeIds": [anna] }),
        ),
        decision("nick.newcomer", json!({ "decision": "Create" })),
        decision("jane.doe", json!({ "decision": "Ignore" })),
    ];
    // Like Flux and Argo CD, without force: a field that another manager owns is an error.
    let params = PatchParams::apply("flux");
    let apply_all = || async {
        let integrations = world.api::<OktaIntegration>();
        integrations
            .patch(NAME, &PatchParams::apply("admin"), &Patch::Apply(&manifest))
            .await
            .unwrap();
        let matches = world.api::<EmployeeMatch>();
        for (name, manifest) in &decisions {
            matches
                .patch(name, &params, &Patch::Apply(manifest))
                .await
                .unwrap();
        }
    };
    apply_all().await;
    world.wait_for_state("anna.becker", MatchState::Matched).await;
    world.wait_for_state("nick.newcomer", MatchState::Matched).await;
    world.sync().await;

    let before = world.match_versions().await;
    world.insightful.journal().clear();
    for _ in 0..10 {
        apply_all().await;
        world.sync().await;
    }
    assert_eq!(
        world.match_versions().await,
        before,
        "neither of the two has written a match"
    );
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
