//! While an apply goes on, which at a large company is hours: it waits for
//! Insightful's limit most of the time, and what is asked of the operator in
//! that time does not wait for its end.

use std::time::Duration;

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, Step};
use sandbox::faults::{Kind, Match};
use serde_json::json;

use crate::world::{World, open_guard};

/// Long enough that nothing but somebody's word causes a sync.
const HOURLY: &str = "1h";

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_and_a_sync_are_answered_in_the_middle_of_an_apply() {
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": HOURLY });
    let world = World::in_review(spec).await;
    // The limit is spent by others for as long as the fault stands: this apply has no end.
    let employees = Match::put("/api/v1/employee/*");
    let spent = world
        .insightful
        .faults()
        .always(employees, Kind::Status(429, None));
    world.patch(json!({ "finalized": true })).await;
    world
        .wait_for("the apply", |integration| {
            let progress = integration
                .status
                .as_ref()
                .and_then(|status| status.progress.as_ref());
            progress
                .is_some_and(|progress| progress.step == Step::Applying && progress.waiting_until.is_some())
        })
        .await;

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
    let asked = tokio::time::Instant::now();
    while state(&api.get(name).await.unwrap()) != Some(MatchState::Ignored) {
        assert!(
            asked.elapsed() < Duration::from_secs(60),
            "the decision waits for the apply: {}",
            world.log_tail()
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
    assert!(world.status().await.last_applied_plan.is_none());

    // And what was left of the plan is written all the same.
    spent.remove();
    world
        .wait_for("the rest", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| {
                status.last_applied_plan.is_some() && status.plan.as_ref().is_some_and(|plan| plan.total == 0)
            })
        })
        .await;
    world.idle_sync_writes_nothing().await;
}
