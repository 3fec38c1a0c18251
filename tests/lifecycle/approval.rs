//! Approved: what an admin let through is written whole, whatever cuts it
//! short, and nothing that they did not see.

use std::time::Duration;

use okta_insightful_operator::api::{MatchState, Phase, conditions};
use sandbox::{
    faults::{Kind, Match},
    journal::Entry,
};
use serde_json::{Value, json};

use crate::world::{World, open_guard, start_operator};

const LONG: Duration = Duration::from_secs(60);

/// Acme where every plan waits, finished: gives the plan that is held.
async fn held() -> (World, String) {
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

/// Waits until so many writes were asked for.
async fn writes_begun(world: &World, count: usize) {
    let so_many = move |entries: &[Entry]| entries.iter().filter(|entry| entry.is_write()).count() >= count;
    world
        .insightful
        .journal()
        .wait_until(so_many, LONG)
        .await
        .unwrap();
}

fn refusal() -> Value {
    json!({ "type": "VALIDATION_ERROR", "message": "Parameters validation error!",
        "details": [{ "type": "string", "field": "title", "message": "The 'title' field is not liked!" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_refusal_is_tried_again_without_another_approval() {
    let (world, plan) = held().await;
    let jane = world.company.employee("jane.doe").to_owned();
    let standing = world.insightful.faults().always(
        Match::put(&format!("/api/v1/employee/{jane}")),
        Kind::Status(422, Some(refusal())),
    );
    approve(&world, &plan).await;
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    let status = world.status().await;
    assert_eq!(status.phase, Some(Phase::Failed), "not all is well");
    assert_eq!(status.applying.unwrap().plan, plan, "it is not written whole");
    assert_eq!(world.reason("jane.doe").await, "WriteRefused");
    assert_eq!(
        world.state("lena.leaver").await,
        MatchState::Deactivated,
        "the others are written"
    );

    standing.remove();
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(
        status.last_applied_plan,
        Some(plan.clone()),
        "by the name that was approved"
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
async fn what_is_new_after_a_crash_waits_for_an_admin() {
    let (mut world, plan) = held().await;
    let faults = world.insightful.faults();
    faults.once(Match::put("/api/v1/employee/*").after(5), Kind::Delay(LONG));
    approve(&world, &plan).await;
    // Two teams, five updates, and one that gets no answer.
    writes_begun(&world, 8).await;
    world.operator.take().unwrap().kill().await.unwrap();
    faults.clear();
    let is_written = |world: &World| world.insightful.journal().writes().len();
    let before = is_written(&world);
    // Nobody saw this one.
    world
        .okta
        .edit(|org| org.rename_user("gloria.mendes", "Gloria", "Mendes-Silva"));
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    let status = world
        .wait_for("the hold", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            status.phase == Some(Phase::Held) && status.applying.is_none()
        })
        .await
        .status
        .unwrap();
    world.sync().await;
    assert_eq!(is_written(&world), before, "what is left waits with it");
    assert_eq!(world.status().await.applying, None);

    // As it was, it is another plan than the approved one still: that one is off the record.
    world
        .okta
        .edit(|org| org.rename_user("gloria.mendes", "Gloria", "Mendes"));
    world.sync().await;
    world.wait_for_phase(Phase::Held).await;
    assert_eq!(is_written(&world), before);

    let rest = world.status().await.plan.unwrap();
    assert_ne!(rest.hash, status.plan.unwrap().hash);
    approve(&world, &rest.hash).await;
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.last_applied_plan, Some(rest.hash));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_stop_in_the_middle_needs_no_other_approval() {
    let (mut world, plan) = held().await;
    world.insightful.faults().once(
        Match::put("/api/v1/employee/*").after(5),
        Kind::Delay(Duration::from_secs(1)),
    );
    approve(&world, &plan).await;
    writes_begun(&world, 8).await;
    world.stop_operator().await;
    let written = world.insightful.journal().writes();
    assert!(
        written.len() < 20 && written.iter().all(|entry| entry.status == Some(200)),
        "what was being written is finished, and nothing more is begun: {:?}",
        world.writes()
    );
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.last_applied_plan, Some(plan));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_made_in_the_middle_waits_for_an_admin() {
    let (world, plan) = held().await;
    let jane = world.company.employee("jane.doe").to_owned();
    let standing = world.insightful.faults().always(
        Match::put(&format!("/api/v1/employee/{jane}")),
        Kind::Status(422, Some(refusal())),
    );
    approve(&world, &plan).await;
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    // Tara's match is in force by now: taking it back is nothing that was approved.
    world.insightful.journal().clear();
    world.decide("tara.moved", json!({ "decision": "Ignore" })).await;
    let status = world.wait_for_match("tara.moved", "what is taken back", |status| {
        !status.unmatching.is_empty()
    });
    let tara = world.company.employee("tara.moved");
    assert_eq!(status.await.unmatching, [tara]);
    world.wait_for_phase(Phase::Held).await;
    standing.remove();
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
