//! The goals of size and speed, with figures of the real operator on a real API
//! server, under the chart's ServiceAccount, against the emulators.
//!
//! `cargo bench --bench goals` prints a line for each goal as its figure becomes
//! known; `cargo bench --bench goals -- calls memory` only those. It judges
//! nothing: figures depend on the machine, which is why they stand beside a
//! baseline of the same run where there is one. Only a line that could not be
//! measured makes it fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench that cannot go on has nothing to print"
)]

mod calls;
mod fairness;
mod first_proposals;
mod full_sync;
mod memory;
mod process;
mod rate_limit;
mod startup;
#[allow(dead_code, reason = "shared with tests/lifecycle; each uses a part of it")]
#[path = "../lifecycle/world.rs"]
mod world;

use std::{
    fmt::Display,
    pin::Pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use okta_insightful_operator::api::OktaIntegrationStatus;

use world::World;

/// A figure that answers a goal.
pub fn figure(what: &str, goal: impl Display, figure: impl Display) {
    println!("| {what} | {goal} | {figure} |");
}

/// What a measurement of goals does; it prints its figures itself.
type Measure = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

const MEASURES: [(&str, Measure); 7] = [
    ("start", || Box::pin(startup::measure())),
    ("calls", || Box::pin(calls::measure())),
    ("pull", || Box::pin(full_sync::measure())),
    ("share", || Box::pin(rate_limit::measure())),
    ("first", || Box::pin(first_proposals::measure())),
    ("fair", || Box::pin(fairness::measure())),
    ("memory", || Box::pin(memory::measure())),
];

/// Waits until the integration's status is as wanted.
///
/// # Panics
/// When that takes longer than `timeout`.
pub async fn until(
    world: &World,
    what: &str,
    timeout: Duration,
    is_so: impl Fn(&OktaIntegrationStatus) -> bool,
) -> OktaIntegrationStatus {
    let started = Instant::now();
    loop {
        let status = world.status().await;
        if is_so(&status) {
            return status;
        }
        if started.elapsed() > timeout {
            let OktaIntegrationStatus {
                phase,
                progress,
                conditions,
                ..
            } = status;
            panic!(
                "{what} did not come to be: {phase:?} {progress:?} {conditions:?}\n{}",
                world.log_tail()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let unknown = |name: &&String| MEASURES.iter().all(|(known, _)| known != name);
    if let Some(name) = wanted.iter().find(unknown) {
        let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no {name:?}: {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, load {}\n", load.trim());
    println!("| What | Goal | Figure |\n|---|---|---|");
    let mut code = ExitCode::SUCCESS;
    for (name, measure) in MEASURES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        // A task of its own, so that a panic ends its lines and no other's.
        if tokio::spawn(measure()).await.is_err() {
            figure(name, "", "could not be measured: see above");
            code = ExitCode::FAILURE;
        }
    }
    code
}
