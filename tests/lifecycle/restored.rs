//! What somebody restores from a backup: statuses that others wrote, and objects without a status.

use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, OktaIntegration, Phase, conditions};
use serde_json::json;

use crate::world::{NAME, World, apply, integration, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_somebody_else_wrote_becomes_the_operators_again() {
    let world = World::in_sync().await;
    let foreign = PatchParams {
        field_manager: Some("restore".to_owned()),
        ..PatchParams::default()
    };
    // Fields that the operator's own status lacks: server-side apply alone would keep them.
    let stale = json!({ "status": {
        "changes": [{ "field": "title", "to": "SRE" }],
        "changeCount": 1,
    } });
    let (matches, name) = (world.api::<EmployeeMatch>(), world.match_name("jane.doe"));
    matches
        .patch_status(&name, &foreign, &Patch::Merge(stale))
        .await
        .unwrap();
    let integrations: Api<OktaIntegration> = world.api();
    let stale = json!({ "status": { "progress": { "step": "ReadingMembers", "done": 1, "total": 2 } } });
    integrations
        .patch_status(NAME, &foreign, &Patch::Merge(stale))
        .await
        .unwrap();

    world.sync().await;
    let status = world
        .wait_for_match("jane.doe", "its own status", |status| status.changes.is_empty())
        .await;
    assert_eq!(status.state, Some(MatchState::Matched));
    assert!(status.applied.is_some());
    assert!(world.status().await.progress.is_none());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_restored_without_their_status_keep_the_decisions_and_wait_for_a_review() {
    let world = World::in_sync().await;
    world
        .decide("chen.xiu", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    world.wait_for_state("chen.xiu", MatchState::Ignored).await;
    let decisions = world.matches().await;
    let integrations: Api<OktaIntegration> = world.api();
    integrations.delete(NAME, &DeleteParams::default()).await.unwrap();
    world
        .poll(
            "the removal of the matches",
            || world.matches(),
            |left| left.is_empty(),
        )
        .await;

    world
        .okta
        .edit(|org| org.set_title("amir.haddad", Some("Captain")));
    world.insightful.journal().clear();
    for (name, saved) in &decisions {
        let restored = json!({
            "apiVersion": "integrations.insightful.io/v1alpha1", "kind": "EmployeeMatch",
            "metadata": { "name": name }, "spec": saved.spec,
        });
        apply::<EmployeeMatch>(&world.api(), restored).await;
    }
    let mut spec = open_guard();
    spec["finalized"] = json!(true);
    let restored = integration(NAME, &world.okta.url(), &world.insightful.url(), spec);
    apply(&integrations, restored).await;

    world
        .wait_for_condition(conditions::HELD, "True", "NotReviewed")
        .await;
    world.wait_for_phase(Phase::Held).await;
    world.sync().await;
    assert_eq!(world.state("chen.xiu").await, MatchState::Ignored);
    assert_eq!(world.matches().await.len(), decisions.len());
    assert_eq!(world.writes(), Vec::<String>::new());
}
