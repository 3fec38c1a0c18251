//! Decides which employee each person is: by a decision, else by the match in force, else by a
//! proposal that is certain enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{
        Applied, Decision, EmployeeMatch, MatchState, OktaIntegrationSpec, Pending, PeopleScope,
        ProposalKind, SuspendedPolicy,
    },
    matching::{self, Candidate, EmployeeRecord, Evidence, PersonRecord, Resemblance},
    model::{Departure, EmployeeId, OktaStatus, Person, PersonId, Snapshot, TeamId, text},
    rules::{
        blocker::Blocker,
        pending,
        proposal::Proposal,
        records::Unusable,
        succession::{HandedOn, Succession},
        teams::{DerivedTeams, TeamChoice, TeamRule},
    },
};

use super::{
    blocker::{named_employee, named_person},
    proposal::{Holder, Relation},
};

/// The contents of a person's EmployeeMatch: the decision, and the match in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub decision: Decision,
    /// The employees of [`Decision::Match`].
    pub employee_ids: Vec<EmployeeId>,
    /// Employees that are never proposed for this person.
    pub rejected: BTreeSet<EmployeeId>,
    /// The match in force.
    pub applied: Option<Applied>,
    /// An invitation whose outcome is unknown.
    pub pending: Option<Pending>,
    /// The state in the present status.
    pub state: Option<MatchState>,
    /// Objects of the person that are not used.
    pub unusable: Vec<Unusable>,
}

impl From<&EmployeeMatch> for Record {
    fn from(object: &EmployeeMatch) -> Self {
        let spec = &object.spec;
        let status = object.status.as_ref();
        Self {
            decision: spec.decision,
            employee_ids: spec.employee_ids.iter().map(|id| id.as_str().into()).collect(),
            rejected: spec
                .rejected_employee_ids
                .iter()
                .map(|id| id.as_str().into())
                .collect(),
            applied: status.and_then(|status| status.applied.clone()),
            pending: status.and_then(|status| status.pending.clone()),
            state: status.and_then(|status| status.state),
            unusable: Vec::new(),
        }
    }
}

impl Record {
    pub fn employees_in_force(&self) -> Vec<EmployeeId> {
        self.applied
            .iter()
            .flat_map(|applied| &applied.employee_ids)
            .map(|id| id.as_str().into())
            .collect()
    }

    /// Whether the record holds what must not be lost: a match in force, or an invitation.
    pub fn has_match(&self) -> bool {
        self.applied.is_some() || self.pending.is_some()
    }

    /// Whether the spec ends the match in force without naming another employee.
    pub fn ends_match(&self) -> bool {
        let Some(applied) = &self.applied else {
            return false;
        };
        match self.decision {
            Decision::Ignore => true,
            Decision::Create if !applied.created => true,
            _ => self
                .employees_in_force()
                .iter()
                .any(|employee| self.rejected.contains(employee)),
        }
    }

    /// Whether the match in force continues, as far as this record alone tells.
    pub(super) fn keeps_match(&self) -> bool {
        self.applied.is_some()
            && !self.employees_in_force().is_empty()
            && self.decision != Decision::Match
            && !self.ends_match()
    }
}

/// All records, by person.
pub type Records = BTreeMap<PersonId, Record>;

/// Which employee a person is, or why that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The person's employees; the first takes the email.
    Matched(Vec<EmployeeId>),
    /// The person is invited.
    Create,
    /// By decision, the person is not synced.
    Ignored,
    /// The person is not synced, and nobody has to decide.
    OutOfScope(Blocker),
    /// Somebody has to act first.
    Waits(Blocker),
}

/// The result for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub resolution: Resolution,
    /// None if the person is not in scope.
    pub proposal: Option<Proposal>,
    pub team: TeamChoice,
}

/// Resolves everybody who is in scope or has a record.
pub fn resolve(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
) -> BTreeMap<PersonId, Resolved> {
    let team_rule = TeamRule::new(snapshot, teams, &spec.teams);
    let in_scope = in_scope(snapshot, spec, &team_rule, records);
    let succession = Succession::of(snapshot, spec, records, &in_scope);
    let mut resolver = Resolver {
        snapshot,
        spec,
        teams,
        team_rule,
        records,
        no_record: Record::default(),
        claims: Claims::of(snapshot, records, &in_scope, &succession),
        in_scope,
        succession,
    };
    let mut found = matching::propose(&resolver.evidence());
    let certain = found
        .iter()
        .filter(|(_, proposal)| proposal.verdict == matching::Verdict::Auto);
    let certain = certain.filter_map(|(id, proposal)| Some((id.clone(), proposal.best()?.employee.clone())));
    resolver.succession.add_proposals(certain.collect());
    let mut resolved: BTreeMap<PersonId, Resolved> = resolver
        .in_scope
        .iter()
        .map(|(id, person)| ((*id).clone(), resolver.resolved(person, found.remove(*id))))
        .collect();
    for id in records.keys().filter(|id| !resolver.in_scope.contains_key(id)) {
        let out_of_scope = Resolved {
            resolution: resolver.out_of_scope(id),
            proposal: None,
            team: TeamChoice::Keep,
        };
        resolved.insert(id.clone(), out_of_scope);
    }
    resolved
}

/// Whether the person departed, by the integration's policy for suspended people.
pub fn has_departed(person: &Person, spec: &OktaIntegrationSpec) -> bool {
    person.departure(suspended_departs(spec)).is_some()
}

/// Why a person departed: by Okta's record or, if Okta has none, by the decision.
pub fn departure(
    id: &PersonId,
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    record: &Record,
) -> Option<Departure> {
    let by_decision = record.decision == Decision::Deactivate;
    snapshot.departure(id, suspended_departs(spec), by_decision)
}

fn suspended_departs(spec: &OktaIntegrationSpec) -> bool {
    spec.okta.suspended == SuspendedPolicy::Deactivate
}

/// The people whom Okta's response lacks although an active employee is matched with them: only a read by id tells
/// whether they were deleted.
pub fn unaccounted<'a>(snapshot: &'a Snapshot, records: &'a Records) -> impl Iterator<Item = &'a PersonId> {
    let is_active = |id: &EmployeeId| {
        let employee = snapshot.employees().get(id);
        employee.is_some_and(|employee| !employee.deactivated)
    };
    records
        .iter()
        .filter(move |(id, record)| {
            !snapshot.people().contains_key(*id)
                && record.decision != Decision::Ignore
                && record.employees_in_force().iter().any(is_active)
        })
        .map(|(id, _)| id)
}

/// Returns the people in scope. With `TeamMembers`, a departed person with a match in force, or with an invitation
/// that may take effect, stays in scope without a team group: offboarding often removes people from their groups.
fn in_scope<'a>(
    snapshot: &'a Snapshot,
    spec: &OktaIntegrationSpec,
    team_rule: &TeamRule<'_>,
    records: &Records,
) -> BTreeMap<&'a PersonId, &'a Person> {
    let has_match = |id| {
        let record = records.get(id);
        record.is_some_and(|record| record.applied.is_some() || record.pending.is_some())
    };
    snapshot
        .people()
        .iter()
        .filter(|(id, person)| {
            spec.okta.people == PeopleScope::Everyone
                || team_rule.is_in_team_group(id)
                || (has_departed(person, spec) && has_match(*id))
        })
        .collect()
}

/// Whether two accounts in Okta are one human's: they have the name, and an address or the employee number,
/// in common.
fn is_same_human(one: &Person, other: &Person) -> bool {
    let addresses = |person: &Person| {
        let all = [
            person.email.as_ref(),
            Some(&person.login),
            person.second_email.as_ref(),
        ];
        let keys = all.into_iter().flatten().map(|address| text::email_key(address));
        keys.filter(|key| !key.is_empty()).collect::<Vec<_>>()
    };
    let number = |person: &Person| {
        let number = person.employee_number.as_deref().map(text::written);
        number.filter(|number| !number.is_empty())
    };
    let (own, number) = (addresses(one), number(one).zip(number(other)));
    text::is_same_name_loosely(&one.display_name(), &other.display_name())
        && (addresses(other).iter().any(|address| own.contains(address))
            || number.is_some_and(|(one, other)| one == other))
}

struct Resolver<'a> {
    snapshot: &'a Snapshot,
    spec: &'a OktaIntegrationSpec,
    teams: &'a DerivedTeams,
    team_rule: TeamRule<'a>,
    records: &'a Records,
    no_record: Record,
    in_scope: BTreeMap<&'a PersonId, &'a Person>,
    claims: Claims<'a>,
    succession: Succession<'a>,
}

impl<'a> Resolver<'a> {
    fn record(&self, id: &PersonId) -> &Record {
        self.records.get(id).unwrap_or(&self.no_record)
    }

    /// Returns what matching compares.
    fn evidence(&self) -> Evidence<'a> {
        let record_of = |person: &'a Person, team| PersonRecord {
            person,
            departed: has_departed(person, self.spec),
            team,
        };
        let team_of = |employee: &TeamId| {
            let team = self.snapshot.teams().get(employee)?;
            Some(team.name.as_str())
        };
        Evidence {
            people: self
                .in_scope
                .iter()
                .map(|(id, person)| record_of(person, self.team_name(id)))
                .collect(),
            others: self
                .snapshot
                .people()
                .iter()
                .filter(|(id, _)| !self.in_scope.contains_key(id))
                .map(|(_, person)| record_of(person, None))
                .collect(),
            employees: self
                .snapshot
                .employees()
                .values()
                .map(|employee| EmployeeRecord {
                    employee,
                    team: team_of(&employee.team),
                })
                .collect(),
            rejected: self
                .records
                .iter()
                .flat_map(|(id, record)| {
                    record
                        .rejected
                        .iter()
                        .map(|employee| (id.clone(), employee.clone()))
                })
                .collect(),
            bound: {
                let mut bound = self.claims.bound();
                // Offered to the person whose name or email they have.
                bound.retain(|employee, _| !self.succession.employees_handed_on().contains(employee));
                bound
            },
        }
    }

    fn resolved(&self, person: &Person, found: Option<matching::Proposal>) -> Resolved {
        let unmatched = self.spec.matching.unmatched;
        let departed = has_departed(person, self.spec);
        let proposal = found.map(|found| {
            Proposal::new(found, person, departed, unmatched, |candidate| {
                self.holder(person, candidate)
            })
        });
        let proposal = proposal.map(|proposal| self.with_succession(&person.id, proposal));
        let resolution = self.resolution(person, proposal.as_ref());
        let resolution = self.unless_handed_on(&person.id, resolution);
        let proposal = proposal.map(|proposal| self.beside_match_in_force(person, proposal));
        let team = match &resolution {
            Resolution::Matched(employees) => self.team(&person.id, employees.first()),
            _ => self.team_before_match(&person.id),
        };
        Resolved {
            resolution,
            proposal,
            team,
        }
    }

    /// Returns the other person who has a candidate.
    fn holder(&self, person: &Person, candidate: &Candidate) -> Option<Holder> {
        let id = candidate.matched_to.as_ref()?;
        let holder = self.snapshot.people().get(id);
        let (relation, note) = match holder {
            None => (Relation::OutOfScope, ", whom Okta's response lacks"),
            Some(holder) if has_departed(holder, self.spec) => (Relation::Departed, ", who departed"),
            Some(_) if !self.in_scope.contains_key(id) => {
                (Relation::OutOfScope, ", who is not a member of any team group")
            }
            Some(holder) if is_same_human(person, holder) => (Relation::SameHuman, ""),
            Some(_) => (Relation::Colleague, ""),
        };
        let same = match candidate.resemblance {
            Resemblance::Address => "has this person's email",
            Resemblance::Name | Resemblance::Partial => "has this person's name",
        };
        let employee = named_employee(&candidate.employee, self.snapshot);
        Some(Holder {
            relation,
            text: format!(
                "{employee} {same} and is matched to {}{note}",
                named_person(id, self.snapshot)
            ),
        })
    }

    /// A match in force outranks each proposal, so that another employee needs a decision.
    fn beside_match_in_force(&self, person: &Person, mut proposal: Proposal) -> Proposal {
        let record = self.record(&person.id);
        let in_force = record.employees_in_force();
        let is_other = |best: &Candidate| !in_force.contains(&best.employee);
        if record.keeps_match() && proposal.best().is_some_and(is_other) {
            proposal.needs_decision("a match with another employee is in force".into());
        }
        proposal
    }

    /// Returns the blocker if the deactivated employee of a departed person's match in force is a copy of
    /// an active one that is certainly the person's.
    fn active_record_left(&self, person: &Person, proposal: &Proposal) -> Option<Blocker> {
        let employees = self.record(&person.id).employees_in_force();
        let is_deactivated = |id: &EmployeeId| {
            let employee = self.snapshot.employees().get(id);
            employee.is_some_and(|employee| employee.deactivated)
        };
        let active = proposal.best().filter(|_| proposal.kind == ProposalKind::Auto)?;
        let is_left = has_departed(person, self.spec)
            && employees.iter().all(is_deactivated)
            && !is_deactivated(&active.employee);
        is_left.then(|| Blocker::ActiveRecordLeft {
            employees,
            active: active.employee.clone(),
        })
    }

    /// The first rule that applies decides.
    fn resolution(&self, person: &Person, proposal: Option<&Proposal>) -> Resolution {
        let record = self.record(&person.id);
        if let Some(blocker) = Blocker::unusable(&record.unusable) {
            return Resolution::Waits(blocker);
        }
        match record.decision {
            Decision::Ignore => return Resolution::Ignored,
            Decision::Deactivate => return self.deactivate(&person.id),
            Decision::Match => return self.claim(&record.employee_ids, &person.id),
            Decision::Auto | Decision::Create => {}
        }
        if record.keeps_match() {
            if let Some(blocker) = proposal.and_then(|proposal| self.active_record_left(person, proposal)) {
                return Resolution::Waits(blocker);
            }
            return self.in_force(&person.id);
        }
        if let Some(employee) = self.claims.invited.get(&person.id) {
            return Resolution::Matched(vec![employee.clone()]);
        }
        match (proposal, self.succession.taken_over_by(&person.id)) {
            _ if record.decision == Decision::Create => self.invite(person),
            (_, Some(employees)) => self.claim(employees, &person.id),
            (Some(proposal), None) => self.by_proposal(person, proposal),
            (None, None) => Resolution::Waits(Blocker::NoEmployee),
        }
    }

    /// Resolves a person who is not in scope, or whom Okta's response lacks.
    fn out_of_scope(&self, id: &PersonId) -> Resolution {
        let record = self.record(id);
        match record.decision {
            Decision::Ignore => Resolution::Ignored,
            Decision::Deactivate => self.unless_handed_on(id, self.deactivate(id)),
            _ if self.snapshot.people().contains_key(id) => Resolution::OutOfScope(Blocker::NotInTeamGroup),
            Decision::Match => Resolution::OutOfScope(Blocker::NotInOktaResponse),
            Decision::Auto | Decision::Create => self.missing(record, id),
        }
    }

    /// Resolves a person whom Okta's response lacks by what is left to do for them.
    fn missing(&self, record: &Record, id: &PersonId) -> Resolution {
        let in_force = record.employees_in_force();
        let employees = in_force
            .iter()
            .filter_map(|employee| self.snapshot.employees().get(employee));
        let (deactivated, active): (Vec<_>, Vec<_>) = employees.partition(|employee| employee.deactivated);
        match active.first() {
            Some(employee) if self.snapshot.is_deleted(id) => Resolution::Waits(Blocker::DeletedInOkta {
                employee: employee.id.clone(),
            }),
            Some(_) => Resolution::OutOfScope(Blocker::NotInOktaResponse),
            None if record.state == Some(MatchState::Deactivated) && !deactivated.is_empty() => {
                Resolution::OutOfScope(Blocker::Deactivated)
            }
            None => Resolution::OutOfScope(Blocker::MissingWithoutEmployee),
        }
    }

    /// Deactivates by decision, but nobody whom Okta shows as employed.
    fn deactivate(&self, id: &PersonId) -> Resolution {
        let record = self.record(id);
        match self.snapshot.people().get(id) {
            Some(person) if !has_departed(person, self.spec) => Resolution::Waits(Blocker::StillEmployed {
                status: person.status.clone(),
            }),
            _ if record.keeps_match() => self.in_force(id),
            _ => Resolution::OutOfScope(Blocker::DepartedWithoutEmployee),
        }
    }

    /// Resolves a person by the match in force, which their new account may take over.
    fn in_force(&self, id: &PersonId) -> Resolution {
        let employees = self.record(id).employees_in_force();
        let taken_over = self.succession.replaced_by(id).and_then(|to| {
            let employee = self.succession.taken_over_by(to)?.first()?.clone();
            Some(Blocker::AccountReplaced {
                employee,
                to: to.clone(),
            })
        });
        match taken_over {
            Some(replaced) => Resolution::OutOfScope(replaced),
            None => self.claim(&employees, id),
        }
    }

    /// Resolves a person whose decision or match in force names these employees. What Insightful no longer has of
    /// the employees of somebody who departed needs no deactivation.
    fn claim(&self, employees: &[EmployeeId], id: &PersonId) -> Resolution {
        let record = self.record(id);
        let in_force = record.employees_in_force();
        let has_departed = departure(id, self.snapshot, self.spec, record).is_some();
        let (present, missing): (Vec<EmployeeId>, Vec<EmployeeId>) = employees
            .iter()
            .cloned()
            .partition(|employee| self.snapshot.employees().contains_key(employee));
        let is_moot = has_departed && missing.iter().all(|id| in_force.contains(id));
        if !missing.is_empty() && !is_moot {
            return Resolution::Waits(Blocker::EmployeeNotFound {
                missing,
                decided: record.decision == Decision::Match,
                invited: record.applied.as_ref().is_some_and(|applied| applied.created),
            });
        }
        if present.is_empty() {
            return Resolution::OutOfScope(Blocker::DepartedWithoutEmployee);
        }
        match present
            .iter()
            .find_map(|employee| self.claims.rival(employee, id))
        {
            Some(blocker) => Resolution::Waits(blocker),
            None => Resolution::Matched(employees.to_vec()),
        }
    }

    /// A match waits if one of its employees is no longer the person's.
    fn unless_handed_on(&self, id: &PersonId, resolution: Resolution) -> Resolution {
        let Resolution::Matched(employees) = &resolution else {
            return resolution;
        };
        let employees = employees
            .iter()
            .filter_map(|id| self.snapshot.employees().get(id));
        let mut active = employees.filter(|employee| !employee.deactivated);
        let Some(HandedOn { employee, to, shared }) =
            active.find_map(|employee| self.succession.handed_on(id, employee))
        else {
            return resolution;
        };
        let is_in_scope = to.as_ref().is_some_and(|to| self.in_scope.contains_key(to));
        Resolution::Waits(Blocker::EmployeeHandedOn {
            employee,
            to,
            shared,
            is_in_scope,
        })
    }

    /// The proposal for somebody who takes over the employee of their former account is certain; one of an employee
    /// that was handed on is not, as long as it is matched with somebody else.
    fn with_succession(&self, id: &PersonId, mut proposal: Proposal) -> Proposal {
        if let Some(employees) = self.succession.taken_over_by(id)
            && let Some(first) = employees.first()
        {
            return proposal.taking_over(first);
        }
        let handed_on = self.succession.employees_handed_on();
        for candidate in &mut proposal.candidates {
            if handed_on.contains(&candidate.employee) {
                let holder = self
                    .claims
                    .holder(&candidate.employee)
                    .filter(|holder| *holder != id);
                candidate.matched_to = holder.cloned();
            }
        }
        if let Some(best) = proposal.best()
            && handed_on.contains(&best.employee)
            && let Some(holder) = self.claims.holder(&best.employee)
        {
            let name = self.succession.own_name(holder);
            let name = name.unwrap_or_else(|| format!("Okta user {holder}"));
            proposal.kind = ProposalKind::Review;
            proposal
                .doubts
                .insert(0, format!("the employee is matched to {name}").into());
        }
        proposal
    }

    fn by_proposal(&self, person: &Person, proposal: &Proposal) -> Resolution {
        match proposal.kind {
            ProposalKind::Auto if self.spec.matching.automatic => {
                let best = proposal.best().map(|best| best.employee.clone());
                Resolution::Matched(best.into_iter().collect())
            }
            ProposalKind::Auto => Resolution::Waits(Blocker::NeedsDecision {
                doubts: vec!["spec.matching.automatic is false".into()],
            }),
            ProposalKind::Review => Resolution::Waits(Blocker::NeedsDecision {
                doubts: proposal.doubts.clone(),
            }),
            ProposalKind::Create => self.invite(person),
            ProposalKind::None if has_departed(person, self.spec) => {
                Resolution::OutOfScope(Blocker::DepartedWithoutEmployee)
            }
            ProposalKind::None if person.status == OktaStatus::Staged => {
                Resolution::OutOfScope(Blocker::NotStarted)
            }
            ProposalKind::None => Resolution::Waits(match proposal.contested() {
                Some((employee, with)) => Blocker::MatchedWithAnother { employee, with },
                None => Blocker::NoEmployee,
            }),
        }
    }

    /// A departed person is never invited.
    fn invite(&self, person: &Person) -> Resolution {
        if has_departed(person, self.spec) {
            Resolution::OutOfScope(Blocker::DepartedWithoutEmployee)
        } else {
            Resolution::Create
        }
    }

    /// Returns the person's team if they are this employee.
    fn team(&self, id: &PersonId, employee: Option<&EmployeeId>) -> TeamChoice {
        let employee = employee.and_then(|employee| self.snapshot.employees().get(employee));
        self.team_rule.choose(id, employee.map(|employee| &employee.team))
    }

    /// Returns the person's team by the employee of the match in force or the decision.
    fn team_before_match(&self, id: &PersonId) -> TeamChoice {
        let record = self.record(id);
        let in_force = record.employees_in_force();
        self.team(id, in_force.first().or(record.employee_ids.first()))
    }

    fn team_name(&self, id: &PersonId) -> Option<&'a str> {
        match self.team_before_match(id) {
            TeamChoice::Of(group) => Some(self.teams.get(&group)?.name.as_str()),
            _ => None,
        }
    }
}

/// The claims on employees, by whom and by what right.
struct Claims<'a> {
    /// By decision.
    decided: BTreeMap<&'a EmployeeId, BTreeSet<&'a PersonId>>,
    /// By a match in force, or by an invitation that took effect.
    held: BTreeMap<EmployeeId, BTreeSet<&'a PersonId>>,
    /// The employees that invitations without a response created.
    invited: BTreeMap<&'a PersonId, EmployeeId>,
    /// The employees that objects name which are not used: they stop their own person only.
    reserved: BTreeMap<&'a EmployeeId, &'a PersonId>,
    snapshot: &'a Snapshot,
}

impl<'a> Claims<'a> {
    fn of(
        snapshot: &'a Snapshot,
        records: &'a Records,
        in_scope: &BTreeMap<&'a PersonId, &'a Person>,
        succession: &Succession<'a>,
    ) -> Self {
        let mut claims = Self {
            decided: BTreeMap::new(),
            held: BTreeMap::new(),
            invited: BTreeMap::new(),
            reserved: BTreeMap::new(),
            snapshot,
        };
        for (id, record) in records {
            if !record.unusable.is_empty() {
                claims
                    .reserved
                    .extend(record.employee_ids.iter().map(|employee| (employee, id)));
            }
            if record.decision == Decision::Match {
                for employee in &record.employee_ids {
                    claims.decided.entry(employee).or_default().insert(id);
                }
            } else if record.keeps_match() {
                let replaced_by = succession.replaced_by(id);
                for employee in record.employees_in_force() {
                    claims
                        .held
                        .entry(employee)
                        .or_default()
                        .insert(replaced_by.unwrap_or(id));
                }
            }
        }
        for (id, record) in records {
            if let (Some(pending), Decision::Auto | Decision::Create) = (&record.pending, record.decision)
                && in_scope.contains_key(id)
                && !record.keeps_match()
            {
                claims.adopt_invited(id, record, pending);
            }
        }
        claims
    }

    /// Assigns the employee that an invitation without a response created, unless somebody has a claim on it.
    fn adopt_invited(&mut self, id: &'a PersonId, record: &Record, pending: &Pending) {
        let unclaimed = self.snapshot.employees().values().filter(|employee| {
            !record.rejected.contains(&employee.id)
                && !self.decided.contains_key(&employee.id)
                && !self.held.contains_key(&employee.id)
        });
        if let Some(employee) = pending::invited(pending, unclaimed) {
            self.held.entry(employee.id.clone()).or_default().insert(id);
            self.invited.insert(id, employee.id.clone());
        }
    }

    /// Returns the person who has each claimed employee; a decision outranks a match in force.
    fn bound(&self) -> BTreeMap<EmployeeId, PersonId> {
        let reserved = self.reserved.iter().map(|(employee, id)| (*employee, Some(id)));
        let held = self
            .held
            .iter()
            .map(|(employee, people)| (employee, people.first()));
        let decided = self
            .decided
            .iter()
            .map(|(employee, people)| (*employee, people.first()));
        reserved
            .chain(held)
            .chain(decided)
            .filter_map(|(employee, id)| Some((employee.clone(), (*id?).clone())))
            .collect()
    }

    /// Returns the first person who has the employee.
    fn holder(&self, employee: &EmployeeId) -> Option<&'a PersonId> {
        let people = self.decided.get(employee).or_else(|| self.held.get(employee));
        people?.first().copied()
    }

    /// Returns the blocker if somebody else has an equal or better claim on the employee.
    fn rival(&self, employee: &EmployeeId, id: &PersonId) -> Option<Blocker> {
        let decided = self.decided.get(employee);
        if let Some(decided) = decided
            && !decided.contains(id)
            && let Some(to) = decided.first()
        {
            return Some(Blocker::ReassignedByDecision {
                employee: employee.clone(),
                to: (*to).clone(),
            });
        }
        let with: Vec<PersonId> = decided
            .or_else(|| self.held.get(employee))
            .into_iter()
            .flatten()
            .filter(|other| **other != id)
            .map(|other| (*other).clone())
            .collect();
        (!with.is_empty()).then(|| Blocker::EmployeeClaimedTwice {
            employee: employee.clone(),
            with,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{AppliedField, Field, UnmatchedPolicy},
        rules::{
            example::{Example, request},
            record::image,
        },
    };

    /// Two people, each with an employee of equal name and email.
    fn two() -> Example {
        let mut example = Example::new();
        for (id, given) in [("ann", "Ann"), ("bob", "Bob")] {
            example.person(id, given, "Doe", "Sales");
            example.employee(
                &format!("e-{id}"),
                &format!("{given} Doe"),
                &format!("{id}@acme.com"),
            );
        }
        example
    }

    fn resolution(example: &Example, id: &str) -> Resolution {
        example.assess().resolved[&id.into()].resolution.clone()
    }

    fn matched_with(employees: &[&str]) -> Resolution {
        Resolution::Matched(employees.iter().map(|id| EmployeeId::from(*id)).collect())
    }

    fn blocked_by(resolution: &Resolution) -> &'static str {
        match resolution {
            Resolution::Waits(blocker) | Resolution::OutOfScope(blocker) => blocker.reason(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_decision_outranks_a_match_in_force_which_outranks_a_proposal() {
        let mut example = two();
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]), "proposal");
        example.in_force("ann", "e-bob", &[(Field::Name, Some("PC 17"), "Bob Doe")]);
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-bob"]), "in force");
        assert_eq!(
            blocked_by(&resolution(&example, "bob")),
            "MatchedWithAnother",
            "an employee in force is proposed to nobody else"
        );
        example.matched("ann", &["e-ann"]);
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]), "decision");
        example.record("ann").decision = Decision::Ignore;
        assert_eq!(resolution(&example, "ann"), Resolution::Ignored);
    }

    #[test]
    fn two_decisions_for_one_employee_block_both_people() {
        let mut example = two();
        example.matched("ann", &["e-ann"]);
        example.matched("bob", &["e-bob", "e-ann"]);
        assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeClaimedTwice");
        assert_eq!(blocked_by(&resolution(&example, "bob")), "EmployeeClaimedTwice");
        assert!(example.assess().plan.updates.is_empty());
    }

    #[test]
    fn a_decision_takes_an_employee_from_a_match_in_force() {
        let mut example = two();
        example.in_force("ann", "e-ann", &[]);
        example.matched("bob", &["e-ann"]);
        assert_eq!(resolution(&example, "bob"), matched_with(&["e-ann"]));
        assert_eq!(blocked_by(&resolution(&example, "ann")), "ReassignedByDecision");
    }

    #[test]
    fn a_person_whose_employee_is_missing_is_not_invited() {
        let mut example = two();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        example.in_force("ann", "e-gone", &[]);
        assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeNotFound");
        example.matched("ann", &["e-nobody"]);
        assert_eq!(blocked_by(&resolution(&example, "ann")), "EmployeeNotFound");
        assert!(example.assess().plan.creations.is_empty());
    }

    #[test]
    fn an_employee_that_was_deleted_by_hand_is_invited_again_by_decision() {
        for (invited, decided, rejected, expected, way_out) in [
            (
                false,
                false,
                false,
                "EmployeeNotFound",
                "to Create to invite the person, or to Ignore",
            ),
            (false, true, false, "", ""),
            // The decision may be the one that invited the person before: a list that lacks the employee must not
            // invite again.
            (
                true,
                false,
                false,
                "EmployeeNotFound",
                "to Create with e-gone in spec.rejectedEmployeeIds",
            ),
            (
                true,
                true,
                false,
                "EmployeeNotFound",
                "to Create with e-gone in spec.rejectedEmployeeIds",
            ),
            (true, true, true, "", ""),
        ] {
            let mut example = Example::new();
            example.person("ann", "Ann", "Doe", "Sales");
            example.in_force("ann", "e-gone", &[(Field::Name, Some("X"), "Ann Doe")]);
            let record = example.record("ann");
            if let Some(applied) = &mut record.applied {
                applied.created = invited;
            }
            if decided {
                record.decision = Decision::Create;
            }
            record.rejected.extend(rejected.then(|| "e-gone".into()));
            let assessment = example.assess();
            let blocker = assessment.blocker(&"ann".into());
            assert_eq!(
                blocker.map_or("", Blocker::reason),
                expected,
                "{invited} {decided}"
            );
            assert_eq!(assessment.plan.creations.len(), usize::from(expected.is_empty()));
            let message = blocker
                .map(|blocker| blocker.message(&example.snapshot()))
                .unwrap_or_default();
            assert!(message.contains(way_out), "{message}");
        }
    }

    #[test]
    fn what_insightful_no_longer_has_of_a_departed_person_needs_no_deactivation() {
        let mut example = two();
        example.in_force("ann", "e-ann", &[]);
        let second = example.employee("e-2", "Ann Doe", "second@acme.com").id.clone();
        let applied = example.record("ann").applied.as_mut().unwrap();
        applied.employee_ids.push(second.to_string());
        example.people[0].status = OktaStatus::Deprovisioned;
        assert_eq!(example.assess().plan.deactivations.len(), 2);
        example.employees.retain(|employee| employee.id != "e-ann".into());
        let plan = example.assess().plan;
        assert_eq!(plan.deactivations.len(), 1);
        assert!(
            !plan.matches.contains_key(&"ann".into()) && plan.unmatches.is_empty(),
            "{plan:?}"
        );
        example.employees.retain(|employee| employee.id != second);
        let assessment = example.assess();
        assert!(assessment.plan.deactivations.is_empty());
        let blocker = assessment.blocker(&"ann".into()).unwrap();
        assert_eq!(
            (blocker.reason(), blocker.needs_action()),
            ("DepartedWithoutEmployee", false)
        );
        example.matched("ann", &["e-nobody"]);
        assert_eq!(
            blocked_by(&resolution(&example, "ann")),
            "EmployeeNotFound",
            "a decision that names nobody"
        );
    }

    #[test]
    fn rejecting_the_employee_in_force_unmatches() {
        let mut example = two();
        example.in_force("ann", "e-ann", &[]);
        example.record("ann").rejected.insert("e-ann".into());
        assert_eq!(blocked_by(&resolution(&example, "ann")), "NoEmployee");
        assert_eq!(example.assess().plan.unmatches.len(), 1);
    }

    #[test]
    fn a_rejected_employee_is_not_the_invited_one() {
        let mut example = two();
        let record = example.record("ann");
        record.decision = Decision::Create;
        record.pending = Some(request("Ann Doe", Some("ann@acme.com")));
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]));
        example.record("ann").rejected.insert("e-ann".into());
        assert_eq!(resolution(&example, "ann"), Resolution::Create);
    }

    #[test]
    fn whoever_resembles_an_employee_that_another_person_has_is_not_invited() {
        type Change = fn(&mut Example);
        type Case = (
            &'static str,
            (&'static str, &'static str),
            Change,
            &'static str,
            ProposalKind,
        );
        // Ann Doe, and the employee e1 of somebody else. The employee, who has it, how Ann waits or
        // "Create", and the kind of the proposal.
        let cases: [Case; 14] = [
            (
                "the holder is missing in Okta, same email",
                ("A. D.", "ann@acme.com"),
                |e| e.in_force("gone", "e1", &[]),
                "NeedsDecision",
                ProposalKind::Review,
            ),
            (
                "the holder is missing in Okta, same name",
                ("Ann Doe", "ann@old.com"),
                |e| e.in_force("gone", "e1", &[]),
                "NeedsDecision",
                ProposalKind::Review,
            ),
            (
                "a decision for somebody whom Okta lacks",
                ("Ann Doe", "ann@old.com"),
                |e| e.matched("gone", &["e1"]),
                "NeedsDecision",
                ProposalKind::Review,
            ),
            (
                "the holder departed, same name",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.person("old", "Ann", "Doe", "Sales").status = OktaStatus::Deprovisioned;
                    e.in_force("old", "e1", &[]);
                },
                "NeedsDecision",
                ProposalKind::Review,
            ),
            (
                "the holder is out of scope, same name",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.person("old", "Bob", "Roe", "Elsewhere");
                    e.groups.retain(|group| group.name == "P_Sales");
                    e.in_force("old", "e1", &[]);
                },
                "NeedsDecision",
                ProposalKind::Review,
            ),
            (
                "a decision for a colleague, same email",
                ("Nick Roe", "ann@acme.com"),
                |e| {
                    e.person("nick", "Nick", "Roe", "Sales");
                    e.matched("nick", &["e1"]);
                },
                "MatchedWithAnother",
                ProposalKind::None,
            ),
            (
                "in force for a colleague, same email",
                ("Nick Roe", "ann@acme.com"),
                |e| {
                    e.person("nick", "Nick", "Roe", "Sales");
                    e.in_force("nick", "e1", &[]);
                },
                "MatchedWithAnother",
                ProposalKind::None,
            ),
            (
                "claimed by two colleagues, same email",
                ("Nick Roe", "ann@acme.com"),
                |e| {
                    for id in ["nick", "nora"] {
                        e.person(id, "Nick", "Roe", "Sales");
                        e.matched(id, &["e1"]);
                    }
                },
                "MatchedWithAnother",
                ProposalKind::None,
            ),
            (
                "a second account of the same human",
                ("Ann Doe", "adm@acme.com"),
                |e| {
                    e.person("adm", "Ann", "Doe", "Sales").second_email = Some("ANN@acme.com ".into());
                    e.in_force("adm", "e1", &[]);
                },
                "MatchedWithAnother",
                ProposalKind::None,
            ),
            (
                "a namesake with an email of their own",
                ("Ann Doe", "ann2@acme.com"),
                |e| {
                    e.person("ann2", "Ann", "Doe", "Sales");
                    e.in_force("ann2", "e1", &[]);
                },
                "Create",
                ProposalKind::Create,
            ),
            (
                "rejected for this person",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.in_force("gone", "e1", &[]);
                    e.record("ann").rejected.insert("e1".into());
                },
                "Create",
                ProposalKind::Create,
            ),
            (
                "by the admin's decision",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.in_force("gone", "e1", &[]);
                    e.record("ann").decision = Decision::Create;
                },
                "Create",
                ProposalKind::Review,
            ),
            (
                "a person who departed, with a holder who departed",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.people[0].status = OktaStatus::Deprovisioned;
                    e.person("old", "Ann", "Doe", "Sales").status = OktaStatus::Deprovisioned;
                    e.in_force("old", "e1", &[]);
                },
                "DepartedWithoutEmployee",
                ProposalKind::None,
            ),
            (
                "a person who departed, with a holder whom Okta lacks",
                ("Ann Doe", "ann@old.com"),
                |e| {
                    e.people[0].status = OktaStatus::Deprovisioned;
                    e.in_force("gone", "e1", &[]);
                },
                "NeedsDecision",
                ProposalKind::Review,
            ),
        ];
        for (why, (name, email), change, expected, kind) in cases {
            let mut example = Example::new();
            example.spec.matching.unmatched = UnmatchedPolicy::Create;
            example.person("ann", "Ann", "Doe", "Sales");
            example.employee("e1", name, email);
            change(&mut example);
            let assessment = example.assess();
            let Resolved {
                resolution, proposal, ..
            } = &assessment.resolved[&"ann".into()];
            let proposal = proposal.as_ref().unwrap();
            let is = match resolution {
                Resolution::Create => "Create",
                other => blocked_by(other),
            };
            assert_eq!((is, proposal.kind), (expected, kind), "{why}: {proposal:#?}");
            if why != "rejected for this person" {
                assert!(proposal.candidates[0].matched_to.is_some(), "{why}");
                assert!(
                    proposal
                        .doubts
                        .iter()
                        .any(|doubt| doubt.contains("is matched to")),
                    "{why}"
                );
            }
            assert!(
                !proposal
                    .doubts
                    .iter()
                    .any(|doubt| doubt.contains("no employee has")),
                "{why}: {:?}",
                proposal.doubts
            );
            let is_invited = assessment
                .plan
                .creations
                .iter()
                .any(|one| one.person == "ann".into());
            assert_eq!(is_invited, expected == "Create", "{why}");
        }
    }

    #[test]
    fn holders_are_named_with_the_reason_why_they_are_gone() {
        let mut example = Example::new();
        example.person("bob", "Robert", "Doe", "Sales");
        example.employee("e1", "Bob Doe", "bob@old.com");
        example.in_force("gone", "e1", &[]);
        let doubts = |example: &Example| {
            let assessment = example.assess();
            let proposal = assessment.resolved[&"bob".into()].proposal.clone();
            proposal.unwrap().doubts
        };
        let start = "employee Bob Doe (e1) has this person's name and is matched to";
        assert_eq!(
            doubts(&example),
            [format!("{start} Okta user gone, whom Okta's response lacks")]
        );
        example.person("gone", "Bob", "Doe", "Sales").status = OktaStatus::Deprovisioned;
        assert_eq!(
            doubts(&example),
            [format!("{start} Bob Doe (Okta user gone), who departed")]
        );
    }

    #[test]
    fn a_match_with_a_deactivated_copy_is_never_switched_without_a_decision() {
        let mut example = Example::jane();
        example.employees[0].deactivated = true;
        example.employees[0].email = String::new();
        example.employee("e2", "Jane Doe", "jane@acme.com");
        let blocker = |example: &Example| example.assess().blocker(&"jane".into()).cloned();
        assert_eq!(
            blocker(&example),
            Some(Blocker::EmployeeDeactivated {
                employee: "e1".into(),
                active: Some("e2".into())
            })
        );
        let proposal = example.assess().resolved[&"jane".into()]
            .proposal
            .clone()
            .unwrap();
        assert_eq!(proposal.kind, ProposalKind::Review);
        assert_eq!(proposal.best().unwrap().employee, "e2".into());
        example.people[0].status = OktaStatus::Deprovisioned;
        assert_eq!(
            blocker(&example),
            Some(Blocker::ActiveRecordLeft {
                employees: vec!["e1".into()],
                active: "e2".into()
            })
        );
        assert!(example.assess().plan.is_empty());
        example.record("jane").rejected.insert("e2".into());
        assert_eq!(
            blocker(&example),
            None,
            "the admin says that it is somebody else's"
        );
        example.record("jane").rejected.clear();
        example.matched("jane", &["e1", "e2"]);
        let deactivations = &example.assess().plan.deactivations;
        assert_eq!(deactivations.len(), 1);
        assert_eq!(deactivations[0].employee, "e2".into());
    }

    #[test]
    fn a_leavers_active_record_is_deactivated_and_its_copy_is_left() {
        let mut example = Example::jane();
        example.records.clear();
        example.employee("e0", "Jane Doe", "").deactivated = true;
        example.people[0].status = OktaStatus::Deprovisioned;
        example.spec.okta.people = PeopleScope::Everyone;
        assert_eq!(resolution(&example, "jane"), matched_with(&["e1"]));
        assert_eq!(example.assess().plan.deactivations.len(), 1);
    }

    #[test]
    fn scope_follows_team_groups_records_and_departures() {
        let mut example = two();
        example.groups.clear();
        assert!(
            example.assess().resolved.is_empty(),
            "nobody is in a team group or has a record"
        );
        example.spec.okta.people = PeopleScope::Everyone;
        assert_eq!(example.assess().resolved.len(), 2);
        example.spec.okta.people = PeopleScope::TeamMembers;
        example.in_force("ann", "e-ann", &[]);
        assert_eq!(blocked_by(&resolution(&example, "ann")), "NotInTeamGroup");
        example.people[0].status = OktaStatus::Deprovisioned;
        assert_eq!(
            resolution(&example, "ann"),
            matched_with(&["e-ann"]),
            "a departed person with a match stays in scope"
        );
        example.people.clear();
        assert_eq!(blocked_by(&resolution(&example, "ann")), "NotInOktaResponse");
    }

    #[test]
    fn people_out_of_scope_still_count_as_rivals_in_matching() {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales").email = Some("doe@acme.com".into());
        example.employee("e-ann", "Ann Doe", "doe@acme.com");
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]));
        example.person("other", "Ann", "Doe", "Elsewhere").email = Some("doe@acme.com".into());
        example.groups.retain(|group| group.name == "P_Sales");
        assert_eq!(blocked_by(&resolution(&example, "ann")), "NeedsDecision");
        assert_eq!(
            example.assess().resolved.len(),
            1,
            "people out of scope get no proposal"
        );
    }

    #[test]
    fn a_staged_person_without_an_employee_is_out_of_scope() {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales").status = OktaStatus::Staged;
        assert_eq!(blocked_by(&resolution(&example, "ann")), "NotStarted");
        example.record("ann").decision = Decision::Create;
        assert_eq!(
            resolution(&example, "ann"),
            Resolution::Create,
            "a decision to create overrides that"
        );
    }

    #[test]
    fn a_missing_group_moves_nobody() {
        let mut example = Example::jane();
        example.person("jane", "Jane", "Doe", "Support");
        example.team("Support");
        assert!(example.assess().plan.is_empty(), "the present team wins");
        example.group_vanishes("Sales");
        let assessment = example.assess();
        assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
        example.people[0].family_name = Some("Roe".into());
        let updates = &example.assess().plan.updates;
        let fields: Vec<Field> = updates[0].fields.keys().copied().collect();
        assert_eq!(fields, [Field::Name]);
        example.spec.teams.precedence = vec!["Support".into()];
        assert!(example.assess().plan.updates[0].fields.contains_key(&Field::Team));
    }

    #[test]
    fn a_missing_group_restores_no_earlier_team() {
        let mut example = Example::jane();
        example.spec.okta.people = PeopleScope::Everyone;
        let record = example.record("jane").applied.as_mut().unwrap();
        let inherited = image(&"e1".into(), Field::Team, Some("Default".into()), "Sales".into());
        record.fields.push(AppliedField {
            inherited: true,
            ..inherited
        });
        assert!(example.assess().plan.is_empty());
        example.group_vanishes("Sales");
        let assessment = example.assess();
        assert!(assessment.plan.is_empty(), "{:?}", assessment.plan);
    }
}
