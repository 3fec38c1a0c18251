//! The shell around the rules: watches OktaIntegrations and EmployeeMatches, reconciles each integration, and serves metrics and probes. It does
//! all I/O and makes no decision.
//!
//! - One reconcile: `reconcile` drives the stages `read`, `assess`, `preview`, `apply` and `report`; `prepare` brings
//!   the records and what was read together. Every stage gets a read-only `scope` and its own memory from the
//!   `session`; `idle` skips a cycle whose inputs have not changed, and `requeue` says when the next one is due.
//! - Memory: `session` for each integration, `published` for its status, `match_store` for the EmployeeMatches,
//!   `state_dir` across restarts. `unmatched_employees` writes the UnmatchedEmployees, `status` the statuses of all
//!   kinds.
//! - Objects that this version cannot read: `watched` keeps them from failing the watch, and `unreadable` says on an
//!   integration what is wrong with it.
//! - Connections: `connect`, `credentials` and `secrets` make the clients; `events` notifies people, and `webhook` too,
//!   beside the reconciles.
//! - Replicas and load: `leader` says which replica writes, `first_reads` how many integrations read at a time after a
//!   start, `backoff` when a failure is retried.
//! - Starting and stopping: `run`; what all reconciles share: `context`.
//! - Observability: `server` (probes and metrics), `liveness`, `readiness`, `metrics`, `memory` (near its limit),
//!   `instrument` (spans and durations), `progress` (in the status).

mod apply;
mod assess;
mod backoff;
mod connect;
mod context;
mod credentials;
mod error;
mod events;
mod first_reads;
mod idle;
mod instrument;
mod leader;
mod liveness;
mod match_store;
mod memory;
mod metrics;
mod one_writer;
mod prepare;
mod preview;
mod progress;
mod published;
mod read;
mod readiness;
mod reconcile;
mod recreate;
mod report;
mod requeue;
mod run;
mod scope;
mod secrets;
mod server;
mod session;
mod state_dir;
mod status;
mod unmatched_employees;
mod unreadable;
mod vanished;
mod watched;
mod webhook;

pub use leader::LeaseName;
pub use match_store::{Reading, Watched};
pub use run::{RunError, Settings, run};
pub use secrets::{SecretError, read_okta_credential, read_token};
pub use watched::WatchedIntegration;

use context::Context;
