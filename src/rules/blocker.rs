//! What keeps a person from being synced: each with the reason that stands in
//! their EmployeeMatch's Ready condition and a sentence that says what to do.

use crate::{
    matching::Reason,
    model::{EmployeeId, PersonId},
};

/// What keeps one person from being synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// There are candidates, and none is sure enough.
    NeedsDecision {
        /// Why the best is not sure enough.
        doubts: Vec<Reason>,
    },
    /// No employee is plausible.
    NoEmployee,
    /// Two people claim one employee.
    EmployeeClaimedTwice {
        /// The employee.
        employee: EmployeeId,
        /// The others.
        with: Vec<PersonId>,
    },
    /// Employees that a decision or the match in force names are not in Insightful.
    EmployeeNotFound {
        /// Which.
        missing: Vec<EmployeeId>,
    },
    /// The employee of the match in force was given to another person by a decision.
    ReassignedByDecision {
        /// The employee.
        employee: EmployeeId,
        /// Who has it now.
        to: PersonId,
    },
    /// The person works here, the employee is switched off, and Insightful's
    /// API cannot switch on.
    EmployeeDeactivated {
        /// The employee.
        employee: EmployeeId,
    },
    /// Member of several team groups, and nothing settles which team.
    SeveralTeams {
        /// The teams' names.
        teams: Vec<String>,
    },
    /// The only teams are in conflict.
    TeamConflict {
        /// The teams' names.
        teams: Vec<String>,
    },
    /// The only teams are missing in Insightful, and policy forbids to create them.
    TeamNotCreated {
        /// The teams' names.
        teams: Vec<String>,
    },
    /// The email belongs to another employee.
    EmailTaken {
        /// Who has it.
        by: EmployeeId,
    },
    /// Another person's write wants the same email.
    EmailNotUnique,
    /// Nobody can be invited without an email.
    NoEmail,
    /// Nobody can be invited without a name.
    NoName,
    /// The team that `newEmployees` names, or the default team, is not in Insightful.
    NewEmployeeTeamMissing {
        /// The name, if one was given.
        name: Option<String>,
    },
    /// The shared settings that `newEmployees` names, or the default ones, are not in Insightful.
    SharedSettingsMissing {
        /// The name, if one was given.
        name: Option<String>,
    },
    /// Okta's answer does not hold the person.
    NotInOktaResponse,
    /// Not a member of any team group.
    NotInTeamGroup,
    /// Has not started to work yet, and has no employee.
    NotStarted,
    /// Departure, and has no employee.
    DepartedWithoutEmployee,
}

impl Blocker {
    /// The stable reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NeedsDecision { .. } => "NeedsDecision",
            Self::NoEmployee => "NoEmployee",
            Self::EmployeeClaimedTwice { .. } => "EmployeeClaimedTwice",
            Self::EmployeeNotFound { .. } => "EmployeeNotFound",
            Self::ReassignedByDecision { .. } => "ReassignedByDecision",
            Self::EmployeeDeactivated { .. } => "EmployeeDeactivated",
            Self::SeveralTeams { .. } => "SeveralTeams",
            Self::TeamConflict { .. } => "TeamConflict",
            Self::TeamNotCreated { .. } => "TeamNotCreated",
            Self::EmailTaken { .. } => "EmailTaken",
            Self::EmailNotUnique => "EmailNotUnique",
            Self::NoEmail => "NoEmail",
            Self::NoName => "NoName",
            Self::NewEmployeeTeamMissing { .. } => "NewEmployeeTeamMissing",
            Self::SharedSettingsMissing { .. } => "SharedSettingsMissing",
            Self::NotInOktaResponse => "NotInOktaResponse",
            Self::NotInTeamGroup => "NotInTeamGroup",
            Self::NotStarted => "NotStarted",
            Self::DepartedWithoutEmployee => "DepartedWithoutEmployee",
        }
    }

    /// What is wrong and what to do about it.
    pub fn message(&self) -> String {
        match self {
            Self::NeedsDecision { doubts } => format!(
                "not sure enough ({}): set spec.decision to Match with employeeIds, Create or Ignore",
                doubts.join("; ")
            ),
            Self::NoEmployee => {
                "no employee is plausible: set spec.decision to Match with employeeIds, Create or Ignore".into()
            }
            Self::EmployeeClaimedTwice { employee, with } => format!(
                "employee {employee} is claimed by Okta user {} too: nothing is written for either until one decision changes",
                join(with)
            ),
            Self::EmployeeNotFound { missing } => format!(
                "Insightful has no employee {}: nothing is written; correct the decision",
                join(missing)
            ),
            Self::ReassignedByDecision { employee, to } => format!(
                "employee {employee} was matched to Okta user {to} by decision: decide who this person is"
            ),
            Self::EmployeeDeactivated { employee } => format!(
                "employee {employee} is deactivated, and Insightful's API cannot reactivate: do it in the web app (possible 7 days after the deactivation), or set spec.decision"
            ),
            Self::SeveralTeams { teams } => format!(
                "member of several team groups ({}): put the winning team into spec.teams.precedence of the integration, or leave one group in Okta",
                teams.join(", ")
            ),
            Self::TeamConflict { teams } => format!(
                "the name of team {} is not unique: see status.teams of the integration",
                teams.join(", ")
            ),
            Self::TeamNotCreated { teams } => format!(
                "Insightful has no team {}, and spec.teams.createMissing is false: create it there, or allow it",
                teams.join(", ")
            ),
            Self::EmailTaken { by } => format!(
                "the email belongs to employee {by}: change it there, or match that employee"
            ),
            Self::EmailNotUnique => "another person in Okta has the same email: give each their own".into(),
            Self::NoEmail => "Insightful invites by email, and Okta has none for this person: add one there".into(),
            Self::NoName => "Okta has neither first nor last name for this person: add one there".into(),
            Self::NewEmployeeTeamMissing { name: Some(name) } => format!(
                "Insightful has no team {name:?}: correct spec.insightful.newEmployees.team, or create it"
            ),
            Self::NewEmployeeTeamMissing { name: None } => {
                "Insightful shows no default team: set spec.insightful.newEmployees.team".into()
            }
            Self::SharedSettingsMissing { name: Some(name) } => format!(
                "Insightful has no shared settings {name:?}: correct spec.insightful.newEmployees.sharedSettings"
            ),
            Self::SharedSettingsMissing { name: None } => {
                "Insightful shows no default settings: set spec.insightful.newEmployees.sharedSettings".into()
            }
            Self::NotInOktaResponse => {
                "Okta's answer does not hold this person: nothing is changed, since absence is no evidence".into()
            }
            Self::NotInTeamGroup => {
                "not a member of any team group: nothing is changed; add the person to a group with the prefix in Okta".into()
            }
            Self::NotStarted => "staged in Okta and without an employee: waits until the person starts".into(),
            Self::DepartedWithoutEmployee => "left, and has no employee in Insightful: nothing to do".into(),
        }
    }

    /// Whether somebody has to act before the person can be synced.
    pub fn needs_action(&self) -> bool {
        !matches!(
            self,
            Self::NotInTeamGroup | Self::NotStarted | Self::DepartedWithoutEmployee
        )
    }
}

fn join<T: ToString>(ids: &[T]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
