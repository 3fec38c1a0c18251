//! Soak test: one operator syncs several companies about once a second while their people,
//! teams and decisions change at random and both services fail at random.
//!
//! `cargo bench --bench soak -- MINUTES COMPANIES SEED` (default 5, 8 and 1) prints the
//! resource usage of the operator during the run. It fails if the usage has grown at the end,
//! or if Insightful's data differs from Okta's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the run"
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
/// How often a row is printed.
const ROW_INTERVAL: Duration = Duration::from_secs(10);
/// The time limit for the operator to settle at the end.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);
/// The allowed growth of the usage at the end over that in the second quarter of the run.
const MAX_GROWTH_PERCENT: u64 = 25;

/// The numeric argument at this index.
fn argument(index: usize, default: u64) -> u64 {
    // Cargo adds the argument `--bench`.
    let numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    numbers
        .collect::<Vec<u64>>()
        .get(index)
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
        // This test syncs far more often than the rate limits allow.
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
    let environment = [("RUST_LOG", "warn")];
    let operator = start_with(plane, &namespaces, port, &[], &environment).await;
    let process = (operator.pid(), port);
    for world in &worlds {
        let mut spec = open_guard();
        spec["sync"] = json!({ "interval": "1s", "fullInterval": "20s" });
        spec["matching"] = json!({ "unmatched": "Create" });
        world.activate(spec).await;
        world.wait_for_phase(Phase::Review).await;
        world.patch(json!({ "finalized": true })).await;
    }

    let started = Instant::now();
    let end = started + Duration::from_secs(60 * minutes);
    let mut changes = 0_u64;
    let mut next_row = started;
    let mut used: Vec<Usage> = Vec::new();
    println!("{}", Usage::HEADER);
    while Instant::now() < end {
        for world in &worlds {
            changes += u64::from(random_changes::make_change(world, &mut random).await);
        }
        if Instant::now() >= next_row {
            next_row += ROW_INTERVAL;
            let cycles = worlds.iter().map(cycles).sum();
            let usage = operators_usage(process, started.elapsed(), cycles, changes).await;
            println!("{usage}");
            used.push(usage);
        }
        sleep(Duration::from_millis(200)).await;
    }

    println!("no more changes; waiting for the operator to settle");
    for world in &worlds {
        world.okta.faults().clear();
        world.insightful.faults().clear();
    }
    let mut problems = verification::settled(&worlds, SETTLE_TIMEOUT).await;
    let cycles = worlds.iter().map(cycles).sum();
    let last = operators_usage(process, started.elapsed(), cycles, changes).await;
    println!("{last}");
    problems.extend(usage::growth(&used, &last, MAX_GROWTH_PERCENT));
    operator.stop().await.unwrap();

    println!("a new operator, which has only the state in the cluster, must find no changes");
    let writes: Vec<usize> = worlds.iter().map(|world| world.writes().len()).collect();
    let second = start_operator(plane, &namespaces).await;
    for (world, before) in worlds.iter().zip(writes) {
        world.patch(json!({ "sync": { "interval": "15m" } })).await;
        let status = world.sync().await;
        // An empty plan is held when people are missing from Okta.
        if !matches!(status.phase, Some(Phase::InSync | Phase::Held))
            || status.plan.is_none_or(|plan| plan.total > 0)
        {
            problems.push(format!("{}: not in sync: {:?}", world.namespace, status.phase));
        }
        let new = &world.writes()[before..];
        problems.extend(
            new.iter()
                .map(|line| format!("{}: written again: {line}", world.namespace)),
        );
        problems.extend(verification::differences(world).await);
    }
    second.stop().await.unwrap();
    if problems.is_empty() {
        println!("ok: the usage has not grown, and Insightful's data equals Okta's");
        return ExitCode::SUCCESS;
    }
    println!("FAILED");
    problems.iter().for_each(|line| println!("  {line}"));
    ExitCode::FAILURE
}

/// The number of cycles, by the reads of Insightful's teams.
fn cycles(world: &World) -> u64 {
    let reads = |entry: &&sandbox::journal::Entry| entry.method == "GET" && entry.path == "/api/v1/team";
    world.insightful.journal().entries().iter().filter(reads).count() as u64
}
