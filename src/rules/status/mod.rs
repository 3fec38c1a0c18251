//! What do we say? From an assessment and what was done to the two statuses.
//!
//! A status says from the plan what would be done, and from the outcome what was.

mod employee_match;
mod facts;
mod okta_integration;
mod size;

use std::collections::BTreeMap;

use crate::model::PersonId;

pub use employee_match::{Earlier, match_state, match_status};
pub use okta_integration::{
    About, Cycle, Known, Times, integration_status, last_writes, people_counts, team_statuses,
};
pub use size::{fit, shows};

/// Why a person's write did not take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteFailure {
    /// The stable reason for the condition.
    pub reason: String,
    /// What Insightful said, and what to do.
    pub message: String,
}

/// Failed writes by person.
pub type WriteFailures = BTreeMap<PersonId, WriteFailure>;

/// A service that could not be read, or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The condition: [`OKTA_CONNECTED`] or [`INSIGHTFUL_CONNECTED`].
    ///
    /// [`OKTA_CONNECTED`]: crate::api::conditions::OKTA_CONNECTED
    /// [`INSIGHTFUL_CONNECTED`]: crate::api::conditions::INSIGHTFUL_CONNECTED
    pub condition: &'static str,
    /// The stable reason.
    pub reason: String,
    /// What happened, and what to do.
    pub message: String,
    /// Whether only somebody's act can help.
    pub needs_action: bool,
}

/// What came of telling the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// It took the message about this plan.
    Told {
        /// Hash of the plan.
        plan: String,
    },
    /// It did not, and is tried again.
    Failed {
        /// Why, without the address.
        message: String,
    },
}

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Hash of the plan.
    pub plan: String,
    /// Writes that took effect.
    pub writes: usize,
    /// Writes that Insightful refused, or whose outcome is not known.
    pub failed: usize,
    /// Whether all of the plan took effect.
    pub completed: bool,
}
