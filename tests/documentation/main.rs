//! The pages are correct: every reason is explained, every command runs, every
//! link has a target.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod commands;
mod forms;
mod links;
mod moved;
mod pages;
mod reasons;
mod typed;

#[allow(dead_code, reason = "shared with tests/lifecycle, which uses all of it")]
#[path = "../lifecycle/world.rs"]
mod world;
