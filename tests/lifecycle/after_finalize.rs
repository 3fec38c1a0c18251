//! After finalizing: changes in Okta are applied; matches are undone and made again.

use okta_insightful_operator::api::{
    CycleResult, Field, MatchState, OktaIntegrationStatus, Phase, conditions,
};
use sandbox::{
    faults::{Kind, Match},
    insightful::Account,
};
use serde_json::json;

use crate::world::{World, open_guard, validation_error};

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_and_a_new_email_update_the_same_employee() {
    let world = World::in_sync().await;
    let jane = world.company.employee("jane.doe").to_owned();
    let employees = world.insightful.snapshot().employees().count();
    world.okta.edit(|org| {
        org.rename_user("jane.doe", "Jane", "Smith-Doe");
        org.set_email("jane.doe", "jane.smith@acme.com");
    });
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{jane} 200")]);
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&jane)["name"], "Jane Smith-Doe");
    assert_eq!(account.employee(&jane)["email"], "jane.smith@acme.com");
    assert_eq!(account.employees().count(), employees, "no second employee");
    let before = world.match_status("jane.doe").await.applied.unwrap().fields;
    assert!(
        before
            .iter()
            .any(|field| field.before.as_deref() == Some("jane.doe@acme.com"))
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmatching_restores_the_replaced_values() {
    let world = World::in_review(open_guard()).await;
    let anna = world.company.employee("anna.becker").to_owned();
    world.decide_match("anna.becker", &[&anna]).await;
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    world.finalize().await;
    assert_eq!(
        world.insightful.snapshot().employee(&anna)["name"],
        "Anna Schneider"
    );

    // A value that somebody else wrote is not restored.
    world
        .insightful
        .edit(|account| account.set_email(&anna, "anna@acme.com"));
    world.insightful.journal().clear();
    world
        .decide("anna.becker", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    world.wait_until_unmatched("anna.becker").await;
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{anna} 200")]);
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&anna)["name"], "Anna Becker");
    assert_eq!(account.employee(&anna)["email"], "anna@acme.com");
    world.wait_for_event("Unmatched").await;
    assert_eq!(world.state("anna.becker").await, MatchState::Ignored);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_limited_or_refused_is_retried() {
    let world = World::in_review(open_guard()).await;
    let before = world.insightful.snapshot();
    world.finalize().await;
    let ignore = json!({ "decision": "Ignore" });

    // The operator waits for a rate limit.
    let mona = world.company.employee("mona.idris").to_owned();
    let requests = Match::put(&format!("/api/v1/employee/{mona}"));
    let limit = world.insightful.faults().once(requests, Kind::RateLimited);
    world.decide("mona.idris", ignore.clone()).await;
    world.wait_until_unmatched("mona.idris").await;
    assert_eq!(limit.hits(), 1);
    let team_of = |account: &Account, employee: &str| account.employee(employee)["teamId"].clone();
    assert_eq!(
        team_of(&world.insightful.snapshot(), &mona),
        team_of(&before, &mona)
    );
    world.wait_for_phase(Phase::InSync).await;

    // A refused restore is retried and has one entry in the history.
    let pia = world.company.employee("pia.hofer").to_owned();
    let applied = world.match_status("pia.hofer").await.applied.unwrap();
    let requests = Match::put(&format!("/api/v1/employee/{pia}"));
    let faults = world.insightful.faults();
    let fault = faults.always(requests, Kind::Status(422, Some(validation_error("teamId"))));
    world.decide("pia.hofer", ignore).await;
    let status = world
        .wait_for_match("pia.hofer", "the refused restore", |status| {
            conditions::find(&status.conditions, conditions::READY).is_some_and(|ready| {
                ready.reason == "WriteRefused" && ready.message.contains("has an invalid value")
            })
        })
        .await;
    assert_eq!(
        status.applied.map(|applied| applied.fields),
        Some(applied.fields),
        "the values to restore stay recorded"
    );
    let cycles = |status: &OktaIntegrationStatus| -> Vec<CycleResult> {
        status.history.iter().map(|entry| entry.result).collect()
    };
    let failed = world
        .wait_for("the refused restore in the history", |integration| {
            let status = integration.status.as_ref();
            status.is_some_and(|status| cycles(status).first() == Some(&CycleResult::PartlyApplied))
        })
        .await;
    let expected = cycles(&failed.status.unwrap());
    let attempts = fault.hits();
    world
        .wait_for("two more attempts", |_| fault.hits() >= attempts + 2)
        .await;
    assert_eq!(cycles(&world.status().await), expected);
    fault.remove();
    world.wait_until_unmatched("pia.hofer").await;
    let status = world.wait_for_phase(Phase::InSync).await;
    assert_eq!(cycles(&status)[0], CycleResult::Applied);
    assert_eq!(
        team_of(&world.insightful.snapshot(), &pia),
        team_of(&before, &pia)
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmatching_with_on_unmatch_keep_restores_nothing() {
    let mut spec = open_guard();
    spec["onUnmatch"] = json!("Keep");
    let world = World::in_review(spec).await;
    world.finalize().await;
    world.insightful.journal().clear();
    world.decide("mona.idris", json!({ "decision": "Ignore" })).await;
    world.wait_until_unmatched("mona.idris").await;
    assert_eq!(world.writes(), Vec::<String>::new());
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee("mona.idris@acme.com")["teamId"],
        account.team_id("Data Science")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_matched_to_another_employee() {
    let world = World::in_sync().await;
    let (tara, cody) = (
        world.company.employee("tara.moved").to_owned(),
        world.company.employee("cody.contractor").to_owned(),
    );
    let sales = world.company.team("Sales").to_owned();
    world.insightful.journal().clear();
    world
        .decide("tara.moved", json!({ "rejectedEmployeeIds": [tara] }))
        .await;
    world.wait_until_unmatched("tara.moved").await;
    assert_eq!(
        world.insightful.snapshot().employee(&tara)["teamId"],
        sales,
        "the former team is restored"
    );

    world
        .insightful
        .edit(|account| account.set_email(&tara, "tara.other@acme.com"));
    world.sync().await;
    world.decide_match("tara.moved", &[&cody]).await;
    world.wait_for_state("tara.moved", MatchState::Matched).await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&cody)["name"], "Tara Singh");
    assert_eq!(account.employee(&cody)["email"], "tara.moved@acme.com");
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matched_employee_can_be_reassigned_and_assigned_back() {
    let world = World::in_sync().await;
    let tara = world.company.employee("tara.moved").to_owned();
    // Nick has no employee; a decision gives him Tara's.
    world.decide_match("nick.newcomer", &[&tara]).await;
    world.wait_for_state("nick.newcomer", MatchState::Matched).await;
    world.wait_until_unmatched("tara.moved").await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&tara)["name"], "Nick Turner");
    assert_eq!(account.employee(&tara)["email"], "nick.newcomer@acme.com");

    world
        .decide(
            "nick.newcomer",
            json!({ "decision": "Ignore", "employeeIds": [] }),
        )
        .await;
    world.wait_until_unmatched("nick.newcomer").await;
    world.decide_match("tara.moved", &[&tara]).await;
    world
        .wait_for_match("tara.moved", "in force again", |status| {
            status
                .applied
                .as_ref()
                .is_some_and(|applied| applied.employee_ids == [tara.clone()])
                && status.changes.is_empty()
        })
        .await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&tara)["name"], "Tara Singh");
    assert_eq!(account.employee(&tara)["email"], "tara.moved@acme.com");
    assert_eq!(account.employee(&tara)["teamId"], account.team_id("Support"));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_group_keeps_its_team() {
    let world = World::in_sync().await;
    let support = world.company.team("Support").to_owned();
    world.insightful.journal().clear();
    world
        .okta
        .edit(|org| org.rename_group("Support", "OKTA_INSGRP_Customer Care"));
    let status = world.sync().await;
    let team = status
        .teams
        .iter()
        .find(|team| team.team_id.as_deref() == Some(&support))
        .unwrap();
    assert_eq!(team.name, "Support");
    assert!(team.message.as_ref().unwrap().contains("Customer Care"));
    assert_eq!(
        world.writes(),
        Vec::<String>::new(),
        "nobody is moved and no team is created"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_have_two_employees() {
    let world = World::in_sync().await;
    let (desktop, laptop) = (
        world.company.employee("dora.devices").to_owned(),
        world.company.employee("dora.laptop").to_owned(),
    );
    world.insightful.journal().clear();
    world.decide_match("dora.devices", &[&desktop, &laptop]).await;
    world
        .wait_for_match("dora.devices", "both employees", |status| {
            status
                .applied
                .as_ref()
                .is_some_and(|applied| applied.employee_ids.len() == 2)
                && status.changes.is_empty()
        })
        .await;
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{laptop} 200")]);
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee(&laptop)["email"],
        "dora.vogel@oldacme.io",
        "only the first employee gets the email"
    );
    assert_eq!(
        account.employee(&laptop)["teamId"],
        account.team_id("Engineering")
    );
    assert_eq!(account.title(&laptop), Some("Software Engineer"));

    world
        .okta
        .edit(|org| org.set_status("dora.devices", "DEPROVISIONED"));
    world.sync().await;
    world
        .wait_for_state("dora.devices", MatchState::Deactivated)
        .await;
    let account = world.insightful.snapshot();
    assert!(account.employee(&desktop)["deactivated"] != 0 && account.employee(&laptop)["deactivated"] != 0);
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_email_that_insightful_refuses_keeps_no_other_field_from_being_restored() {
    let world = World::in_review(open_guard()).await;
    let anna = world.company.employee("anna.becker").to_owned();
    // An address that Insightful accepts no more.
    world
        .insightful
        .edit(|account| account.set_email(&anna, "anna@acme"));
    world.sync().await;
    world.decide_match("anna.becker", &[&anna]).await;
    world.wait_for_state("anna.becker", MatchState::Proposed).await;
    world.finalize().await;
    let email = world.insightful.snapshot().employee(&anna)["email"].clone();
    assert_ne!(email, "anna@acme");

    world
        .decide("anna.becker", json!({ "decision": "Ignore", "employeeIds": [] }))
        .await;
    world.wait_until_unmatched("anna.becker").await;
    let account = world.insightful.snapshot();
    assert_eq!(account.employee(&anna)["name"], "Anna Becker");
    assert_eq!(account.employee(&anna)["email"], email);
    let unmatched = world.match_status("anna.becker").await.unmatched.unwrap();
    assert!(unmatched.restored.contains(&Field::Name), "{unmatched:?}");
    let of_email = unmatched
        .not_restored
        .iter()
        .find(|field| field.field == Field::Email);
    assert!(
        of_email.is_some_and(|field| field.reason.contains("Insightful refused")),
        "{unmatched:?}"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_insightful_stores_in_its_own_way_is_written_once() {
    let world = World::in_sync().await;
    let mona = world.company.employee("mona.idris").to_owned();
    world
        .insightful
        .configure(|settings| settings.normalize_names = true);
    world
        .okta
        .edit(|org| org.rename_user("mona.idris", "Mona", "McIdris"));
    world.insightful.journal().clear();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.writes(), [format!("PUT /api/v1/employee/{mona} 200")]);
    assert_eq!(
        world.insightful.snapshot().employee(&mona)["name"],
        "Mona Mcidris"
    );
    let status = world.match_status("mona.idris").await;
    let ready = conditions::find(&status.conditions, conditions::READY).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "InSync"));
    assert!(ready.message.contains("as \"Mona Mcidris\""), "{}", ready.message);
    world.idle_sync_writes_nothing().await;
}
