//! A cycle without changes keeps the status and assesses nothing; any change is
//! assessed.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegrationStatus, Phase};
use serde_json::json;

use crate::{
    run::get,
    scrape::Scrape,
    world::{World, free_port, open_guard, start_with},
};

/// Returns how often the operator has assessed the company.
async fn assessments(port: u16) -> f64 {
    let (_, _, text) = get(port, "/metrics").await;
    let samples = Scrape::read(&text).samples;
    let assess = samples.iter().find(|sample| {
        sample.name == "okta_insightful_step_duration_seconds_count"
            && sample.labels.get("step").map(String::as_str) == Some("assess")
    });
    assess.unwrap().value
}

/// Returns a status without times and sync request.
fn comparable(mut status: OktaIntegrationStatus) -> OktaIntegrationStatus {
    status.last_sync_time = None;
    status.last_full_sync_time = None;
    status.next_sync_time = None;
    status.last_handled_sync_request = None;
    for condition in &mut status.conditions {
        condition.last_transition_time.0 = Default::default();
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn only_changes_are_assessed() {
    let mut world = World::prepared().await;
    world.stop_operator().await;
    let port = free_port();
    let replica = start_with(world.plane, &[&world.namespace], port, &[], &[]).await;
    world.operator = Some(replica);
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;

    let first = comparable(world.sync().await);
    let count = assessments(port).await;
    assert_eq!(comparable(world.sync().await), first);
    assert_eq!(assessments(port).await, count);

    // A failed read does not affect the status after the next successful one.
    let token = world.insightful.token().to_owned();
    world.insightful.set_token("another");
    world.request_sync().await;
    world.wait_for_phase(Phase::Failed).await;
    world.insightful.set_token(&token);
    assert_eq!(comparable(world.sync().await), first);
    assert_eq!(assessments(port).await, count);

    // Okta.
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.sync().await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee("jane.doe@acme.com")["name"], "Jane Roe");

    // Insightful.
    world.sync().await;
    let count = assessments(port).await;
    world.sync().await;
    assert_eq!(assessments(port).await, count);
    let renamed = |account: &mut sandbox::insightful::Account| {
        account.rename_employee("jane.doe@acme.com", "Jane Who");
    };
    world.insightful.edit(renamed);
    world.sync().await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee("jane.doe@acme.com")["name"], "Jane Roe");

    // Somebody else writes a wrong status to a match.
    world.sync().await;
    let before = world.match_status("jane.doe").await;
    let matches: Api<EmployeeMatch> = world.api();
    let untrue = Patch::Merge(json!({ "status": { "state": "Ignored" } }));
    matches
        .patch_status(&world.match_name("jane.doe"), &PatchParams::default(), &untrue)
        .await
        .unwrap();
    world.sync().await;
    assert_eq!(world.match_status("jane.doe").await, before);
}
