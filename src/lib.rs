//! The operator that keeps people and teams in Insightful in step with Okta.

pub mod api;
pub mod applied;
pub mod assessment;
pub mod controller;
pub mod decisions;
pub mod digest;
#[cfg(test)]
mod example;
pub mod gather;
pub mod guard;
pub mod insightful;
pub mod matching;
pub mod okta;
pub mod plan;
pub mod program;
pub mod recording;
pub mod remainder;
pub mod schedule;
pub mod services;
pub mod snapshot;
pub mod status;
pub mod teams;
pub mod telemetry;
pub mod transport;
pub mod trouble;
