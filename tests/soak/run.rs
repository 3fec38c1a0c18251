//! A long run squeezed into minutes: several companies whose people and teams
//! change at random, services that fail at random, and one operator that syncs
//! each of them every second or so.
//!
//! `cargo bench --bench soak` (`-- MINUTES COMPANIES SEED`, by default 5, 8 and 1)
//! prints what the operator uses as it goes on, and at the end whether that is
//! flat and whether Insightful holds what Okta says. It fails if it does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a run that fails here has found something"
)]

mod random_changes;
mod usage;
mod verification;
#[allow(dead_code, reason = "shared with tests/lifecycle; each uses a part of it")]
#[path = "../lifecycle/world.rs"]
mod world;

use std::{process::ExitCode, time::Duration};

use okta_insightful_operator::api::Phase;
use sandbox::{
    company::Company,
    control_plane::ControlPlane,
    okta::{self, Limits},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use usage::{Usage, operators_usage};
use world::{World, free_port, open_guard, start_operator, start_with};

/// People of each company at the start.
const PEOPLE: usize = 40;
/// How often a line is printed.
const EVERY: Duration = Duration::from_secs(10);
/// How long the operator has to come to rest at the end.
const TO_REST: Duration = Duration::from_secs(120);
/// The end may use so much more than the first quarter of the run: in percent.
const TOLERATED_GROWTH: u64 = 25;

fn argument(place: usize, default: u64) -> u64 {
    // `cargo bench` adds `--bench` to what it is given.
    let numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    numbers
        .collect::<Vec<u64>>()
        .get(place)
        .copied()
        .unwrap_or(default)
}

#[tokio::main]
async fn main() -> ExitCode {
    let (minutes, companies, seed) = (argument(0, 5), argument(1, 8), argument(2, 1));
    println!("{companies} companies of {PEOPLE} people for {minutes} min, seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut worlds = Vec::new();
    for company in 0..companies {
        let company = Company::generate(PEOPLE, seed * 1000 + company);
        let mut world = World::prepared_with(company, okta::Settings::default()).await;
        world.stop_operator().await;
        // The limits are another test's matter: cycles here are hundreds of times as frequent.
        world.okta.configure(|settings| {
            settings.limits = Limits {
                users: 100_000,
                user: 100_000,
                groups: 100_000,
                ..Limits::default()
            };
        });
        worlds.push(world);
    }
    let plane = ControlPlane::shared();
    let namespaces: Vec<String> = worlds.iter().map(|world| world.namespace.clone()).collect();
    let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    let port = free_port();
    let quiet = [("RUST_LOG", "warn")];
    let operator = start_with(plane, &namespaces, port, &[], &quiet).await;
    let process = (operator.pid(), port);
    for world in &worlds {
        let mut spec = open_guard();
        spec["finalized"] = json!(true);
        spec["sync"] = json!({ "interval": "1s", "fullInterval": "20s" });
        spec["matching"] = json!({ "unmatched": "Create" });
        world.activate(spec).await;
    }

    let started = Instant::now();
    let end = started + Duration::from_secs(60 * minutes);
    let mut changes = 0_u64;
    let mut next_line = started;
    let mut used: Vec<Usage> = Vec::new();
    println!("{}", Usage::HEAD);
    while Instant::now() < end {
        for world in &worlds {
            changes += u64::from(random_changes::strike(world, &mut random).await);
        }
        if Instant::now() >= next_line {
            next_line += EVERY;
            let cycles = worlds.iter().map(cycles).sum();
            let usage = operators_usage(process, started.elapsed(), cycles, changes).await;
            println!("{usage}");
            used.push(usage);
        }
        sleep(Duration::from_millis(200)).await;
    }

    println!("the changes end; the operator comes to rest");
    for world in &worlds {
        world.okta.faults().clear();
        world.insightful.faults().clear();
    }
    let mut wrong = verification::at_rest(&worlds, TO_REST).await;
    let cycles = worlds.iter().map(cycles).sum();
    let last = operators_usage(process, started.elapsed(), cycles, changes).await;
    println!("{last}");
    wrong.extend(usage::growth(&used, &last, TOLERATED_GROWTH));
    operator.stop().await.unwrap();

    println!("a new operator, which knows nothing but what stands in the cluster, finds nothing to do");
    let writes: Vec<usize> = worlds.iter().map(|world| world.writes().len()).collect();
    let second = start_operator(plane, &namespaces).await;
    for (world, before) in worlds.iter().zip(writes) {
        world.patch(json!({ "sync": { "interval": "15m" } })).await;
        let status = world.sync().await;
        // Held is a plan that is empty but for people whom Okta lacks.
        if !matches!(status.phase, Some(Phase::InSync | Phase::Held))
            || status.plan.is_none_or(|plan| plan.total > 0)
        {
            wrong.push(format!("{}: not in step: {:?}", world.namespace, status.phase));
        }
        let new = &world.writes()[before..];
        wrong.extend(
            new.iter()
                .map(|line| format!("{}: written again: {line}", world.namespace)),
        );
        wrong.extend(verification::differences(world).await);
    }
    second.stop().await.unwrap();
    if wrong.is_empty() {
        println!("ok: flat, and Insightful holds what Okta says");
        return ExitCode::SUCCESS;
    }
    println!("WRONG");
    wrong.iter().for_each(|line| println!("  {line}"));
    ExitCode::FAILURE
}

/// How many cycles Insightful has seen begin.
fn cycles(world: &World) -> u64 {
    let reads = |entry: &&sandbox::journal::Entry| entry.method == "GET" && entry.path == "/api/v1/team";
    world.insightful.journal().entries().iter().filter(reads).count() as u64
}
