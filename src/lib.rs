//! The operator that keeps people and teams in Insightful in step with Okta.

pub mod api;
pub mod matching;
pub mod snapshot;
pub mod teams;
