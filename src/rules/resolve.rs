//! Which employee is whose? Decisions come first, then matches in force, then
//! proposals that are sure enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{
        Applied, Decision, EmployeeMatch, MatchState, OktaIntegrationSpec, Pending, PeopleScope,
        ProposalKind, SuspendedPolicy,
    },
    matching::{self, EmployeeRecord, Evidence, PersonRecord},
    model::{EmployeeId, OktaStatus, Person, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        proposal::Proposal,
        teams::{self, DerivedTeams, TeamChoice},
    },
};

/// What the cluster remembers of one person: the decision, and the match in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// What an admin decided.
    pub decision: Decision,
    /// With [`Decision::Match`]: the employees.
    pub employee_ids: Vec<EmployeeId>,
    /// Employees that an admin ruled out.
    pub rejected: BTreeSet<EmployeeId>,
    /// The match in force.
    pub applied: Option<Applied>,
    /// A creation whose outcome is not known.
    pub pending: Option<Pending>,
    /// The state that was last written.
    pub state: Option<MatchState>,
}

impl From<&EmployeeMatch> for Record {
    fn from(object: &EmployeeMatch) -> Self {
        let status = object.status.as_ref();
        Self {
            decision: object.spec.decision,
            employee_ids: object
                .spec
                .employee_ids
                .iter()
                .map(|id| id.as_str().into())
                .collect(),
            rejected: object
                .spec
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
    /// The employees of the match in force.
    pub fn employees_in_force(&self) -> Vec<EmployeeId> {
        self.applied
            .iter()
            .flat_map(|applied| &applied.employee_ids)
            .map(|id| id.as_str().into())
            .collect()
    }

    /// Whether the admin wants the match in force no longer.
    pub fn is_taken_back(&self) -> bool {
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

    /// Whether the match in force still is what the admin wants, as far as
    /// this record alone can tell.
    fn stands(&self) -> bool {
        self.applied.is_some()
            && !self.employees_in_force().is_empty()
            && self.decision != Decision::Match
            && !self.is_taken_back()
    }
}

/// All that the cluster remembers, by person.
pub type Records = BTreeMap<PersonId, Record>;

/// Where a person stands after decisions and proposals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// These employees are the person; the first takes the email.
    Matched(Vec<EmployeeId>),
    /// The person is to be invited.
    Create,
    /// Departure alone by decision.
    Ignored,
    /// Not synced now, and nobody has to decide.
    OutOfScope(Blocker),
    /// Waits for somebody.
    Waits(Blocker),
}

/// A person's resolution, and what was proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where the person stands.
    pub resolution: Resolution,
    /// Who the person is believed to be; None if nobody was asked, because the
    /// person is not in scope.
    pub proposal: Option<Proposal>,
    /// The team that the team groups give.
    pub team: TeamChoice,
}

/// Settles everybody who is in scope or on record.
pub fn resolve(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
) -> BTreeMap<PersonId, Resolved> {
    let nothing = Record::default();
    let record = |id: &PersonId| records.get(id).unwrap_or(&nothing);
    let groups = teams::groups_of_people(snapshot);
    let no_groups = BTreeSet::new();
    let groups_of = |id: &PersonId| groups.get(id).unwrap_or(&no_groups);
    let groupless = teams::groupless(teams);
    let choose = |id: &PersonId, first: Option<&EmployeeId>| {
        let present = first.and_then(|employee| snapshot.employees().get(employee));
        teams::choose(
            groups_of(id),
            teams,
            &groupless,
            &spec.teams.precedence,
            spec.teams.create_missing,
            present.map(|employee| &employee.team),
        )
    };
    let suspended_left = spec.okta.suspended == SuspendedPolicy::Deactivate;

    let in_scope: BTreeMap<&PersonId, &Person> = snapshot
        .people()
        .iter()
        .filter(|(id, person)| {
            spec.okta.people == PeopleScope::Everyone
                || !groups_of(id).is_empty()
                || (person.departure(suspended_left).is_some() && record(id).applied.is_some())
        })
        .collect();

    let claims = Claims::of(snapshot, records, &in_scope);
    let team_of = |id: &PersonId| -> TeamChoice {
        let in_force = record(id).employees_in_force();
        choose(id, in_force.first().or(record(id).employee_ids.first()))
    };

    let choices: BTreeMap<&PersonId, TeamChoice> = in_scope.keys().map(|id| (*id, team_of(id))).collect();
    let team_names: BTreeMap<&PersonId, &str> = choices
        .iter()
        .filter_map(|(id, choice)| match choice {
            TeamChoice::Of(group) => Some((*id, teams.get(group)?.name.as_str())),
            _ => None,
        })
        .collect();
    let mut proposals = matching::propose(&Evidence {
        people: in_scope
            .iter()
            .map(|(id, person)| PersonRecord {
                person,
                departed: person.departure(suspended_left).is_some(),
                team: team_names.get(id).copied(),
            })
            .collect(),
        others: snapshot
            .people()
            .iter()
            .filter(|(id, _)| !in_scope.contains_key(id))
            .map(|(_, person)| PersonRecord {
                person,
                departed: person.departure(suspended_left).is_some(),
                team: None,
            })
            .collect(),
        employees: snapshot
            .employees()
            .values()
            .map(|employee| EmployeeRecord {
                employee,
                team: snapshot
                    .teams()
                    .get(&employee.team)
                    .map(|team| team.name.as_str()),
            })
            .collect(),
        rejected: records
            .iter()
            .flat_map(|(id, record)| {
                record
                    .rejected
                    .iter()
                    .map(|employee| (id.clone(), employee.clone()))
            })
            .collect(),
        bound: claims.bound(),
    });

    let mut resolved: BTreeMap<PersonId, Resolved> = in_scope
        .iter()
        .map(|(id, person)| {
            let left = person.departure(suspended_left).is_some();
            let proposal = proposals
                .remove(*id)
                .map(|found| Proposal::new(found, person, left, spec.matching.unmatched));
            let resolution = claims.resolution(record(id), id, person, left, proposal.as_ref(), spec);
            // Until an employee is linked, the present team of a person in several is not known.
            let team = match &resolution {
                Resolution::Matched(employees) => choose(id, employees.first()),
                _ => choices[*id].clone(),
            };
            (
                (*id).clone(),
                Resolved {
                    resolution,
                    proposal,
                    team,
                },
            )
        })
        .collect();
    for id in records.keys().filter(|id| !in_scope.contains_key(id)) {
        let blocker = if snapshot.people().contains_key(id) {
            Blocker::NotInTeamGroup
        } else {
            Blocker::NotInOktaResponse
        };
        let resolution = Resolution::OutOfScope(blocker);
        resolved.insert(
            id.clone(),
            Resolved {
                resolution,
                proposal: None,
                team: TeamChoice::Keep,
            },
        );
    }
    resolved
}

/// Who claims which employee, and by what right.
struct Claims<'a> {
    /// Named by a decision. More than one person is a conflict.
    decided: BTreeMap<&'a EmployeeId, BTreeSet<&'a PersonId>>,
    /// By a match in force, or a creation whose outcome became known.
    held: BTreeMap<EmployeeId, BTreeSet<&'a PersonId>>,
    /// Creations whose outcome became known.
    adopted: BTreeMap<&'a PersonId, EmployeeId>,
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
            adopted: BTreeMap::new(),
            snapshot,
        };
        for (id, record) in records {
            if record.decision == Decision::Match {
                for employee in &record.employee_ids {
                    claims.decided.entry(employee).or_default().insert(id);
                }
            } else if record.stands() {
                for employee in record.employees_in_force() {
                    claims.held.entry(employee).or_default().insert(id);
                }
            }
        }
        // The look by natural key after a creation whose answer was lost.
        for (id, record) in records {
            if record.pending.is_none() || record.stands() {
                continue;
            }
            let email = in_scope.get(id).and_then(|person| person.email.as_deref());
            let created = email.and_then(|email| {
                snapshot.employees().values().find(|employee| {
                    !employee.deactivated
                        && employee.email.eq_ignore_ascii_case(email)
                        && !record.rejected.contains(&employee.id)
                })
            });
            if let Some(employee) = created
                && !claims.decided.contains_key(&employee.id)
                && !claims.held.contains_key(&employee.id)
            {
                claims.held.entry(employee.id.clone()).or_default().insert(id);
                claims.adopted.insert(id, employee.id.clone());
            }
        }
        claims
    }

    /// Who has each employee that is not free; a decision outranks a match in force.
    fn bound(&self) -> BTreeMap<EmployeeId, PersonId> {
        let held = self.held.iter();
        let decided = self.decided.iter().map(|(employee, people)| (*employee, people));
        held.chain(decided)
            .filter_map(|(employee, people)| Some((employee.clone(), (*people.first()?).clone())))
            .collect()
    }

    fn resolution(
        &self,
        record: &Record,
        id: &PersonId,
        person: &Person,
        left: bool,
        proposal: Option<&Proposal>,
        spec: &OktaIntegrationSpec,
    ) -> Resolution {
        match record.decision {
            Decision::Ignore => return Resolution::Ignored,
            Decision::Match => return self.claim(&record.employee_ids, id),
            Decision::Auto | Decision::Create => {}
        }
        if record.stands() {
            return self.claim(&record.employees_in_force(), id);
        }
        if let Some(employee) = self.adopted.get(id) {
            return Resolution::Matched(vec![employee.clone()]);
        }
        let proposal = if record.decision == Decision::Create {
            None
        } else {
            proposal
        };
        match proposal {
            Some(Proposal {
                kind: ProposalKind::Auto,
                candidates,
                ..
            }) if spec.matching.automatic => Resolution::Matched(
                candidates
                    .iter()
                    .take(1)
                    .map(|best| best.employee.clone())
                    .collect(),
            ),
            Some(Proposal {
                kind: ProposalKind::Auto,
                ..
            }) => Resolution::Waits(Blocker::NeedsDecision {
                doubts: vec!["spec.matching.automatic is false".into()],
            }),
            Some(Proposal {
                kind: ProposalKind::Review,
                doubts,
                ..
            }) => Resolution::Waits(Blocker::NeedsDecision {
                doubts: doubts.clone(),
            }),
            _ if left => Resolution::OutOfScope(Blocker::DepartedWithoutEmployee),
            Some(Proposal {
                kind: ProposalKind::Create,
                ..
            })
            | None => Resolution::Create,
            Some(_) if person.status == OktaStatus::Staged => Resolution::OutOfScope(Blocker::NotStarted),
            Some(_) => Resolution::Waits(Blocker::NoEmployee),
        }
    }

    /// The resolution of a person who names, or holds, these employees.
    fn claim(&self, employees: &[EmployeeId], id: &PersonId) -> Resolution {
        let missing: Vec<EmployeeId> = employees
            .iter()
            .filter(|employee| !self.snapshot.employees().contains_key(*employee))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Resolution::Waits(Blocker::EmployeeNotFound { missing });
        }
        for employee in employees {
            let decided = self.decided.get(employee);
            if let Some(decided) = decided
                && !decided.contains(id)
                && let Some(to) = decided.first()
            {
                return Resolution::Waits(Blocker::ReassignedByDecision {
                    employee: employee.clone(),
                    to: (*to).clone(),
                });
            }
            let rivals = decided.or_else(|| self.held.get(employee));
            let with: Vec<PersonId> = rivals
                .into_iter()
                .flatten()
                .filter(|other| **other != id)
                .map(|other| (*other).clone())
                .collect();
            if !with.is_empty() {
                return Resolution::Waits(Blocker::EmployeeClaimedTwice {
                    employee: employee.clone(),
                    with,
                });
            }
        }
        Resolution::Matched(employees.to_vec())
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

    fn linked(employees: &[&str]) -> Resolution {
        Resolution::Matched(employees.iter().map(|id| EmployeeId::from(*id)).collect())
    }

    fn waits(resolution: &Resolution) -> &'static str {
        match resolution {
            Resolution::Waits(blocker) | Resolution::OutOfScope(blocker) => blocker.reason(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_decision_comes_before_a_match_in_force_and_that_before_a_proposal() {
        let mut example = two();
        assert_eq!(resolution(&example, "ann"), linked(&["e-ann"]), "proposal");
        example.in_force("ann", "e-bob", &[]);
        assert_eq!(resolution(&example, "ann"), linked(&["e-bob"]), "in force");
        assert_eq!(
            waits(&resolution(&example, "bob")),
            "NoEmployee",
            "what is in force is proposed to nobody else"
        );
        example.matched("ann", &["e-ann"]);
        assert_eq!(resolution(&example, "ann"), linked(&["e-ann"]), "decision");
        example.record("ann").decision = Decision::Ignore;
        assert_eq!(resolution(&example, "ann"), Resolution::Ignored);
    }

    #[test]
    fn two_decisions_for_one_employee_are_a_conflict_of_both() {
        let mut example = two();
        example.matched("ann", &["e-ann"]);
        example.matched("bob", &["e-bob", "e-ann"]);
        assert_eq!(waits(&resolution(&example, "ann")), "EmployeeClaimedTwice");
        assert_eq!(waits(&resolution(&example, "bob")), "EmployeeClaimedTwice");
        assert!(example.assess().plan.updates.is_empty());
    }

    #[test]
    fn a_decision_takes_an_employee_from_a_match_in_force() {
        let mut example = two();
        example.in_force("ann", "e-ann", &[]);
        example.matched("bob", &["e-ann"]);
        assert_eq!(resolution(&example, "bob"), linked(&["e-ann"]));
        assert_eq!(waits(&resolution(&example, "ann")), "ReassignedByDecision");
    }

    #[test]
    fn an_employee_who_is_gone_is_asked_about_and_not_invited_again() {
        let mut example = two();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        example.in_force("ann", "e-gone", &[]);
        assert_eq!(waits(&resolution(&example, "ann")), "EmployeeNotFound");
        example.matched("ann", &["e-nobody"]);
        assert_eq!(waits(&resolution(&example, "ann")), "EmployeeNotFound");
        assert!(example.assess().plan.creations.is_empty());
    }

    #[test]
    fn a_rejected_match_in_force_is_taken_back() {
        let mut example = two();
        example.in_force("ann", "e-ann", &[]);
        example.record("ann").rejected.insert("e-ann".into());
        assert_eq!(waits(&resolution(&example, "ann")), "NoEmployee");
        assert_eq!(example.assess().plan.unmatches.len(), 1);
    }

    #[test]
    fn an_employee_who_was_ruled_out_is_not_the_one_who_was_invited() {
        let mut example = two();
        let record = example.record("ann");
        record.decision = Decision::Create;
        record.pending = Some(Pending {
            operation: PendingOperation::CreateEmployee,
            since: Time(jiff::Timestamp::UNIX_EPOCH),
        });
        assert_eq!(resolution(&example, "ann"), linked(&["e-ann"]));
        example.record("ann").rejected.insert("e-ann".into());
        assert_eq!(resolution(&example, "ann"), Resolution::Create);
    }

    #[test]
    fn who_is_in_scope() {
        let mut example = two();
        example.groups.clear();
        assert!(
            example.assess().resolved.is_empty(),
            "nobody is in a team group, nobody is on record"
        );
        example.spec.okta.people = PeopleScope::Everyone;
        assert_eq!(example.assess().resolved.len(), 2);
        example.spec.okta.people = PeopleScope::TeamMembers;
        example.in_force("ann", "e-ann", &[]);
        assert_eq!(waits(&resolution(&example, "ann")), "NotInTeamGroup");
        example.people[0].status = OktaStatus::Deprovisioned;
        assert_eq!(
            resolution(&example, "ann"),
            linked(&["e-ann"]),
            "a leaver counts, in a group or not"
        );
        example.people.clear();
        assert_eq!(waits(&resolution(&example, "ann")), "NotInOktaResponse");
    }

    #[test]
    fn who_is_out_of_scope_may_be_the_employee_all_the_same() {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales").email = Some("doe@acme.com".into());
        example.employee("e-ann", "Ann Doe", "doe@acme.com");
        assert_eq!(resolution(&example, "ann"), linked(&["e-ann"]));
        example.person("other", "Ann", "Doe", "Elsewhere").email = Some("doe@acme.com".into());
        example.groups.retain(|group| group.name == "P_Sales");
        assert_eq!(waits(&resolution(&example, "ann")), "NeedsDecision");
        assert_eq!(
            example.assess().resolved.len(),
            1,
            "nothing is proposed for who is out of scope"
        );
    }

    #[test]
    fn who_has_not_started_waits() {
        let mut example = Example::new();
        example.person("ann", "Ann", "Doe", "Sales").status = OktaStatus::Staged;
        assert_eq!(waits(&resolution(&example, "ann")), "NotStarted");
        example.record("ann").decision = Decision::Create;
        assert_eq!(
            resolution(&example, "ann"),
            Resolution::Create,
            "but a decision is a decision"
        );
    }

    #[test]
    fn a_group_that_vanished_moves_nobody() {
        let mut example = Example::jane();
        example.person("jane", "Jane", "Doe", "Support");
        example.team("Support");
        assert!(example.assess().plan.is_empty(), "the present team stays");
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
    fn a_group_that_vanished_gives_no_earlier_team_back() {
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
