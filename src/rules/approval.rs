//! Is a plan the remainder of an approved one? An approved plan that was cut short resumes without another
//! approval, as long as nothing is written that the admin did not see.
//!
//! The admin saw the statuses: the changes of each match, and the integration's new teams. Once [`begun`] has
//! put the approved plan on record, only its remainder replaces these statuses: before a plan with any other
//! write is shown, the approved plan is taken off the record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{
        Applying, EmployeeMatch, EmployeeMatchStatus, Field, FieldChange, GuardStatus, GuardedWrites,
        MatchState, OktaIntegrationSpec, OktaIntegrationStatus, Pending, TeamState, TeamStatus,
    },
    model::{EmployeeId, GroupId, PersonId, digest::Digest},
    rules::{
        assessment::Assessment,
        guard::{Clearance, ClearedPlan},
        plan::{MatchInForce, NewTeam, Plan},
        resolve::Resolution,
        status,
    },
};

/// The writes that a match's status announces: what an admin saw of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    state: Option<MatchState>,
    /// The person's first employee; None for a person who will be invited.
    employee: Option<EmployeeId>,
    changes: Box<[AnnouncedChange]>,
    /// Whether the status announces an invitation.
    invites: bool,
    unmatching: BTreeSet<EmployeeId>,
    /// Whether the outcome of an invitation is unknown.
    invitation_pending: bool,
    /// The employee that was created by an invitation.
    invited: Option<EmployeeId>,
    /// Whether the status is of the present decision.
    is_current: bool,
}

/// One announced write. It is small because those of all people are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AnnouncedChange {
    /// None for the person's first employee.
    employee: Option<EmployeeId>,
    /// Digest of the field and its two values.
    written: Digest,
}

impl From<&FieldChange> for AnnouncedChange {
    fn from(change: &FieldChange) -> Self {
        Self {
            employee: change.employee_id.as_deref().map(EmployeeId::from),
            written: Digest::of(&(change.field, &change.from, &change.to)),
        }
    }
}

/// The announcements of all matches of an integration.
pub type Announcements = BTreeMap<PersonId, Announced>;

impl Announced {
    /// `generation` is that of the match's spec.
    pub fn by(status: &EmployeeMatchStatus, generation: Option<i64>) -> Self {
        let invited = status.applied.as_ref().filter(|applied| applied.created);
        Self {
            state: status.state,
            employee: status
                .employee
                .as_ref()
                .map(|employee| employee.id.as_str().into()),
            changes: status.changes.iter().map(AnnouncedChange::from).collect(),
            invites: status.changes.iter().any(|change| {
                change.field == Field::Active && change.from.is_none() && change.employee_id.is_none()
            }),
            unmatching: status.unmatching.iter().map(|id| id.as_str().into()).collect(),
            invitation_pending: status.pending.is_some(),
            invited: invited
                .and_then(|applied| applied.employee_ids.first())
                .map(|id| id.as_str().into()),
            is_current: status.observed_generation == generation,
        }
    }

    /// Whether these changes of a person's employees are among the announced ones. `first` is the employee of
    /// a change that names none.
    fn covers(&self, changes: &[FieldChange], first: Option<&EmployeeId>) -> bool {
        changes.iter().map(AnnouncedChange::from).all(|now| {
            let employee = now.employee.as_ref().or(first);
            self.changes.iter().any(|then| {
                then.written == now.written
                    && match (&then.employee, employee) {
                        (Some(then), Some(now)) => then == now,
                        (Some(_), None) => false,
                        (None, Some(now)) if self.invites => self.is_invited(now),
                        (None, Some(now)) => self.employee.as_ref() == Some(now),
                        (None, None) => self.invites,
                    }
            })
        })
    }

    /// Whether the match that comes into force is the announced one.
    fn covers_match(&self, in_force: &MatchInForce) -> bool {
        let is_resolved = matches!(
            self.state,
            Some(MatchState::Proposed | MatchState::Matched | MatchState::Deactivated)
        );
        // The status shows the first employee; the decision names the others.
        is_resolved
            && in_force.employees.first().is_some_and(|first| {
                if self.invites {
                    self.is_invited(first)
                } else {
                    self.employee.as_ref() == Some(first)
                }
            })
    }

    /// Whether the announced invitation created the employee: its response said so or, if that was lost, the
    /// employee was found by the email.
    fn is_invited(&self, employee: &EmployeeId) -> bool {
        self.invites && (self.invitation_pending || self.invited.as_ref() == Some(employee))
    }
}

impl From<&EmployeeMatch> for Announced {
    fn from(object: &EmployeeMatch) -> Self {
        let nothing = EmployeeMatchStatus::default();
        Self::by(
            object.status.as_ref().unwrap_or(&nothing),
            object.metadata.generation,
        )
    }
}

/// Whether the matches announce exactly what is planned. A status that could not be written, because the
/// decision was changed at the same time, does not.
pub fn is_announced(assessment: &Assessment, announcements: &Announcements) -> bool {
    announcements.iter().all(|(id, announced)| {
        let changes = assessment.changes.get(id).into_iter().flatten();
        let unmatches = assessment.plan.unmatches.get(id).into_iter().flatten();
        announced.is_current
            && changes
                .map(AnnouncedChange::from)
                .eq(announced.changes.iter().cloned())
            && unmatches.eq(&announced.unmatching)
    })
}

/// Returns the integration's status right before the first write of a plan: the teams that it creates are
/// `pending`, so that a team whose response is lost is found by its name, an approved plan is on record, and what the
/// guard counts is counted.
pub fn begun(
    mut status: OktaIntegrationStatus,
    teams: Vec<TeamStatus>,
    pending: &BTreeMap<GroupId, Pending>,
    cleared: &ClearedPlan,
    guard: GuardStatus,
    now: Timestamp,
) -> OktaIntegrationStatus {
    let plan = cleared.as_plan();
    status.guard = Some(guard);
    status.teams = teams;
    for team in &mut status.teams {
        team.pending = pending.get(&team.group_id.as_str().into()).cloned();
    }
    if let Clearance::Approved(plan_hash) = cleared.clearance() {
        status.applying = Some(Applying {
            plan: plan_hash.clone(),
            since: Time(now),
            shared_settings: plan
                .creations
                .first()
                .map(|creation| creation.settings.to_string()),
        });
    }
    status::fit(&mut status);
    status
}

/// Returns the approved plan on record if the present plan is its remainder: each of its writes was announced
/// when the apply began, equal in employee, field and both values, and no decision about the people concerned
/// has changed since.
pub fn of<'a>(
    status: &'a OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    announcements: &Announcements,
) -> Option<&'a Applying> {
    let plan = &assessment.plan;
    let is_approved =
        |applying: &&Applying| spec.finalized && spec.approved_plan.as_ref() == Some(&applying.plan);
    let applying = status.applying.as_ref().filter(is_approved)?;
    let is_remainder = !plan.is_empty()
        && are_teams_announced(plan, &status.teams)
        && plan
            .creations
            .iter()
            .all(|creation| applying.shared_settings.as_deref() == Some(creation.settings.as_str()))
        && plan.people().into_iter().all(|person| {
            let announced = announcements.get(person);
            announced.is_some_and(|announced| is_person_announced(person, assessment, announced))
        });
    is_remainder.then_some(applying)
}

/// The bounded writes of the plan that were announced when an apply began, so that they were not made since.
pub fn announced_writes(
    status: &OktaIntegrationStatus,
    assessment: &Assessment,
    announcements: &Announcements,
) -> GuardedWrites {
    let is_announced = |person: &PersonId| {
        let announced = announcements.get(person);
        announced.is_some_and(|announced| is_person_announced(person, assessment, announced))
    };
    let by_group = by_group(&status.teams);
    GuardedWrites::of(&assessment.plan, is_announced, |new| {
        is_team_announced(new, &by_group)
    })
}

/// Whether every team that the plan creates was about to be created when the apply began.
fn are_teams_announced(plan: &Plan, teams: &[TeamStatus]) -> bool {
    let by_group = by_group(teams);
    plan.teams.iter().all(|new| is_team_announced(new, &by_group))
}

fn by_group(teams: &[TeamStatus]) -> BTreeMap<&str, &TeamStatus> {
    teams.iter().map(|team| (team.group_id.as_str(), team)).collect()
}

fn is_team_announced(new: &NewTeam, by_group: &BTreeMap<&str, &TeamStatus>) -> bool {
    by_group
        .get(new.group.as_str())
        .is_some_and(|team| team.name == new.name && team.state == TeamState::New && team.pending.is_some())
}

/// Whether all that the plan does with a person was announced.
fn is_person_announced(person: &PersonId, assessment: &Assessment, announced: &Announced) -> bool {
    let Assessment {
        plan,
        resolved,
        changes,
        ..
    } = assessment;
    let first = match resolved.get(person).map(|resolved| &resolved.resolution) {
        Some(Resolution::Matched(employees)) => employees.first(),
        _ => None,
    };
    let changes = changes.get(person);
    let in_force = plan.matches.get(person);
    let unmatches = plan.unmatches.get(person);
    announced.is_current
        && changes.is_none_or(|changes| announced.covers(changes, first))
        && in_force.is_none_or(|in_force| announced.covers_match(in_force))
        && unmatches.is_none_or(|employees| employees.is_subset(&announced.unmatching))
}

#[cfg(test)]
mod tests;
