//! Decides which employee each person is: by a decision, else by the match in force, else by a
//! proposal that is certain enough.

mod claims;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use crate::{
    api::{
        Applied, Decision, EmployeeMatch, Field, MatchState, OktaIntegrationSpec, Pending, PeopleScope,
        ProposalKind, SuspendedPolicy, UnmatchedPolicy,
    },
    matching::{self, Candidate, EmployeeRecord, Evidence, PersonRecord, Reason},
    model::{
        Departure, EmployeeId, OktaStatus, Person, PersonId, RecordKind, Snapshot, TeamId, Unreadable, text,
    },
    rules::{
        blocker::{Blocker, Invitation, Successor, UnreadableIs},
        exclusion::{self, Excluded},
        proposal::{Holder, Proposal, Relation},
        records::Unusable,
        succession::{HandedOn, Succession},
        teams::{DerivedTeams, TeamChoice, TeamRule},
    },
};

use claims::{Claims, Rival};

/// What is said of a person besides the name.
const IS_EXCLUDED: &str = ", who is excluded by spec.okta.exclude";

/// The most people who are named as having the same email.
const MAX_SHARERS: usize = 3;

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

    /// The name that the match in force wrote.
    pub fn written_name(&self) -> Option<&str> {
        let mut written = self.applied.iter().flat_map(|applied| &applied.fields);
        let name = written.find(|written| written.field == Field::Name)?;
        Some(&name.after)
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

/// Resolves everybody who is in scope, would be if they were not excluded, or has a record.
pub fn resolve(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
) -> BTreeMap<PersonId, Resolved> {
    let team_rule = TeamRule::new(snapshot, teams, &spec.teams);
    let excluded = exclusion::excluded(snapshot, &spec.okta.exclude);
    let (left_out, in_scope): (BTreeMap<_, _>, BTreeMap<_, _>) =
        in_scope(snapshot, spec, &team_rule, records).partition(|(id, _)| excluded.contains_key(*id));
    let succession = Succession::of(snapshot, spec, records, &in_scope, &excluded);
    let mut resolver = Resolver {
        snapshot,
        spec,
        teams,
        team_rule,
        records,
        no_record: Record::default(),
        claims: Claims::of(snapshot, records, &in_scope, &excluded, &succession),
        in_scope,
        excluded,
        succession,
        emails: OnceCell::new(),
        sharers: OnceCell::new(),
    };
    resolver.succession.add_invited(resolver.claims.invited.values());
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
    let others = records.keys().chain(left_out.into_keys());
    for id in others.filter(|id| !resolver.in_scope.contains_key(id)) {
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
                && snapshot.unreadable_person(id).is_none()
                && record.decision != Decision::Ignore
                && record.employees_in_force().iter().any(is_active)
        })
        .map(|(id, _)| id)
}

/// The names that the matches in force wrote of people whom Okta's response lacks.
pub fn former_names(snapshot: &Snapshot, records: &Records) -> BTreeMap<PersonId, String> {
    let missing = records
        .iter()
        .filter(|(id, _)| !snapshot.people().contains_key(*id));
    missing
        .filter_map(|(id, record)| Some((id.clone(), record.written_name()?.to_owned())))
        .collect()
}

/// Returns the people in scope. With `TeamMembers`, a departed person with a match in force, or with an invitation
/// that may take effect, stays in scope without a team group: offboarding often removes people from their groups.
/// Nobody is left out because a rule excludes them.
fn in_scope<'a>(
    snapshot: &'a Snapshot,
    spec: &OktaIntegrationSpec,
    team_rule: &TeamRule<'_>,
    records: &Records,
) -> impl Iterator<Item = (&'a PersonId, &'a Person)> {
    let has_match = |id| records.get(id).is_some_and(Record::has_match);
    snapshot.people().iter().filter(move |(id, person)| {
        spec.okta.people == PeopleScope::Everyone
            || team_rule.is_in_team_group(id)
            || (has_departed(person, spec) && has_match(*id))
    })
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
    excluded: Excluded<'a>,
    claims: Claims<'a>,
    succession: Succession<'a>,
    /// The first employee of each email.
    emails: OnceCell<HashMap<String, EmployeeId>>,
    /// The people in scope who work here, by their email.
    sharers: OnceCell<HashMap<String, Vec<&'a PersonId>>>,
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
            let suspicion = match unmatched {
                UnmatchedPolicy::Create => self.suspicion(person),
                UnmatchedPolicy::Review => None,
            };
            Proposal::new(found, person, departed, unmatched, suspicion, |candidate| {
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
            None if self.snapshot.unreadable_person(id).is_some() => {
                (Relation::Colleague, ", whose record in Okta cannot be read")
            }
            None => (Relation::OutOfScope, ", whom Okta's response lacks"),
            Some(_) if self.excluded.contains_key(id) => (Relation::OutOfScope, IS_EXCLUDED),
            Some(holder) if has_departed(holder, self.spec) => (Relation::Departed, ", who departed"),
            Some(_) if !self.in_scope.contains_key(id) => {
                (Relation::OutOfScope, ", who is not a member of any team group")
            }
            Some(holder) if is_same_human(person, holder) => (Relation::SameHuman, ""),
            Some(_) => (Relation::Colleague, ""),
        };
        // The strongest ones: the candidate shows all.
        let reasons: Vec<&str> = candidate.reasons.iter().take(2).map(AsRef::as_ref).collect();
        Some(Holder {
            relation,
            text: format!(
                "{} may be this person's ({}), but is matched to {}{note}",
                self.snapshot.named_employee(&candidate.employee),
                reasons.join(", "),
                self.snapshot.named_person(id)
            ),
        })
    }

    /// A match in force outranks each proposal, so that another employee needs a decision.
    fn beside_match_in_force(&self, person: &Person, mut proposal: Proposal) -> Proposal {
        let record = self.record(&person.id);
        let in_force = record.employees_in_force();
        let is_other = |best: &Candidate| !in_force.contains(&best.employee);
        if record.keeps_match() && proposal.best().is_some_and(is_other) {
            let named: Vec<String> = in_force
                .iter()
                .map(|employee| self.snapshot.named_employee(employee))
                .collect();
            proposal.needs_decision(format!("the match with {} is in force", named.join(", ")).into());
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
            reasons: active.reasons.clone(),
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
            // What the match in force wrote to an employee cannot be taken back or compared while nobody knows what
            // the employee holds.
            _ if let Some(unreadable) = self.unreadable_among(&record.employees_in_force()) => {
                return Resolution::Waits(unreadable);
            }
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
            (None, None) => Resolution::Waits(Blocker::NoEmployee {
                invitation: self.invitation(person),
            }),
        }
    }

    /// Resolves a person who is excluded, not in scope, or whom Okta's response lacks.
    fn out_of_scope(&self, id: &PersonId) -> Resolution {
        let record = self.record(id);
        let is_known = self.snapshot.people().contains_key(id);
        match record.decision {
            Decision::Ignore => Resolution::Ignored,
            _ if let Some(rule) = self.excluded.get(id) => Resolution::OutOfScope(Blocker::Excluded {
                rule: rule.clone(),
                decision: record.decision,
                employees: record.employees_in_force(),
            }),
            _ if let Some(record) = self.snapshot.unreadable_person(id) => {
                Resolution::Waits(Blocker::PersonUnreadable {
                    problem: record.problem.clone(),
                })
            }
            _ if !is_known && let Some(unreadable) = self.unreadable_among(&record.employees_in_force()) => {
                Resolution::Waits(unreadable)
            }
            Decision::Deactivate => self.unless_handed_on(id, self.deactivate(id)),
            _ if is_known => Resolution::OutOfScope(Blocker::NotInTeamGroup),
            Decision::Match => Resolution::OutOfScope(Blocker::NotInOktaResponse {
                is_matched: record.applied.is_some() && record.employees_in_force() == record.employee_ids,
            }),
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
        match active.as_slice() {
            [] if record.state == Some(MatchState::Deactivated) && !deactivated.is_empty() => {
                Resolution::OutOfScope(Blocker::Deactivated {
                    employees: deactivated.len(),
                })
            }
            [] => Resolution::OutOfScope(Blocker::MissingWithoutEmployee),
            active if self.snapshot.is_deleted(id) => Resolution::Waits(Blocker::DeletedInOkta {
                employees: active.iter().map(|employee| employee.id.clone()).collect(),
            }),
            _ => Resolution::OutOfScope(Blocker::NotInOktaResponse { is_matched: true }),
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
        let (mut present, missing): (Vec<EmployeeId>, Vec<EmployeeId>) = employees
            .iter()
            .cloned()
            .partition(|employee| self.snapshot.employees().contains_key(employee));
        if let Some(unreadable) = self.unreadable_among(&missing) {
            return Resolution::Waits(unreadable);
        }
        let is_moot = has_departed && missing.iter().all(|id| in_force.contains(id));
        if !missing.is_empty() && !is_moot {
            present.retain(|employee| self.claims.rival(employee, id).is_none());
            return Resolution::Waits(Blocker::EmployeeNotFound {
                missing,
                present,
                decided: record.decision == Decision::Match,
                invited: record.applied.as_ref().is_some_and(|applied| applied.created),
                invitation: self.invitation_of(id),
            });
        }
        if present.is_empty() {
            return Resolution::OutOfScope(Blocker::DepartedWithoutEmployee);
        }
        let rival = |employee| Some((employee, self.claims.rival(employee, id)?));
        match present.iter().find_map(rival) {
            Some((employee, Rival::Decided(to))) => Resolution::Waits(Blocker::ReassignedByDecision {
                employee: employee.clone(),
                to,
                invitation: self.invitation_of(id),
            }),
            Some((employee, Rival::Equal(with))) => Resolution::Waits(Blocker::EmployeeClaimedTwice {
                employee: employee.clone(),
                with,
            }),
            None => Resolution::Matched(employees.to_vec()),
        }
    }

    /// The blocker of a person who has one of these employees, if its record cannot be read.
    fn unreadable_among(&self, employees: &[EmployeeId]) -> Option<Blocker> {
        let mut records = employees
            .iter()
            .filter_map(|id| self.snapshot.unreadable_employee(id));
        records.next().map(|record| Blocker::EmployeeUnreadable {
            record: record.to_string(),
            whose: UnreadableIs::Matched,
        })
    }

    /// A record of an employee that cannot be read and is nobody's: it may be anybody's.
    fn unreadable_of_nobody(&self) -> Option<&'a Unreadable> {
        let is_nobodys = |record: &&Unreadable| {
            let id = record.id.as_deref().map(EmployeeId::from);
            id.is_none_or(|id| self.claims.holder(&id).is_none())
        };
        self.snapshot.unreadable_of(RecordKind::Employee).find(is_nobodys)
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
        let record = self.record(id);
        let to = match to {
            Some(person) if self.in_scope.contains_key(&person) => {
                let successor = self.record(&person);
                let mut others = match successor.decision {
                    Decision::Match => successor.employee_ids.clone(),
                    _ => successor.employees_in_force(),
                };
                others.retain(|other| *other != employee && self.snapshot.employees().contains_key(other));
                Successor::InScope {
                    person,
                    shared,
                    others,
                }
            }
            Some(person) if self.excluded.contains_key(&person) => Successor::Excluded(person, shared),
            Some(person) => Successor::OutOfScope(person, shared),
            None => Successor::Unknown,
        };
        let decided = (record.decision == Decision::Match).then(|| {
            let others = record.employee_ids.iter().filter(|other| **other != employee);
            others.cloned().collect()
        });
        Resolution::Waits(Blocker::EmployeeHandedOn {
            employee,
            to,
            decided,
            departed: departure(id, self.snapshot, self.spec, record).is_some(),
        })
    }

    /// Why an account may be nobody's own, so that nobody is invited for it without a decision.
    fn suspicion(&self, person: &Person) -> Option<Reason> {
        let [_, family] = person.name_parts();
        if family.is_none() && matching::is_of_role(&person.login) {
            return Some(
                format!(
                    "{} is the login of a role, and Okta has no last name",
                    person.login
                )
                .into(),
            );
        }
        if matching::is_of_service(&person.login) {
            return Some(format!("{} looks like the login of a service account", person.login).into());
        }
        let sharers = self.sharers.get_or_init(|| {
            let mut sharers: HashMap<String, Vec<&PersonId>> = HashMap::new();
            for (id, person) in &self.in_scope {
                if let Some(email) = person.work_email().filter(|_| person.is_employed()) {
                    sharers.entry(text::email_key(&email)).or_default().push(*id);
                }
            }
            sharers
        });
        let sharers = sharers.get(&text::email_key(&person.work_email()?))?;
        let others = sharers.iter().filter(|id| **id != &person.id);
        let others: Vec<String> = others.map(|id| self.snapshot.named_person(id)).collect();
        let (named, more) = others.split_at(others.len().min(MAX_SHARERS));
        let all = match (named, more) {
            ([], _) => return None,
            ([one], _) => format!("{one} has"),
            (named, []) => format!("{} have", named.join(" and ")),
            (named, more) => format!("{} and {} more have", named.join(", "), more.len()),
        };
        Some(format!("{all} the same email in Okta").into())
    }

    /// Whether a person could be invited by a decision.
    fn invitation(&self, person: &Person) -> Invitation {
        if has_departed(person, self.spec) {
            return Invitation::Departed;
        }
        let Some(email) = person.work_email() else {
            return Invitation::NoEmail;
        };
        if person.full_name().is_none() {
            return Invitation::NoName;
        }
        let emails = self.emails.get_or_init(|| {
            let employees = self.snapshot.employees().values().rev();
            employees
                .map(|employee| (text::email_key(&employee.email), employee.id.clone()))
                .collect()
        });
        match emails.get(&text::email_key(&email)) {
            Some(employee) => Invitation::EmailOf(employee.clone()),
            None => Invitation::Possible,
        }
    }

    /// [`Self::invitation`] of a person whom Okta's response may lack: nobody is invited without their record.
    fn invitation_of(&self, id: &PersonId) -> Invitation {
        let person = self.snapshot.people().get(id);
        person.map_or(Invitation::Departed, |person| self.invitation(person))
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
            let note = if self.excluded.contains_key(holder) {
                IS_EXCLUDED
            } else {
                ""
            };
            let holder = self.snapshot.named_person(holder);
            proposal.kind = ProposalKind::Review;
            proposal
                .doubts
                .insert(0, format!("the employee is matched to {holder}{note}").into());
        }
        proposal
    }

    fn by_proposal(&self, person: &Person, proposal: &Proposal) -> Resolution {
        match (proposal.kind, proposal.best()) {
            (ProposalKind::Auto, Some(best)) if self.spec.matching.automatic => {
                Resolution::Matched(vec![best.employee.clone()])
            }
            (ProposalKind::Auto, Some(best)) => Resolution::Waits(Blocker::NotAutomatic {
                employee: best.employee.clone(),
                invitation: self.invitation(person),
            }),
            (ProposalKind::Auto | ProposalKind::Review, _) => Resolution::Waits(Blocker::NeedsDecision {
                doubts: proposal.doubts.clone(),
                invitation: self.invitation(person),
            }),
            (ProposalKind::Create, _) => self.invite(person),
            (ProposalKind::None, _) if has_departed(person, self.spec) => {
                Resolution::OutOfScope(Blocker::DepartedWithoutEmployee)
            }
            (ProposalKind::None, _) if person.status == OktaStatus::Staged => {
                Resolution::OutOfScope(Blocker::NotStarted)
            }
            (ProposalKind::None, _) => {
                let invitation = self.invitation(person);
                Resolution::Waits(match proposal.contested() {
                    Some((employee, with)) => Blocker::MatchedWithAnother {
                        decided: self.claims.decided(&employee),
                        employee,
                        with,
                        invitation,
                    },
                    None if let Some(suspicion) = &proposal.suspicion => Blocker::MaybeNotAPerson {
                        suspicion: suspicion.clone(),
                        invitation,
                    },
                    None => Blocker::NoEmployee { invitation },
                })
            }
        }
    }

    /// A departed person is never invited, nor one who may be an employee whose record cannot be read. An admin who
    /// decides to invite knows better, but not whether an earlier invitation took effect.
    fn invite(&self, person: &Person) -> Resolution {
        if has_departed(person, self.spec) {
            return Resolution::OutOfScope(Blocker::DepartedWithoutEmployee);
        }
        let record = self.record(&person.id);
        let whose = match (&record.pending, record.decision) {
            (Some(_), _) => Some(UnreadableIs::Invited),
            (None, Decision::Create) => None,
            (None, _) => Some(UnreadableIs::Candidate),
        };
        match whose.zip(self.unreadable_of_nobody()) {
            Some((whose, record)) => Resolution::Waits(Blocker::EmployeeUnreadable {
                record: record.to_string(),
                whose,
            }),
            None => Resolution::Create,
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

#[cfg(test)]
mod tests;
