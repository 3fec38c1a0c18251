//! What the guard remembers: what was written in the last day, which approval is spent, and what was reviewed.

use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, Phase, conditions};
use serde_json::json;

use crate::world::{World, open_guard, start_operator};

/// Restarts the operator: it remembers only what is in the cluster.
async fn restart(world: &mut World) {
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
}

async fn approve(world: &World) {
    let plan = world.status().await.plan.unwrap();
    world.patch(json!({ "approvedPlan": plan.hash })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_does_not_clear_the_same_writes_again() {
    let mut world = World::in_sync().await;
    world.patch(json!({ "approval": "EveryPlan" })).await;
    let jane = world.company.employee("jane.doe").to_owned();
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.sync().await;
    let first = world.wait_for_phase(Phase::Held).await.plan.unwrap();
    approve(&world).await;
    world.wait_for_phase(Phase::InSync).await;

    // Somebody undoes it in the web app. The approval is still in the manifest.
    for is_restarted in [false, true] {
        world
            .insightful
            .edit(|account| account.rename_employee(&jane, "Jane Doe"));
        if is_restarted {
            restart(&mut world).await;
        }
        world.insightful.journal().clear();
        world.sync().await;
        let again = world.wait_for_phase(Phase::Held).await.plan.unwrap();
        assert_eq!(again.updates, first.updates);
        assert_ne!(again.hash, first.hash);
        assert_eq!(world.writes(), Vec::<String>::new());
        approve(&world).await;
        world.wait_for_phase(Phase::InSync).await;
        assert_eq!(world.insightful.snapshot().employee(&jane)["name"], "Jane Roe");
    }
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_counts_for_a_day_also_after_a_restart() {
    let mut world = World::in_sync().await;
    // The first plan, which the open guard cleared, counts too.
    let recent = world.status().await.guard.unwrap().recent;
    let names: i32 = recent.iter().map(|entry| entry.writes.name_changes).sum();
    let mut spec = open_guard();
    spec["guard"]["maxNameChanges"] = json!(names + 1);
    world.patch(spec).await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    let status = world.status().await;
    let guard = status.guard.unwrap();
    let written: i32 = guard.recent.iter().map(|entry| entry.writes.name_changes).sum();
    assert_eq!((written, guard.in_flight), (names + 1, None));
    world.idle_sync_writes_nothing().await;

    restart(&mut world).await;
    world
        .okta
        .edit(|org| org.rename_user("gloria.mendes", "Gloria", "Silva"));
    world.sync().await;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "TooManyNameChanges")
        .await;
    let expected = format!(
        "{written} name changes written in the last 24 hours and 1 planned, spec.guard.maxNameChanges allows {written} (Gloria Silva)"
    );
    assert!(message.contains(&expected), "{message}");
    assert!(
        message.contains("needs no approval once enough of those writes are more than 24 hours old"),
        "{message}"
    );
    approve(&world).await;
    world.wait_for_phase(Phase::InSync).await;
    let after = world.status().await.guard.unwrap().recent;
    assert_eq!(after, guard.recent, "what was approved does not count");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_that_is_created_finalized_waits_for_a_review() {
    let world = World::prepared().await;
    let mut spec = open_guard();
    spec["finalized"] = json!(true);
    world.activate(spec).await;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "NotReviewed")
        .await;
    assert!(
        message.contains("set spec.finalized to false for the review"),
        "{message}"
    );
    world.wait_for_phase(Phase::Held).await;
    world.sync().await;
    assert_eq!(world.writes(), Vec::<String>::new());

    // A review is one way on, an approval the other.
    world.patch(json!({ "finalized": false })).await;
    world.wait_for_phase(Phase::Review).await;
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_the_decisions_that_were_deleted_waits_for_a_review() {
    let mut world = World::in_review(open_guard()).await;
    // An ignored leaver must not be deactivated because the decision is gone.
    world.decide("lena.leaver", json!({ "decision": "Ignore" })).await;
    world.wait_for_state("lena.leaver", MatchState::Ignored).await;
    world.finalize().await;
    for is_running in [true, false] {
        if !is_running {
            world.stop_operator().await;
        }
        world.insightful.journal().clear();
        let matches: Api<EmployeeMatch> = world.api();
        let all = (DeleteParams::default(), ListParams::default());
        matches.delete_collection(&all.0, &all.1).await.unwrap();
        if !is_running {
            world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
        }
        let message = world
            .wait_for_condition(conditions::HELD, "True", "MatchesVanished")
            .await;
        assert!(message.contains("deleted since the last review"), "{message}");
        world.wait_for_state("lena.leaver", MatchState::Proposed).await;
        world.sync().await;
        assert_eq!(world.writes(), Vec::<String>::new());
        // Until the plan is approved, it waits; with the decision restored, it is harmless.
        world.decide("lena.leaver", json!({ "decision": "Ignore" })).await;
        world.wait_for_state("lena.leaver", MatchState::Ignored).await;
        world.sync().await;
        if world.status().await.phase == Some(Phase::Held) {
            approve(&world).await;
        }
        world.wait_for_phase(Phase::InSync).await;
        let lena = world.company.employee("lena.leaver");
        assert_eq!(world.insightful.snapshot().employee(lena)["deactivated"], 0);
    }
}
