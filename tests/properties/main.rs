//! Properties of the core over random companies, decisions and histories. A
//! pure [model](world) of both services and of the cluster takes the place of
//! I/O; the rules are the product's own.
//!
//! A case that fails is shrunk, kept in `tests/proptest-regressions/` and run
//! first ever after: commit it with the repair.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod approval;
mod changes;
mod guard;
mod plan;
mod story;
mod undo;
mod world;
