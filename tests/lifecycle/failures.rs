//! Failures of both services: they are reported, cause no wrong write and need no restart to recover.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{ResourceExt, api::ListParams};
use okta_insightful_operator::api::{
    EmployeeMatch, EmployeeMatchStatus, MatchState, OktaIntegrationStatus, Phase, TeamState, conditions,
};
use sandbox::{
    company::Company,
    faults::{Fault, Kind, Match},
    okta,
};
use serde_json::{Value, json};

use crate::world::{LATE, OUTCOME_WAIT, World, open_guard, start_operator, validation_error};

const USERS: &str = "/api/v1/users";
const MEMBERS: &str = "/api/v1/groups/*/users";

/// Acme in sync, whose Okta answers in pages of five.
async fn in_sync_with_small_pages() -> World {
    let paged = okta::Settings {
        max_page: Some(5),
        ..okta::Settings::default()
    };
    let world = World::prepared_with(Company::acme(), paged).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    world.insightful.journal().clear();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_read_is_reported_and_writes_nothing() {
    let world = in_sync_with_small_pages().await;
    for (fault, reason) in [
        (Kind::Status(500, None), "Unavailable"),
        (Kind::BrokenJson, "InvalidResponse"),
        (Kind::CutBefore, "NoResponse"),
        (Kind::PaginationLoop, "PaginationLoop"),
        (
            Kind::CrossOriginPagination("https://evil.example.com/api/v1/users?after=x".into()),
            "CrossOriginPagination",
        ),
    ] {
        for path in [USERS, MEMBERS] {
            let active = world
                .okta
                .faults()
                .always(Match::get(path).after(2), fault.clone());
            // A departure that must not be applied while reads fail.
            world
                .okta
                .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
            world.request_sync().await;
            world
                .wait_for_condition(conditions::OKTA_CONNECTED, "False", reason)
                .await;
            assert_eq!(world.status().await.phase, Some(Phase::Failed));
            assert_eq!(world.writes(), Vec::<String>::new(), "{fault:?} on {path}");
            assert!(active.hits() > 0);
            world.okta.edit(|org| org.set_status("amir.haddad", "ACTIVE"));
            active.remove();
            world.sync().await;
            world
                .wait_for_condition(conditions::OKTA_CONNECTED, "True", "Connected")
                .await;
        }
    }
    assert_eq!(world.writes(), Vec::<String>::new());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_response_is_reported_and_deactivates_nobody() {
    let world = in_sync_with_small_pages().await;
    let active = world.okta.faults().always(Match::get(USERS), Kind::EmptyPage);
    world.request_sync().await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "NoUsers")
        .await;
    active.remove();
    world.sync().await;

    // A group without members is possible; nobody is moved either.
    let active = world.okta.faults().always(Match::get(MEMBERS), Kind::EmptyPage);
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "PeopleMissing")
        .await;
    assert!(message.contains("people with a match in force"), "{message}");
    assert_eq!(world.state("jane.doe").await, MatchState::OutOfScope);
    // The command in the message lists the missing people, Jane among them.
    let selector = message.split_once("--field-selector ").unwrap().1;
    let selector = selector.split_once(". ").unwrap().0;
    let api: kube::Api<EmployeeMatch> = world.api();
    let listed = api.list(&ListParams::default().fields(selector)).await.unwrap();
    let missing = message.split_once(" of ").unwrap().0.rsplit(' ').next().unwrap();
    assert!(
        listed.items.len() >= missing.parse::<usize>().unwrap(),
        "{message}"
    );
    assert!(
        listed
            .iter()
            .any(|object| object.name_any() == world.match_name("jane.doe"))
    );
    active.remove();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_page_hides_nobody_who_is_in_a_team_group() {
    let world = in_sync_with_small_pages().await;
    let before = world.status().await.people;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    let active = world
        .okta
        .faults()
        .always(Match::get(USERS).after(2), Kind::DroppedPage);
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert!(active.hits() > 0);
    assert_eq!(
        world.status().await.people,
        before,
        "their lists of members have them"
    );
    assert_eq!(world.writes().len(), 1, "Jane's new name");
    active.remove();
    world.idle_sync_writes_nothing().await;
    assert_eq!(world.status().await.people, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_stalls_until_the_secret_is_corrected() {
    let world = World::in_sync().await;
    for (secret, condition, right) in [
        ("okta", conditions::OKTA_CONNECTED, world.okta.token().to_owned()),
        (
            "insightful",
            conditions::INSIGHTFUL_CONNECTED,
            world.insightful.token().to_owned(),
        ),
    ] {
        world.write_secret(secret, "token", "a-wrong-token").await;
        world.request_sync().await;
        let message = world
            .wait_for_condition(conditions::STALLED, "True", "TokenRefused")
            .await;
        assert!(!message.contains("a-wrong-token"));
        world.wait_for_condition(condition, "False", "TokenRefused").await;
        world.write_secret(secret, "token", &right).await;
        world
            .wait_for_condition(conditions::STALLED, "False", "InSync")
            .await;
        world.wait_for_condition(condition, "True", "Connected").await;
    }
    assert!(!world.log_tail().contains("a-wrong-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_stalls_until_it_is_created() {
    let world = World::prepared().await;
    world
        .activate(json!({ "okta": { "auth": { "apiToken": { "secretRef": { "name": "later" } } } } }))
        .await;
    let message = world
        .wait_for_condition(conditions::STALLED, "True", "SecretNotFound")
        .await;
    assert!(message.contains("\"later\""), "{message}");
    world.write_secret("later", "wrong-key", world.okta.token()).await;
    world
        .wait_for_condition(conditions::STALLED, "True", "SecretKeyMissing")
        .await;
    world.write_secret("later", "token", world.okta.token()).await;
    world.wait_for_phase(Phase::Review).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_token_allows_reviews_and_no_apply() {
    let world = World::prepared().await;
    world.activate(open_guard()).await;
    let mut reader = String::new();
    world
        .insightful
        .configure(|settings| reader.clone_from(&settings.read_token));
    world.write_secret("insightful", "token", &reader).await;
    world.wait_for_phase(Phase::Review).await;
    world.sync().await;
    world.patch(json!({ "finalized": true })).await;
    let message = world
        .wait_for_condition(conditions::STALLED, "True", "NotPermitted")
        .await;
    assert!(message.contains("WRITE token"), "{message}");
    world
        .write_secret("insightful", "token", world.insightful.token())
        .await;
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_write_blocks_only_its_person() {
    let world = World::in_review(open_guard()).await;
    let jane = world.company.employee("jane.doe").to_owned();
    let path = format!("/api/v1/employee/{jane}");
    let active = world.insightful.faults().always(
        Match::put(&path),
        Kind::Status(422, Some(validation_error("title"))),
    );
    world.patch(json!({ "finalized": true })).await;
    let status = world.wait_for_reason("jane.doe", "WriteRefused").await;
    assert!(
        status.conditions[0].message.contains("has an invalid value"),
        "{:?}",
        status.conditions
    );
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    assert_eq!(
        world.status().await.phase,
        Some(Phase::Failed),
        "a write is refused"
    );
    assert_eq!(
        world.state("amir.haddad").await,
        MatchState::Matched,
        "the other people are written"
    );
    let people = world.status().await.people.unwrap();
    assert_eq!(people.blocked, people.review + people.unmatched + 1);
    active.remove();
    world.wait_for_phase(Phase::InSync).await;
    world
        .wait_for_condition(conditions::READY, "True", "InSync")
        .await;
    assert_eq!(
        world.insightful.snapshot().title(&jane),
        Some("Reliability Engineer")
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_team_blocks_only_its_members() {
    let world = World::in_review(open_guard()).await;
    // The second of the two new teams is Marketing.
    let active = world.insightful.faults().always(
        Match::post("/api/v1/team").after(1),
        Kind::Status(422, Some(validation_error("name"))),
    );
    world.patch(json!({ "finalized": true })).await;
    let members = ["pia.hofer", "quentin.blanc"];
    for handle in members {
        let status = world.wait_for_reason(handle, "TeamMissing").await;
        let written = status.applied.unwrap().fields;
        assert!(written.is_empty(), "{handle} is not written: {written:?}");
    }
    let status = world
        .wait_for("the message about the refused team", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            conditions::find(&status.conditions, conditions::READY).is_some_and(|ready| {
                ready.message.contains("\"Marketing\"") && ready.message.contains("has an invalid value")
            })
        })
        .await
        .status
        .unwrap();
    assert_eq!(status.phase, Some(Phase::Failed));
    let waiting: Vec<String> = world
        .matches()
        .await
        .into_iter()
        .filter(|(_, object)| object.status.as_ref().unwrap().change_count > 0)
        .map(|(name, _)| name)
        .collect();
    let mut expected = members.map(|handle| world.match_name(handle));
    expected.sort();
    assert_eq!(waiting, expected, "all others are written");
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee("mona.idris@acme.com")["teamId"],
        account.team_id("Data Science")
    );

    assert!(active.hits() > 0);
    active.remove();
    world.wait_for_phase(Phase::InSync).await;
    let account = world.insightful.snapshot();
    for handle in members {
        assert_eq!(world.state(handle).await, MatchState::Matched);
        let employee = world.company.employee(handle);
        assert_eq!(account.employee(employee)["teamId"], account.team_id("Marketing"));
    }
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_invites_nobody_twice() {
    for fault in [
        Kind::CutAfter,
        Kind::CutBefore,
        Kind::Status(503, None),
        Kind::BrokenJson,
    ] {
        let world = World::in_review(open_guard()).await;
        world
            .decide("nick.newcomer", json!({ "decision": "Create" }))
            .await;
        world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
        let fault_handle = world
            .insightful
            .faults()
            .once(Match::post("/api/v1/employee"), fault.clone());
        world.patch(json!({ "finalized": true })).await;
        let status = world
            .wait_for_match("nick.newcomer", "the invitation", |status| {
                status.state == Some(MatchState::Matched) && status.changes.is_empty()
            })
            .await;
        assert_eq!(fault_handle.hits(), 1);
        assert!(
            status.applied.unwrap().created && status.pending.is_none(),
            "{fault:?}"
        );
        let writes = world.insightful.journal().writes();
        let invitations = writes
            .iter()
            .filter(|entry| entry.method == "POST" && entry.path.ends_with("/employee") && entry.effect)
            .count();
        assert_eq!(invitations, 1, "{fault:?}");
        assert_eq!(
            world.insightful.snapshot().title("nick.newcomer@acme.com"),
            Some("Account Executive")
        );
        world.wait_for_phase(Phase::InSync).await;
        world.idle_sync_writes_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_creates_no_team_twice() {
    let world = World::in_review(open_guard()).await;
    world
        .insightful
        .faults()
        .once(Match::post("/api/v1/team"), Kind::CutAfter);
    world.patch(json!({ "finalized": true })).await;
    world.wait_for_phase(Phase::InSync).await;
    let teams = world.insightful.snapshot().teams();
    assert_eq!(
        teams.iter().filter(|team| team["name"] == "Data Science").count(),
        1
    );
    let status = world.status().await;
    let team = status
        .teams
        .iter()
        .find(|team| team.name == "Data Science")
        .unwrap();
    assert_eq!(
        (team.state, &team.pending),
        (TeamState::Created, &None),
        "the integration records it as created"
    );
    world.idle_sync_writes_nothing().await;
}

fn ready(object: &EmployeeMatch) -> &Condition {
    let conditions = &object.status.as_ref().unwrap().conditions;
    conditions::find(conditions, conditions::READY).unwrap()
}

/// A proxy gives up on the request while Insightful goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_effect_invites_nobody_twice_and_creates_no_team_twice() {
    let mut world = World::in_review(open_guard()).await;
    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    let faults = world.insightful.faults();
    for path in ["/api/v1/team", "/api/v1/employee"] {
        faults.once(Match::post(path), Kind::LateEffect(502, LATE));
    }
    world.patch(json!({ "finalized": true })).await;
    let unclear = world.wait_for_reason("nick.newcomer", "CreationUnclear").await;
    assert!(unclear.conditions[0].message.contains("it can take effect until"));
    // A restart forgets nothing, and a new email neither.
    world.stop_operator().await;
    let email = "nick.new@acme.com";
    world.okta.edit(|org| org.set_email("nick.newcomer", email));
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    world
        .wait_for_match("nick.newcomer", "the invitation", |status| {
            status.state == Some(MatchState::Matched) && status.changes.is_empty() && status.pending.is_none()
        })
        .await;
    world.wait_for_phase(Phase::InSync).await;
    let posts = |path: &str| {
        let writes = world.insightful.journal().writes();
        writes
            .iter()
            .filter(|entry| entry.method == "POST" && entry.path.ends_with(path))
            .count()
    };
    assert_eq!(posts("/employee"), 1);
    // The other new team was answered.
    assert_eq!(posts("/team"), 2);
    assert_eq!(world.insightful.snapshot().employee(email)["name"], "Nick Turner");
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_cannot_be_made_again_keeps_only_its_people_waiting() {
    let world = World::in_sync().await;
    let dead = world.insightful.snapshot().team_id("Support");
    let member = |status: &EmployeeMatchStatus| {
        status
            .person
            .as_ref()
            .is_some_and(|person| person.team.as_deref() == Some("Support"))
    };
    let matches = world.matches().await;
    let waiting = matches
        .values()
        .find(|object| object.status.as_ref().is_some_and(member))
        .unwrap();
    let waiting = waiting.name_any();
    let refuses = Kind::Status(422, Some(validation_error("name")));
    let refused = world
        .insightful
        .faults()
        .always(Match::post("/api/v1/team"), refuses);
    world.insightful.edit(|account| account.delete_team("Support"));
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    world.insightful.journal().clear();
    world.request_sync().await;
    let reason = || async { ready(&world.matches().await[&waiting]).reason.clone() };
    world
        .poll("TeamMissing", reason, |reason| reason == "TeamMissing")
        .await;
    let account = || async { world.insightful.snapshot().employee("jane.doe@acme.com")["name"].clone() };
    world
        .poll("the other writes", account, |name| name == "Jane Roe")
        .await;
    let writes = world.insightful.journal().writes();
    assert!(
        !writes.iter().any(|entry| entry
            .body
            .as_ref()
            .is_some_and(|body| body["teamId"] == dead.as_str())),
        "{writes:#?}"
    );
    refused.remove();
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_in_okta_since_the_sync_is_not_invited() {
    let world = World::in_review(open_guard()).await;
    world
        .decide("nick.newcomer", json!({ "decision": "Create" }))
        .await;
    world.wait_for_state("nick.newcomer", MatchState::Proposed).await;
    // No sync has seen this yet.
    world
        .okta
        .edit(|org| org.set_status("nick.newcomer", "DEPROVISIONED"));
    world.patch(json!({ "finalized": true })).await;
    world
        .wait_for_reason("nick.newcomer", "DepartedWithoutEmployee")
        .await;
    world.wait_for_phase(Phase::InSync).await;
    let writes = world.insightful.journal().writes();
    assert!(
        !writes
            .iter()
            .any(|entry| entry.method == "POST" && entry.path.ends_with("/employee"))
    );
}

/// Insightful's current list of teams.
async fn list_teams(world: &World) -> Value {
    let list = reqwest::Client::new()
        .get(format!("{}/team", world.insightful.url()))
        .bearer_auth(world.insightful.token())
        .send();
    list.await.unwrap().json().await.unwrap()
}

/// Only the list of teams shows a team without employees, and Insightful accepts duplicate names.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_team_list_creates_no_duplicate_of_a_new_team() {
    let world = World::in_review(open_guard()).await;
    // Only one team is new: the others' employees would show that the list is stale.
    world.insightful.edit(|account| account.add_team("Marketing"));
    world.sync().await;
    let before = list_teams(&world).await;
    let faults = world.insightful.faults();
    let lost = faults.once(Match::post("/api/v1/team"), Kind::CutAfter);
    faults.once(Match::put("/api/v1/employee/*"), Kind::DelayAnswer(OUTCOME_WAIT));
    world.patch(json!({ "finalized": true })).await;
    // By the next read the request can no longer take effect. The one after that is right before the creation.
    while lost.hits() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let stale = faults.once(Match::get("/api/v1/team"), Kind::Status(200, Some(before)));
    world
        .wait_for_condition(conditions::INSIGHTFUL_CONNECTED, "False", "InconsistentLists")
        .await;
    assert_eq!(stale.hits(), 1);
    world.wait_for_phase(Phase::InSync).await;
    let teams = world.insightful.snapshot().teams();
    let created = teams.iter().filter(|team| team["name"] == "Data Science");
    assert_eq!(created.count(), 1);
    world.idle_sync_writes_nothing().await;
}

/// The group is renamed, so that only the recorded id shows that it has a team.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_team_list_keeps_the_binding_of_a_known_team() {
    let world = World::in_sync().await;
    let before = list_teams(&world).await;
    let group = world.okta.edit(|org| org.add_group("OKTA_INSGRP_Newsroom"));
    let created = world.sync().await;
    let bound = |status: &OktaIntegrationStatus| {
        let team = status.teams.iter().find(|team| team.group_id == group);
        team.and_then(|team| team.team_id.clone())
    };
    assert!(bound(&created).is_some());
    let written = world.writes();

    world
        .okta
        .edit(|org| org.rename_group("OKTA_INSGRP_Newsroom", "OKTA_INSGRP_Press"));
    let stale = world.insightful.faults().add(Fault {
        on: Match::get("/api/v1/team"),
        kind: Kind::Status(200, Some(before)),
        times: Some(3),
    });
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::INSIGHTFUL_CONNECTED, "False", "InconsistentLists")
        .await;
    assert!(message.contains(&bound(&created).unwrap()), "{message}");
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(stale.hits(), 3);
    assert_eq!(bound(&world.status().await), bound(&created));
    assert_eq!(world.writes(), written);

    // A team that is deleted in Insightful is created again.
    world.insightful.edit(|account| account.delete_team("Newsroom"));
    world.sync().await;
    let teams = world.insightful.snapshot().teams();
    assert!(teams.iter().any(|team| team["name"] == "Press"));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_waits_for_insightfuls_rate_limit() {
    let world = World::in_review(open_guard()).await;
    world
        .insightful
        .faults()
        .once(Match::put("/api/v1/employee/*").after(3), Kind::RateLimited);
    world.finalize().await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_with_many_failures_is_aborted_and_retried_with_backoff() {
    let world = World::in_review(open_guard()).await;
    let active = world
        .insightful
        .faults()
        .always(Match::put("/api/v1/employee/*"), Kind::Status(422, None));
    world.patch(json!({ "finalized": true })).await;
    let message = world
        .wait_for_condition(conditions::INSIGHTFUL_CONNECTED, "False", "TooManyFailures")
        .await;
    assert!(message.contains("writes failed"), "{message}");
    let first = active.hits();
    assert!(
        first <= 10,
        "{first} of 38 writes were attempted before the abort"
    );
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(
        active.hits() <= first * 4,
        "retried without backoff: {} attempts",
        active.hits()
    );
    assert_eq!(world.status().await.phase, Some(Phase::Failed));
    active.remove();
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
}
