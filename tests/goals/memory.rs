//! Memory and idle work at 100,000 people in 1,000 groups.

use std::time::{Duration, Instant};

use okta_insightful_operator::api::Phase;
use sandbox::{company::Company, control_plane::kept_process::KeptProcess};
use serde_json::json;

use crate::{
    figure,
    first::no_limits,
    process, until,
    world::{World, start_operator},
};

const PEOPLE: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(30);

pub async fn measure() {
    let world = World::prepared_with(Company::generate(PEOPLE, 1), no_limits()).await;
    let started = Instant::now();
    world.activate(json!({})).await;
    let status = until(&world, "the review", PATIENCE, |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let first = started.elapsed();
    let people = status.people.unwrap().total;
    println!("<!-- {people} people in review after {} s -->", first.as_secs());
    let operator = world.operator.as_ref().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after the first sync", operator);
    idle(operator).await;

    let work = process::work(operator.pid());
    let asked = Instant::now();
    sync(&world).await;
    let work = process::work(operator.pid()) - work;
    figure(
        "A cycle that changes nothing, 100,000 people",
        "",
        format!(
            "{:.1} s of processor time, {:.1} s in all",
            work.as_secs_f64(),
            asked.elapsed().as_secs_f64()
        ),
    );
    report("after a second sync", operator);

    let mut world = world;
    world.stop_operator().await;
    world.operator = Some(start_operator(world.plane, &[&world.namespace]).await);
    sync(&world).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    report("after a restart", world.operator.as_ref().unwrap());
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
        &format!("Memory at 100,000 people, {when}"),
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
        "Idle work at 100,000 people",
        "about nothing",
        format!(
            "{:.2} s of processor time in {} s",
            work.as_secs_f64(),
            IDLE.as_secs()
        ),
    );
}
