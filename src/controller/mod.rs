//! The shell around the rules: watches both kinds, brings each integration up to
//! date, and serves metrics and probes. It does all I/O and makes no decision.
//!
//! - Starting and stopping: `run`; what all reconciles share: `context`.
//! - One reconcile of one integration: `reconcile` calls the stages `read`,
//!   `apply` and `report`, and skips them where `idle` finds nothing changed.
//! - Memory between reconciles: `session` for each integration, `match_store` for
//!   the EmployeeMatches, `state_dir` across restarts.
//! - Connections: `credentials` and `secrets` make the clients, `integrations`
//!   reads and writes the integration, `webhook` and `events` notify people.
//! - Which replica writes: `leader`. How many read at a time after a start: `first_reads`.
//!   When a failure is retried: `backoff`.
//! - Observability: `server` (probes and metrics), `liveness`, `readiness`,
//!   `metrics`, `instrument` (spans and durations), `progress` (in the status).

mod apply;
mod backoff;
mod context;
mod credentials;
mod events;
mod first_reads;
mod idle;
mod instrument;
mod integrations;
mod leader;
mod liveness;
mod match_store;
mod metrics;
mod progress;
mod read;
mod readiness;
mod reconcile;
mod report;
mod run;
mod secrets;
mod server;
mod session;
mod state_dir;
mod webhook;

pub use leader::LeaseName;
pub use run::{RunError, Settings, run};
pub use secrets::{SecretError, read as read_secret};

use context::Context;
