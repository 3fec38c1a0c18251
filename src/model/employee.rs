use serde::Serialize;

use super::{EmployeeId, SettingsId, TeamId, text};

/// An employee, as Insightful has it. The job title is missing because no response shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Employee {
    pub id: EmployeeId,
    /// First and last name in one.
    pub name: String,
    pub email: String,
    /// The first email of the employee: a change of `email` does not change it.
    pub identifier: String,
    pub team: TeamId,
    pub settings: Option<SettingsId>,
    pub deactivated: bool,
    /// When the record was created, in milliseconds since 1970.
    pub created_at: Option<i64>,
}

impl Employee {
    /// The name, as Insightful has it, with the id, for messages.
    pub fn named(&self) -> String {
        if text::written_if_any(&self.name).is_some() {
            format!("employee {} ({})", self.name.trim(), self.id)
        } else {
            format!("employee {}", self.id)
        }
    }
}

/// A set of tracking settings that employees share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedSettings {
    pub id: SettingsId,
    pub name: String,
    /// Whether this is the organisation's default.
    pub default: bool,
}
