//! Kill test: a finish with every kind of write is cut short by SIGKILL at
//! every boundary between two of its effects, and ends as one that was not.
//!
//! `cargo test --test kill -- --nocapture` prints a line for each case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod company;
mod crash;
mod end;
mod paused;
#[allow(dead_code, reason = "shared with tests/life; each uses a part of it")]
#[path = "../life/world.rs"]
mod world;
