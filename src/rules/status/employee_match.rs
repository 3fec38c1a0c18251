//! The status of an `EmployeeMatch`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::WriteFailures;
use crate::{
    api::{
        CandidateStatus, Decision, EmployeeMatchStatus, EmployeeSummary, Field, FieldChange, MatchState,
        OktaIntegrationSpec, PersonSummary, ProposalKind, ProposalStatus, Unmatched,
        conditions::{self, Fact},
    },
    matching::{Candidate, Confidence},
    model::{Employee, EmployeeId, PersonId, Snapshot, text::shown},
    rules::{
        assessment::Assessment,
        blocker::{Blocker, departed_and_deactivated},
        guard::{Ruling, Verdict},
        pending,
        proposal::Proposal,
        record,
        resolve::{Record, Resolution, Resolved, departure},
        teams::TeamChoice,
    },
};

/// Returns the state of one person's match.
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
        Resolution::OutOfScope(Blocker::Deactivated { .. }) => MatchState::Deactivated,
        Resolution::OutOfScope(_) => MatchState::OutOfScope,
        Resolution::Ignored => MatchState::Ignored,
        Resolution::Waits(Blocker::EmployeeClaimedTwice { .. }) => MatchState::Conflict,
        Resolution::Waits(
            Blocker::NoEmployee { .. } | Blocker::MaybeNotAPerson { .. } | Blocker::MatchedWithAnother { .. },
        ) => MatchState::Unmatched,
        Resolution::Waits(_) => MatchState::Review,
        Resolution::Matched(_) | Resolution::Create if assessment.blocker(id).is_some() => MatchState::Review,
        Resolution::Create => MatchState::Proposed,
        Resolution::Matched(employees) if record.employees_in_force() != *employees => MatchState::Proposed,
        Resolution::Matched(employees) => {
            let mut present = employees.iter().filter_map(|id| snapshot.employees().get(id));
            let are_deactivated = present.all(|employee| employee.deactivated);
            if are_deactivated && departure(id, snapshot, spec, record).is_some() {
                MatchState::Deactivated
            } else {
                MatchState::Matched
            }
        }
    }
}

/// The parts of a match's present status that its next status is built on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreviousMatchStatus {
    /// The person, shown for as long as Okta's response lacks them.
    pub person: Option<PersonSummary>,
    /// The match that was unmatched last.
    pub unmatched: Option<Unmatched>,
    /// The conditions, for their transition times.
    pub conditions: Vec<Condition>,
}

impl From<&EmployeeMatchStatus> for PreviousMatchStatus {
    fn from(status: &EmployeeMatchStatus) -> Self {
        Self {
            person: status.person.clone(),
            unmatched: status.unmatched.clone(),
            conditions: status.conditions.clone(),
        }
    }
}

/// Returns the status of an object that is not used because of its name. It has no state: the person's own object has
/// it, so that a list by state holds each person once, as the counts of the integration do.
pub fn wrong_name_status(
    right_name: &str,
    previous: &PreviousMatchStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> EmployeeMatchStatus {
    let message = format!(
        "not used: the EmployeeMatch of this person must be named {right_name}. Create it under that name, or decide there, and delete this one; nothing is written for the person until then"
    );
    let ready = Fact::new(conditions::READY, false, "WrongName", message);
    EmployeeMatchStatus {
        observed_generation: generation,
        conditions: conditions::merge(&previous.conditions, vec![ready], generation, now),
        ..EmployeeMatchStatus::default()
    }
}

/// Computes the statuses of an integration's matches.
#[derive(Clone, Copy, Debug)]
pub struct MatchStatuses<'a> {
    pub snapshot: &'a Snapshot,
    pub spec: &'a OktaIntegrationSpec,
    pub assessment: &'a Assessment,
    /// Decides when a pending change is applied.
    pub verdict: &'a Verdict,
    pub failures: &'a WriteFailures,
    /// When the read of Insightful began that the snapshot is from.
    pub read_at: Timestamp,
    pub now: Timestamp,
}

impl MatchStatuses<'_> {
    /// Returns the status of one person's match; `generation` is that of the match's spec.
    pub fn of(
        &self,
        id: &PersonId,
        record: &Record,
        previous: &PreviousMatchStatus,
        generation: Option<i64>,
    ) -> EmployeeMatchStatus {
        let Self {
            snapshot,
            spec,
            assessment,
            ..
        } = *self;
        let resolved = assessment.resolved.get(id);
        let proposal = resolved.and_then(|resolved| resolved.proposal.as_ref());
        let state = match_state(id, snapshot, spec, assessment, record);
        let changes = assessment.changes.get(id).cloned().unwrap_or_default();
        let person = match snapshot.people().get(id) {
            Some(person) => Some(PersonSummary {
                name: person.display_name(),
                email: person.work_email(),
                title: person.job_title(),
                status: person.status.to_string(),
                team: resolved.and_then(|resolved| team_name(resolved, assessment)),
            }),
            None => previous.person.clone(),
        };
        let employee = resolved.and_then(|resolved| shown_employee(resolved, record, snapshot));
        let unmatches = assessment.plan.unmatches.get(id);
        EmployeeMatchStatus {
            observed_generation: generation,
            state: Some(state),
            person,
            proposal: proposal.map(|proposal| {
                proposal_status(proposal, employee.as_ref(), spec.matching.automatic, snapshot)
            }),
            employee: employee
                .and_then(|employee| snapshot.employees().get(&employee))
                .map(|employee| employee_summary(employee, snapshot)),
            change_count: i32::try_from(changes.len()).unwrap_or(i32::MAX),
            deactivates: changes.iter().any(FieldChange::deactivates),
            conditions: conditions::merge(
                &previous.conditions,
                vec![self.ready(id, state, record, previous.unmatched.as_ref(), changes.len())],
                generation,
                self.now,
            ),
            changes,
            unmatching: unmatches.into_iter().flatten().map(ToString::to_string).collect(),
            applied: record
                .applied
                .clone()
                .map(|applied| record::seen(applied, snapshot)),
            unmatched: previous.unmatched.clone(),
            pending: record.pending.clone().filter(|pending| {
                pending::is_open(pending, self.read_at) || self.invited(id, record).is_some()
            }),
        }
    }

    fn ready(
        &self,
        id: &PersonId,
        state: MatchState,
        record: &Record,
        unmatched: Option<&Unmatched>,
        changes: usize,
    ) -> Fact {
        let mut fact = self.state_fact(id, state, record, changes);
        if !self.failures.contains_key(id) && matches!(state, MatchState::Proposed | MatchState::Matched) {
            for exception in self
                .stays_in_team(id)
                .into_iter()
                .chain(self.keeps_title(id, record))
                .chain(self.omissions(id))
            {
                fact.message = format!("{}; {exception}", fact.message);
            }
        }
        let plan = &self.assessment.plan;
        let creations = plan.creations.iter().filter(|creation| creation.person == *id);
        let doubts = creations.flat_map(|creation| creation.doubts.iter().cloned());
        let taken_over = unmatched.and_then(|unmatched| self.taken_over(id, unmatched));
        for note in doubts
            .chain(self.earlier_invitation(id, record))
            .chain(taken_over)
        {
            fact.message = format!("{}; {note}", fact.message);
        }
        if plan.unmatches.contains_key(id) {
            for restore in plan.restores.iter().filter(|restore| restore.person == *id) {
                fact.message = format!(
                    "{}; {}: {}",
                    fact.message,
                    self.applied_when(),
                    restore.announcement(self.snapshot)
                );
            }
        }
        fact
    }

    /// Returns `Ready` as the state, a blocker or a failed write has it.
    fn state_fact(&self, id: &PersonId, state: MatchState, record: &Record, changes: usize) -> Fact {
        let fact =
            |status, reason: &str, message: String| Fact::new(conditions::READY, status, reason, message);
        if let Some(failure) = self.failures.get(id) {
            return fact(false, &failure.reason, failure.message.clone());
        }
        if let Some(blocker) = self.assessment.blocker(id) {
            return fact(
                !blocker.needs_action(),
                blocker.reason(),
                blocker.message(self.snapshot),
            );
        }
        // Without a blocker, whoever is to be created is in the plan.
        let resolution = self
            .assessment
            .resolved
            .get(id)
            .map(|resolved| &resolved.resolution);
        let is_invited = matches!(resolution, Some(Resolution::Create));
        let employees = match resolution {
            Some(Resolution::Matched(employees)) => employees.len(),
            _ => 0,
        };
        match state {
            MatchState::Ignored => fact(true, "Ignored", "not synced: spec.decision is Ignore".into()),
            MatchState::Deactivated => fact(
                true,
                "Deactivated",
                departed_and_deactivated(employees).to_owned(),
            ),
            MatchState::Proposed
                if is_invited
                    && let Some(pending) = &record.pending
                    && pending::is_open(pending, self.read_at) =>
            {
                fact(false, "CreationUnclear", pending::unclear(pending))
            }
            MatchState::Proposed if is_invited => fact(
                true,
                "CreationPlanned",
                format!("invitation pending: sent {}", self.applied_when()),
            ),
            MatchState::Proposed => fact(true, "Proposed", self.pending(changes)),
            _ if changes > 0 => fact(true, "ChangesPlanned", self.pending(changes)),
            _ if employees > 1 => fact(true, "InSync", "the employees are in sync with Okta".into()),
            _ => fact(true, "InSync", "the employee is in sync with Okta".into()),
        }
    }

    /// Returns the count of pending changes and when they are applied.
    fn pending(&self, changes: usize) -> String {
        let when = self.applied_when();
        match changes {
            0 => format!("nothing to change; the match takes effect {when}"),
            1 => format!("1 change pending: applied {when}"),
            _ => format!("{changes} changes pending: applied {when}"),
        }
    }

    /// When the plan is applied: a plan that is not finalized may need an approval, too.
    fn applied_when(&self) -> &'static str {
        let verdict = self.verdict;
        let waits_for_another = verdict.other_writer().is_some();
        match verdict.ruling {
            Ruling::NotFinalized if waits_for_another => {
                "once spec.finalized is true and no other integration writes to Insightful"
            }
            Ruling::NotFinalized if verdict.needs_approval => {
                "once spec.finalized is true and the plan is approved"
            }
            Ruling::NotFinalized => "once spec.finalized is true",
            Ruling::Held if waits_for_another => "once no other integration writes to Insightful",
            Ruling::Held if verdict.lifts_at.is_some() => {
                "once the plan is approved or the writes of the last 24 hours are older"
            }
            Ruling::Held => "once the plan is approved",
            Ruling::Cleared(_) => "next",
        }
    }

    /// Who has the employee that was unmatched last, of a person who waits, as a message.
    fn taken_over(&self, id: &PersonId, unmatched: &Unmatched) -> Option<String> {
        let employee = EmployeeId::from(unmatched.employee_id.as_str());
        let Resolution::Waits(_) = self.assessment.resolved.get(id)?.resolution else {
            return None;
        };
        let has_it = |(_, resolved): &(&PersonId, &Resolved)| match &resolved.resolution {
            Resolution::Matched(employees) => employees.contains(&employee),
            _ => false,
        };
        let (taker, _) = self.assessment.resolved.iter().find(has_it)?;
        Some(format!(
            "{} was this person's until {:.0} and is now matched with {}: to take it back, first set spec.decision of that EmployeeMatch to Match with another employee, Create or Ignore, then this one to Match with employeeIds {employee}",
            self.snapshot.named_employee(&employee),
            unmatched.time.0,
            self.snapshot.named_person(taker)
        ))
    }

    /// The employee that an invitation without a response created, and whether it is the person's or nobody's.
    fn invited(&self, id: &PersonId, record: &Record) -> Option<(&Employee, bool)> {
        let employee = pending::invited(record.pending.as_ref()?, self.snapshot.employees().values())?;
        let is_of = |resolved: &Resolved| matches!(&resolved.resolution, Resolution::Matched(employees) if employees.contains(&employee.id));
        let is_own = self.assessment.resolved.get(id).is_some_and(is_of);
        let is_nobodys = || !employee.deactivated && !self.assessment.resolved.values().any(is_of);
        (is_own || is_nobodys()).then_some((employee, is_own))
    }

    /// What an invitation without a response did or still can do, where the person is no longer invited.
    fn earlier_invitation(&self, id: &PersonId, record: &Record) -> Option<String> {
        let pending = record.pending.as_ref()?;
        let sent = pending::sent(pending);
        let resolution = &self.assessment.resolved.get(id)?.resolution;
        match self.invited(id, record) {
            Some((_, true)) => None,
            Some((employee, false)) => Some(format!(
                "{sent} created {}: match this employee with somebody, or deactivate it in Insightful",
                employee.named()
            )),
            None if *resolution == Resolution::Create || !pending::is_open(pending, self.read_at) => None,
            None => Some(format!(
                "{sent} had no response and can still create an employee until {:.0}",
                pending.until.0
            )),
        }
    }

    /// Whether the person stays in the team of a group that Okta's response lacks, as a message.
    fn stays_in_team(&self, id: &PersonId) -> Option<String> {
        let team = self
            .assessment
            .team_of_missing_group(self.assessment.resolved.get(id)?)?;
        Some(format!(
            "stays in team {:?}: its group is missing in Okta's last response, and a missing group moves nobody; if the group is gone for good, name the new team in spec.teams.precedence",
            team.name
        ))
    }

    /// The fields that are left out although the person is written, as messages.
    fn omissions(&self, id: &PersonId) -> impl Iterator<Item = String> {
        let person = self.snapshot.people().get(id);
        let omissions = self.assessment.omissions.get(id).into_iter().flatten();
        omissions.map(move |omission| omission.message(person, self.snapshot))
    }

    /// Which titles cannot be cleared although Okta has none for the person, as a message. An
    /// earlier match wrote them, or Okta had one before; Insightful's API shows no title, so the
    /// value to restore is unknown.
    fn keeps_title(&self, id: &PersonId, record: &Record) -> Option<String> {
        let Resolution::Matched(employees) = &self.assessment.resolved.get(id)?.resolution else {
            return None;
        };
        if self.snapshot.people().get(id)?.title.is_some() {
            return None;
        }
        let own = record.applied.iter().flat_map(|applied| &applied.fields);
        let link = self.assessment.plan.matches.get(id);
        let inherited = link.into_iter().flat_map(|link| &link.inherited);
        let written: Vec<_> = own
            .chain(inherited)
            .filter(|field| field.field == Field::Title)
            .collect();
        let kept = employees.iter().filter_map(|employee| {
            let field = written
                .iter()
                .find(|field| field.employee_id == employee.as_str())?;
            let employee = self.snapshot.named_employee(employee);
            Some(format!("{employee} keeps the title {:?}", field.after))
        });
        let kept: Vec<String> = kept.collect();
        (!kept.is_empty()).then(|| {
            format!(
                "{}: Okta has none for this person, and Insightful does not show which one was there before",
                kept.join(", ")
            )
        })
    }
}

fn team_name(resolved: &Resolved, assessment: &Assessment) -> Option<String> {
    match &resolved.team {
        TeamChoice::Keep => None,
        TeamChoice::Of(group) => assessment.teams.get(group).map(|team| team.name.clone()),
        TeamChoice::Several(names) => Some(names.join(" or ")),
        TeamChoice::Conflict(names) | TeamChoice::NotCreated(names) => Some(names.join(", ")),
    }
}

pub fn employee_summary(employee: &Employee, snapshot: &Snapshot) -> EmployeeSummary {
    EmployeeSummary {
        id: employee.id.to_string(),
        name: employee.name.clone(),
        email: employee.email.clone(),
        team: snapshot.teams().get(&employee.team).map(|team| team.name.clone()),
        deactivated: employee.deactivated,
    }
}

/// Returns the employee that is shown beside a person: that of the match, else the one that a decision names, even if
/// it cannot be carried out, else the proposed one.
pub fn shown_employee(resolved: &Resolved, record: &Record, snapshot: &Snapshot) -> Option<EmployeeId> {
    let is_present = |id: &&EmployeeId| snapshot.employees().contains_key(*id);
    match &resolved.resolution {
        // Those of somebody who departed may have been removed.
        Resolution::Matched(employees) => employees.iter().find(is_present).cloned(),
        Resolution::Create => None,
        Resolution::Waits(_) if record.decision == Decision::Match => {
            record.employee_ids.iter().find(is_present).cloned()
        }
        _ => record.employees_in_force().into_iter().next().or_else(|| {
            let best = resolved.proposal.as_ref()?.best()?;
            Some(best.employee.clone())
        }),
    }
}

/// `beside` is the employee beside which the confidence is read.
fn proposal_status(
    proposal: &Proposal,
    beside: Option<&EmployeeId>,
    automatic: bool,
    snapshot: &Snapshot,
) -> ProposalStatus {
    let best = proposal.best();
    let kind = match proposal.kind {
        ProposalKind::Auto if !automatic => ProposalKind::Review,
        kind => kind,
    };
    let confidence = beside.and_then(|employee| proposal.confidence(employee));
    ProposalStatus {
        kind,
        employee_ids: best.iter().map(|best| best.employee.to_string()).collect(),
        confidence: confidence.map(Confidence::percent),
        evidence: best.map(|best| best.evidence),
        reasons: proposal
            .reasons()
            .map(|reason| shown(reason).into_owned())
            .collect(),
        candidates: proposal
            .candidates
            .iter()
            .map(|candidate| candidate_status(candidate, snapshot))
            .collect(),
    }
}

pub fn candidate_status(candidate: &Candidate, snapshot: &Snapshot) -> CandidateStatus {
    let employee = snapshot.employees().get(&candidate.employee);
    let employee = employee.map(|employee| employee_summary(employee, snapshot));
    let (name, email, team, deactivated) = employee.map_or_else(Default::default, |employee| {
        (employee.name, employee.email, employee.team, employee.deactivated)
    });
    CandidateStatus {
        employee_id: candidate.employee.to_string(),
        name,
        email,
        team,
        deactivated,
        matched_to: holder_name(candidate, snapshot),
        confidence: candidate.confidence.percent(),
        reasons: candidate
            .reasons
            .iter()
            .map(|reason| shown(reason).into_owned())
            .collect(),
    }
}

/// Returns the name of the other person who has a candidate.
fn holder_name(candidate: &Candidate, snapshot: &Snapshot) -> Option<String> {
    let id = candidate.matched_to.as_ref()?;
    let name = snapshot.name_of(id);
    Some(name.unwrap_or_else(|| format!("Okta user {id}")))
}

#[cfg(test)]
mod tests;
