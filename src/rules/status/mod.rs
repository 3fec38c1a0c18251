//! The statuses of OktaIntegrations and EmployeeMatches, from an assessment and what was written.

mod conditions;
mod employee_match;
mod okta_integration;
mod size;
mod unreadable;

use std::collections::BTreeMap;

use crate::model::PersonId;

pub use employee_match::{
    MatchStatuses, PreviousMatchStatus, candidate_status, employee_summary, match_state, shown_employee,
    wrong_name_status,
};
pub use okta_integration::{
    Cycle, IntegrationMeta, SyncTimes, SyncedCycle, insightful_status, integration_status, last_writes,
    people_counts, team_statuses,
};
pub use size::fit;
pub use unreadable::{UNREADABLE, UnreadableStatus, unreadable_status};

/// Why a person's write did not take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteFailure {
    /// The condition's reason.
    pub reason: String,
    /// Insightful's answer, and what to do.
    pub message: String,
}

/// Failed writes by person.
pub type WriteFailures = BTreeMap<PersonId, WriteFailure>;

/// A service that could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// [`OKTA_CONNECTED`] or [`INSIGHTFUL_CONNECTED`].
    ///
    /// [`OKTA_CONNECTED`]: crate::api::conditions::OKTA_CONNECTED
    /// [`INSIGHTFUL_CONNECTED`]: crate::api::conditions::INSIGHTFUL_CONNECTED
    pub condition: &'static str,
    /// The condition's reason.
    pub reason: String,
    /// What happened, and what to do.
    pub message: String,
    /// Whether retrying is pointless until somebody acts.
    pub needs_action: bool,
}

/// What an apply wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplySummary {
    /// Hash of the plan.
    pub plan: String,
    /// Writes that took effect.
    pub writes: usize,
    /// Writes that were refused, or whose outcome is unknown.
    pub failed: usize,
    /// Whether the whole plan took effect.
    pub completed: bool,
}
