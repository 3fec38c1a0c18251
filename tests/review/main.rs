//! The review screen of `kubectl insightful`, in a headless Chromium and by HTTP, on a real API server with the chart's
//! roles.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the test"
)]

mod accessibility;
mod bulk;
mod chrome;
mod conflicts;
mod decisions;
mod employees;
mod files;
mod live;
mod names;
mod operated;
mod page;
mod plan;
mod requests;
mod reviewer;
mod seed;
mod sitting;
mod somebody_else;
mod tools;
mod without_script;
mod world;
