//! What keeps a person from being synced: the reason and the message of the `Ready`
//! condition on their EmployeeMatch.

use crate::{
    api::Decision,
    matching::Reason,
    model::{EmployeeId, OktaStatus, PersonId, Snapshot},
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
        /// The people with whom decisions match it.
        decided: Vec<PersonId>,
        invitation: Invitation,
    },
    /// There are candidates, but none is certain enough.
    NeedsDecision {
        doubts: Vec<Reason>,
        invitation: Invitation,
    },
    /// The employee is certain enough, but `matching.automatic` is false.
    NotAutomatic {
        employee: EmployeeId,
        invitation: Invitation,
    },
    /// No employee is plausible.
    NoEmployee {
        invitation: Invitation,
    },
    /// Other people claim the same employee.
    EmployeeClaimedTwice {
        employee: EmployeeId,
        with: Vec<PersonId>,
    },
    /// A decision or the match in force names employees that Insightful lacks.
    EmployeeNotFound {
        missing: Vec<EmployeeId>,
        /// The employees that it names, and that Insightful has and nobody else claims.
        present: Vec<EmployeeId>,
        /// Whether a decision names them.
        decided: bool,
        /// Whether the operator invited them.
        invited: bool,
        invitation: Invitation,
    },
    /// An employee has the name or email of another person, who works here.
    EmployeeHandedOn {
        employee: EmployeeId,
        to: Successor,
        /// The other employees of the decision, if one matches the employee with the person whose it was.
        decided: Option<Vec<EmployeeId>>,
        /// Whether that person departed.
        departed: bool,
    },
    /// The person has a new account in Okta, which takes the employee over.
    AccountReplaced {
        employee: EmployeeId,
        to: PersonId,
    },
    /// Okta, asked by id, no longer has the person.
    DeletedInOkta {
        employees: Vec<EmployeeId>,
    },
    /// The decision is Deactivate, and Okta shows the person as employed.
    StillEmployed {
        status: OktaStatus,
    },
    /// A decision gave the employee of the match in force to another person.
    ReassignedByDecision {
        employee: EmployeeId,
        to: Vec<PersonId>,
        invitation: Invitation,
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
        /// Why the record is the person's.
        reasons: Vec<Reason>,
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
    /// Another employee has the email.
    EmailTaken {
        by: EmployeeId,
        holder: EmailHolder,
    },
    /// Each of these employees is to get the email that the next one has, the last one that of the first; with the
    /// people whose matches they are.
    EmailsExchanged {
        matches: Vec<(EmployeeId, PersonId)>,
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
    /// An employee's record in Insightful cannot be read.
    EmployeeUnreadable {
        /// The record and what is wrong with it.
        record: String,
        whose: UnreadableIs,
    },
    /// The person's record in Okta cannot be read.
    PersonUnreadable {
        /// What is wrong with it.
        problem: String,
    },
    /// The team or the shared settings of invited people are not found, and a record that cannot be read may be theirs.
    NewEmployeePlaceUnreadable {
        /// The record and what is wrong with it.
        record: String,
    },
    NotInOktaResponse {
        /// Whether a match is in force that no decision changes.
        is_matched: bool,
    },
    /// Not in Okta's response, and without an active employee.
    MissingWithoutEmployee,
    /// Departed and deactivated before Okta's response lacked the person.
    Deactivated {
        employees: usize,
    },
    NotInTeamGroup,
    /// The account fits a rule of `spec.okta.exclude`.
    Excluded {
        /// What fits.
        rule: String,
        /// Not [`Decision::Ignore`], which is carried out.
        decision: Decision,
        /// The employees of the match in force.
        employees: Vec<EmployeeId>,
    },
    /// The person would be invited without a decision, but may be none.
    MaybeNotAPerson {
        suspicion: Reason,
        invitation: Invitation,
    },
    /// Staged in Okta, without an employee.
    NotStarted,
    DepartedWithoutEmployee,
}

/// Whether the decision Create would invite a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invitation {
    Possible,
    /// A person who departed is never invited. A match deactivates the employee.
    Departed,
    NoEmail,
    NoName,
    /// This employee has the person's email.
    EmailOf(EmployeeId),
}

/// Whose an employee is now that was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Successor {
    /// Somebody renamed it to a person whom Okta does not have.
    Unknown,
    /// A person who cannot be matched.
    OutOfScope(PersonId, Shared),
    Excluded(PersonId, Shared),
    InScope {
        person: PersonId,
        shared: Shared,
        /// The employees that the person has besides.
        others: Vec<EmployeeId>,
    },
}

/// Who has an employee whose email a person is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailHolder {
    /// The person who is to get it. `employees` are all of theirs, the one that has it first.
    Same { employees: Vec<EmployeeId> },
    Another {
        person: PersonId,
        /// Whether Okta shows both people with this email.
        is_shared: bool,
    },
    /// The person who is to get it, whose match with the employee ends. `own` are their employees.
    Former { own: Vec<EmployeeId> },
    Nobody {
        /// The employees of the person who is to get it.
        own: Vec<EmployeeId>,
        /// Another person for whom it is proposed.
        proposed_for: Option<PersonId>,
    },
}

/// What an employee whose record cannot be read is to the person who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadableIs {
    /// Matched with the person, by a decision or a match in force.
    Matched,
    /// Perhaps the person's.
    Candidate,
    /// Perhaps created by an invitation of the person that had no response.
    Invited,
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
            Self::NeedsDecision { .. } | Self::NotAutomatic { .. } => "NeedsDecision",
            Self::NoEmployee { .. } => "NoEmployee",
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
            Self::EmployeeUnreadable { .. } => "EmployeeUnreadable",
            Self::PersonUnreadable { .. } => "PersonUnreadable",
            Self::NewEmployeePlaceUnreadable { .. } => "NewEmployeePlaceUnreadable",
            Self::NotInOktaResponse { .. } | Self::MissingWithoutEmployee => "NotInOktaResponse",
            Self::Deactivated { .. } => "Deactivated",
            Self::NotInTeamGroup => "NotInTeamGroup",
            Self::Excluded { .. } => "Excluded",
            Self::MaybeNotAPerson { .. } => "MaybeNotAPerson",
            Self::NotStarted => "NotStarted",
            Self::DepartedWithoutEmployee => "DepartedWithoutEmployee",
        }
    }

    /// Returns what is wrong, what it means and what to do about it. The snapshot gives the names of people and
    /// employees. Whoever follows the advice causes no conflict, and reaches nobody else's record.
    pub fn message(&self, snapshot: &Snapshot) -> String {
        let employee = |id| snapshot.named_employee(id);
        let person = |id| snapshot.named_person(id);
        let is_deactivated = |id| {
            let employee = snapshot.employees().get(id);
            employee.is_some_and(|employee| employee.deactivated)
        };
        match self {
            Self::MatchedWithAnother {
                employee: id,
                with,
                decided,
                invitation,
            } => {
                let take_over = if decided.is_empty() {
                    format!(
                        "set spec.decision to Match with employeeIds {id}, and decide about {}, too",
                        person(with)
                    )
                } else {
                    format!(
                        "first set spec.decision of {} to Match with another employee, Create or Ignore, then this one to Match with employeeIds {id}",
                        matches_of(decided, snapshot)
                    )
                };
                format!(
                    "{} may be this person's, but is matched to {}: if it is this person's, {take_over}; if not, {}",
                    employee(id),
                    person(with),
                    invitation.without_employee(snapshot)
                )
            }
            Self::NeedsDecision { doubts, invitation } => format!(
                "not certain enough ({}): {}",
                doubts.join("; "),
                invitation.decisions(snapshot)
            ),
            Self::NotAutomatic {
                employee: id,
                invitation,
            } => format!(
                "spec.matching.automatic of the integration is false, so that each match waits for a decision: if {} is this person's, set spec.decision to Match with employeeIds {id}; if not, {}",
                employee(id),
                invitation.without_employee(snapshot)
            ),
            Self::NoEmployee { invitation } => {
                format!("no plausible employee found: {}", invitation.decisions(snapshot))
            }
            Self::EmployeeClaimedTwice { employee: id, with } => {
                let with: Vec<String> = with.iter().map(person).collect();
                format!(
                    "{} is also claimed by {}: nothing is written for any of them until only one claims it; set spec.decision of every other one to Match with another employee, Create or Ignore",
                    employee(id),
                    with.join(", ")
                )
            }
            Self::EmployeeNotFound {
                missing,
                present,
                decided,
                invited,
                invitation,
            } => {
                let has = if *decided { "has no" } else { "no longer has" };
                let noun = if missing.len() == 1 { "employee" } else { "employees" };
                let missing = ids(missing);
                let what = format!("Insightful {has} {noun} {missing}");
                if !present.is_empty() {
                    return format!(
                        "{what}: nothing is written; set spec.decision to Match with employeeIds {}, which it has, or correct the ids",
                        ids(present)
                    );
                }
                let correct = if *decided {
                    "correct spec.employeeIds, or set spec.decision to"
                } else {
                    "set spec.decision to Match with another employee,"
                };
                match (invitation, decided, invited) {
                    // A decision to create that stands must not invite again whenever a list lacks somebody.
                    (Invitation::Possible, false, true) => format!(
                        "{what}, whom the operator invited: nothing is written; {correct} Create with {missing} in spec.rejectedEmployeeIds to invite the person again, or Ignore"
                    ),
                    (Invitation::Possible, ..) => {
                        format!("{what}: nothing is written; {correct} Create to invite the person, or Ignore")
                    }
                    (_, true, _) => format!("{what}: nothing is written; {correct} Ignore"),
                    (_, false, _) => format!("{what}: nothing is written; {correct} or Ignore"),
                }
            }
            Self::EmployeeHandedOn {
                employee: id,
                to,
                decided,
                departed,
            } => {
                let employee = employee(id);
                let then = if *departed {
                    "it is deactivated then, since this person departed"
                } else {
                    "it gets this person's data then"
                };
                match to {
                    Successor::InScope {
                        person: to,
                        shared,
                        others,
                    } => {
                        let others = match others.as_slice() {
                            [] => String::new(),
                            others => format!(" (and {}, if still theirs)", ids(others)),
                        };
                        let first = match decided.as_deref() {
                            None => "set spec.decision".to_owned(),
                            Some([]) => "set spec.decision to Auto, and then that".to_owned(),
                            Some(others) => {
                                format!("set spec.employeeIds to {}, and then spec.decision", ids(others))
                            }
                        };
                        format!(
                            "{employee} has the {} of {}: nothing is written to it until a decision; if it is theirs, {first} of their EmployeeMatch to Match with employeeIds {id}{others}; if not, add {id} to spec.rejectedEmployeeIds there: {then}",
                            shared.words(),
                            person(to)
                        )
                    }
                    Successor::OutOfScope(to, shared) => format!(
                        "{employee} has the {} of {}, who is in no team group: nothing is written to it; if it is theirs, add them to a team group in Okta; if not, correct the {} in Insightful: {then}",
                        shared.words(),
                        person(to),
                        shared.words()
                    ),
                    Successor::Excluded(to, shared) => format!(
                        "{employee} has the {} of {}, who is excluded by spec.okta.exclude: nothing is written to it; if it is theirs, set spec.decision of this person to Ignore; if not, correct the {} in Insightful: {then}",
                        shared.words(),
                        person(to),
                        shared.words()
                    ),
                    Successor::Unknown => {
                        let end = match decided.as_deref() {
                            None => format!("add {id} to spec.rejectedEmployeeIds"),
                            Some([]) => "set spec.decision to Ignore".to_owned(),
                            Some(others) => format!("set spec.employeeIds to {}", ids(others)),
                        };
                        format!(
                            "{employee} was renamed in Insightful and has nothing of this person's name: nothing is written to it; if it is still this person's, correct the name there: {then}; if not, {end}"
                        )
                    }
                }
            }
            Self::AccountReplaced { employee: id, to } => format!(
                "departed; {} is not deactivated: it has the name and email of {}, the person's new account, which takes it over",
                employee(id),
                person(to)
            ),
            Self::DeletedInOkta { employees } => {
                let named: Vec<String> = employees.iter().map(employee).collect();
                let (stay, them) = match employees.as_slice() {
                    [_] => ("stays as it is", "it"),
                    _ => ("stay as they are", "them"),
                };
                format!(
                    "Okta no longer has this person: {} {stay} until a decision; if the person has left, set spec.decision to Deactivate, which deactivates {them}; if they have a new account, set spec.decision of its EmployeeMatch to Match with employeeIds {}",
                    named.join(", "),
                    ids(employees)
                )
            }
            Self::StillEmployed { status } => format!(
                "spec.decision is Deactivate, but Okta shows this person as {status}: nothing is written; deactivate the person in Okta, or set spec.decision to Auto"
            ),
            Self::ReassignedByDecision {
                employee: id,
                to,
                invitation,
            } => {
                let named: Vec<String> = to.iter().map(person).collect();
                format!(
                    "{} is matched with {} by decision, which ends this person's match with it: to take it back, set spec.decision of {} to Match with another employee, Create or Ignore; otherwise, {}",
                    employee(id),
                    named.join(", "),
                    matches_of(to, snapshot),
                    invitation.decisions(snapshot)
                )
            }
            Self::EmployeeDeactivated {
                employee: id,
                active: None,
            } => format!(
                "{} is deactivated, and Insightful's API cannot reactivate: {REACTIVATE}, or set spec.decision to Match with another employee or to Ignore",
                employee(id)
            ),
            Self::EmployeeDeactivated {
                employee: id,
                active: Some(active),
            } => format!(
                "{} is deactivated, but {} is active and may be this person's: if it is, set spec.decision to Match with employeeIds {active}; if not, {REACTIVATE}",
                employee(id),
                employee(active)
            ),
            Self::ActiveRecordLeft {
                employees,
                active,
                reasons,
            } => {
                let are = match employees.as_slice() {
                    [_] => "the employee is",
                    _ => "the employees are",
                };
                let all: Vec<EmployeeId> = employees.iter().chain([active]).cloned().collect();
                format!(
                    "departed; {are} deactivated, but {} is active and believed to be this person's, too ({}): to deactivate it, set spec.decision to Match with employeeIds {}; if it is somebody else's, add {active} to spec.rejectedEmployeeIds",
                    employee(active),
                    reasons.join("; "),
                    ids(&all)
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
            Self::EmailTaken {
                by,
                holder: EmailHolder::Same { employees },
            } => format!(
                "{} has this person's email, and the first employee of the match is to get it: set spec.decision to Match with employeeIds {}, in this order",
                employee(by),
                ids(employees)
            ),
            Self::EmailTaken {
                by,
                holder: EmailHolder::Another { person: of, .. },
            } if is_deactivated(by) => format!(
                "the deactivated {}, which is matched with {}, has this person's email: change the email of that record in Insightful or delete the record there",
                employee(by),
                person(of)
            ),
            Self::EmailTaken { by, .. } if is_deactivated(by) => format!(
                "the deactivated {} has this person's email: change the email of that record in Insightful or delete the record there; if it is this person's, {REACTIVATE} and then set spec.decision to Match with employeeIds {by}",
                employee(by)
            ),
            Self::EmailTaken {
                by,
                holder: EmailHolder::Another { person: of, is_shared },
            } => {
                let of = person(of);
                let why = if *is_shared {
                    format!(
                        "has this person's email, which is also the email of {of}, with whom it is matched: nothing is written until it is free; give each person an email of their own in Okta"
                    )
                } else {
                    format!(
                        "has this person's email, but is matched with {of}, who does not have it in Okta: nothing is written until it is free; if that match is right, see on the EmployeeMatch of {of} why the employee does not get their email, or change it in Insightful; if not, correct the decisions about both"
                    )
                };
                format!("{} {why}", employee(by))
            }
            Self::EmailTaken {
                by,
                holder: EmailHolder::Former { own },
            } => format!(
                "{} has this person's email, and its match with this person ends: once it has its former email or another one in Insightful, the next sync writes this person; if it is this person's, too, set spec.decision to Match with employeeIds {}",
                employee(by),
                ids(&[by].into_iter().chain(own).cloned().collect::<Vec<_>>())
            ),
            Self::EmailTaken {
                by,
                holder: EmailHolder::Nobody { own, proposed_for },
            } => {
                let all: Vec<EmployeeId> = [by].into_iter().chain(own).cloned().collect();
                let proposed = match proposed_for {
                    Some(other) => format!(", though it is proposed for {}", person(other)),
                    None => String::new(),
                };
                let too = if own.is_empty() { "" } else { ", too" };
                format!(
                    "{} has this person's email and is matched with nobody else{proposed}: if it is this person's{too}, set spec.decision to Match with employeeIds {}; if not, change its email in Insightful",
                    employee(by),
                    ids(&all)
                )
            }
            Self::EmailsExchanged { matches } => {
                let named: Vec<String> = matches
                    .iter()
                    .map(|(id, of)| format!("{} for {}", employee(id), person(of)))
                    .collect();
                format!(
                    "each of these employees is to get the email of the next: {}. If these matches are right, set the email of one of them to any free address in Insightful, which gives an email to one employee at a time, and the next sync does the rest; if not, correct the decisions first",
                    named.join(", ")
                )
            }
            Self::EmailNotUnique { with } => {
                let have = if with.len() == 1 { "has" } else { "have" };
                let with: Vec<String> = with.iter().map(person).collect();
                format!(
                    "{} also {have} this email in Okta: give each person an email of their own there",
                    with.join(", ")
                )
            }
            Self::NoEmail => {
                "an invitation needs an email, and Okta has none for this person: add one in Okta".into()
            }
            Self::NoName => {
                "an invitation needs a name, and Okta has neither first nor last name for this person: add one in Okta"
                    .into()
            }
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
            Self::EmployeeUnreadable { record, whose } => match whose {
                UnreadableIs::Matched => format!(
                    "the record of this person's employee cannot be read ({record}): nothing is written for this person until it can; correct the record in Insightful"
                ),
                UnreadableIs::Candidate => format!(
                    "a record that cannot be read may be this person's ({record}): no invitation is sent until it can; correct the record in Insightful, or set spec.decision to Create if it is somebody else's"
                ),
                UnreadableIs::Invited => format!(
                    "a record that cannot be read may be what an earlier invitation of this person created ({record}): no other invitation is sent until it can; correct the record in Insightful"
                ),
            },
            Self::PersonUnreadable { problem } => format!(
                "Okta's record of this person cannot be read ({problem}): nothing is written for this person until it can, since what it says is unknown; correct the record in Okta"
            ),
            Self::NewEmployeePlaceUnreadable { record } => format!(
                "the place for invited people is not found, and a record that cannot be read may be it ({record}): correct the record in Insightful, or name another in spec.insightful.newEmployees of the integration"
            ),
            Self::NotInOktaResponse { is_matched: true } => {
                "not in Okta's response: nothing is written, since a missing person is no evidence of a departure; if the person has left, set spec.decision to Deactivate"
                    .into()
            }
            Self::NotInOktaResponse { is_matched: false } => {
                "not in Okta's response, so that the decision has no effect: check spec.oktaUserId"
                    .into()
            }
            Self::MissingWithoutEmployee => {
                "not in Okta's response, and matched with no active employee: nothing to do".into()
            }
            Self::Deactivated { employees } => departed_and_deactivated(*employees).into(),
            Self::NotInTeamGroup => {
                "not a member of any team group: nothing is written; to sync this person, add them to a team group in Okta"
                    .into()
            }
            Self::Excluded {
                rule,
                decision,
                employees,
            } => {
                let employees = match employees.as_slice() {
                    [] => String::new(),
                    [one] => format!(", and the match with {} rests", employee(one)),
                    several => {
                        let named: Vec<String> = several.iter().map(employee).collect();
                        format!(", and the match with {} rests", named.join(", "))
                    }
                };
                let then = match decision {
                    Decision::Auto | Decision::Ignore if employees.is_empty() => {
                        "to sync this person, change that rule of the integration".to_owned()
                    }
                    Decision::Auto | Decision::Ignore => {
                        "to sync this person again, change that rule of the integration; to end the match, set spec.decision to Ignore".to_owned()
                    }
                    decision => format!(
                        "spec.decision {decision:?} is not carried out before that rule of the integration is changed; to take it back, set it to Auto"
                    ),
                };
                format!("excluded by spec.okta.exclude: {rule}; nothing is written{employees}: {then}")
            }
            Self::MaybeNotAPerson {
                suspicion,
                invitation,
            } => format!(
                "may be no person ({suspicion}), so that nobody is invited without a decision: {}; to leave out such accounts, add a rule to spec.okta.exclude of the integration",
                invitation.decisions(snapshot)
            ),
            Self::NotStarted => "staged in Okta, without an employee: nothing to do until the person starts".into(),
            Self::DepartedWithoutEmployee => {
                "departed, and matched with no employee: nothing to do".into()
            }
        }
    }

    /// Whether somebody has to act before the person can be synced.
    pub fn needs_action(&self) -> bool {
        !matches!(
            self,
            Self::NotInTeamGroup
                | Self::Excluded { .. }
                | Self::NotStarted
                | Self::DepartedWithoutEmployee
                | Self::MissingWithoutEmployee
                | Self::Deactivated { .. }
                | Self::AccountReplaced { .. }
        )
    }
}

impl Invitation {
    /// The decisions that are left.
    pub fn decisions(&self, snapshot: &Snapshot) -> String {
        match self {
            Self::Departed => {
                "if an employee is this person's, set spec.decision to Match with employeeIds, which deactivates it; if none is, to Ignore"
                    .to_owned()
            }
            _ => format!(
                "if an employee is this person's, set spec.decision to Match with employeeIds; if none is, {}",
                self.without_employee(snapshot)
            ),
        }
    }

    /// The decisions about a person whose none of the employees is.
    fn without_employee(&self, snapshot: &Snapshot) -> String {
        match self {
            Self::Possible => "set spec.decision to Create, which invites the person, or Ignore".to_owned(),
            Self::Departed => "set spec.decision to Ignore".to_owned(),
            Self::NoEmail => {
                "set spec.decision to Ignore, or add an email in Okta, which Create needs for the invitation"
                    .to_owned()
            }
            Self::NoName => {
                "set spec.decision to Ignore, or add a name in Okta, which Create needs for the invitation"
                    .to_owned()
            }
            Self::EmailOf(employee) => format!(
                "set spec.decision to Ignore; Create is possible only after {}, which has this person's email, has another one in Insightful",
                snapshot.named_employee(employee)
            ),
        }
    }
}

/// How a wrong deactivation is undone.
const REACTIVATE: &str = "reactivate it in Insightful's web app (not within 7 days of the deactivation, when only Insightful's support can)";

/// That a person departed and has no active employee.
pub fn departed_and_deactivated(employees: usize) -> &'static str {
    match employees {
        0 | 1 => "departed; the employee is deactivated",
        _ => "departed; the employees are deactivated",
    }
}

/// The EmployeeMatches of people.
fn matches_of(people: &[PersonId], snapshot: &Snapshot) -> String {
    let named: Vec<String> = people.iter().map(|id| snapshot.named_person(id)).collect();
    let noun = if people.len() == 1 {
        "EmployeeMatch"
    } else {
        "EmployeeMatches"
    };
    format!("the {noun} of {}", named.join(", "))
}

fn ids(employees: &[EmployeeId]) -> String {
    let ids: Vec<&str> = employees.iter().map(EmployeeId::as_str).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests;
