//! Kill test: a first finish, and a later one with every kind of write, are cut
//! short by SIGKILL at every boundary between two of their effects, and end as
//! ones that were not; where every plan waits for an admin, without another approval.
//! The same with two replicas, where the leader is paused by SIGSTOP at each kind of
//! write, past its lease, and woken.
//!
//! `cargo test --test crash -- --nocapture` prints a line for each case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
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
