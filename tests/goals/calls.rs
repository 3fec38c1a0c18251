//! The number of calls of a full sync, of an idle cycle and of a cycle with changes.

use std::time::Duration;

use kube::{Api, ResourceExt};
use okta_insightful_operator::api::{EmployeeMatch, OktaIntegration, Phase};
use sandbox::{
    company::{Company, GROUP_PREFIX},
    journal::Journal,
    okta,
};
use serde_json::{Value, json};

use crate::{figure, until, world::World};

const PEOPLE: usize = 1000;
const TEAMS: usize = 20;
const CHANGED_PEOPLE: usize = 10;
const CHANGED_GROUPS: usize = 3;

/// The page size of Okta and Insightful.
const PAGE_SIZE: usize = 200;

const INTERVAL: &str = "4s";
const TIMEOUT: Duration = Duration::from_secs(300);

pub async fn measure() {
    let company = Company::generate_with(PEOPLE, TEAMS, 1);
    let pages = |people: usize| people.div_ceil(PAGE_SIZE).max(1);
    let member_pages: usize = company
        .groups
        .iter()
        .filter(|group| is_team_group(group))
        .map(|group| pages(company.members[group["id"].as_str().unwrap()].len()))
        .sum();
    let minimum = pages(PEOPLE) + pages(TEAMS) + member_pages;
    let world = World::prepared_with(company, okta::Settings::default()).await;
    world.activate(json!({ "sync": { "interval": INTERVAL } })).await;
    until(&world, "the review", TIMEOUT, |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let (okta, insightful) = calls(&world);
    figure(
        "Calls of a full sync (1,000 people, 20 groups)",
        format!("{minimum} Okta + 3 Insightful"),
        format!("{okta} Okta + {insightful} Insightful"),
    );

    let cycle = next_cycle(&world, || ()).await;
    figure(
        "Calls of an idle cycle",
        "2 Okta + at most 3 Insightful; writes: 0 EmployeeMatch, at most 1 status",
        cycle,
    );

    let changed = pages(CHANGED_PEOPLE);
    let org = world.okta.snapshot();
    let team_groups = org.groups.iter().filter(|(_, group)| is_team_group(group));
    let groups: Vec<String> = team_groups
        .map(|(id, _)| id.clone())
        .take(CHANGED_GROUPS)
        .collect();
    let mut changed_members = 0;
    let change = || {
        world.okta.edit(|org| {
            let people: Vec<String> = org.users.keys().take(CHANGED_PEOPLE).cloned().collect();
            for person in &people {
                org.rename_user(person, "Changed", "Person");
            }
            for group in &groups {
                let mut outside = people.iter().filter(|id| !org.members[group].contains(*id));
                let outside = outside.next().unwrap().clone();
                org.add_member(group, &outside);
                changed_members += pages(org.members[group].len());
            }
        })
    };
    let cycle = next_cycle(&world, change).await;
    figure(
        "Calls of a cycle with 10 changed people and 3 changed groups",
        format!("{} Okta + 3 Insightful", 2 + changed - 1 + changed_members),
        cycle,
    );
}

fn is_team_group(group: &Value) -> bool {
    let name = group["profile"]["name"].as_str().unwrap();
    name.starts_with(GROUP_PREFIX)
}

/// The number of calls to Okta and to Insightful.
fn calls(world: &World) -> (usize, usize) {
    let count = |journal: &Journal| journal.entries().len();
    (count(world.okta.journal()), count(world.insightful.journal()))
}

/// Makes a change between two cycles. Returns the calls and writes of the second cycle.
async fn next_cycle(world: &World, change: impl FnOnce()) -> String {
    let last = world.status().await.last_sync_time;
    until(world, "a cycle", TIMEOUT, |status| status.last_sync_time != last).await;
    // Wait for the writes of that cycle.
    tokio::time::sleep(Duration::from_secs(1)).await;
    change();
    world.okta.journal().clear();
    world.insightful.journal().clear();
    let (versions, version) = (match_versions(world).await, version(world).await);
    let last = world.status().await.last_sync_time;
    until(world, "a cycle", TIMEOUT, |status| status.last_sync_time != last).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (okta, insightful) = calls(world);
    let now = match_versions(world).await;
    let written = now.iter().filter(|version| !versions.contains(version)).count();
    let status = u8::from(version != self::version(world).await);
    format!("{okta} Okta + {insightful} Insightful; writes: {written} EmployeeMatch, {status} status")
}

async fn match_versions(world: &World) -> Vec<String> {
    let api: Api<EmployeeMatch> = world.api();
    let list = api
        .list_metadata(&kube::api::ListParams::default())
        .await
        .unwrap();
    list.into_iter()
        .map(|object| format!("{}@{}", object.name_any(), object.resource_version().unwrap()))
        .collect()
}

async fn version(world: &World) -> String {
    let api: Api<OktaIntegration> = world.api();
    let object = api.get_metadata(crate::world::NAME).await.unwrap();
    object.resource_version().unwrap()
}
