//! Crash tests. The operator is killed with SIGKILL at every write of an apply, and a
//! leader is paused with SIGSTOP past its lease at each kind of write. Afterwards both
//! services and the cluster must hold what an uninterrupted apply leaves.
//!
//! `cargo test --test crash -- --nocapture` prints a line for each case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the test"
)]

mod boundary;
mod final_state;
mod first_apply;
mod later_apply;
mod paused_leader;
mod scenario;
mod sigkill;
#[allow(dead_code, reason = "shared with tests/lifecycle; each uses a part of it")]
#[path = "../lifecycle/world.rs"]
mod world;
