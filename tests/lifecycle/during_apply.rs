//! Requests made during an apply. Insightful's rate limit makes the apply of a large
//! company take hours; decisions and sync requests must not wait for its end.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, Field, MatchState, Phase, Step};
use sandbox::faults::{Fault, Kind, Match};
use serde_json::json;

use crate::world::{World, open_guard};

/// Long enough that no sync starts without a request.
const LONG_INTERVAL: &str = "1h";

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_and_a_sync_request_are_handled_during_an_apply() {
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": LONG_INTERVAL });
    let world = World::in_review(spec).await;
    // The apply cannot end while this fault is active.
    let employees = Match::put("/api/v1/employee/*");
    let fault = world
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
    world
        .poll(
            "the effect of the decision",
            || async { api.get(name).await.unwrap() },
            |object| state(object) == Some(MatchState::Ignored),
        )
        .await;
    let request = world.request_sync().await;
    world
        .wait_for("the sync", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| status.last_handled_sync_request.as_deref() == Some(&request))
        })
        .await;
    assert!(world.status().await.last_applied_plan.is_none());

    // The rest of the plan is written once the limit allows it.
    fault.remove();
    world
        .wait_for("the end of the apply", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| {
                status.last_applied_plan.is_some() && status.plan.as_ref().is_some_and(|plan| plan.total == 0)
            })
        })
        .await;
    world.idle_sync_writes_nothing().await;
}

/// Two waits for the rate limit make the read of the employees too old to overwrite anybody by it.
#[tokio::test(flavor = "multi_thread")]
async fn an_employee_who_is_changed_during_a_long_apply_waits_for_the_next_plan() {
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": LONG_INTERVAL });
    let world = World::in_review(spec).await;
    let anna = world.company.employee("anna.becker").to_owned();
    world.decide_match("anna.becker", &[&anna]).await;
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    let employees = Match::put("/api/v1/employee/*");
    let waits = world.insightful.faults().add(Fault {
        on: employees,
        kind: Kind::Status(429, None),
        times: Some(2),
    });
    world.patch(json!({ "finalized": true })).await;
    world.wait_for("the wait", |_| waits.hits() > 0).await;
    world
        .insightful
        .edit(|account| account.rename_employee(&anna, "Anna B."));
    world.wait_for_phase(Phase::InSync).await;
    let status = world.match_status("anna.becker").await;
    let fields = status.applied.unwrap().fields;
    let name = fields.iter().find(|field| field.field == Field::Name).unwrap();
    assert_eq!(
        name.before.as_deref(),
        Some("Anna B."),
        "as it was right before the write"
    );
    assert_eq!(
        world.insightful.snapshot().employee(&anna)["name"],
        "Anna Schneider"
    );
    world.idle_sync_writes_nothing().await;
}
