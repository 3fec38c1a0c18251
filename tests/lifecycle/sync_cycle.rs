//! Periodic syncs: the calls and writes of a cycle, delta syncs, rate limits, and
//! the state that survives a restart.

use std::{path::Path, time::Duration};

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, WatchEvent, WatchParams},
};
use okta_insightful_operator::api::{
    EmployeeMatch, MatchState, OktaIntegration, Phase, Step, SyncKind, conditions,
};
use sandbox::{
    company::Company,
    faults::{Kind, Match},
    okta,
};
use serde_json::json;

use crate::world::{NAME, World, apply, integration, open_guard, start};

const USERS: &str = "/api/v1/users";
const GROUPS: &str = "/api/v1/groups";

/// Long enough that no sync starts without a request or a restart.
const LONG_INTERVAL: &str = "1h";

/// Acme in sync, with an interval of one second.
async fn syncing_every_second() -> World {
    let world = World::in_sync().await;
    world.patch(json!({ "sync": { "interval": "1s" } })).await;
    world.wait_for_phase(Phase::InSync).await;
    world
}

/// The paths requested from Okta since the last call of this function.
fn take_okta_calls(world: &World) -> Vec<String> {
    let entries = world.okta.journal().entries();
    world.okta.journal().clear();
    entries.into_iter().map(|entry| entry.path).collect()
}

/// Waits until `count` more cycles have begun.
async fn wait_for_cycles(world: &World, count: usize) {
    world.okta.journal().clear();
    let begun = world.okta.journal().wait_until(
        |entries| entries.iter().filter(|entry| entry.path == GROUPS).count() >= count,
        Duration::from_secs(60),
    );
    begun.await.unwrap();
}

/// Restarts the operator with `dir` as its state directory.
async fn restart(world: &mut World, dir: &Path) {
    world.stop_operator().await;
    let dir = dir.to_str().unwrap();
    let operator = start(world.plane, &[&world.namespace], &["--state-dir", dir]).await;
    world.operator = Some(operator);
}

/// Waits until a full sync has read the users and the members of every group.
async fn wait_for_full_sync(world: &World) {
    let read = world.okta.journal().wait_until(
        |entries| {
            entries
                .iter()
                .any(|entry| entry.param("search") == Some("status pr"))
                && entries
                    .iter()
                    .filter(|entry| entry.path.starts_with("/api/v1/groups/"))
                    .count()
                    == 5
        },
        Duration::from_secs(60),
    );
    read.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_cycle_makes_two_calls_and_at_most_one_status_update() {
    let world = syncing_every_second().await;
    wait_for_cycles(&world, 2).await;
    let integrations: Api<OktaIntegration> = world.api();
    let matches: Api<EmployeeMatch> = world.api();
    let params = WatchParams::default();
    let version = integrations.list(&ListParams::default()).await.unwrap().metadata;
    let version = version.resource_version.unwrap();
    let mut statuses = integrations.watch(&params, &version).await.unwrap().boxed();
    let version = matches.list(&ListParams::default()).await.unwrap().metadata;
    let version = version.resource_version.unwrap();
    let mut written = matches.watch(&params, &version).await.unwrap().boxed();

    world.okta.journal().clear();
    world.insightful.journal().clear();
    let mut seen = Vec::new();
    while seen.len() < 5 {
        match statuses.try_next().await.unwrap() {
            Some(WatchEvent::Modified(integration)) => seen.push(integration),
            other => panic!("{other:?}"),
        }
    }
    let okta = world.okta.journal().entries();
    let insightful = world.insightful.journal().entries();
    let of = |path: &str| okta.iter().filter(|entry| entry.path == path).count();
    // The first status may be of an earlier cycle, and a sixth cycle may have begun.
    let cycles = of(USERS);
    assert!((4..=6).contains(&cycles), "{cycles} cycles");
    assert_eq!(of(USERS) + of(GROUPS), okta.len(), "no other calls to Okta");
    assert!(cycles.abs_diff(of(GROUPS)) <= 1);
    assert!(
        insightful.len() <= 3,
        "at most one read of Insightful in {cycles} cycles: {insightful:?}"
    );
    for entry in okta.iter().filter(|entry| entry.path == USERS) {
        assert!(entry.param("search").unwrap().starts_with("lastUpdated gt "));
    }
    let mut synced: Vec<_> = seen
        .iter()
        .map(|integration| {
            integration
                .status
                .as_ref()
                .unwrap()
                .last_sync_time
                .clone()
                .unwrap()
                .0
        })
        .collect();
    synced.dedup();
    assert_eq!(synced.len(), 5, "one status update for each sync");
    let full = |integration: &OktaIntegration| integration.status.clone().unwrap().last_full_sync_time;
    assert_eq!(full(&seen[0]), full(&seen[4]));
    assert_eq!(world.writes(), Vec::<String>::new());
    let none = tokio::time::timeout(Duration::from_millis(10), written.try_next()).await;
    assert!(none.is_err(), "no EmployeeMatch is written: {none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_insightful_is_noticed_while_okta_is_idle() {
    let world = syncing_every_second().await;
    wait_for_cycles(&world, 2).await;
    let jane = world.company.employee("jane.doe").to_owned();
    world.insightful.journal().clear();
    world
        .insightful
        .edit(|account| account.employees.get_mut(&jane).unwrap()["name"] = json!("J."));
    world
        .wait_for("the name of Okta", |_| {
            world.insightful.snapshot().employee(&jane)["name"] == "Jane Doe"
        })
        .await;
    assert_eq!(world.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_applied_with_the_fewest_calls() {
    let world = syncing_every_second().await;
    wait_for_cycles(&world, 1).await;
    let sales = world.okta.snapshot().group_id("Sales");
    world.insightful.journal().clear();
    world.okta.edit(|org| {
        org.rename_user("jane.doe", "Jane", "Roe");
        org.remove_member("Engineering", "amir.haddad");
        org.add_member("Sales", "amir.haddad");
    });
    let (jane, amir) = (
        world.company.employee("jane.doe"),
        world.company.employee("amir.haddad"),
    );
    world
        .wait_for("the new name and team", |_| {
            let account = world.insightful.snapshot();
            account.employee(jane)["name"] == "Jane Roe"
                && account.employee(amir)["teamId"] == account.team_id("Sales")
        })
        .await;
    let has_delta = |integration: &OktaIntegration| {
        let history = &integration.status.as_ref().unwrap().history;
        history.iter().any(|entry| entry.kind == SyncKind::Delta)
    };
    world.wait_for("the apply in the history", has_delta).await;
    assert_eq!(world.writes().len(), 2);
    // Only the members of the two changed groups are read.
    let mut members: Vec<String> = take_okta_calls(&world)
        .into_iter()
        .filter(|path| path != USERS && path != GROUPS)
        .collect();
    members.sort();
    members.dedup();
    let engineering = world.okta.snapshot().group_id("Engineering");
    let mut expected = [sales, engineering].map(|id| format!("{GROUPS}/{id}/users"));
    expected.sort();
    assert_eq!(members, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_finds_deletions_and_deactivates_nobody() {
    let world = syncing_every_second().await;
    world.okta.edit(|org| {
        org.delete_user("jane.doe");
        org.rename_group("Support", "Support");
    });
    world.insightful.journal().clear();
    wait_for_cycles(&world, 3).await;
    let status = world.status().await;
    assert!(status.teams.iter().any(|team| team.name == "Support"));

    let status = world.sync().await;
    let support = status.teams.iter().find(|team| team.name == "Support").unwrap();
    assert!(support.group_missing && support.team_id.is_some(), "{support:?}");
    let name = okta_insightful_operator::api::match_name(NAME, world.company.user("jane.doe"));
    let jane = &world.matches().await[&name];
    assert_eq!(jane.status.as_ref().unwrap().state, Some(MatchState::Review));
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_uses_saved_state_only_if_it_is_valid() {
    let state = tempfile::tempdir().unwrap();
    let mut world = World::prepared().await;
    restart(&mut world, state.path()).await;
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": LONG_INTERVAL });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    world.finalize().await;
    let uid = world.integration().await.uid().unwrap();
    let saved = state.path().join(format!("{uid}.json"));
    assert!(saved.exists());
    assert!(
        !std::fs::read_to_string(&saved)
            .unwrap()
            .contains(world.okta.token())
    );

    // Only changes since the last sync are read.
    world.stop_operator().await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    let full = world.status().await.last_full_sync_time;
    take_okta_calls(&world);
    restart(&mut world, state.path()).await;
    world
        .wait_for("Jane's new name", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            status
                .history
                .first()
                .is_some_and(|entry| entry.kind == SyncKind::Delta)
        })
        .await;
    let mut calls = take_okta_calls(&world);
    calls.sort();
    assert_eq!(calls, [GROUPS, USERS]);
    assert_eq!(world.status().await.last_full_sync_time, full);
    let jane = world.company.employee("jane.doe");
    assert_eq!(world.insightful.snapshot().employee(jane)["name"], "Jane Roe");

    // A corrupt file causes a full sync.
    let bytes = std::fs::read(&saved).unwrap();
    std::fs::write(&saved, &bytes[..bytes.len() / 2]).unwrap();
    world.stop_operator().await;
    take_okta_calls(&world);
    restart(&mut world, state.path()).await;
    wait_for_full_sync(&world).await;
    let operator = world.operator.as_ref().unwrap();
    assert!(
        world
            .log_of(operator)
            .contains("the saved directory cannot be used: full sync")
    );

    // The saved state of another scope causes a full sync.
    world.stop_operator().await;
    world.patch(json!({ "okta": { "people": "Everyone" } })).await;
    take_okta_calls(&world);
    restart(&mut world, state.path()).await;
    wait_for_full_sync(&world).await;

    // The saved state of a deleted integration is removed.
    let api: Api<OktaIntegration> = world.api();
    api.delete(NAME, &DeleteParams::default()).await.unwrap();
    restart(&mut world, state.path()).await;
    world
        .poll(
            "the removal of the saved state",
            || async { saved.exists() },
            |exists| !exists,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waits_for_a_rate_limit_shows_until_when() {
    let mut settings = okta::Settings {
        max_page: Some(5),
        ..okta::Settings::default()
    };
    settings.limits.users = 12;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 5;
    let world = World::prepared_with(Company::acme(), settings).await;
    world.activate(json!({})).await;
    let integration = world
        .wait_for("the wait", |integration| {
            let status = integration.status.as_ref();
            status
                .and_then(|status| status.progress.as_ref())
                .is_some_and(|progress| progress.waiting_until.is_some())
        })
        .await;
    let progress = integration.status.unwrap().progress.unwrap();
    let until = progress.waiting_until.unwrap().0;
    assert!(until > jiff::Timestamp::now() - Duration::from_secs(5));
    let status = world.wait_for_phase(Phase::Review).await;
    assert_eq!(status.people.unwrap().total, 60);
    assert!(
        world
            .okta
            .journal()
            .entries()
            .iter()
            .all(|entry| entry.status == Some(200)),
        "no 429"
    );
    assert!(world.okta.most_used(okta::Bucket::Users).0 <= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_waits_for_a_rate_limit_shows_its_estimated_end() {
    let world = World::prepared_with(Company::generate(300, 7), okta::Settings::default()).await;
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": LONG_INTERVAL });
    world.activate(spec).await;
    let status = world.wait_for_phase(Phase::Review).await;
    let writes = status.plan.unwrap().total;
    assert!(
        (210..390).contains(&writes),
        "more writes than the limit of one minute, fewer than that of two: {writes}"
    );
    world.patch(json!({ "finalized": true })).await;
    let waiting = |integration: &OktaIntegration| {
        let progress = integration.status.clone()?.progress?;
        let (until, end) = (
            progress.waiting_until.clone()?.0,
            progress.estimated_end.clone()?.0,
        );
        Some((until, end, progress))
    };
    let integration = world
        .wait_for("the wait", |integration| waiting(integration).is_some())
        .await;
    let (until, end, progress) = waiting(&integration).unwrap();
    assert_eq!((progress.step, progress.total), (Step::Applying, Some(writes)));
    // The rest of the plan fits into the next minute.
    let now = jiff::Timestamp::now();
    assert!(
        until <= end && end <= now + Duration::from_secs(120),
        "{until} {end} {now}"
    );
    assert!(until <= now + Duration::from_secs(61), "{until} {now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_integrations_of_one_org_share_its_rate_limit() {
    let mut settings = okta::Settings {
        max_page: Some(20),
        ..okta::Settings::default()
    };
    // Each needs four pages of users; both together may make six calls in a window.
    settings.limits.users = 12;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 5;
    let world = World::prepared_with(Company::acme(), settings).await;
    let api: Api<OktaIntegration> = world.api();
    world.activate(json!({})).await;
    let second = integration("second", &world.okta.url(), &world.insightful.url(), json!({}));
    apply(&api, second).await;
    for name in [NAME, "second"] {
        world
            .poll(
                &format!("the review of {name}"),
                || async { api.get(name).await.unwrap() },
                |integration| {
                    let status = integration.status.as_ref();
                    status.is_some_and(|status| status.phase == Some(Phase::Review))
                },
            )
            .await;
    }
    let calls = world.okta.journal().entries();
    assert!(calls.iter().all(|entry| entry.status == Some(200)), "no 429");
    assert_eq!(calls.iter().filter(|entry| entry.path == USERS).count(), 8);
    assert!(world.okta.most_used(okta::Bucket::Users).0 <= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_interval_is_reported_until_a_sync_succeeds() {
    let world = syncing_every_second().await;
    let down = world.okta.faults().always(Match::any(), Kind::Status(401, None));
    let message = world
        .wait_for_condition(conditions::SYNC_LATE, "True", "IntervalMissed")
        .await;
    assert!(message.contains("more than two intervals ago"), "{message}");
    down.remove();
    world.request_sync().await;
    world
        .wait_for("a successful sync", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            conditions::find(&status.conditions, conditions::SYNC_LATE).is_none()
        })
        .await;
    world
        .wait_for_condition(conditions::READY, "True", "InSync")
        .await;
}
