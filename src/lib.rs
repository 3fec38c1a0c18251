//! The operator that keeps people and teams in Insightful in step with Okta.

pub mod api;
pub mod cli;
pub mod controller;
pub mod http;
pub mod insightful;
pub mod matching;
pub mod model;
pub mod okta;
pub mod rules;
pub mod services;
pub mod telemetry;
