//! Metrics, logs, traces and events of the life of an integration: they are
//! complete, name no person where they must not, and contain no secret. promtool
//! evaluates the alerts and the dashboard.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test that fails here has found something"
)]

mod alerts;
mod collector;
mod dashboard;
mod idle;
mod metrics;
mod privacy;
mod probes;
mod promtool;
mod run;
mod scrape;
mod traces;

#[allow(dead_code, reason = "shared with tests/lifecycle, which uses all of it")]
#[path = "../lifecycle/world.rs"]
mod world;

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/okta-insightful-operator");

/// The page with all conditions and reasons.
const CONDITIONS_PAGE: &str = include_str!("../../charts/okta-insightful-operator/docs/conditions.md");
