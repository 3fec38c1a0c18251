//! Fault matrix: each fault of the sandbox on each call of both services,
//! before and after the finish. No wrong write, a condition that names the
//! cause, and recovery without a restart.
//!
//! `cargo test --test faults -- --nocapture` prints it as a table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
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

/// How many companies are in work at a time; they mostly wait.
const AT_A_TIME: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_any_call_leads_to_a_wrong_write_or_silence() {
    let runs = Call::ALL.map(|call| async move {
        // A panic in a run is that run's result.
        let cells = tokio::spawn(run::all_faults(call)).await;
        (call, cells.unwrap_or_else(|panic| panic!("{call}: {panic}")))
    });
    let runs: Vec<_> = stream::iter(runs).buffer_unordered(AT_A_TIME).collect().await;
    let wrong = table::print(&runs);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
