//! What is said of one person, on the person's match.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::WriteFailure;
use crate::{
    api::{
        CandidateStatus, EmployeeMatchStatus, EmployeeSummary, Field, MatchState, OktaIntegrationSpec,
        PersonSummary, ProposalKind, ProposalStatus, SuspendedPolicy, Unmatched,
        conditions::{self, Fact},
    },
    model::{Employee, PersonId, Snapshot},
    rules::{
        assessment::Assessment,
        blocker::Blocker,
        plan::NotRestored,
        proposal::Proposal,
        record,
        resolve::{Record, Resolution, Resolved},
        teams::TeamChoice,
    },
};

/// The state of one person's match.
pub fn match_state(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    record: &Record,
) -> MatchState {
    let Some(resolved) = assessment.resolved.get(id) else {
        return MatchState::OutOfScope;
    };
    match &resolved.resolution {
        Resolution::OutOfScope(Blocker::NotInOktaResponse)
            if record.state == Some(MatchState::Deactivated) =>
        {
            MatchState::Deactivated
        }
        Resolution::OutOfScope(_) => MatchState::OutOfScope,
        Resolution::Ignored => MatchState::Ignored,
        Resolution::Waits(Blocker::EmployeeClaimedTwice { .. }) => MatchState::Conflict,
        Resolution::Waits(Blocker::NoEmployee) => MatchState::Unmatched,
        Resolution::Waits(_) => MatchState::Review,
        Resolution::Matched(_) | Resolution::Create if assessment.blocker(id).is_some() => MatchState::Review,
        Resolution::Create => MatchState::Proposed,
        Resolution::Matched(employees) if record.employees_in_force() != *employees => MatchState::Proposed,
        Resolution::Matched(employees) => {
            let suspended_left = spec.okta.suspended == SuspendedPolicy::Deactivate;
            let left = snapshot
                .people()
                .get(id)
                .and_then(|person| person.departure(suspended_left))
                .is_some();
            let off = employees.iter().all(|id| {
                snapshot
                    .employees()
                    .get(id)
                    .is_some_and(|employee| employee.deactivated)
            });
            if left && off {
                MatchState::Deactivated
            } else {
                MatchState::Matched
            }
        }
    }
}

/// What the next status of a match takes from the one before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// Who the person was, for when Okta's answer no longer says it.
    pub person: Option<PersonSummary>,
    /// The match that was taken back last.
    pub unmatched: Option<Unmatched>,
    /// When each condition changed last.
    pub conditions: Vec<Condition>,
}

impl From<&EmployeeMatchStatus> for Earlier {
    fn from(status: &EmployeeMatchStatus) -> Self {
        Self {
            person: status.person.clone(),
            unmatched: status.unmatched.clone(),
            conditions: status.conditions.clone(),
        }
    }
}

/// The status of one person's match. `previous` is what stands there now.
#[expect(
    clippy::too_many_arguments,
    reason = "a status says everything there is to say of a person"
)]
pub fn match_status(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    assessment: &Assessment,
    record: &Record,
    failure: Option<&WriteFailure>,
    previous: &Earlier,
    generation: Option<i64>,
    now: Timestamp,
) -> EmployeeMatchStatus {
    let resolved = assessment.resolved.get(id);
    let state = match_state(id, snapshot, spec, assessment, record);
    let changes = assessment.changes.get(id).cloned().unwrap_or_default();
    let person = match snapshot.people().get(id) {
        Some(person) => Some(PersonSummary {
            name: person.display_name(),
            email: person.email.clone(),
            title: person.title.clone(),
            status: person.status.to_string(),
            team: resolved.and_then(|resolved| team_name(resolved, assessment)),
        }),
        // Who it was stays readable when Okta's answer no longer says it.
        None => previous.person.clone(),
    };
    let shown = match resolved.map(|resolved| &resolved.resolution) {
        Some(Resolution::Matched(employees)) => employees.first().cloned(),
        Some(Resolution::Create) => None,
        _ => record.employees_in_force().first().cloned().or_else(|| {
            let proposal = resolved.and_then(|resolved| resolved.proposal.as_ref());
            proposal
                .and_then(|proposal| proposal.best())
                .map(|best| best.employee.clone())
        }),
    };
    let employee = shown
        .and_then(|id| snapshot.employees().get(&id))
        .map(|employee| employee_summary(employee, snapshot));
    let mut ready = ready(id, state, assessment, record, failure, changes.len());
    if failure.is_none()
        && matches!(state, MatchState::Proposed | MatchState::Matched)
        && let Some(resolved) = resolved
    {
        let team = assessment.vanished_team(resolved).map(|team| {
            format!(
                "stays in team {:?}: Okta's last answer lacks its group, which moves nobody; if that group is gone for good, name the team that is to win in spec.teams.precedence",
                team.name
            )
        });
        let titles = titles_that_stay(id, resolved, snapshot, assessment, record);
        for stays in team.into_iter().chain(titles) {
            ready.message = format!("{}; {stays}", ready.message);
        }
    }
    if assessment.plan.unmatches.contains_key(id) {
        let restores = assessment.plan.restores.iter();
        for restore in restores.filter(|restore| restore.person == *id) {
            ready.message = format!("{}; next: {}", ready.message, restore.announcement(snapshot));
        }
    }
    EmployeeMatchStatus {
        observed_generation: generation,
        state: Some(state),
        person,
        employee,
        proposal: resolved
            .and_then(|resolved| resolved.proposal.as_ref())
            .map(|proposal| proposal_status(proposal, spec.matching.automatic, snapshot)),
        change_count: i32::try_from(changes.len()).unwrap_or(i32::MAX),
        changes,
        unmatching: assessment
            .plan
            .unmatches
            .get(id)
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        applied: record
            .applied
            .clone()
            .map(|applied| record::seen(applied, snapshot)),
        unmatched: previous.unmatched.clone(),
        pending: record.pending.clone(),
        conditions: conditions::merge(&previous.conditions, vec![ready], generation, now),
    }
}

fn ready(
    id: &PersonId,
    state: MatchState,
    assessment: &Assessment,
    record: &Record,
    failure: Option<&WriteFailure>,
    changes: usize,
) -> Fact {
    let fact = |status, reason: &str, message: String| Fact::new(conditions::READY, status, reason, message);
    if let Some(failure) = failure {
        return fact(false, &failure.reason, failure.message.clone());
    }
    if let Some(blocker) = assessment.blocker(id) {
        return fact(!blocker.needs_action(), blocker.reason(), blocker.message());
    }
    // Without blocker, whoever is to be created is in the plan.
    let resolution = assessment.resolved.get(id).map(|resolved| &resolved.resolution);
    let creation = matches!(resolution, Some(Resolution::Create));
    match state {
        MatchState::Ignored => fact(true, "Ignored", "left alone by decision".into()),
        MatchState::Deactivated => fact(
            true,
            "Deactivated",
            "left, and the employee is switched off".into(),
        ),
        _ if record.pending.is_some() => fact(
            false,
            "CreationUnclear",
            "the answer to the invitation was lost: the next sync looks whether it took effect".into(),
        ),
        MatchState::Proposed if creation => {
            fact(true, "CreationPlanned", "is invited after the Finish".into())
        }
        MatchState::Proposed => fact(
            true,
            "Proposed",
            format!("{changes} changes are written after the Finish"),
        ),
        _ if changes > 0 => fact(
            true,
            "ChangesPlanned",
            format!("{changes} changes are written next"),
        ),
        _ => fact(true, "InSync", "the employee is in step with Okta".into()),
    }
}

/// What titles of the person's employees stay although Okta has none for the
/// person: an earlier match wrote them, or Okta had one before. Insightful shows
/// no title, so that nobody knows what to give back.
fn titles_that_stay(
    id: &PersonId,
    resolved: &Resolved,
    snapshot: &Snapshot,
    assessment: &Assessment,
    record: &Record,
) -> Option<String> {
    let Resolution::Matched(employees) = &resolved.resolution else {
        return None;
    };
    if snapshot.people().get(id)?.title.is_some() {
        return None;
    }
    let own = record.applied.iter().flat_map(|applied| &applied.fields);
    let link = assessment.plan.matches.get(id);
    let inherited = link.into_iter().flat_map(|link| &link.inherited);
    let written: Vec<_> = own
        .chain(inherited)
        .filter(|field| field.field == Field::Title)
        .collect();
    let stay = employees.iter().filter_map(|employee| {
        let field = written
            .iter()
            .find(|field| field.employee_id == employee.as_str())?;
        Some(format!("employee {employee} keeps the title {:?}", field.after))
    });
    let stay: Vec<String> = stay.collect();
    let why = NotRestored::Unreadable.message();
    (!stay.is_empty()).then(|| format!("{}: Okta has none for this person, and {why}", stay.join(", ")))
}

fn team_name(resolved: &Resolved, assessment: &Assessment) -> Option<String> {
    match &resolved.team {
        TeamChoice::Keep => None,
        TeamChoice::Of(group) => assessment.teams.get(group).map(|team| team.name.clone()),
        TeamChoice::Several(names) => Some(names.join(" or ")),
        TeamChoice::Conflict(names) | TeamChoice::NotCreated(names) => Some(names.join(", ")),
    }
}

fn employee_summary(employee: &Employee, snapshot: &Snapshot) -> EmployeeSummary {
    EmployeeSummary {
        id: employee.id.to_string(),
        name: employee.name.clone(),
        email: employee.email.clone(),
        team: snapshot.teams().get(&employee.team).map(|team| team.name.clone()),
        deactivated: employee.deactivated,
    }
}

fn proposal_status(proposal: &Proposal, automatic: bool, snapshot: &Snapshot) -> ProposalStatus {
    let best = proposal.best();
    let kind = match proposal.kind {
        ProposalKind::Auto if !automatic => ProposalKind::Review,
        kind => kind,
    };
    let named = |id| snapshot.employees().get(id);
    ProposalStatus {
        kind,
        employee_ids: best.iter().map(|best| best.employee.to_string()).collect(),
        confidence: best.map_or(0, |best| best.confidence.percent()),
        reasons: best
            .iter()
            .flat_map(|best| &best.reasons)
            .chain(&proposal.doubts)
            .map(ToString::to_string)
            .collect(),
        candidates: proposal
            .candidates
            .iter()
            .map(|candidate| CandidateStatus {
                employee_id: candidate.employee.to_string(),
                name: named(&candidate.employee)
                    .map(|employee| employee.name.clone())
                    .unwrap_or_default(),
                email: named(&candidate.employee)
                    .map(|employee| employee.email.clone())
                    .unwrap_or_default(),
                confidence: candidate.confidence.percent(),
                reasons: candidate.reasons.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
