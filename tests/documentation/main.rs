//! What the pages say is so: every reason is explained, every command runs,
//! every link leads somewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod commands;
mod links;
mod pages;
mod reasons;
mod typed;

#[allow(dead_code, reason = "shared with the tests of the life, which use all of it")]
#[path = "../lifecycle/world.rs"]
mod world;
