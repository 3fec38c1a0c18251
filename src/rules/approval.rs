//! Is it what is left? An approved plan that was cut short goes on without
//! another approval, as long as nothing is written that the admin did not see.
//!
//! What they saw stands in the statuses: the changes of each match, and the
//! integration's new teams. Once [`begun`] has put the plan on record, these
//! statuses are only ever written over by what is left of it: a plan that holds
//! anything else is taken off the record before it is shown.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    api::{
        Applying, EmployeeMatch, EmployeeMatchStatus, Field, FieldChange, MatchState, OktaIntegrationSpec,
        OktaIntegrationStatus, Pending, PendingOperation, TeamState, TeamStatus,
    },
    model::{EmployeeId, PersonId, digest::Digest},
    rules::{
        assessment::Assessment,
        guard::{Clearance, ClearedPlan},
        plan::MatchInForce,
        resolve::Resolution,
        status,
    },
};

/// What a match's status announces: what an admin saw of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    state: Option<MatchState>,
    /// The person's first employee; None for who is to be invited.
    employee: Option<EmployeeId>,
    changes: Box<[AnnouncedChange]>,
    /// Whether the person is announced to be invited.
    invites: bool,
    unmatching: BTreeSet<EmployeeId>,
    /// Whether an invitation is under way whose outcome is not known.
    invitation_pending: bool,
    /// Who was invited.
    invited: Option<EmployeeId>,
    /// Whether the status answers the decision as it stands.
    answers: bool,
}

/// One announced write, as short as telling it from others allows: everybody's
/// are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AnnouncedChange {
    /// None stands for the person's first employee.
    employee: Option<EmployeeId>,
    /// Digest of the field and both its values.
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

/// What all matches of an integration announce.
pub type Announcements = BTreeMap<PersonId, Announced>;

impl Announced {
    /// What a status announces; `generation` is that of the object's spec.
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
            answers: status.observed_generation == generation,
        }
    }

    /// Whether these writes to a person's employees are among the announced
    /// ones. `first` is the employee whom a change means that names none.
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
    fn covers_match(&self, link: &MatchInForce) -> bool {
        let is_settled = matches!(
            self.state,
            Some(MatchState::Proposed | MatchState::Matched | MatchState::Deactivated)
        );
        // Of several employees, all but the first are named by the decision.
        is_settled
            && link.employees.first().is_some_and(|first| {
                if self.invites {
                    self.is_invited(first)
                } else {
                    self.employee.as_ref() == Some(first)
                }
            })
    }

    /// Whether the employee came of the announced invitation: by its answer, or,
    /// where that was lost, found by the email.
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

/// Whether the matches announce exactly what is planned: a status that could not
/// be written, since its decision was being changed, does not.
pub fn is_announced(assessment: &Assessment, announcements: &Announcements) -> bool {
    let nothing = (Vec::new(), BTreeSet::new());
    announcements.iter().all(|(id, announced)| {
        let changes = assessment.changes.get(id).unwrap_or(&nothing.0);
        let unmatches = assessment.plan.unmatches.get(id).unwrap_or(&nothing.1);
        announced.answers
            && announced
                .changes
                .iter()
                .cloned()
                .eq(changes.iter().map(AnnouncedChange::from))
            && announced.unmatching == *unmatches
    })
}

/// The integration's status right before the first write of a plan: the teams
/// that it creates are pending, so that one whose answer is lost is found again
/// by its name; and a plan that an admin let through is on record.
pub fn begun(
    mut status: OktaIntegrationStatus,
    teams: Vec<TeamStatus>,
    cleared: &ClearedPlan,
    now: Timestamp,
) -> OktaIntegrationStatus {
    let plan = cleared.as_plan();
    let since = Time(now);
    status.teams = teams;
    let new: BTreeSet<&str> = plan.teams.iter().map(|new| new.group.as_str()).collect();
    for team in &mut status.teams {
        if new.contains(team.group_id.as_str()) {
            team.pending = Some(Pending {
                operation: PendingOperation::CreateTeam,
                since: since.clone(),
            });
        }
    }
    if let Clearance::Approved(plan_hash) = cleared.clearance() {
        status.applying = Some(Applying {
            plan: plan_hash.clone(),
            since,
            shared_settings: plan
                .creations
                .first()
                .map(|creation| creation.settings.to_string()),
        });
    }
    status::fit(&mut status);
    status
}

/// The approved plan on record, if what is planned is what is left of it: every
/// write was announced when its apply began, equal in employee, field and both
/// values, and no decision about anybody concerned has changed since.
pub fn of<'a>(
    status: &'a OktaIntegrationStatus,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    announcements: &Announcements,
) -> Option<&'a Applying> {
    let applying = status.applying.as_ref()?;
    let plan = &assessment.plan;
    let is_approved = spec.finalized && spec.approved_plan.as_ref() == Some(&applying.plan);
    if !is_approved || plan.is_empty() {
        return None;
    }
    let announced = status.teams.iter().map(|team| (team.group_id.as_str(), team));
    let announced: BTreeMap<&str, &TeamStatus> = announced.collect();
    let teams = plan.teams.iter().all(|new| {
        announced.get(new.group.as_str()).is_some_and(|team| {
            status::shows(&team.name, &new.name) && team.state == TeamState::New && team.pending.is_some()
        })
    });
    let settings = plan
        .creations
        .iter()
        .all(|creation| applying.shared_settings.as_deref() == Some(creation.settings.as_str()));
    let people = plan.people().into_iter().all(|id| {
        let first = match assessment.resolved.get(id).map(|resolved| &resolved.resolution) {
            Some(Resolution::Matched(employees)) => employees.first(),
            _ => None,
        };
        announcements.get(id).is_some_and(|announced| {
            let changes = assessment.changes.get(id);
            let link = plan.matches.get(id);
            let unmatches = plan.unmatches.get(id);
            announced.answers
                && changes.is_none_or(|changes| announced.covers(changes, first))
                && link.is_none_or(|link| announced.covers_match(link))
                && unmatches.is_none_or(|employees| employees.is_subset(&announced.unmatching))
        })
    });
    (teams && settings && people).then_some(applying)
}

#[cfg(test)]
mod tests;
