//! Memory and idle CPU time with 100,000 people in 1,000 groups.

use std::time::{Duration, Instant};

use okta_insightful_operator::api::Phase;
use sandbox::{company::Company, control_plane::child_process::ChildProcess};
use serde_json::json;

use crate::{
    figure,
    first_proposals::no_limits,
    process, until,
    world::{World, start_operator},
};

/// The environment variable `GOALS_PEOPLE` overrides it for a shorter run.
const PEOPLE: usize = 100_000;
const TIMEOUT: Duration = Duration::from_secs(3600);
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Insightful is read once in this time.
const MINUTELY_TIME: Duration = Duration::from_secs(600);

pub async fn measure() {
    let people = people();
    let world = World::prepared_with(Company::generate(people, 1), no_limits()).await;
    let started = Instant::now();
    // No periodic sync runs during the measurements.
    world
        .activate(json!({ "sync": { "interval": "12h", "fullInterval": "24h" } }))
        .await;
    let status = until(&world, "the review", TIMEOUT, |status| {
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
    idle("no sync", operator, IDLE_TIME).await;

    let cpu_before = process::cpu_time(operator.pid());
    let started = Instant::now();
    sync(&world).await;
    let cpu = process::cpu_time(operator.pid()) - cpu_before;
    figure(
        &format!("Cycle without changes, {people} people"),
        "",
        format!(
            "{:.1} s CPU time, {:.1} s elapsed",
            cpu.as_secs_f64(),
            started.elapsed().as_secs_f64()
        ),
    );
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after a second sync", operator);

    world.okta.edit(|org| {
        let person = org.users.keys().next().unwrap().clone();
        org.rename_user(&person, "Renamed", "Person");
    });
    sync(&world).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after a sync with a change", operator);

    let mut world = world;
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    sync(&world).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let operator = world.operator.as_ref().unwrap();
    report("after a restart", operator);

    world.patch(json!({ "sync": { "interval": "1m" } })).await;
    sync(&world).await;
    idle("a sync each minute", operator, MINUTELY_TIME).await;
    report("after ten minutes of them", operator);
}

fn people() -> usize {
    let people = std::env::var("GOALS_PEOPLE").ok();
    people.map_or(PEOPLE, |people| people.parse().unwrap())
}

async fn sync(world: &World) {
    let request = world.request_sync().await;
    until(world, "the sync", TIMEOUT, |status| {
        status.last_handled_sync_request.as_deref() == Some(&request) && status.phase == Some(Phase::Review)
    })
    .await;
}

fn report(when: &str, operator: &ChildProcess) {
    let pid = operator.pid();
    figure(
        &format!("Memory with {} people, {when}", people()),
        "under 300 MB resident",
        format!(
            "{} MB resident; {} MB peak",
            process::memory(pid, "VmRSS:"),
            process::memory(pid, "VmHWM:"),
        ),
    );
}

async fn idle(what: &str, operator: &ChildProcess, time: Duration) {
    let cpu_before = process::cpu_time(operator.pid());
    tokio::time::sleep(time).await;
    let cpu = process::cpu_time(operator.pid()) - cpu_before;
    figure(
        &format!("Idle CPU time with {} people, {what}", people()),
        "close to zero",
        format!("{:.2} s in {} s", cpu.as_secs_f64(), time.as_secs()),
    );
}
