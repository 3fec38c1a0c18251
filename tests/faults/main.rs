//! Fault matrix: every fault of the sandbox on every call to both services, before and
//! after finalizing. No fault may cause a wrong write; each is reported with its cause,
//! and the operator recovers without a restart.
//!
//! `cargo test --test faults -- --nocapture` prints the results as a table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the test"
)]

mod changes;
mod matrix;
mod run;
mod table;
#[allow(dead_code, reason = "shared with tests/lifecycle; each uses a part of it")]
#[path = "../lifecycle/world.rs"]
mod world;

use futures::{StreamExt, stream};

use crate::matrix::Call;

/// How many calls are tested at a time; the tests mostly wait.
const MAX_CONCURRENT: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_reported_and_causes_no_wrong_write() {
    let runs = Call::ALL.map(|call| async move {
        // In a task, so that a panic names its call.
        let cells = tokio::spawn(run::all_faults(call)).await;
        (call, cells.unwrap_or_else(|panic| panic!("{call}: {panic}")))
    });
    let runs: Vec<_> = stream::iter(runs)
        .buffer_unordered(MAX_CONCURRENT)
        .collect()
        .await;
    let wrong = table::print(&runs);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
