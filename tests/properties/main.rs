//! Properties of the rules over random companies, decisions and histories. A pure [model](world) of both
//! services and of the cluster takes the place of I/O; the rules are the product's own.
//!
//! A failing case is shrunk, stored in `tests/proptest-regressions/` and run first from then on: commit it
//! with the fix.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic is a failed test"
)]

mod approval;
mod changes;
mod guard;
mod harm;
mod messages;
mod plan;
mod story;
mod undo;
mod world;
