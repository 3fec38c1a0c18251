//! An integration from activation to deletion, on a real API server with the
//! chart's RBAC, against the emulators of both services.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the test"
)]

mod activate;
mod after_finalize;
mod api_server_outage;
mod approval;
mod audit;
mod during_apply;
mod exclusion;
mod failures;
mod finalize;
mod git;
mod guard;
mod many_integrations;
mod offboarding;
mod plugin;
mod records;
mod replicas;
mod restored;
mod review;
mod service_app;
mod sync_cycle;
mod unmatched;
mod unreadable;
mod upgrade;
mod webhook;
mod world;
