//! Blocker: what fails is said, harms nobody, and passes without a restart.

use kube::{ResourceExt, api::ListParams};
use okta_insightful_operator::api::{
    EmployeeMatch, MatchState, OktaIntegrationStatus, Phase, TeamState, conditions,
};
use sandbox::{
    company::Company,
    faults::{Fault, Kind, Match},
    okta,
};
use serde_json::json;

use crate::world::{World, open_guard};

const USERS: &str = "/api/v1/users";
const MEMBERS: &str = "/api/v1/groups/*/users";

/// A finished company whose Okta answers in pages of five.
async fn paged_and_in_sync() -> World {
    let paged = okta::Settings {
        max_page: Some(5),
        ..okta::Settings::default()
    };
    let world = World::prepared_with(Company::acme(), paged).await;
    world.activate(open_guard()).await;
    world.wait_for_phase(Phase::Review).await;
    world.finish().await;
    world.insightful.journal().clear();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_writes_nothing_and_says_why() {
    let world = paged_and_in_sync().await;
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
            let standing = world
                .okta
                .faults()
                .always(Match::get(path).after(2), fault.clone());
            // A change that must not be acted on while the read is not whole.
            world
                .okta
                .edit(|org| org.set_status("amir.haddad", "DEPROVISIONED"));
            world.request_sync().await;
            world
                .wait_for_condition(conditions::OKTA_CONNECTED, "False", reason)
                .await;
            assert_eq!(world.status().await.phase, Some(Phase::Failed));
            assert_eq!(world.writes(), Vec::<String>::new(), "{fault:?} on {path}");
            assert!(standing.hits() > 0);
            world.okta.edit(|org| org.set_status("amir.haddad", "ACTIVE"));
            standing.remove();
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
async fn an_empty_answer_deactivates_nobody_and_shows() {
    let world = paged_and_in_sync().await;
    let standing = world.okta.faults().always(Match::get(USERS), Kind::EmptyPage);
    world.request_sync().await;
    world
        .wait_for_condition(conditions::OKTA_CONNECTED, "False", "InvalidResponse")
        .await;
    standing.remove();
    world.sync().await;

    // No members at all is an answer that can be true; it moves nobody either.
    let standing = world.okta.faults().always(Match::get(MEMBERS), Kind::EmptyPage);
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "PeopleMissing")
        .await;
    assert!(message.contains("known people"), "{message}");
    assert_eq!(world.state("jane.doe").await, MatchState::OutOfScope);
    // The command that it gives lists them, Jane too.
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
    standing.remove();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_page_deactivates_nobody_and_shows() {
    let world = paged_and_in_sync().await;
    // A leaver whose record is on the page that does come, so that there is something to hold.
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    let standing = world
        .okta
        .faults()
        .always(Match::get(USERS).after(2), Kind::DroppedPage);
    world.request_sync().await;
    let message = world
        .wait_for_condition(conditions::HELD, "True", "PeopleMissing")
        .await;
    assert!(message.contains("known people"), "{message}");
    assert_eq!(world.writes(), Vec::<String>::new());
    standing.remove();
    world.sync().await;
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(
        world.writes().len(),
        1,
        "Jane's new name, once the answer is whole"
    );
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_stalls_until_the_secret_is_mended() {
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
async fn a_missing_secret_stalls_until_it_is_there() {
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
async fn a_read_token_lets_everything_be_seen_and_nothing_be_written() {
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
async fn one_persons_trouble_is_their_own() {
    let world = World::in_review(open_guard()).await;
    let jane = world.company.employee("jane.doe").to_owned();
    let refusal = json!({ "type": "VALIDATION_ERROR", "message": "Parameters validation error!",
        "details": [{ "type": "string", "field": "title", "message": "The 'title' field is not liked!" }] });
    let path = format!("/api/v1/employee/{jane}");
    let standing = world
        .insightful
        .faults()
        .always(Match::put(&path), Kind::Status(422, Some(refusal)));
    world.patch(json!({ "finalized": true })).await;
    let status = world
        .wait_for_match("jane.doe", "the refusal", |status| {
            conditions::find(&status.conditions, conditions::READY)
                .is_some_and(|ready| ready.reason == "WriteRefused")
        })
        .await;
    assert!(
        status.conditions[0].message.contains("is not liked"),
        "{:?}",
        status.conditions
    );
    world
        .wait_for_condition(conditions::READY, "False", "WritesRefused")
        .await;
    assert_eq!(world.status().await.phase, Some(Phase::Failed), "not all is well");
    assert_eq!(
        world.state("amir.haddad").await,
        MatchState::Matched,
        "the others are written"
    );
    assert_eq!(
        world.status().await.people.unwrap().blocked,
        world.status().await.people.unwrap().review + world.status().await.people.unwrap().unmatched + 1
    );
    standing.remove();
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
async fn others_go_on_while_a_team_is_refused() {
    let world = World::in_review(open_guard()).await;
    let refusal = json!({ "type": "VALIDATION_ERROR", "message": "Parameters validation error!",
        "details": [{ "type": "string", "field": "name", "message": "The 'name' field is not liked!" }] });
    // Of the two new teams, the second: Marketing.
    let standing = world.insightful.faults().always(
        Match::post("/api/v1/team").after(1),
        Kind::Status(422, Some(refusal)),
    );
    world.patch(json!({ "finalized": true })).await;
    let members = ["pia.hofer", "quentin.blanc"];
    for handle in members {
        let status = world
            .wait_for_match(handle, "the missing team", |status| {
                conditions::find(&status.conditions, conditions::READY)
                    .is_some_and(|ready| ready.reason == "TeamMissing")
            })
            .await;
        let written = status.applied.unwrap().fields;
        assert!(written.is_empty(), "nothing of {handle} is written: {written:?}");
    }
    let status = world
        .wait_for("what the refusal says", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            conditions::find(&status.conditions, conditions::READY).is_some_and(|ready| {
                ready.message.contains("\"Marketing\"") && ready.message.contains("is not liked")
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
    assert_eq!(waiting, expected, "everybody else is written");
    let account = world.insightful.snapshot();
    assert_eq!(
        account.employee("mona.idris@acme.com")["teamId"],
        account.team_id("Data Science")
    );

    assert!(standing.hits() > 0);
    standing.remove();
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
async fn a_lost_answer_invites_nobody_twice() {
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
        let once = world
            .insightful
            .faults()
            .once(Match::post("/api/v1/employee"), fault.clone());
        world.patch(json!({ "finalized": true })).await;
        let status = world
            .wait_for_match("nick.newcomer", "the invitation", |status| {
                status.state == Some(MatchState::Matched) && status.changes.is_empty()
            })
            .await;
        assert_eq!(once.hits(), 1);
        assert!(
            status.applied.unwrap().created && status.pending.is_none(),
            "{fault:?}"
        );
        let effects = world.insightful.journal().writes();
        let invited = effects
            .iter()
            .filter(|entry| entry.method == "POST" && entry.path.ends_with("/employee") && entry.effect)
            .count();
        assert_eq!(invited, 1, "{fault:?}");
        assert_eq!(
            world.insightful.snapshot().title("nick.newcomer@acme.com"),
            Some("Account Executive")
        );
        world.wait_for_phase(Phase::InSync).await;
        world.idle_sync_writes_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_creates_no_team_twice() {
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
        "known to be ours"
    );
    world.idle_sync_writes_nothing().await;
}

/// Insightful's list of teams as it is now.
async fn list_of_teams(world: &World) -> serde_json::Value {
    let list = reqwest::Client::new()
        .get(format!("{}/team", world.insightful.url()))
        .bearer_auth(world.insightful.token())
        .send();
    list.await.unwrap().json().await.unwrap()
}

/// Insightful lists a team without employees nowhere else, and takes a name twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_the_new_team_creates_no_second_one() {
    let world = World::in_review(open_guard()).await;
    let before = list_of_teams(&world).await;
    let faults = world.insightful.faults();
    let lost = faults.once(Match::post("/api/v1/team"), Kind::CutAfter);
    world.patch(json!({ "finalized": true })).await;
    // All is read again a second after the answer was lost.
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
    let made = teams.iter().filter(|team| team["name"] == "Data Science");
    assert_eq!(made.count(), 1);
    world.idle_sync_writes_nothing().await;
}

/// The group is renamed meanwhile, so that nothing but the id on record tells that it has a team.
#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_a_team_on_record_create_no_second_one_and_unbind_none() {
    let world = World::in_sync().await;
    let before = list_of_teams(&world).await;
    let group = world.okta.edit(|org| org.add_group("OKTA_INSGRP_Newsroom"));
    let made = world.sync().await;
    let bound = |status: &OktaIntegrationStatus| {
        let team = status.teams.iter().find(|team| team.group_id == group);
        team.and_then(|team| team.team_id.clone())
    };
    assert!(bound(&made).is_some());
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
    assert!(message.contains(&bound(&made).unwrap()), "{message}");
    world.wait_for_phase(Phase::InSync).await;
    assert_eq!(stale.hits(), 3);
    assert_eq!(bound(&world.status().await), bound(&made));
    assert_eq!(world.writes(), written);

    // One that is really gone is made again.
    world.insightful.edit(|account| account.delete_team("Newsroom"));
    world.sync().await;
    let teams = world.insightful.snapshot().teams();
    assert!(teams.iter().any(|team| team["name"] == "Press"));
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_limit_of_insightful_is_waited_for() {
    let world = World::in_review(open_guard()).await;
    world
        .insightful
        .faults()
        .once(Match::put("/api/v1/employee/*").after(3), Kind::RateLimited);
    world.finish().await;
    world.idle_sync_writes_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_mostly_fails_is_broken_off_and_not_hammered() {
    let world = World::in_review(open_guard()).await;
    let standing = world
        .insightful
        .faults()
        .always(Match::put("/api/v1/employee/*"), Kind::Status(422, None));
    world.patch(json!({ "finalized": true })).await;
    let message = world
        .wait_for_condition(conditions::INSIGHTFUL_CONNECTED, "False", "TooManyFailures")
        .await;
    assert!(message.contains("writes failed"), "{message}");
    let first = standing.hits();
    assert!(first <= 10, "{first} of 38 were tried before it was broken off");
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(
        standing.hits() <= first * 4,
        "tried again with growing delays: {}",
        standing.hits()
    );
    assert_eq!(world.status().await.phase, Some(Phase::Failed));
    standing.remove();
    world.wait_for_phase(Phase::InSync).await;
    world.idle_sync_writes_nothing().await;
}
