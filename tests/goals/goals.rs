//! Benchmarks for the goals of size and speed. They measure the real operator, with the
//! chart's ServiceAccount, on a real API server and against the emulators.
//!
//! `cargo bench --bench goals` prints one table row per goal; `cargo bench --bench goals --
//! calls memory` runs only those benchmarks. Figures depend on the machine, so they are
//! compared with a baseline of the same run where one exists, and none fails the run.
//! Only a benchmark that panics does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the benchmark"
)]

mod calls;
mod fairness;
mod first_proposals;
mod full_sync;
mod latency;
mod memory;
mod process;
mod rate_limit;
mod review_screen;
mod startup;
mod unmatched;
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

/// Prints a table row.
pub fn figure(what: &str, goal: impl Display, figure: impl Display) {
    println!("| {what} | {goal} | {figure} |");
}

/// A benchmark, which prints its own rows.
type Benchmark = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

const BENCHMARKS: [(&str, Benchmark); 10] = [
    ("start", || Box::pin(startup::measure())),
    ("calls", || Box::pin(calls::measure())),
    ("pull", || Box::pin(full_sync::measure())),
    ("share", || Box::pin(rate_limit::measure())),
    ("first", || Box::pin(first_proposals::measure())),
    ("fair", || Box::pin(fairness::measure())),
    ("review", || Box::pin(review_screen::measure())),
    ("unmatched", || Box::pin(unmatched::measure())),
    ("latency", || Box::pin(latency::measure())),
    ("memory", || Box::pin(memory::measure())),
];

/// Waits until the integration's status satisfies `predicate`. Panics after `timeout`.
pub async fn until(
    world: &World,
    what: &str,
    timeout: Duration,
    predicate: impl Fn(&OktaIntegrationStatus) -> bool,
) -> OktaIntegrationStatus {
    let started = Instant::now();
    loop {
        let status = world.status().await;
        if predicate(&status) {
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
                "timed out waiting for {what}: {phase:?} {progress:?} {conditions:?}\n{}",
                world.log_tail()
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds the argument `--bench`.
    let selected: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let unknown = |name: &&String| BENCHMARKS.iter().all(|(known, _)| known != name);
    if let Some(name) = selected.iter().find(unknown) {
        let names: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "unknown benchmark {name:?}; the benchmarks are {}",
            names.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, load {}\n", load.trim());
    println!("| What | Goal | Figure |\n|---|---|---|");
    let mut code = ExitCode::SUCCESS;
    for (name, benchmark) in BENCHMARKS {
        if !selected.is_empty() && !selected.iter().any(|selected| selected == name) {
            continue;
        }
        // In a task, so that a panic ends only this benchmark.
        if tokio::spawn(benchmark()).await.is_err() {
            figure(name, "", "failed: see above");
            code = ExitCode::FAILURE;
        }
    }
    code
}
