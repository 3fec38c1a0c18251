//! What is seen of the operator from outside: metrics, logs, traces and
//! events of one real life of an integration; that they name nobody and hold
//! no secret; and the alerts and the dashboard over them, judged by promtool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod alerts;
mod collector;
mod dashboard;
mod metrics;
mod privacy;
mod probes;
mod promtool;
mod rest;
mod run;
mod scrape;
mod traces;

#[allow(dead_code, reason = "shared with the tests of the life, which use all of it")]
#[path = "../lifecycle/world.rs"]
mod world;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/okta-insightful-operator");

/// The page that explains every condition and reason.
const CONDITIONS_PAGE: &str = include_str!("../../charts/okta-insightful-operator/docs/conditions.md");
