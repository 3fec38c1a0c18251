//! Approved plans: an interrupted apply of an approved plan is completed, and
//! nothing beyond the approved plan is written.

use std::time::Duration;

use okta_insightful_operator::api::{MatchState, Phase, conditions};
use sandbox::{
    faults::{Handle, Kind, Match},
    journal::Entry,
};
use serde_json::json;

use crate::world::{World, open_guard, start_operator, validation_error};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Acme, finalized, where every plan needs an approval. Returns the hash of the held plan.
async fn held_plan() -> (World, String) {
    let mut spec = open_guard();
    spec["approval"] = json!("EveryPlan");
    let world = World::in_review(spec).await;
    world.patch(json!({ "finalized": true })).await;
    let plan = world.wait_for_phase(Phase::Held).await.plan.unwrap();
    (world, plan.hash)
}

async fn approve(world: &World, plan: &str) {
    world.patch(json!({ "approvedPlan": plan })).await;
}

/// Waits until Insightful has received `count` write requests.
async fn wait_for_writes(world: &World, count: usize) {
    let received = move |entries: &[Entry]| entries.iter().filter(|entry| entry.is_write()).count() >= count;
    world
        .insightful
        .journal()
        .wait_until(received, TIMEOUT)
        .await
        .unwrap();
}

/// Approves the plan, of which Insightful refuses to update Jane's employee. Returns the fault and
/// the employee's id.
async fn approve_with_a_refused_write(world: &World, plan: &str) -> (Handle, String) {
    let jane = world.company.employee("jane.doe").to_owned();
    let fault = world.insightful.faults().always(
        Match::put(&format!("/api/v1/employee/{jane}")),
        Kind::Status(422, Some(validation_error("title"))),
    );
    approve(world, plan).await;
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    (fault, jane)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_is_retried_without_another_approval() {
    let (world, plan) = held_plan().await;
    let (fault, jane) = approve_with_a_refused_write(&world, &plan).await;
    let status = world.status().await;
    assert_eq!(status.phase, Some(Phase::Failed), "a write is refused");
    assert_eq!(
        status.applying.unwrap().plan,
        plan,
        "the apply of the plan is not complete"
    );
    assert_eq!(world.reason("jane.doe").await, "WriteRefused");
    assert_eq!(
        world.state("lena.leaver").await,
        MatchState::Deactivated,
        "the other people are written"
    );

    fault.remove();
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(
        status.last_applied_plan,
        Some(plan.clone()),
        "the hash that was approved"
    );
    assert_eq!(status.applying, None);
    assert!(
        status.history.iter().all(|entry| entry.plan == plan),
        "{:?}",
        status.history
    );
    assert_eq!(
        world.insightful.snapshot().title(&jane),
        Some("Reliability Engineer")
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_a_crash_needs_another_approval() {
    let (mut world, plan) = held_plan().await;
    let faults = world.insightful.faults();
    faults.once(Match::put("/api/v1/employee/*").after(5), Kind::Delay(TIMEOUT));
    approve(&world, &plan).await;
    // Two teams, five updates, and one update without an answer.
    wait_for_writes(&world, 8).await;
    world.operator.take().unwrap().kill().await.unwrap();
    faults.clear();
    let write_count = |world: &World| world.insightful.journal().writes().len();
    let before = write_count(&world);
    // The approved plan lacks this change.
    world
        .okta
        .edit(|org| org.rename_user("gloria.mendes", "Gloria", "Mendes-Silva"));
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    let status = world
        .wait_for("the held plan", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            status.phase == Some(Phase::Held) && status.applying.is_none()
        })
        .await
        .status
        .unwrap();
    world.sync().await;
    assert_eq!(
        write_count(&world),
        before,
        "the remaining writes wait for the approval too"
    );
    assert_eq!(world.status().await.applying, None);

    // Even without the change, the remaining plan differs from the approved one, whose approval is spent.
    world
        .okta
        .edit(|org| org.rename_user("gloria.mendes", "Gloria", "Mendes"));
    world.sync().await;
    world.wait_for_phase(Phase::Held).await;
    assert_eq!(write_count(&world), before);

    let remaining = world.status().await.plan.unwrap();
    assert_ne!(remaining.hash, status.plan.unwrap().hash);
    approve(&world, &remaining.hash).await;
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.last_applied_plan, Some(remaining.hash));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_shutdown_during_an_apply_needs_no_other_approval() {
    let (mut world, plan) = held_plan().await;
    world.insightful.faults().once(
        Match::put("/api/v1/employee/*").after(5),
        Kind::Delay(Duration::from_secs(1)),
    );
    approve(&world, &plan).await;
    wait_for_writes(&world, 8).await;
    world.stop_operator().await;
    let written = world.insightful.journal().writes();
    assert!(
        written.len() < 20 && written.iter().all(|entry| entry.status == Some(200)),
        "in-flight writes are finished and no others are started: {:?}",
        world.writes()
    );
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.last_applied_plan, Some(plan));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_made_during_an_apply_needs_another_approval() {
    let (world, plan) = held_plan().await;
    let (fault, _) = approve_with_a_refused_write(&world, &plan).await;
    // Tara's match is in force already; the approved plan does not unmatch it.
    world.insightful.journal().clear();
    world.decide("tara.moved", json!({ "decision": "Ignore" })).await;
    let status = world
        .wait_for_match("tara.moved", "the employee to unmatch", |status| {
            !status.unmatching.is_empty()
        })
        .await;
    let tara = world.company.employee("tara.moved");
    assert_eq!(status.unmatching, [tara]);
    world.wait_for_phase(Phase::Held).await;
    fault.remove();
    world.sync().await;
    let of_tara = world.writes().iter().filter(|line| line.contains(tara)).count();
    assert_eq!(of_tara, 0);
    let held = world.wait_for_phase(Phase::Held).await;
    assert_eq!((held.applying, held.plan.as_ref().unwrap().relinks), (None, 1));
    approve(&world, &held.plan.unwrap().hash).await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.state("tara.moved").await, MatchState::Ignored);
    world.idle_sync_writes_nothing().await;
}
