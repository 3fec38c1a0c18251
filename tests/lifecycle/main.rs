//! The life of an integration, on a real API server, under the RBAC that the
//! chart gives, against the strict emulators. The modules read like the story:
//! each test is one default case and a small change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod activate;
mod approved;
mod away;
mod blockers;
mod cycle;
mod edit;
mod finish;
mod git;
mod leave;
mod many;
mod meanwhile;
mod replicas;
mod review;
mod world;
