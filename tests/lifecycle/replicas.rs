//! Leader election: only the leader writes, and the standby takes over.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use okta_insightful_operator::api::{MatchState, Phase};
use sandbox::faults::{Kind, Match};
use serde_json::json;
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use crate::world::{World, open_guard, start_replica};

/// Serializes the tests: they share the one Lease that the chart's RBAC covers.
static LEASE: Mutex<()> = Mutex::const_new(());

/// The identity of the Lease's holder; empty without one.
async fn holder(world: &World) -> String {
    let api: Api<Lease> = Api::namespaced(world.client.clone(), "okta-insightful-operator");
    let lease = api.get_opt("okta-insightful-operator").await.unwrap();
    lease
        .and_then(|lease| lease.spec?.holder_identity)
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_paused_past_its_lease_writes_nothing_when_resumed() {
    let _lease = LEASE.lock().await;
    let mut world = World::prepared().await;
    world.stop_operator().await;
    let first = start_replica(world.plane, &[&world.namespace]).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    let leader = holder(&world).await;
    assert!(!leader.is_empty());
    let second = start_replica(world.plane, &[&world.namespace]).await;

    // The leader is paused during one of its writes.
    let delayed = world.insightful.faults().once(
        Match::put("/api/v1/employee/*").after(5),
        Kind::DelayAnswer(Duration::from_millis(1500)),
    );
    world.patch(json!({ "finalized": true })).await;
    while delayed.hits() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    first.pause().unwrap();
    let before = world.writes().len();
    assert!(before < 38, "the leader is paused during the apply");

    world.wait_for_phase(Phase::InSync).await;
    assert_ne!(holder(&world).await, leader, "the other replica took over");
    assert!(world.log_of(&second).contains("applied"));
    let after = world.insightful.journal().writes();
    first.resume().unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(
        world.insightful.journal().writes().len(),
        after.len(),
        "the resumed leader writes nothing"
    );

    let posts = after
        .iter()
        .filter(|entry| entry.method == "POST" && entry.effect)
        .count();
    assert_eq!(posts, 2, "each of the two teams is created once");
    assert_eq!(world.state("jane.doe").await, MatchState::Matched);
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee("mona.idris@acme.com")["teamId"],
        account.team_id("Data Science")
    );
    world.idle_sync_writes_nothing().await;
    drop(first);

    // A graceful shutdown releases the lease.
    second.stop().await.unwrap();
    assert_eq!(holder(&world).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_reads_again_after_a_term_of_another_replica() {
    let _lease = LEASE.lock().await;
    let mut world = World::in_sync().await;
    world.stop_operator().await;
    let first = start_replica(world.plane, &[&world.namespace]).await;
    let before = world.sync().await;
    let leader = holder(&world).await;
    first.pause().unwrap();

    // The other replica becomes the leader and writes a change.
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    let second = start_replica(world.plane, &[&world.namespace]).await;
    let applied = world.wait_for("the apply of the other replica", |integration| {
        let status = integration.status.as_ref().unwrap();
        status.history.len() > before.history.len() && status.phase == Some(Phase::InSync)
    });
    let expected = applied.await.status.unwrap();
    assert_ne!(holder(&world).await, leader);
    second.stop().await.unwrap();
    let written = world.writes();

    // The first replica's memory has Jane's old name and a shorter history.
    // Status times have a resolution of one second; the next sync must have another time.
    sleep(Duration::from_secs(1)).await;
    first.resume().unwrap();
    let leads_again = async {
        while holder(&world).await != leader {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(60), leads_again).await.unwrap();
    let read = world.wait_for("a sync", |integration| {
        integration.status.as_ref().unwrap().last_sync_time > expected.last_sync_time
    });
    assert_eq!(read.await.status.unwrap().history, expected.history);
    assert_eq!(world.writes(), written);
    first.stop().await.unwrap();
}
