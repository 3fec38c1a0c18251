//! The emulators answer in the shapes that were recorded of the real services, and `record`, `plan` and `run` agree
//! about every person.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a panic fails the test"
)]

mod agreement;
mod insightful_shapes;
mod okta_shapes;
#[allow(dead_code, reason = "shared with tests/lifecycle; each uses a part of it")]
#[path = "../lifecycle/world.rs"]
mod world;
