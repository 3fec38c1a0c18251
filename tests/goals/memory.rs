//! Memory and idle work at 100,000 people in 1,000 groups.

use std::time::{Duration, Instant};

use okta_insightful_operator::api::Phase;
use sandbox::{company::Company, control_plane::kept_process::KeptProcess};
use serde_json::json;

use crate::{
    figure,
    first_proposals::no_limits,
    process, until,
    world::{World, start_operator},
};

/// How many people, where `GOALS_PEOPLE` names no other number for a look in less time.
const PEOPLE: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(30);

pub async fn measure() {
    let people = people();
    let world = World::prepared_with(Company::generate(people, 1), no_limits()).await;
    let started = Instant::now();
    // No cycle comes of itself while the idle ones are looked at.
    world
        .activate(json!({ "sync": { "interval": "12h", "fullInterval": "24h" } }))
        .await;
    let status = until(&world, "the review", PATIENCE, |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let first = started.elapsed();
    figure(
        &format!("First review of {people} people in 1,000 groups"),
        "",
        format!(
            "{} people in {:.0} s",
            status.people.unwrap().total,
            first.as_secs_f64()
        ),
    );
    let operator = world.operator.as_ref().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after the first sync", operator);
    idle(operator).await;

    let work = process::work(operator.pid());
    let asked = Instant::now();
    sync(&world).await;
    let work = process::work(operator.pid()) - work;
    figure(
        &format!("A cycle that changes nothing, {people} people"),
        "",
        format!(
            "{:.1} s of processor time, {:.1} s in all",
            work.as_secs_f64(),
            asked.elapsed().as_secs_f64()
        ),
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after a second sync", operator);

    world.okta.edit(|org| {
        let somebody = org.users.keys().next().unwrap().clone();
        org.rename_user(&somebody, "Renamed", "Since");
    });
    sync(&world).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after one that found a change", operator);

    let mut world = world;
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    sync(&world).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after a restart", world.operator.as_ref().unwrap());
}

fn people() -> usize {
    let named = std::env::var("GOALS_PEOPLE").ok();
    named.map_or(PEOPLE, |people| people.parse().unwrap())
}

async fn sync(world: &World) {
    let request = world.request_sync().await;
    until(world, "the sync", PATIENCE, |status| {
        status.last_handled_sync_request.as_deref() == Some(&request) && status.phase == Some(Phase::Review)
    })
    .await;
}

fn report(when: &str, operator: &KeptProcess) {
    let pid = operator.pid();
    figure(
        &format!("Memory at {} people, {when}", people()),
        "under 300 MB resident",
        format!(
            "{} MB resident; {} MB at the highest",
            process::memory(pid, "VmRSS:"),
            process::memory(pid, "VmHWM:"),
        ),
    );
}

async fn idle(operator: &KeptProcess) {
    let work = process::work(operator.pid());
    tokio::time::sleep(IDLE).await;
    let work = process::work(operator.pid()) - work;
    figure(
        &format!("Idle work at {} people", people()),
        "about nothing",
        format!(
            "{:.2} s of processor time in {} s",
            work.as_secs_f64(),
            IDLE.as_secs()
        ),
    );
}
