//! While an apply goes on, which at a large company is hours: it waits for
//! Insightful's limit most of the time, and what is asked of the operator in
//! that time does not wait for its end.

use std::time::Duration;

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, OktaIntegration, Phase};
use sandbox::{company::Company, okta};
use serde_json::json;

use crate::world::{World, open_guard};

/// More people than Insightful takes writes of in a minute.
const PEOPLE: usize = 300;

/// A finished integration whose apply has written what it may in this minute,
/// and until when it waits.
async fn waiting() -> (World, jiff::Timestamp) {
    let world = World::prepared_with(Company::generate(PEOPLE, 7), okta::Settings::default()).await;
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": "1h" });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    world.patch(json!({ "finalized": true })).await;
    let until = |integration: &OktaIntegration| {
        let progress = integration.status.clone()?.progress?;
        Some(progress.waiting_until?.0)
    };
    let integration = world
        .wait_for("the wait", |integration| until(integration).is_some())
        .await;
    let until = until(&integration).unwrap();
    let left = until.duration_since(jiff::Timestamp::now());
    assert!(left.as_secs() > 15, "there is time to ask for something: {left}");
    (world, until)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_and_a_sync_are_answered_in_the_middle_of_an_apply() {
    let (world, until) = waiting().await;
    let matches = world.matches().await;
    let state = |object: &EmployeeMatch| object.status.as_ref().and_then(|status| status.state);
    let (name, _) = matches
        .iter()
        .find(|(_, object)| state(object) == Some(MatchState::Review))
        .unwrap();
    let api: Api<EmployeeMatch> = world.api();
    let ignore = json!({ "spec": { "decision": "Ignore" } });
    api.patch(name, &PatchParams::default(), &Patch::Merge(ignore))
        .await
        .unwrap();
    while state(&api.get(name).await.unwrap()) != Some(MatchState::Ignored) {
        assert!(
            jiff::Timestamp::now() < until,
            "the decision waited for the apply"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let request = world.request_sync().await;
    world
        .wait_for("the sync", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| status.last_handled_sync_request.as_deref() == Some(&request))
        })
        .await;
    assert!(jiff::Timestamp::now() < until, "the sync waited for the apply");

    // And what was left of the plan is written all the same.
    world
        .wait_for("the rest", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| {
                status.last_applied_plan.is_some() && status.plan.as_ref().is_some_and(|plan| plan.total == 0)
            })
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_taken_back_during_the_wait_keeps_the_next_write_from_being_made() {
    let (world, until) = waiting().await;
    world.patch(json!({ "finalized": false })).await;
    let writes = world.writes().len();
    let over = until.duration_since(jiff::Timestamp::now()).unsigned_abs() + Duration::from_secs(3);
    tokio::time::sleep(over).await;
    assert_eq!(world.writes().len(), writes);
}
