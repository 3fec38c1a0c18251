//! Departed people are deactivated once and only on evidence from Okta. Suspending or
//! deleting the integration changes nothing in Insightful.

use std::{collections::BTreeMap, time::Duration};

use kube::api::{Patch, PatchParams};
use okta_insightful_operator::api::{EmployeeMatch, MatchState, OktaIntegration, Phase};
use serde_json::json;

use crate::world::{NAME, World, open_guard};

#[tokio::test(flavor = "multi_thread")]
async fn a_departed_person_is_deactivated_once_after_a_read_by_id() {
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
        "the person is read by id"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_list_of_users_deactivates_nobody() {
    let world = World::in_sync().await;
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    // The list still shows DEPROVISIONED, the record of the user does not.
    world
        .okta
        .configure(|settings| settings.lag = Duration::from_secs(20));
    world.okta.edit(|org| org.set_status("amir.haddad", "ACTIVE"));
    world.insightful.journal().clear();
    world.sync().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
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
async fn nobody_is_deactivated_whose_account_is_being_reactivated() {
    let world = World::in_sync().await;
    world.okta.edit(|org| {
        org.set_status("amir.haddad", "DEPROVISIONED");
        org.begin_reactivation("amir.haddad");
    });
    world.insightful.journal().clear();
    world.sync().await;
    let status = world
        .wait_for_reason("amir.haddad", "DepartureNotConfirmed")
        .await;
    let message = &status.conditions[0].message;
    assert!(message.contains("from DEPROVISIONED to PROVISIONED"), "{message}");
    assert_eq!(world.writes(), Vec::<String>::new());
    // The reason stays, and the retries grow apart.
    world.okta.journal().clear();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(world.reason("amir.haddad").await, "DepartureNotConfirmed");
    let by_id = format!("/api/v1/users/{}", world.company.user("amir.haddad"));
    let asked = world.okta.journal().entries().into_iter();
    let asked = asked.filter(|entry| entry.path == by_id).count();
    assert!(asked <= 3, "{asked}");
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "PROVISIONED"));
    world.sync().await;
    world.wait_for_state("amir.haddad", MatchState::Matched).await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_invited_whom_a_record_read_by_id_shows_as_departed() {
    let world = World::in_sync().await;
    // The list still shows ACTIVE.
    world
        .okta
        .configure(|settings| settings.lag = Duration::from_secs(600));
    world.okta.edit(|org| {
        org.set_status("nick.newcomer", "DEPROVISIONED");
        org.begin_reactivation("nick.newcomer");
    });
    world.insightful.journal().clear();
    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    let status = world
        .wait_for_reason("nick.newcomer", "InvitationNotConfirmed")
        .await;
    let message = &status.conditions[0].message;
    assert!(message.contains("has the status DEPROVISIONED"), "{message}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.reason("nick.newcomer").await, "InvitationNotConfirmed");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_is_not_evidence() {
    let world = World::in_sync().await;
    world.okta.edit(|org| {
        org.delete_user("jane.doe");
        org.remove_member("Engineering", "amir.haddad");
        org.delete_group("Marketing");
        org.rename_group("Support", "Support, not a team");
    });
    world.insightful.journal().clear();
    // Okta no longer has the id, so the name of the match comes from the company's data.
    let name = okta_insightful_operator::api::match_name(NAME, world.company.user("jane.doe"));
    world.sync().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let jane = world.matches().await.remove(&name).unwrap().status.unwrap();
    assert_eq!(jane.state, Some(MatchState::Review));
    assert_eq!(
        jane.person.unwrap().name,
        "Jane Doe",
        "the name of the person stays"
    );
    assert_eq!(jane.conditions[0].reason, "DeletedInOkta");
    for handle in ["amir.haddad", "pia.hofer", "jonas.berg"] {
        assert_eq!(
            (world.state(handle).await, world.reason(handle).await.as_str()),
            (MatchState::OutOfScope, "NotInTeamGroup"),
            "{handle}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_takes_over_the_employee_of_the_former_one() {
    let world = World::in_sync().await;
    let amir = world.company.employee("amir.haddad").to_owned();
    let employees = world.insightful.snapshot().employees().count();
    let blocked = world.status().await.people.unwrap().blocked;
    world.okta.edit(|org| {
        org.set_status("amir.haddad", "DEPROVISIONED");
        let new = org.add_user("amir.haddad.2", "Amir", "Haddad");
        org.set_email(&new, "amir.haddad@acme.com");
        org.add_member("Engineering", &new);
    });
    world.insightful.journal().clear();
    world.sync().await;
    let new = world.wait_for_state("amir.haddad.2", MatchState::Matched).await;
    assert_eq!(new.applied.unwrap().employee_ids, [amir.as_str()]);
    world.wait_until_unmatched("amir.haddad").await;
    world
        .wait_for_reason("amir.haddad", "DepartedWithoutEmployee")
        .await;
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(status.people.unwrap().blocked, blocked);
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&amir)["deactivated"], 0, "{:?}", world.writes());
    assert_eq!(account.employees().count(), employees, "nobody is invited");
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_handed_on_is_neither_deactivated_nor_overwritten() {
    let mut spec = open_guard();
    spec["matching"] = json!({ "unmatched": "Create" });
    let world = World::in_review(spec).await;
    world.finalize().await;
    let (jane, amir) = (
        world.company.employee("jane.doe"),
        world.company.employee("amir.haddad"),
    );
    // Computers are handed on, and an admin edits their records in Insightful.
    for (employee, handle, first, last) in [
        (jane, "nora.neu", "Nora", "Neu"),
        (amir, "otto.alt", "Otto", "Alt"),
    ] {
        world.okta.edit(|org| {
            let new = org.add_user(handle, first, last);
            org.add_member("Engineering", &new);
        });
        world.insightful.edit(|account| {
            account.rename_employee(employee, &format!("{first} {last}"));
            account.set_email(employee, &format!("{handle}@acme.com"));
        });
    }
    world
        .okta
        .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
    world.insightful.journal().clear();
    world.sync().await;
    for (holder, other, name) in [
        ("jane.doe", "nora.neu", "Nora Neu"),
        ("amir.haddad", "otto.alt", "Otto Alt"),
    ] {
        let status = world.wait_for_reason(holder, "EmployeeHandedOn").await;
        assert!(status.conditions[0].message.contains(name), "{status:?}");
        let offered = world
            .wait_for_state(other, MatchState::Review)
            .await
            .proposal
            .unwrap();
        assert_eq!(offered.candidates[0].name, name);
    }
    assert_eq!(world.writes(), Vec::<String>::new());

    world.decide_match("nora.neu", &[jane]).await;
    world.decide_match("otto.alt", &[amir]).await;
    for person in ["jane.doe", "amir.haddad"] {
        world.wait_until_unmatched(person).await;
    }
    world.wait_for_state("otto.alt", MatchState::Matched).await;
    for (employee, name) in [(jane, "Nora Neu"), (amir, "Otto Alt")] {
        let account = world.insightful.snapshot();
        let record = account.employee(employee);
        assert_eq!(
            (&record["name"], &record["deactivated"]),
            (&json!(name), &json!(0))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_was_deleted_in_okta_is_deactivated_only_by_decision() {
    let world = World::in_sync().await;
    let amir = world.company.employee("amir.haddad");
    let (id, name) = (world.company.user("amir.haddad"), world.match_name("amir.haddad"));
    world.okta.edit(|org| {
        org.set_status("amir.haddad", "DEPROVISIONED");
        org.purge_user("amir.haddad");
    });
    world.insightful.journal().clear();
    world.okta.journal().clear();
    let reads_by_id = || {
        let entries = world.okta.journal().entries();
        entries
            .iter()
            .filter(|entry| entry.path == format!("/api/v1/users/{id}"))
            .count()
    };
    for _ in 0..2 {
        world.sync().await;
        let status = world.matches().await.remove(&name).unwrap().status.unwrap();
        let reason = status.conditions[0].reason.as_str();
        assert_eq!(
            (status.state, reason),
            (Some(MatchState::Review), "DeletedInOkta")
        );
        assert_eq!(reads_by_id(), 1, "Okta is asked once");
    }
    assert_eq!(world.writes(), Vec::<String>::new());

    let deactivate = json!({ "spec": { "decision": "Deactivate" } });
    // Somebody who works here is not deactivated, whatever the decision.
    for name in [&name, &world.match_name("pia.hofer")] {
        let api = world.api::<EmployeeMatch>();
        api.patch(name, &PatchParams::default(), &Patch::Merge(&deactivate))
            .await
            .unwrap();
    }
    world.wait_for_reason("pia.hofer", "StillEmployed").await;
    let states = || async { world.matches().await.remove(&name).unwrap().status.unwrap().state };
    world
        .poll("the deactivation", states, |state| {
            *state == Some(MatchState::Deactivated)
        })
        .await;
    assert_eq!(
        world.writes(),
        [format!("GET /api/v1/employee/deactivate/{amir} 200")]
    );
    assert_eq!(reads_by_id(), 2, "and once more right before the deactivation");
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_disappears_and_returns_keeps_its_team_and_moves_nobody() {
    let world = World::in_sync().await;
    // The team keeps its name, so only the id of the group identifies it.
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
        .edit(|org| org.rename_group("Science", "Science, not a team"));
    let status = world.sync().await;
    assert_eq!(
        status.phase,
        Some(Phase::InSync),
        "too few people are missing to hold the plan"
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
            .contains("its group is missing in Okta's last response")
    );

    world
        .okta
        .edit(|org| org.rename_group("Science, not a team", "OKTA_INSGRP_Science"));
    let status = world.sync().await;
    assert_eq!(status.phase, Some(Phase::InSync));
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.insightful.snapshot().teams().len(), teams);
    assert_eq!(world.state("olga.sorokina").await, MatchState::Matched);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_people_are_kept_by_default_and_deactivated_on_request() {
    let mut spec = open_guard();
    spec["okta"] = json!({ "suspended": "Deactivate" });
    let world = World::in_review(spec).await;
    world.finalize().await;
    assert_eq!(world.state("sam.suspended").await, MatchState::Deactivated);
    assert_ne!(
        world.insightful.snapshot().employee("sam.suspended@acme.com")["deactivated"],
        0
    );

    let world = World::in_sync().await;
    assert_eq!(
        world.state("sam.suspended").await,
        MatchState::Matched,
        "the default is Keep"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returning_person_waits_for_a_manual_reactivation() {
    let world = World::in_sync().await;
    world.okta.edit(|org| org.set_status("lena.leaver", "ACTIVE"));
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_state("lena.leaver", MatchState::Review).await;
    assert_eq!(world.reason("lena.leaver").await, "EmployeeDeactivated");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_integration_makes_no_calls_until_it_is_resumed() {
    let world = World::in_sync().await;
    world.patch(json!({ "suspend": true })).await;
    world.wait_for_phase(Phase::Suspended).await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.okta.journal().clear();
    world.insightful.journal().clear();
    world.request_sync().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
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
async fn deleting_an_integration_deletes_its_matches_and_changes_nothing_in_insightful() {
    let world = World::in_sync().await;
    let before: Vec<_> = world.insightful.snapshot().employees().cloned().collect();
    world.insightful.journal().clear();
    world
        .api::<OktaIntegration>()
        .delete(NAME, &Default::default())
        .await
        .unwrap();
    world
        .poll(
            "the deletion of the matches",
            || world.matches(),
            BTreeMap::is_empty,
        )
        .await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let after: Vec<_> = world.insightful.snapshot().employees().cloned().collect();
    assert_eq!(after, before);
}
