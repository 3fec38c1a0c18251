//! Keeps people and teams in Insightful in step with Okta. This is the map: one line a rule, and where it is.
//!
//! # The rules
//! Plain functions from values to values, without I/O, clock or client.
//!
//! | Question | Answered in |
//! |---|---|
//! | Which team does a group stand for, and which team wins for a person? | [`rules::teams`] |
//! | Which employee is a person believed to be? | [`matching`] |
//! | Which EmployeeMatches are used? | [`rules::records`] |
//! | What is done with an OktaIntegration that cannot be read? | [`rules::unreadable`] |
//! | Which accounts are no people? | [`rules::exclusion`] |
//! | Who is matched and who waits? | [`rules::resolve`] |
//! | Whose record is an employee now? | [`rules::succession`] |
//! | When is a person invited? | [`rules::proposal`] |
//! | Why is a person not synced? | [`rules::blocker`] |
//! | Which employees have no person? | [`rules::unmatched_employees`] |
//! | What would be written? | [`rules::plan`] |
//! | Who is deactivated? | `deactivations` in `rules/plan/planner.rs`, by evidence from [`model::Departure`] |
//! | What happens when a match is unmatched? | [`rules::plan::unmatch`] |
//! | When is a plan held? | [`rules::guard`] |
//! | Which integration writes to an Insightful organisation? | [`rules::one_writer`] |
//! | When does an approval go on after an interruption? | [`rules::approval`] |
//! | What is recorded of a write, so that it can be undone? | [`rules::record`] |
//! | All of it for one integration | [`rules::assessment`] |
//! | Which sync is due, and when is the next? | [`rules::schedule`] |
//! | What do the statuses say? | [`rules::status`] |
//! | Which messages is the webhook sent? | [`rules::notify`] |
//! | What does the audit log say of a write, and who decided it? | [`rules::audit`] |
//!
//! # Around the rules
//! - [`api`]: the resources that people write and read; `crds/` is generated from them.
//! - [`model`]: people, employees, teams, and what was read of them, as plain values.
//! - [`http`], [`okta`], [`insightful`]: one HTTP request with retries and rate limits, and the two clients.
//!   [`services`] holds both clients of an integration and reads them into one snapshot.
//! - [`controller`]: the operator: watches, the stages of a reconcile, events, metrics, probes.
//! - [`review`]: what a reviewer sees and may decide. [`plugin`]: `kubectl insightful`, which shows it.
//! - [`cli`]: the subcommands `plan`, `record` and `check`. [`telemetry`]: logs and traces.
//!
//! Imports run one way, from the controller down to the model; `tests/architecture.rs` holds them to it.

// Each program uses a part of what both share.
#![cfg_attr(
    not(all(feature = "operator", feature = "plugin")),
    allow(dead_code, unused_imports)
)]

pub mod api;
#[cfg(feature = "operator")]
pub mod cli;
#[cfg(feature = "operator")]
pub mod controller;
pub mod http;
#[cfg(feature = "operator")]
pub mod insightful;
pub mod matching;
pub mod model;
pub mod new_file;
#[cfg(feature = "operator")]
pub mod okta;
#[cfg(feature = "plugin")]
pub mod plugin;
pub mod review;
pub mod rules;
#[cfg(feature = "operator")]
pub mod services;
#[cfg(feature = "operator")]
pub mod telemetry;
