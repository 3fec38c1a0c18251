//! Decides which employee each person is: by a decision, else by the match in force, else by a
//! proposal that is certain enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{
        Applied, Decision, EmployeeMatch, MatchState, OktaIntegrationSpec, Pending, PeopleScope,
        ProposalKind, SuspendedPolicy,
    },
    matching::{self, EmployeeRecord, Evidence, PersonRecord},
    model::{EmployeeId, OktaStatus, Person, PersonId, Snapshot, TeamId},
    rules::{
        blocker::Blocker,
        proposal::Proposal,
        teams::{DerivedTeams, TeamChoice, TeamRule},
    },
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
    fn keeps_match(&self) -> bool {
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
    let resolver = Resolver {
        snapshot,
        spec,
        teams,
        team_rule,
        records,
        no_record: Record::default(),
        claims: Claims::of(snapshot, records, &in_scope),
        in_scope,
    };
    let mut found = matching::propose(&resolver.evidence());
    let mut resolved: BTreeMap<PersonId, Resolved> = resolver
        .in_scope
        .iter()
        .map(|(id, person)| ((*id).clone(), resolver.resolved(person, found.remove(*id))))
        .collect();
    for id in records.keys().filter(|id| !resolver.in_scope.contains_key(id)) {
        let blocker = if snapshot.people().contains_key(id) {
            Blocker::NotInTeamGroup
        } else {
            Blocker::NotInOktaResponse
        };
        let out_of_scope = Resolved {
            resolution: Resolution::OutOfScope(blocker),
            proposal: None,
            team: TeamChoice::Keep,
        };
        resolved.insert(id.clone(), out_of_scope);
    }
    resolved
}

/// Whether the person departed, by the integration's policy for suspended people.
pub fn has_departed(person: &Person, spec: &OktaIntegrationSpec) -> bool {
    let suspended_departs = spec.okta.suspended == SuspendedPolicy::Deactivate;
    person.departure(suspended_departs).is_some()
}

/// Returns the people in scope. With `TeamMembers`, a departed person with a match in force stays in
/// scope without a team group: offboarding often removes people from their groups.
fn in_scope<'a>(
    snapshot: &'a Snapshot,
    spec: &OktaIntegrationSpec,
    team_rule: &TeamRule<'_>,
    records: &Records,
) -> BTreeMap<&'a PersonId, &'a Person> {
    let has_match = |id| records.get(id).is_some_and(|record| record.applied.is_some());
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

struct Resolver<'a> {
    snapshot: &'a Snapshot,
    spec: &'a OktaIntegrationSpec,
    teams: &'a DerivedTeams,
    team_rule: TeamRule<'a>,
    records: &'a Records,
    no_record: Record,
    in_scope: BTreeMap<&'a PersonId, &'a Person>,
    claims: Claims<'a>,
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
            bound: self.claims.bound(),
        }
    }

    fn resolved(&self, person: &Person, found: Option<matching::Proposal>) -> Resolved {
        let unmatched = self.spec.matching.unmatched;
        let proposal =
            found.map(|found| Proposal::new(found, person, has_departed(person, self.spec), unmatched));
        let resolution = self.resolution(person, proposal.as_ref());
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

    /// The first rule that applies decides.
    fn resolution(&self, person: &Person, proposal: Option<&Proposal>) -> Resolution {
        let record = self.record(&person.id);
        match record.decision {
            Decision::Ignore => return Resolution::Ignored,
            Decision::Match => return self.claims.claim(&record.employee_ids, &person.id),
            Decision::Auto | Decision::Create => {}
        }
        if record.keeps_match() {
            return self.claims.claim(&record.employees_in_force(), &person.id);
        }
        if let Some(employee) = self.claims.invited.get(&person.id) {
            return Resolution::Matched(vec![employee.clone()]);
        }
        match proposal {
            _ if record.decision == Decision::Create => self.invite(person),
            Some(proposal) => self.by_proposal(person, proposal),
            None => Resolution::Waits(Blocker::NoEmployee),
        }
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
            ProposalKind::None => Resolution::Waits(Blocker::NoEmployee),
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
    /// The employees of invitations whose response was lost, found by the person's email.
    invited: BTreeMap<&'a PersonId, EmployeeId>,
    snapshot: &'a Snapshot,
}

impl<'a> Claims<'a> {
    fn of(
        snapshot: &'a Snapshot,
        records: &'a Records,
        in_scope: &BTreeMap<&'a PersonId, &'a Person>,
    ) -> Self {
        let mut claims = Self {
            decided: BTreeMap::new(),
            held: BTreeMap::new(),
            invited: BTreeMap::new(),
            snapshot,
        };
        for (id, record) in records {
            if record.decision == Decision::Match {
                for employee in &record.employee_ids {
                    claims.decided.entry(employee).or_default().insert(id);
                }
            } else if record.keeps_match() {
                for employee in record.employees_in_force() {
                    claims.held.entry(employee).or_default().insert(id);
                }
            }
        }
        for (id, record) in records {
            if record.pending.is_some() && !record.keeps_match() {
                let email = in_scope.get(id).and_then(|person| person.email.as_deref());
                claims.adopt_invited(id, record, email);
            }
        }
        claims
    }

    /// Assigns the unclaimed, active employee with a person's email to the person whose invitation is pending.
    fn adopt_invited(&mut self, id: &'a PersonId, record: &Record, email: Option<&str>) {
        let invited = email.and_then(|email| {
            self.snapshot.employees().values().find(|employee| {
                !employee.deactivated
                    && employee.email.eq_ignore_ascii_case(email)
                    && !record.rejected.contains(&employee.id)
            })
        });
        if let Some(employee) = invited
            && !self.decided.contains_key(&employee.id)
            && !self.held.contains_key(&employee.id)
        {
            self.held.entry(employee.id.clone()).or_default().insert(id);
            self.invited.insert(id, employee.id.clone());
        }
    }

    /// Returns the person who has each claimed employee; a decision outranks a match in force.
    fn bound(&self) -> BTreeMap<EmployeeId, PersonId> {
        let held = self.held.iter();
        let decided = self.decided.iter().map(|(employee, people)| (*employee, people));
        held.chain(decided)
            .filter_map(|(employee, people)| Some((employee.clone(), (*people.first()?).clone())))
            .collect()
    }

    /// Resolves a person whose decision or match in force names these employees.
    fn claim(&self, employees: &[EmployeeId], id: &PersonId) -> Resolution {
        let missing: Vec<EmployeeId> = employees
            .iter()
            .filter(|employee| !self.snapshot.employees().contains_key(*employee))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Resolution::Waits(Blocker::EmployeeNotFound { missing });
        }
        match employees.iter().find_map(|employee| self.rival(employee, id)) {
            Some(blocker) => Resolution::Waits(blocker),
            None => Resolution::Matched(employees.to_vec()),
        }
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
        api::{AppliedField, Field, PendingOperation, UnmatchedPolicy},
        rules::{example::Example, record::image},
    };
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

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
        example.in_force("ann", "e-bob", &[]);
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-bob"]), "in force");
        assert_eq!(
            blocked_by(&resolution(&example, "bob")),
            "NoEmployee",
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
        record.pending = Some(Pending {
            operation: PendingOperation::CreateEmployee,
            since: Time(jiff::Timestamp::UNIX_EPOCH),
        });
        assert_eq!(resolution(&example, "ann"), matched_with(&["e-ann"]));
        example.record("ann").rejected.insert("e-ann".into());
        assert_eq!(resolution(&example, "ann"), Resolution::Create);
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
