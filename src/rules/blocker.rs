//! What keeps a person from being synced: the reason and the message of the `Ready`
//! condition on their EmployeeMatch.

use crate::{
    matching::Reason,
    model::{EmployeeId, OktaStatus, Person, PersonId, Snapshot},
    rules::{
        records::{Unusable, WhyUnusable},
        succession::Shared,
    },
};

/// What keeps one person from being synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// Another person has the only employee that may be this person's.
    MatchedWithAnother {
        employee: EmployeeId,
        with: PersonId,
    },
    /// There are candidates, but none is certain enough.
    NeedsDecision {
        doubts: Vec<Reason>,
    },
    /// No employee is plausible.
    NoEmployee,
    /// Other people claim the same employee.
    EmployeeClaimedTwice {
        employee: EmployeeId,
        with: Vec<PersonId>,
    },
    /// A decision or the match in force names employees that Insightful lacks.
    EmployeeNotFound {
        missing: Vec<EmployeeId>,
        /// Whether a decision names them.
        decided: bool,
        /// Whether the operator invited them.
        invited: bool,
    },
    /// An employee has the name or email of another person, who works here.
    EmployeeHandedOn {
        employee: EmployeeId,
        /// None if somebody renamed the employee to a person whom Okta does not have.
        to: Option<PersonId>,
        shared: Shared,
        /// Whether the other person can be matched.
        is_in_scope: bool,
    },
    /// The person has a new account in Okta, which takes the employee over.
    AccountReplaced {
        employee: EmployeeId,
        to: PersonId,
    },
    /// Okta, asked by id, no longer has the person.
    DeletedInOkta {
        employee: EmployeeId,
    },
    /// The decision is Deactivate, and Okta shows the person as employed.
    StillEmployed {
        status: OktaStatus,
    },
    /// A decision gave the employee of the match in force to another person.
    ReassignedByDecision {
        employee: EmployeeId,
        to: PersonId,
    },
    /// The person is employed but the employee is deactivated, which the API cannot undo.
    EmployeeDeactivated {
        employee: EmployeeId,
        /// An active employee that may be the person's.
        active: Option<EmployeeId>,
    },
    /// The person departed and the employee of the match in force is deactivated, but another record of
    /// the person is active.
    ActiveRecordLeft {
        employees: Vec<EmployeeId>,
        active: EmployeeId,
    },
    /// The person is in several team groups, and no rule says which team wins.
    SeveralTeams {
        teams: Vec<String>,
    },
    /// Each of the person's teams is in conflict.
    TeamConflict {
        teams: Vec<String>,
    },
    /// Insightful has none of the person's teams, and the policy forbids to create them.
    TeamNotCreated {
        teams: Vec<String>,
    },
    /// Another employee has the email; `of` is the person whose match that employee is.
    EmailTaken {
        by: EmployeeId,
        of: Option<PersonId>,
    },
    /// Each of these employees is to get the email that the next one has, the last one that of the first.
    EmailsExchanged {
        employees: Vec<EmployeeId>,
    },
    /// Other people in Okta have the same email.
    EmailNotUnique {
        with: Vec<PersonId>,
    },
    /// An invitation needs an email.
    NoEmail,
    /// An invitation needs a name.
    NoName,
    /// Insightful lacks the team that `newEmployees` names, or has no default team.
    NewEmployeeTeamMissing {
        name: Option<String>,
    },
    /// Insightful lacks the shared settings that `newEmployees` names, or has no default settings.
    SharedSettingsMissing {
        name: Option<String>,
    },
    /// Objects with these names name the person, who has one of another name.
    WrongName {
        objects: Vec<String>,
    },
    /// This version of the operator cannot read the person's object.
    Unreadable {
        object: String,
        why: String,
    },
    NotInOktaResponse,
    /// Not in Okta's response, and without an active employee.
    MissingWithoutEmployee,
    /// Departed and deactivated before Okta's response lacked the person.
    Deactivated,
    NotInTeamGroup,
    /// Staged in Okta, without an employee.
    NotStarted,
    DepartedWithoutEmployee,
}

impl Blocker {
    /// The blocker of a person with objects that are not used.
    pub fn unusable(objects: &[Unusable]) -> Option<Self> {
        let unreadable = objects.iter().find_map(|object| match &object.why {
            WhyUnusable::Unreadable(why) => Some(Self::Unreadable {
                object: object.name.clone(),
                why: why.clone(),
            }),
            WhyUnusable::WrongName => None,
        });
        let objects: Vec<String> = objects.iter().map(|object| object.name.clone()).collect();
        unreadable.or_else(|| (!objects.is_empty()).then_some(Self::WrongName { objects }))
    }

    /// Returns the condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MatchedWithAnother { .. } => "MatchedWithAnother",
            Self::NeedsDecision { .. } => "NeedsDecision",
            Self::NoEmployee => "NoEmployee",
            Self::EmployeeClaimedTwice { .. } => "EmployeeClaimedTwice",
            Self::EmployeeNotFound { .. } => "EmployeeNotFound",
            Self::ReassignedByDecision { .. } => "ReassignedByDecision",
            Self::EmployeeDeactivated { .. } => "EmployeeDeactivated",
            Self::ActiveRecordLeft { .. } => "ActiveRecordLeft",
            Self::SeveralTeams { .. } => "SeveralTeams",
            Self::TeamConflict { .. } => "TeamConflict",
            Self::TeamNotCreated { .. } => "TeamNotCreated",
            Self::EmailTaken { .. } => "EmailTaken",
            Self::EmailsExchanged { .. } => "EmailsExchanged",
            Self::EmailNotUnique { .. } => "EmailNotUnique",
            Self::NoEmail => "NoEmail",
            Self::NoName => "NoName",
            Self::NewEmployeeTeamMissing { .. } => "NewEmployeeTeamMissing",
            Self::SharedSettingsMissing { .. } => "SharedSettingsMissing",
            Self::WrongName { .. } => "WrongName",
            Self::Unreadable { .. } => "Unreadable",
            Self::EmployeeHandedOn { .. } => "EmployeeHandedOn",
            Self::AccountReplaced { .. } => "AccountReplaced",
            Self::DeletedInOkta { .. } => "DeletedInOkta",
            Self::StillEmployed { .. } => "StillEmployed",
            Self::NotInOktaResponse | Self::MissingWithoutEmployee => "NotInOktaResponse",
            Self::Deactivated => "Deactivated",
            Self::NotInTeamGroup => "NotInTeamGroup",
            Self::NotStarted => "NotStarted",
            Self::DepartedWithoutEmployee => "DepartedWithoutEmployee",
        }
    }

    /// Returns what is wrong and what to do about it. The snapshot gives the names of
    /// people and employees.
    pub fn message(&self, snapshot: &Snapshot) -> String {
        let employee = |id| named_employee(id, snapshot);
        let person = |id| named_person(id, snapshot);
        let is_deactivated = |id| {
            let employee = snapshot.employees().get(id);
            employee.is_some_and(|employee| employee.deactivated)
        };
        match self {
            Self::MatchedWithAnother { employee: id, with } => format!(
                "{employee} may be this person's, but is matched to {with}: if it is, end its match with {with} by a decision and match it with this person; if not, set spec.decision to Create or Ignore",
                employee = employee(id),
                with = person(with)
            ),
            Self::NeedsDecision { doubts } => format!(
                "not certain enough ({}): set spec.decision to Match with employeeIds, Create or Ignore",
                doubts.join("; ")
            ),
            Self::NoEmployee => {
                "no plausible employee found: set spec.decision to Match with employeeIds, Create or Ignore"
                    .into()
            }
            Self::EmployeeClaimedTwice { employee: id, with } => {
                let with: Vec<String> = with.iter().map(person).collect();
                format!(
                    "{} is also claimed by {}: nothing is written for any of them until a decision changes",
                    employee(id),
                    with.join(", ")
                )
            }
            Self::EmployeeNotFound {
                missing,
                decided,
                invited,
            } => {
                let ids: Vec<String> = missing.iter().map(ToString::to_string).collect();
                let ids = ids.join(", ");
                match (decided, invited) {
                    (true, _) => format!(
                        "Insightful has no employee with id {ids}: nothing is written; correct spec.employeeIds, or set spec.decision to Create or Ignore"
                    ),
                    (false, false) => format!(
                        "Insightful no longer has employee {ids}: nothing is written; set spec.decision to Match with another employee, to Create to invite the person, or to Ignore"
                    ),
                    // A decision to create that stands must not invite again whenever a list lacks somebody.
                    (false, true) => format!(
                        "Insightful no longer has employee {ids}, whom the operator invited: nothing is written; set spec.decision to Match with another employee, to Create with {ids} in spec.rejectedEmployeeIds to invite the person again, or to Ignore"
                    ),
                }
            }
            Self::EmployeeHandedOn {
                employee: id,
                to: Some(to),
                shared,
                is_in_scope: true,
            } => format!(
                "{} has the {} of {}: nothing is written to it until a decision; if it is theirs, set spec.decision of their EmployeeMatch to Match with employee {id}; if not, add {id} to spec.rejectedEmployeeIds there",
                employee(id),
                shared.words(),
                person(to)
            ),
            Self::EmployeeHandedOn {
                employee: id,
                to: Some(to),
                shared,
                is_in_scope: false,
            } => format!(
                "{} has the {} of {}, who is in no team group: nothing is written to it; if it is theirs, add them to a team group in Okta; if not, correct the {} in Insightful",
                employee(id),
                shared.words(),
                person(to),
                shared.words()
            ),
            Self::EmployeeHandedOn {
                employee: id,
                to: None,
                ..
            } => format!(
                "{} was renamed in Insightful and has nothing of this person's name: nothing is written to it; if it is still this person's, correct the name there; if not, add {id} to spec.rejectedEmployeeIds",
                employee(id)
            ),
            Self::AccountReplaced { employee: id, to } => format!(
                "departed; {} is not deactivated: it has the name and email of {}, the person's new account, which takes it over",
                employee(id),
                person(to)
            ),
            Self::DeletedInOkta { employee: id } => format!(
                "Okta no longer has this person: {} stays as it is until a decision; if the person has left, set spec.decision to Deactivate; if they have a new account, set spec.decision of its EmployeeMatch to Match with employee {id}",
                employee(id)
            ),
            Self::StillEmployed { status } => format!(
                "spec.decision is Deactivate, but Okta shows this person as {status}: nothing is written; deactivate the person in Okta, or set spec.decision to Auto"
            ),
            Self::ReassignedByDecision { employee: id, to } => format!(
                "{} is matched with {} by decision: set spec.decision of this person, too",
                employee(id),
                person(to)
            ),
            Self::EmployeeDeactivated {
                employee: id,
                active: None,
            } => format!(
                "{} is deactivated, and Insightful's API cannot reactivate: reactivate in the web app (possible for 7 days after the deactivation), or set spec.decision",
                employee(id)
            ),
            Self::EmployeeDeactivated {
                employee: id,
                active: Some(active),
            } => format!(
                "{} is deactivated, but {} is active and may be this person's: if it is, set spec.decision to Match with this employee; if not, reactivate the other in the web app (possible for 7 days after the deactivation)",
                employee(id),
                employee(active)
            ),
            Self::ActiveRecordLeft { employees, active } => {
                let ids = employees.iter().chain([active]).map(ToString::to_string);
                format!(
                    "departed; the employee is deactivated, but {} has the same email and name and is active: to deactivate it too, set spec.decision to Match with employeeIds {}; if it is somebody else's, add it to spec.rejectedEmployeeIds",
                    employee(active),
                    ids.collect::<Vec<_>>().join(", ")
                )
            }
            Self::SeveralTeams { teams } => format!(
                "member of several team groups ({}): name the team that wins in spec.teams.precedence of the integration, or remove the person from all groups but one in Okta",
                teams.join(", ")
            ),
            Self::TeamConflict { teams } => format!(
                "which team {} means is unclear: status.teams of the integration says why and what to do",
                teams.join(" or ")
            ),
            Self::TeamNotCreated { teams } => format!(
                "Insightful has no team {}, and spec.teams.createMissing of the integration is false: create the team, or set createMissing to true",
                teams.join(" or ")
            ),
            Self::EmailTaken { by, .. } if is_deactivated(by) => format!(
                "the deactivated {} has this person's email: change the email of that record in Insightful or delete the record there; if it is this person's, reactivate it there and match it by spec.decision",
                employee(by)
            ),
            Self::EmailTaken { by, of: None } => format!(
                "{} has this person's email and is nobody's match: if it is this person's record, match it by spec.decision, else change its email in Insightful",
                employee(by)
            ),
            Self::EmailTaken { by, of: Some(of) } => format!(
                "{} of {} has this person's email: nothing is written until it is free; give each person an email of their own in Okta, or change the one that is wrong in Insightful",
                employee(by),
                person(of)
            ),
            Self::EmailsExchanged { employees } => {
                let named: Vec<String> = employees.iter().map(employee).collect();
                format!(
                    "each of these employees is to get the email of the next: {}. Insightful gives an email to one employee at a time: set the email of one of them to any free address there, and the next sync does the rest",
                    named.join(", ")
                )
            }
            Self::EmailNotUnique { with } => {
                let with: Vec<String> = with.iter().map(person).collect();
                format!(
                    "{} in Okta also has this email: give each person an email of their own",
                    with.join(", ")
                )
            }
            Self::NoEmail => {
                "an invitation needs an email, and Okta has none for this person: add one in Okta".into()
            }
            Self::NoName => "Okta has neither first nor last name for this person: add one in Okta".into(),
            Self::NewEmployeeTeamMissing { name: Some(name) } => format!(
                "Insightful has no team {name:?}: correct spec.insightful.newEmployees.team of the integration, or create the team"
            ),
            Self::NewEmployeeTeamMissing { name: None } => {
                "Insightful has no default team: set spec.insightful.newEmployees.team of the integration".into()
            }
            Self::SharedSettingsMissing { name: Some(name) } => format!(
                "Insightful has no shared settings {name:?}: correct spec.insightful.newEmployees.sharedSettings of the integration"
            ),
            Self::SharedSettingsMissing { name: None } => {
                "Insightful has no default settings: set spec.insightful.newEmployees.sharedSettings of the integration"
                    .into()
            }
            Self::WrongName { objects } => {
                let are_not_used = match objects.as_slice() {
                    [one] => format!("EmployeeMatch {one} is for this person but has the wrong name, so it is not used"),
                    several => format!(
                        "EmployeeMatches {} are for this person but have the wrong name, so they are not used",
                        several.join(", ")
                    ),
                };
                format!(
                    "{are_not_used}: nothing is written for this person until only the EmployeeMatch with the right name is left"
                )
            }
            Self::Unreadable { object, why } => format!(
                "EmployeeMatch {object} cannot be read by this version of the operator ({why}): nothing is written for this person until it is corrected"
            ),
            Self::NotInOktaResponse => {
                "not in Okta's response: nothing is written, since a missing person is no evidence of a departure; if the person has left, set spec.decision to Deactivate"
                    .into()
            }
            Self::MissingWithoutEmployee => {
                "not in Okta's response, and matched with no active employee: nothing to do".into()
            }
            Self::Deactivated => "departed; the employee is deactivated".into(),
            Self::NotInTeamGroup => {
                "not a member of any team group: nothing is written; to sync this person, add them to a team group in Okta"
                    .into()
            }
            Self::NotStarted => "staged in Okta, without an employee: nothing to do until the person starts".into(),
            Self::DepartedWithoutEmployee => "departed, without an employee in Insightful: nothing to do".into(),
        }
    }

    /// Whether somebody has to act before the person can be synced.
    pub fn needs_action(&self) -> bool {
        !matches!(
            self,
            Self::NotInTeamGroup
                | Self::NotStarted
                | Self::DepartedWithoutEmployee
                | Self::MissingWithoutEmployee
                | Self::Deactivated
                | Self::AccountReplaced { .. }
        )
    }
}

/// An employee by name and id.
pub fn named_employee(id: &EmployeeId, snapshot: &Snapshot) -> String {
    match snapshot.employees().get(id) {
        Some(employee) => format!("employee {} ({id})", employee.name),
        None => format!("employee {id}"),
    }
}

/// A person by name and id.
pub fn named_person(id: &PersonId, snapshot: &Snapshot) -> String {
    match snapshot.people().get(id).map(Person::display_name) {
        Some(name) => format!("{name} (Okta user {id})"),
        None => format!("Okta user {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::Example;

    #[test]
    fn messages_name_people_and_employees_that_the_snapshot_has() {
        let mut example = Example::jane();
        example.person("mary", "Mary", "Major", "Sales");
        example.employee("e2", "Jane Old", "jane@old.com").deactivated = true;
        let snapshot = example.snapshot();
        let message = |blocker: Blocker| blocker.message(&snapshot);
        for (blocker, start) in [
            (
                Blocker::EmployeeClaimedTwice {
                    employee: "e1".into(),
                    with: vec!["mary".into(), "gone".into()],
                },
                "employee Jane Doe (e1) is also claimed by Mary Major (Okta user mary), Okta user gone:",
            ),
            (
                Blocker::ReassignedByDecision {
                    employee: "e1".into(),
                    to: "mary".into(),
                },
                "employee Jane Doe (e1) is matched with Mary Major (Okta user mary) by decision:",
            ),
            (
                Blocker::EmailTaken {
                    by: "e1".into(),
                    of: None,
                },
                "employee Jane Doe (e1) has this person's email and is nobody's match:",
            ),
            (
                Blocker::EmailTaken {
                    by: "e1".into(),
                    of: Some("mary".into()),
                },
                "employee Jane Doe (e1) of Mary Major (Okta user mary) has this person's email:",
            ),
            (
                Blocker::EmailTaken {
                    by: "e2".into(),
                    of: None,
                },
                "the deactivated employee Jane Old (e2) has this person's email: change the email of that record",
            ),
            (
                Blocker::EmailsExchanged {
                    employees: vec!["e1".into(), "e9".into()],
                },
                "each of these employees is to get the email of the next: employee Jane Doe (e1), employee e9.",
            ),
            (
                Blocker::EmailNotUnique {
                    with: vec!["mary".into()],
                },
                "Mary Major (Okta user mary) in Okta also has this email:",
            ),
            (
                Blocker::EmployeeDeactivated {
                    employee: "e9".into(),
                    active: None,
                },
                "employee e9 is deactivated, and",
            ),
            (
                Blocker::EmployeeDeactivated {
                    employee: "e9".into(),
                    active: Some("e1".into()),
                },
                "employee e9 is deactivated, but employee Jane Doe (e1) is active",
            ),
            (
                Blocker::MatchedWithAnother {
                    employee: "e1".into(),
                    with: "mary".into(),
                },
                "employee Jane Doe (e1) may be this person's, but is matched to Mary Major (Okta user mary):",
            ),
            (
                Blocker::ActiveRecordLeft {
                    employees: vec!["e9".into()],
                    active: "e1".into(),
                },
                "departed; the employee is deactivated, but employee Jane Doe (e1) has the same email",
            ),
        ] {
            let message = message(blocker);
            assert!(message.starts_with(start), "{message}");
        }
    }
}
