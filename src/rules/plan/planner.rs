//! Makes the plan. The rule on who gets deactivated is here, in [`deactivations`]: the employees of a person
//! whose Okta record, once read, says that the person departed, or of whom Okta has no record and a decision says
//! so; and nobody else. Whose record an employee is by now was asked [before](crate::rules::succession).

use std::collections::BTreeMap;

use super::{
    Creation, Deactivation, FieldWrites, MatchInForce, NewValue, Plan, Replace, TeamTarget, Update,
    emails::{self, Emails, Order},
    facts::Facts,
    field_history::{FieldHistory, Wanted},
    unmatch,
};
use crate::{
    api::{AppliedField, Decision, Field, OktaIntegrationSpec},
    model::{Departure, Employee, EmployeeId, Person, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        resolve::{self, Record, Records, Resolution, Resolved},
        teams::{DerivedTeams, TeamChoice},
    },
};

/// Returns the plan, and the people who are left out of it although they are matched or to be invited, each
/// with the reason.
pub fn plan(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> (Plan, BTreeMap<PersonId, Blocker>) {
    let facts = Facts {
        snapshot,
        spec,
        teams,
        records,
        resolved,
    };
    let mut takers = facts.takers();
    let mut planner = Planner {
        facts,
        plan: Plan::default(),
        blockers: BTreeMap::new(),
        on_other_records: facts.on_other_records(&takers),
    };
    for (id, resolved) in resolved {
        let planned = match (&resolved.resolution, snapshot.people().get(id)) {
            (Resolution::Matched(employees), person) => {
                planner.match_person(id, person, employees, &resolved.team)
            }
            (Resolution::Create, Some(person)) => planner.create(person, &resolved.team),
            _ => Ok(()),
        };
        if let Err(blocker) = planned {
            planner.blockers.insert(id.clone(), blocker);
        }
    }
    let emails = planner.hold_or_order_emails();
    let Planner {
        mut plan, blockers, ..
    } = planner;
    takers.retain(|_, taker| !blockers.contains_key(*taker));
    (plan.restores, plan.unmatches) = unmatch::plan(facts, &takers, emails);
    plan.teams = facts.new_teams();
    (plan, blockers)
}

struct Planner<'a> {
    facts: Facts<'a>,
    plan: Plan,
    blockers: BTreeMap<PersonId, Blocker>,
    /// See [`Facts::on_other_records`].
    on_other_records: BTreeMap<EmployeeId, Vec<&'a AppliedField>>,
}

impl Planner<'_> {
    /// Overwrites the employees of a matched person, or deactivates them. Okta may no longer have a person who is
    /// deactivated by decision.
    fn match_person(
        &mut self,
        id: &PersonId,
        person: Option<&Person>,
        employees: &[EmployeeId],
        team: &TeamChoice,
    ) -> Result<(), Blocker> {
        let Facts { snapshot, spec, .. } = self.facts;
        let record = self.facts.record(id);
        let applied = record.and_then(|record| record.applied.as_ref());
        let employees: Vec<(&Employee, FieldHistory<'_>)> = employees
            .iter()
            .filter_map(|employee| snapshot.employees().get(employee))
            .map(|employee| {
                let others = self.on_other_records.get(&employee.id);
                let others = others.map_or(&[][..], Vec::as_slice);
                (employee, FieldHistory::of(employee, applied, others))
            })
            .collect();
        let departure = match record {
            Some(record) => resolve::departure(id, snapshot, spec, record),
            None => resolve::departure(id, snapshot, spec, &Record::default()),
        };
        let has_departed = departure.is_some();
        if let Some(departure) = departure {
            let employees = employees.iter().map(|(employee, _)| *employee);
            self.plan
                .deactivations
                .extend(deactivations(&departure, employees));
        } else if let Some(person) = person {
            let team = self.facts.team(team)?;
            if let Some((first, _)) = employees.first()
                && first.deactivated
            {
                let employee = first.id.clone();
                return Err(Blocker::EmployeeDeactivated { employee });
            }
            let updates = employees
                .iter()
                .enumerate()
                .filter_map(|(place, (employee, history))| {
                    let fields = self.fields(person, employee, history, place == 0, team.as_ref());
                    let is_written = !employee.deactivated && !fields.is_empty();
                    is_written.then(|| Update {
                        person: person.id.clone(),
                        employee: employee.id.clone(),
                        fields,
                    })
                });
            let updates: Vec<Update> = updates.collect();
            self.plan.updates.extend(updates);
        }
        let ids: Vec<EmployeeId> = employees
            .iter()
            .map(|(employee, _)| employee.id.clone())
            .collect();
        let inherited = employees.iter().flat_map(|(_, history)| history.inherited());
        let inherited: Vec<AppliedField> = inherited.collect();
        let mut in_force = record.map(Record::employees_in_force).unwrap_or_default();
        if has_departed {
            // What Insightful no longer has changes nothing of the match of somebody who departed.
            in_force.retain(|employee| ids.contains(employee));
        }
        if !inherited.is_empty() || in_force != ids {
            let in_force = MatchInForce {
                employees: ids,
                inherited,
            };
            self.plan.matches.insert(id.clone(), in_force);
        }
        Ok(())
    }

    /// The fields of an employee that differ from what the person's record in Okta says. Of several employees
    /// of a person, the first has the email.
    fn fields(
        &self,
        person: &Person,
        employee: &Employee,
        history: &FieldHistory<'_>,
        is_first: bool,
        team: Option<&TeamTarget>,
    ) -> FieldWrites {
        let text = |text: Option<String>| Wanted::of(text.map(NewValue::Text));
        let email = || text(person.email.clone());
        let wanted = [
            (Field::Name, text(person.full_name())),
            (Field::Email, if is_first { email() } else { Wanted::Elsewhere }),
            (Field::Title, text(person.title.clone())),
            (Field::Team, Wanted::of(team.cloned().map(NewValue::Team))),
        ];
        wanted
            .into_iter()
            .filter_map(|(field, wanted)| Some((field, history.replace(employee, field, wanted)?)))
            .filter(|(_, replace)| !self.restores_missing_team(replace))
            .collect()
    }

    fn restores_missing_team(&self, replace: &Replace) -> bool {
        match &replace.to {
            NewValue::Team(TeamTarget::Existing(team)) => {
                replace.restores && !self.facts.snapshot.teams().contains_key(team)
            }
            _ => false,
        }
    }

    /// Invites a person.
    fn create(&mut self, person: &Person, team: &TeamChoice) -> Result<(), Blocker> {
        let email = person.email.clone().ok_or(Blocker::NoEmail)?;
        let name = person.full_name().ok_or(Blocker::NoName)?;
        let team = match self.facts.team(team)? {
            Some(team) => team,
            None => TeamTarget::Existing(self.facts.team_of_new_employees()?),
        };
        self.plan.creations.push(Creation {
            person: person.id.clone(),
            name,
            email,
            team,
            settings: self.facts.settings_of_new_employees()?,
            title: person.title.clone(),
            automatic: self
                .facts
                .record(&person.id)
                .is_none_or(|record| record.decision != Decision::Create),
        });
        Ok(())
    }

    /// Leaves out the people for whom no order of the writes frees their email in time. A person is written
    /// whole or not at all, so that whoever waits for an email of theirs is left out too. Returns the holders
    /// of the emails after all updates.
    fn hold_or_order_emails(&mut self) -> Emails {
        let Plan {
            creations,
            updates,
            matches,
            ..
        } = &mut self.plan;
        loop {
            let Order {
                updates: ordered,
                held,
                emails,
            } = emails::order(self.facts.snapshot, creations, std::mem::take(updates));
            *updates = ordered;
            if held.is_empty() {
                return emails;
            }
            updates.retain(|update| !held.contains_key(&update.person));
            creations.retain(|creation| !held.contains_key(&creation.person));
            matches.retain(|person, _| !held.contains_key(person));
            self.blockers.extend(held);
        }
    }
}

/// The rule on who gets deactivated: the employees, still active, of a person whose record in Okta says that
/// they departed, or of whom Okta has no record and a decision says so. A [`Departure`] comes from these only.
fn deactivations<'a>(
    departure: &Departure,
    employees: impl Iterator<Item = &'a Employee>,
) -> Vec<Deactivation> {
    employees
        .filter(|employee| !employee.deactivated)
        .map(|employee| Deactivation {
            person: departure.person().clone(),
            employee: employee.id.clone(),
            evidence: departure.clone(),
        })
        .collect()
}
