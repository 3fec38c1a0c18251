//! Two replicas, and a leader that sleeps past its lease in the middle of an invitation.

use std::time::Duration;

use okta_insightful_operator::api::{MatchState, Phase};
use sandbox::{
    faults::{Kind, Match},
    journal::Entry,
};
use serde_json::json;

use crate::world::{World, open_guard, start_replica};

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_paused_in_the_middle_of_an_invitation_leads_to_no_second_one() {
    let mut world = World::prepared().await;
    world.stop_operator().await;
    let first = start_replica(world.plane, &[&world.namespace]).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    for handle in ["nick.newcomer", "nina.newcomer"] {
        world.decide(handle, json!({ "decision": "Create" })).await;
        world.wait_for_state(handle, MatchState::Proposed).await;
    }
    let second = start_replica(world.plane, &[&world.namespace]).await;

    // The invitation has taken effect; the leader sleeps before it hears of it.
    let invitation = Match::post("/api/v1/employee");
    world
        .insightful
        .faults()
        .once(invitation, Kind::DelayAnswer(Duration::from_secs(2)));
    world.patch(json!({ "finalized": true })).await;
    let is_invited = |entries: &[Entry]| {
        let mut invitations = entries
            .iter()
            .filter(|entry| entry.path == "/api/v1/employee" && entry.method == "POST");
        invitations.any(|entry| entry.effect)
    };
    let journal = world.insightful.journal();
    journal
        .wait_until(is_invited, Duration::from_secs(60))
        .await
        .unwrap();
    first.pause().unwrap();

    world.wait_for_phase(Phase::InSync).await;
    assert!(world.log_of(&second).contains("applied"));
    let writes = journal.writes().len();
    first.resume().unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(
        journal.writes().len(),
        writes,
        "the woken leader, who has the answer now, writes nothing"
    );
    let mut invited: Vec<String> = journal
        .writes()
        .iter()
        .filter(|entry| entry.effect && entry.method == "POST")
        .map(|entry| {
            let body = entry.body.as_ref().unwrap();
            let who = body.get("email").unwrap_or(&body["name"]);
            who.as_str().unwrap().to_owned()
        })
        .collect();
    invited.sort();
    assert_eq!(
        invited,
        [
            "Data Science",
            "Marketing",
            "nick.newcomer@acme.com",
            "nina.newcomer@acme.com"
        ]
    );
    for handle in ["nick.newcomer", "nina.newcomer"] {
        let status = world.match_status(handle).await;
        assert_eq!(status.state, Some(MatchState::Matched), "{handle}");
        assert!(
            status.applied.unwrap().created && status.pending.is_none(),
            "{handle}"
        );
    }
    world.idle_sync_writes_nothing().await;
    second.stop().await.unwrap();
}
