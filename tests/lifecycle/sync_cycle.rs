//! Stay in step, at next to no cost: what a cycle reads and writes, and what
//! survives a restart.

use std::{path::Path, time::Duration};

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, WatchEvent, WatchParams},
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

use crate::world::{NAME, World, integration, open_guard, start};

const USERS: &str = "/api/v1/users";
const GROUPS: &str = "/api/v1/groups";

/// Long enough that nothing but a restart or somebody's word causes a sync.
const HOURLY: &str = "1h";

/// Acme in step, syncing every second.
async fn every_second() -> World {
    let world = World::in_sync().await;
    world.patch(json!({ "sync": { "interval": "1s" } })).await;
    world.wait_for_phase(Phase::InSync).await;
    world
}

/// The paths that Okta was asked for since the last look.
fn okta_calls(world: &World) -> Vec<String> {
    let entries = world.okta.journal().entries();
    world.okta.journal().clear();
    entries.into_iter().map(|entry| entry.path).collect()
}

/// Waits until that many cycles have begun from now on.
async fn cycles(world: &World, count: usize) {
    world.okta.journal().clear();
    let begun = world.okta.journal().wait_until(
        |entries| entries.iter().filter(|entry| entry.path == GROUPS).count() >= count,
        Duration::from_secs(60),
    );
    begun.await.unwrap();
}

/// Starts the world's operator anew, keeping its state in `dir`.
async fn restart(world: &mut World, dir: &Path) {
    world.stop_operator().await;
    let dir = dir.to_str().unwrap();
    let operator = start(world.plane, &[&world.namespace], &["--state-dir", dir]).await;
    world.operator = Some(operator);
}

/// Waits until the users, the groups and each group's members have been read.
async fn everything_is_read(world: &World) {
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
async fn an_idle_cycle_is_five_calls_and_at_most_one_status() {
    let world = every_second().await;
    cycles(&world, 2).await;
    let integrations: Api<OktaIntegration> = world.api();
    let matches: Api<EmployeeMatch> = world.api();
    let params = WatchParams::default();
    let since = |list: Option<String>| list.unwrap();
    let integration_version = since(
        integrations
            .list(&Default::default())
            .await
            .unwrap()
            .metadata
            .resource_version,
    );
    let match_version = since(
        matches
            .list(&Default::default())
            .await
            .unwrap()
            .metadata
            .resource_version,
    );
    let mut statuses = integrations
        .watch(&params, &integration_version)
        .await
        .unwrap()
        .boxed();
    let mut written = matches.watch(&params, &match_version).await.unwrap().boxed();

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
    // The first status may tell of a cycle that began before, and a sixth cycle may have begun.
    let cycles = of(USERS);
    assert!((4..=6).contains(&cycles), "{cycles} cycles");
    assert_eq!(
        of(USERS) + of(GROUPS),
        okta.len(),
        "nothing else is asked of Okta"
    );
    assert!(cycles.abs_diff(of(GROUPS)) <= 1);
    let of_insightful = insightful.len();
    assert!(
        of_insightful.abs_diff(3 * cycles) <= 3,
        "three of Insightful for each of {cycles}: {of_insightful}"
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
    assert_eq!(synced.len(), 5, "one status for a sync");
    let full = |integration: &OktaIntegration| integration.status.clone().unwrap().last_full_sync_time;
    assert_eq!(full(&seen[0]), full(&seen[4]));
    assert_eq!(world.writes(), Vec::<String>::new());
    let none = tokio::time::timeout(Duration::from_millis(10), written.try_next()).await;
    assert!(none.is_err(), "no EmployeeMatch is written: {none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_flows_on_with_the_calls_that_it_takes() {
    let world = every_second().await;
    cycles(&world, 1).await;
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
    let told = |integration: &OktaIntegration| {
        let history = &integration.status.as_ref().unwrap().history;
        history.iter().any(|entry| entry.kind == SyncKind::Delta)
    };
    world.wait_for("what was applied in the history", told).await;
    assert_eq!(world.writes().len(), 2);
    // The two groups, and no other, were read for it.
    let mut members: Vec<String> = okta_calls(&world)
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
async fn what_no_delta_shows_is_found_when_everything_is_read_and_switches_nobody_off() {
    let world = every_second().await;
    world.okta.edit(|org| {
        org.delete_user("jane.doe");
        org.rename_group("Support", "Support");
    });
    world.insightful.journal().clear();
    cycles(&world, 3).await;
    let status = world.status().await;
    assert!(status.teams.iter().any(|team| team.name == "Support"));

    let status = world.sync().await;
    let support = status.teams.iter().find(|team| team.name == "Support").unwrap();
    assert!(support.group_missing && support.team_id.is_some(), "{support:?}");
    let name = okta_insightful_operator::api::match_name(NAME, world.company.user("jane.doe"));
    let jane = &world.matches().await[&name];
    assert_eq!(jane.status.as_ref().unwrap().state, Some(MatchState::OutOfScope));
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_from_what_was_kept_and_trusts_nothing_odd() {
    let state = tempfile::tempdir().unwrap();
    let mut world = World::prepared().await;
    restart(&mut world, state.path()).await;
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": HOURLY });
    world.activate(spec).await;
    world.wait_for_phase(Phase::Review).await;
    world.finish().await;
    let uid = world.integration().await.uid().unwrap();
    let kept = state.path().join(format!("{uid}.json"));
    assert!(kept.exists());
    assert!(
        !std::fs::read_to_string(&kept)
            .unwrap()
            .contains(world.okta.token())
    );

    // What changed meanwhile, and only that, is read.
    world.stop_operator().await;
    world.okta.edit(|org| org.rename_user("jane.doe", "Jane", "Roe"));
    let full = world.status().await.last_full_sync_time;
    okta_calls(&world);
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
    let mut calls = okta_calls(&world);
    calls.sort();
    assert_eq!(calls, [GROUPS, USERS]);
    assert_eq!(world.status().await.last_full_sync_time, full);
    let jane = world.company.employee("jane.doe");
    assert_eq!(world.insightful.snapshot().employee(jane)["name"], "Jane Roe");

    // A broken file is as good as none.
    let bytes = std::fs::read(&kept).unwrap();
    std::fs::write(&kept, &bytes[..bytes.len() / 2]).unwrap();
    world.stop_operator().await;
    okta_calls(&world);
    restart(&mut world, state.path()).await;
    everything_is_read(&world).await;
    let operator = world.operator.as_ref().unwrap();
    assert!(world.log_of(operator).contains("everything is read"));

    // Another prefix, another scope: what was kept says nothing.
    world.stop_operator().await;
    world.patch(json!({ "okta": { "people": "Everyone" } })).await;
    okta_calls(&world);
    restart(&mut world, state.path()).await;
    everything_is_read(&world).await;

    // What is kept of an integration that is no more is removed.
    let api: Api<OktaIntegration> = world.api();
    api.delete(NAME, &DeleteParams::default()).await.unwrap();
    restart(&mut world, state.path()).await;
    let started = tokio::time::Instant::now();
    while kept.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{}",
            world.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_waits_for_the_limit_says_until_when() {
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
async fn an_apply_that_waits_for_the_limit_says_until_when_and_when_it_ends() {
    let world = World::prepared_with(Company::generate(300, 7), okta::Settings::default()).await;
    let mut spec = open_guard();
    spec["sync"] = json!({ "interval": HOURLY });
    world.activate(spec).await;
    let status = world.wait_for_phase(Phase::Review).await;
    let writes = status.plan.unwrap().total;
    assert!(
        (210..390).contains(&writes),
        "more than a minute's, less than two: {writes}"
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
async fn two_integrations_of_one_org_stay_within_the_share_together() {
    let mut settings = okta::Settings {
        max_page: Some(20),
        ..okta::Settings::default()
    };
    // Four pages of users each, and six calls in a window for both.
    settings.limits.users = 12;
    settings.limits.token_percent = 100;
    settings.limits.window_seconds = 5;
    let world = World::prepared_with(Company::acme(), settings).await;
    let api: Api<OktaIntegration> = world.api();
    world.activate(json!({})).await;
    let second = integration("second", &world.okta.url(), &world.insightful.url(), json!({}));
    api.patch("second", &PatchParams::apply("admin"), &Patch::Apply(second))
        .await
        .unwrap();
    for name in [NAME, "second"] {
        let started = tokio::time::Instant::now();
        while api.get(name).await.unwrap().status.unwrap_or_default().phase != Some(Phase::Review) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{}",
                world.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let calls = world.okta.journal().entries();
    assert!(calls.iter().all(|entry| entry.status == Some(200)), "no 429");
    assert_eq!(calls.iter().filter(|entry| entry.path == USERS).count(), 8);
    assert!(world.okta.most_used(okta::Bucket::Users).0 <= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_interval_shows_until_a_sync_is_good_again() {
    let world = every_second().await;
    let down = world.okta.faults().always(Match::any(), Kind::Status(401, None));
    let message = world
        .wait_for_condition(conditions::SYNC_LATE, "True", "IntervalMissed")
        .await;
    assert!(message.contains("more than two intervals ago"), "{message}");
    down.remove();
    world.request_sync().await;
    world
        .wait_for("a good sync", |integration| {
            let status = integration.status.clone().unwrap_or_default();
            conditions::find(&status.conditions, conditions::SYNC_LATE).is_none()
        })
        .await;
    world
        .wait_for_condition(conditions::READY, "True", "InSync")
        .await;
}
