//! Makes the plan. The rule on who gets deactivated is here, in [`deactivations`]: the employees of a person
//! whose Okta record, once read, says that the person departed, or of whom Okta has no record and a decision says
//! so; and nobody else. Whose record an employee is was decided [before](crate::rules::succession).

use std::collections::BTreeMap;

use super::{
    Creation, Deactivation, FieldWrites, MatchInForce, NewValue, Omission, Plan, Replace, TeamTarget, Update,
    emails::{self, Emails, Order},
    facts::Facts,
    field_history::{FieldHistory, Wanted},
    fields::{is_same, value},
    unmatch,
};
use crate::{
    api::{AppliedField, Decision, Field, OktaIntegrationSpec},
    model::{Departure, Employee, EmployeeId, Person, PersonId, Snapshot, text},
    rules::{
        blocker::Blocker,
        proposal::Proposal,
        resolve::{self, Record, Records, Resolution, Resolved},
        teams::{DerivedTeams, TeamChoice},
    },
};

/// The plan, and what is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    pub plan: Plan,
    /// The people who are left out although they are matched or to be invited.
    pub blockers: BTreeMap<PersonId, Blocker>,
    /// The fields that are left out of people who are written otherwise.
    pub omissions: BTreeMap<PersonId, Vec<Omission>>,
}

/// Makes the plan.
pub fn plan(
    snapshot: &Snapshot,
    spec: &OktaIntegrationSpec,
    teams: &DerivedTeams,
    records: &Records,
    resolved: &BTreeMap<PersonId, Resolved>,
) -> Planned {
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
        planned: Planned::default(),
        emails: email_holders(snapshot),
        on_other_records: facts.on_other_records(&takers),
    };
    for (id, resolved) in resolved {
        let planned = match (&resolved.resolution, snapshot.people().get(id)) {
            (Resolution::Matched(employees), person) => planner.match_person(id, person, employees, resolved),
            (Resolution::Create, Some(person)) => planner.create(person, &resolved.team),
            _ => Ok(()),
        };
        if let Err(blocker) = planned {
            planner.planned.blockers.insert(id.clone(), blocker);
        }
    }
    let emails = planner.hold_or_order_emails(&takers);
    let mut planned = planner.planned;
    let Planned {
        plan,
        blockers,
        omissions,
    } = &mut planned;
    takers.retain(|_, taker| !blockers.contains_key(*taker));
    omissions.retain(|person, _| !blockers.contains_key(person));
    (plan.restores, plan.unmatches) = unmatch::plan(facts, &takers, emails);
    plan.teams = facts.new_teams();
    planned
}

/// The employees who have each email.
fn email_holders(snapshot: &Snapshot) -> BTreeMap<String, Vec<&Employee>> {
    let mut holders: BTreeMap<String, Vec<&Employee>> = BTreeMap::new();
    for employee in snapshot.employees().values() {
        holders
            .entry(text::email_key(&employee.email))
            .or_default()
            .push(employee);
    }
    holders
}

struct Planner<'a> {
    facts: Facts<'a>,
    planned: Planned,
    /// See [`email_holders`].
    emails: BTreeMap<String, Vec<&'a Employee>>,
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
        resolved: &Resolved,
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
            let deactivations = deactivations(&departure, employees);
            self.planned.plan.deactivations.extend(deactivations);
        } else if let Some(person) = person {
            let team = self.facts.team(&resolved.team)?;
            if let Some((first, _)) = employees.first()
                && first.deactivated
            {
                let best = resolved.proposal.as_ref().and_then(Proposal::best);
                let free = best.filter(|best| best.matched_to.is_none());
                let active = free.map(|best| &best.employee);
                let is_active =
                    |id: &&EmployeeId| snapshot.employees().get(*id).is_some_and(|one| !one.deactivated);
                return Err(Blocker::EmployeeDeactivated {
                    employee: first.id.clone(),
                    active: active.filter(is_active).cloned(),
                });
            }
            for (place, (employee, history)) in employees.iter().enumerate() {
                if employee.deactivated {
                    continue;
                }
                let (fields, omissions) = self.fields(person, employee, history, place == 0, team.as_ref());
                if !fields.is_empty() {
                    self.planned.plan.updates.push(Update {
                        person: person.id.clone(),
                        employee: employee.id.clone(),
                        fields,
                    });
                }
                self.omit(&person.id, omissions);
            }
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
            self.planned.plan.matches.insert(id.clone(), in_force);
        }
        Ok(())
    }

    fn omit(&mut self, person: &PersonId, omissions: Vec<Omission>) {
        if !omissions.is_empty() {
            let of_person = self.planned.omissions.entry(person.clone()).or_default();
            of_person.extend(omissions);
        }
    }

    /// The fields of an employee that differ from what the person's record in Okta says, and those that are left
    /// out. Of several employees of a person, the first has the email.
    fn fields(
        &self,
        person: &Person,
        employee: &Employee,
        history: &FieldHistory<'_>,
        is_first: bool,
        team: Option<&TeamTarget>,
    ) -> (FieldWrites, Vec<Omission>) {
        let mut omissions = Vec::new();
        let full_name = person.full_name();
        let is_whole = person.name_parts().iter().all(Option::is_some);
        let name = match &full_name {
            Some(_) if is_whole || text::written(&employee.name).is_empty() => full_name.clone(),
            _ => None,
        };
        let is_other = |name: &String| !is_same(Field::Name, name, &employee.name);
        if name.is_none() && full_name.as_ref().is_none_or(is_other) {
            omissions.push(Omission::NameIncomplete {
                employee: employee.id.clone(),
            });
        }
        let mut email = person.work_email().filter(|_| is_first);
        if let Some(by) = email
            .as_deref()
            .and_then(|email| self.held_by_deactivated(email, employee))
        {
            omissions.push(Omission::EmailHeld {
                employee: employee.id.clone(),
                by: by.id.clone(),
            });
            email = None;
        }
        let wanted_text = |text: Option<String>| Wanted::of(text.map(NewValue::Text));
        for (field, wanted) in [(Field::Name, &name), (Field::Email, &email)] {
            let is_in_place =
                |wanted: &&String| value(employee, field).is_some_and(|now| is_same(field, wanted, now));
            let wanted = wanted.as_ref().filter(|wanted| !is_in_place(wanted));
            if let Some(stored) = wanted.and_then(|wanted| history.stored_for(employee, field, wanted)) {
                omissions.push(Omission::StoredDifferently {
                    employee: employee.id.clone(),
                    field,
                    stored: stored.to_owned(),
                });
            }
        }
        let wanted = [
            (Field::Name, wanted_text(name)),
            (
                Field::Email,
                if is_first {
                    wanted_text(email)
                } else {
                    Wanted::Elsewhere
                },
            ),
            (Field::Title, wanted_text(person.job_title())),
            (Field::Team, Wanted::of(team.cloned().map(NewValue::Team))),
        ];
        let fields = wanted
            .into_iter()
            .filter_map(|(field, wanted)| Some((field, history.replace(employee, field, wanted)?)))
            .filter(|(_, replace)| !self.restores_missing_team(replace));
        (fields.collect(), omissions)
    }

    /// The deactivated employee who has an email that an employee is to get. The vendor's way to another computer
    /// leaves such a record, which no plan changes. An active holder may still make room.
    fn held_by_deactivated(&self, email: &str, employee: &Employee) -> Option<&Employee> {
        let holders = self.emails.get(&text::email_key(email))?;
        let is_kept = holders
            .iter()
            .all(|holder| holder.deactivated && holder.id != employee.id);
        holders.first().copied().filter(|_| is_kept)
    }

    fn restores_missing_team(&self, replace: &Replace) -> bool {
        match &replace.to {
            NewValue::Team(TeamTarget::Existing(team)) => {
                replace.restores && !self.facts.snapshot.has_team(team)
            }
            _ => false,
        }
    }

    /// Invites a person.
    fn create(&mut self, person: &Person, team: &TeamChoice) -> Result<(), Blocker> {
        let email = person.work_email().ok_or(Blocker::NoEmail)?;
        let name = person.full_name().ok_or(Blocker::NoName)?;
        let mut doubts = Vec::new();
        let team = match self.facts.team(team)? {
            Some(team) => team,
            None => {
                let team = self.facts.team_of_new_employees()?;
                doubts.extend(team.doubt);
                TeamTarget::Existing(team.id)
            }
        };
        let settings = self.facts.settings_of_new_employees()?;
        doubts.extend(settings.doubt);
        self.planned.plan.creations.push(Creation {
            person: person.id.clone(),
            name,
            email,
            team,
            settings: settings.id,
            title: person.job_title(),
            doubts,
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
    fn hold_or_order_emails(&mut self, takers: &BTreeMap<&EmployeeId, &PersonId>) -> Emails {
        let facts = self.facts;
        loop {
            let plan = &mut self.planned.plan;
            let updates = std::mem::take(&mut plan.updates);
            let Order {
                updates,
                held,
                omissions,
                emails,
            } = emails::order(facts.snapshot, &plan.creations, updates, |employee, person| {
                facts.email_holder(employee, person, takers)
            });
            plan.updates = updates;
            plan.updates.retain(|update| !held.contains_key(&update.person));
            plan.creations
                .retain(|creation| !held.contains_key(&creation.person));
            plan.matches.retain(|person, _| !held.contains_key(person));
            for (person, omission) in omissions {
                self.omit(&person, vec![omission]);
            }
            if held.is_empty() {
                return emails;
            }
            self.planned.blockers.extend(held);
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
