//! Leaving: people, who are deactivated once and only on evidence, and the
//! integration itself, which leaves Insightful as it is.

use okta_insightful_operator::api::{MatchState, OktaIntegration, Phase};
use serde_json::json;

use crate::world::{NAME, World, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn a_leaver_is_deactivated_once_after_a_look_at_their_record() {
    let world = World::in_sync().await;
    let amir = world.company.employee("amir.haddad").to_owned();
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world.okta.journal().clear();
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_state("amir.haddad", MatchState::Deactivated).await;
    assert_eq!(
        world.writes(),
        [format!("GET /api/v1/employee/deactivate/{amir} 200")]
    );
    let by_id = format!("/api/v1/users/{}", world.company.user("amir.haddad"));
    assert!(
        world
            .okta
            .journal()
            .entries()
            .iter()
            .any(|entry| entry.path == by_id),
        "read again by id"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_behind_the_record_deactivates_nobody() {
    let world = World::in_sync().await;
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    // The list still says so when the record no longer does.
    world
        .okta
        .configure(|settings| settings.lag = std::time::Duration::from_secs(20));
    world.okta.edit(|org| org.set_status("amir.haddad", "ACTIVE"));
    world.insightful.journal().clear();
    world.sync().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_ne!(
        world.insightful.snapshot().employee("amir.haddad@acme.com")["deactivated"],
        json!(true)
    );
    assert_eq!(
        world.insightful.snapshot().employee("amir.haddad@acme.com")["deactivated"],
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_not_evidence() {
    let world = World::in_sync().await;
    world.okta.edit(|org| {
        org.delete_user("jane.doe");
        org.remove_member("Engineering", "amir.haddad");
        org.delete_group("Marketing");
        org.rename_group("Support", "Support, no team any more");
    });
    world.insightful.journal().clear();
    // The match's name is of the id that Okta no longer knows.
    let name = okta_insightful_operator::api::match_name(NAME, world.company.user("jane.doe"));
    world.sync().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let jane = world.matches().await.remove(&name).unwrap().status.unwrap();
    assert_eq!(jane.state, Some(MatchState::OutOfScope));
    assert_eq!(jane.person.unwrap().name, "Jane Doe", "who it was stays readable");
    assert_eq!(jane.conditions[0].reason, "NotInOktaResponse");
    for handle in ["amir.haddad", "pia.hofer", "jonas.berg"] {
        assert_eq!(
            (world.state(handle).await, world.reason(handle).await.as_str()),
            (MatchState::OutOfScope, "NotInTeamGroup"),
            "{handle}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_gone_for_a_read_moves_nobody_and_has_its_team_when_it_is_back() {
    let world = World::in_sync().await;
    // Its team keeps its name, and so is found by the group's id only.
    world.okta.edit(|org| {
        org.rename_group("Data Science", "OKTA_INSGRP_Science");
        org.add_member("Support", "mona.idris");
    });
    world.sync().await;
    world.insightful.journal().clear();
    let science = world.insightful.snapshot().team_id("Data Science");
    let teams = world.insightful.snapshot().teams().len();

    world
        .okta
        .edit(|org| org.rename_group("Science", "Science, for a while"));
    let status = world.sync().await;
    assert_eq!(
        status.phase,
        Some(Phase::InSync),
        "so few are missing that nothing is held"
    );
    let team = status
        .teams
        .iter()
        .find(|team| team.name == "Data Science")
        .unwrap();
    assert!(
        team.group_missing && team.team_id.as_ref() == Some(&science),
        "{team:?}"
    );
    let mona = world.match_status("mona.idris").await;
    assert_eq!(mona.person.unwrap().team.as_deref(), Some("Data Science"));
    assert!(
        mona.conditions[0]
            .message
            .contains("Okta's last answer lacks its group")
    );

    world
        .okta
        .edit(|org| org.rename_group("Science, for a while", "OKTA_INSGRP_Science"));
    let status = world.sync().await;
    assert_eq!(status.phase, Some(Phase::InSync));
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.insightful.snapshot().teams().len(), teams);
    assert_eq!(world.state("olga.sorokina").await, MatchState::Matched);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_suspension_means_is_policy() {
    let mut spec = open_guard();
    spec["okta"] = json!({ "suspended": "Deactivate" });
    let world = World::in_review(spec).await;
    world.finish().await;
    assert_eq!(world.state("sam.suspended").await, MatchState::Deactivated);
    assert_ne!(
        world.insightful.snapshot().employee("sam.suspended@acme.com")["deactivated"],
        0
    );

    let world = World::in_sync().await;
    assert_eq!(
        world.state("sam.suspended").await,
        MatchState::Matched,
        "by default suspension is leave"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_comes_back_waits_for_a_reactivation_by_hand() {
    let world = World::in_sync().await;
    world.okta.edit(|org| org.set_status("lena.leaver", "ACTIVE"));
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_state("lena.leaver", MatchState::Review).await;
    assert_eq!(world.reason("lena.leaver").await, "EmployeeDeactivated");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_integration_reads_and_writes_nothing_until_it_is_resumed() {
    let world = World::in_sync().await;
    world.patch(json!({ "suspend": true })).await;
    world.wait_for_phase(Phase::Suspended).await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.okta.journal().clear();
    world.insightful.journal().clear();
    world.request_sync().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.okta.journal().entries().len(), 0);
    assert_eq!(world.insightful.journal().entries().len(), 0);

    world.patch(json!({ "suspend": false })).await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(
        world.insightful.snapshot().employee("jane.doe@acme.com")["name"],
        "Jane Roe"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_integration_takes_its_matches_and_leaves_insightful() {
    let world = World::in_sync().await;
    let before: Vec<_> = world.insightful.snapshot().employees().cloned().collect();
    world.insightful.journal().clear();
    world
        .api::<OktaIntegration>()
        .delete(NAME, &Default::default())
        .await
        .unwrap();
    let started = tokio::time::Instant::now();
    while !world.matches().await.is_empty() {
        assert!(started.elapsed().as_secs() < 60, "the matches are not collected");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(world.writes(), Vec::<String>::new());
    let after: Vec<_> = world.insightful.snapshot().employees().cloned().collect();
    assert_eq!(after, before);
}
