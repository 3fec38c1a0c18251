//! Whose record is an employee now? A computer is handed on and its record renamed, or a person comes back with
//! a new account in Okta. The match in force then names somebody whose record it no longer is, and what is written
//! by it would reach another person.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    api::{AppliedField, Decision, Field, OktaIntegrationSpec},
    model::{
        Employee, EmployeeId, Person, PersonId, Snapshot,
        text::{email_key, is_same_email, is_same_name_loosely, name_key},
    },
    rules::{
        exclusion::Excluded,
        plan::{fields::value, is_ours},
        resolve::{Record, Records, departure, has_departed},
    },
};

/// What an employee has in common with a person who works here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    pub email: bool,
    pub name: bool,
}

impl Shared {
    const BOTH: Self = Self {
        email: true,
        name: true,
    };

    pub fn words(self) -> &'static str {
        match self {
            Self::BOTH => "name and email",
            Self { email: true, .. } => "email",
            _ => "name",
        }
    }
}

/// An employee that is no longer the person's with whom it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOn {
    pub employee: EmployeeId,
    /// None if Okta has nobody of the employee's name and email.
    pub to: Option<PersonId>,
    pub shared: Shared,
}

/// The people whose name or email matched employees have, and what follows from it.
pub struct Succession<'a> {
    snapshot: &'a Snapshot,
    spec: &'a OktaIntegrationSpec,
    records: &'a Records,
    /// People who work here, by the employees that have their name or email.
    claimants: BTreeMap<&'a EmployeeId, BTreeMap<&'a PersonId, Shared>>,
    /// Matched employees that were handed on to somebody.
    handed_on: BTreeSet<&'a EmployeeId>,
    /// The new accounts of people whose former account departed, with their employees.
    takers: BTreeMap<&'a PersonId, Vec<EmployeeId>>,
    /// The new account of each former one.
    replaced: BTreeMap<&'a PersonId, &'a PersonId>,
    /// People for whom an active employee is proposed that is certain enough.
    proposed: BTreeMap<PersonId, EmployeeId>,
}

impl<'a> Succession<'a> {
    /// Looks at the matches in force and those that are decided. `in_scope`: the people who can be matched;
    /// `excluded`: those whose matches rest.
    pub fn of(
        snapshot: &'a Snapshot,
        spec: &'a OktaIntegrationSpec,
        records: &'a Records,
        in_scope: &BTreeMap<&PersonId, &Person>,
        excluded: &Excluded<'_>,
    ) -> Self {
        let mut succession = Self {
            snapshot,
            spec,
            records,
            claimants: BTreeMap::new(),
            handed_on: BTreeSet::new(),
            takers: BTreeMap::new(),
            replaced: BTreeMap::new(),
            proposed: BTreeMap::new(),
        };
        let pairs: Vec<(&PersonId, &Employee)> = records
            .iter()
            .flat_map(|(id, record)| succession.matched(record).map(move |employee| (id, employee)))
            // What Okta says about the person is unknown, so that nobody else gets the employee for it.
            .filter(|(id, _)| snapshot.unreadable_person(id).is_none())
            .filter(|(id, employee)| {
                let person = succession.present(id);
                person.is_none_or(|person| !succession.is_own(person, employee))
            })
            .collect();
        succession.find_claimants(pairs.iter().map(|(_, employee)| *employee));
        succession.find_takers(in_scope, excluded);
        let handed_on = pairs.into_iter().filter(|(id, employee)| {
            let handed_on = succession.handed_on(id, employee);
            handed_on.is_some_and(|handed_on| handed_on.to.is_some())
        });
        succession.handed_on = handed_on.map(|(_, employee)| &employee.id).collect();
        succession
    }

    /// Adds the employees that invitations without a response created: no record names them yet.
    pub fn add_invited<'b>(&mut self, invited: impl Iterator<Item = &'b EmployeeId>) {
        let invited: Vec<&Employee> = invited.filter_map(|employee| self.active(employee)).collect();
        self.find_claimants(invited.into_iter());
    }

    /// Adds what is proposed: for each person the employee that is certain enough.
    pub fn add_proposals(&mut self, proposed: BTreeMap<PersonId, EmployeeId>) {
        let employee = |(id, employee): (&PersonId, &EmployeeId)| {
            let is_present = self.present(id).is_some();
            (!is_present).then(|| self.active(employee)).flatten()
        };
        let of_departed: Vec<&Employee> = proposed.iter().filter_map(employee).collect();
        self.find_claimants(of_departed.into_iter());
        self.proposed = proposed;
    }

    /// Returns the employees that a person takes over from their former account.
    pub fn taken_over_by(&self, person: &PersonId) -> Option<&Vec<EmployeeId>> {
        self.takers.get(person)
    }

    /// Returns the new account that takes over all active employees of a former one.
    pub fn replaced_by(&self, former: &PersonId) -> Option<&'a PersonId> {
        self.replaced.get(former).copied()
    }

    /// Returns the matched employees that were handed on to somebody who works here.
    pub fn employees_handed_on(&self) -> &BTreeSet<&'a EmployeeId> {
        &self.handed_on
    }

    /// Whether an employee that is matched with a person is no longer theirs.
    pub fn handed_on(&self, holder: &PersonId, employee: &Employee) -> Option<HandedOn> {
        match self.present(holder) {
            Some(person) => self.handed_on_by_worker(person, employee),
            None => self.handed_on_by_departed(holder, employee),
        }
    }

    /// The employee of somebody who left is not theirs if it has the email of a person who works here, or the name
    /// of one: unless that is the name of both, and the other has an employee of their own.
    fn handed_on_by_departed(&self, holder: &PersonId, employee: &Employee) -> Option<HandedOn> {
        let own_name = self.own_name(holder);
        let is_own_name = own_name.is_some_and(|name| is_same_name_loosely(&name, &employee.name))
            || self.wrote(holder, employee, Field::Name);
        let is_theirs = |id: &PersonId, shared: Shared| {
            shared.email || !is_own_name || !self.has_another_employee(id, employee)
        };
        self.claimant(holder, employee, is_theirs)
            .or_else(|| self.renamed_since(holder, employee))
    }

    /// The employee of somebody who works here is not theirs if it has neither their name nor their email any more,
    /// but another person's. A decision is made in knowledge of what the employee holds then.
    fn handed_on_by_worker(&self, holder: &Person, employee: &Employee) -> Option<HandedOn> {
        if self.is_own(holder, employee) || self.is_as_decided(holder, employee) {
            return None;
        }
        self.claimant(&holder.id, employee, |_, _| true)
    }

    /// Returns the person whose name or email the employee has, if they did not reject it.
    fn claimant(
        &self,
        holder: &PersonId,
        employee: &Employee,
        is_theirs: impl Fn(&PersonId, Shared) -> bool,
    ) -> Option<HandedOn> {
        let claimants = self.claimants.get(&employee.id)?.iter();
        let (to, shared) = claimants
            .filter(|(id, shared)| {
                **id != holder && !self.rejects(id, &employee.id) && is_theirs(id, **shared)
            })
            // Of equals, the first.
            .rev()
            .max_by_key(|(_, shared)| **shared)?;
        Some(HandedOn {
            employee: employee.id.clone(),
            to: Some((*to).clone()),
            shared: *shared,
        })
    }

    /// Whether somebody changed the name that the match wrote to one that has no word of the person's: the record
    /// was handed on to somebody whom Okta does not have.
    fn renamed_since(&self, holder: &PersonId, employee: &Employee) -> Option<HandedOn> {
        let written = self.written(holder, employee, Field::Name)?;
        let is_before = |before: &str| is_same_name_loosely(before, &employee.name);
        if is_ours(written, &employee.name) || written.before.as_deref().is_some_and(is_before) {
            return None;
        }
        let now = name_key(&employee.name);
        let own = self.own_name(holder).unwrap_or_default();
        let own: BTreeSet<String> = [own, written.after.clone()]
            .iter()
            .flat_map(|name| name_key(name).split(' ').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        (!now.split(' ').any(|word| own.contains(word))).then(|| HandedOn {
            employee: employee.id.clone(),
            to: None,
            shared: Shared::default(),
        })
    }

    /// Finds the people who work here and have the name or the email of one of the employees.
    fn find_claimants(&mut self, employees: impl Iterator<Item = &'a Employee>) {
        let mut by_email: HashMap<String, Vec<&'a EmployeeId>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<&'a EmployeeId>> = HashMap::new();
        for employee in employees {
            by_email
                .entry(email_key(&employee.email))
                .or_default()
                .push(&employee.id);
            by_name
                .entry(name_key(&employee.name))
                .or_default()
                .push(&employee.id);
        }
        by_email.remove("");
        by_name.remove("");
        if by_email.is_empty() && by_name.is_empty() {
            return;
        }
        for (id, person) in self.snapshot.people() {
            if has_departed(person, self.spec) {
                continue;
            }
            let emails = person
                .email
                .iter()
                .chain([&person.login])
                .map(|email| email_key(email));
            for employee in emails.filter_map(|email| by_email.get(&email)).flatten() {
                self.claimants
                    .entry(employee)
                    .or_default()
                    .entry(id)
                    .or_default()
                    .email = true;
            }
            let name = person.full_name().map(|name| name_key(&name));
            for employee in name.and_then(|name| by_name.get(&name)).into_iter().flatten() {
                self.claimants
                    .entry(employee)
                    .or_default()
                    .entry(id)
                    .or_default()
                    .name = true;
            }
        }
    }

    /// Finds the new accounts of people whose former account departed: of the same name, with the name and email of
    /// the employee in force, without another employee, and the only such account.
    fn find_takers(&mut self, in_scope: &BTreeMap<&PersonId, &Person>, excluded: &Excluded<'_>) {
        if !self.spec.matching.automatic {
            return;
        }
        let decided: BTreeSet<&EmployeeId> = self
            .records
            .values()
            .filter(|record| record.decision == Decision::Match)
            .flat_map(|record| &record.employee_ids)
            .collect();
        for (former, record) in self.records {
            if excluded.contains_key(former)
                || !record.keeps_match()
                || departure(former, self.snapshot, self.spec, record).is_none()
            {
                continue;
            }
            let mut employees: Vec<&Employee> = self.matched(record).collect();
            if employees.iter().any(|employee| decided.contains(&employee.id)) {
                continue;
            }
            let taker = {
                let is_taker = |(employee, id): &(&Employee, &'a PersonId)| {
                    self.snapshot.people().get(*id).is_some_and(|person| {
                        in_scope.contains_key(*id) && self.can_take_over(former, person, employee)
                    })
                };
                let claimants = employees.iter().flat_map(|employee| {
                    let claimants = self.claimants.get(&employee.id).into_iter().flatten();
                    let claimants = claimants.filter(|(_, shared)| **shared == Shared::BOTH);
                    claimants.map(move |(id, _)| (*employee, *id))
                });
                let mut takers = claimants.filter(is_taker);
                takers.next().filter(|_| takers.next().is_none())
            };
            let Some((first, taker)) = taker else { continue };
            let is_of_taker = |employee: &&Employee| is_same_name_loosely(&employee.name, &first.name);
            if employees.iter().all(is_of_taker) && self.is_free_for(taker, &employees) {
                // The employee with the email comes first.
                employees.sort_by_key(|employee| employee.id != first.id);
                let ids = employees.iter().map(|employee| employee.id.clone()).collect();
                if !self.takers.contains_key(taker) {
                    self.takers.insert(taker, ids);
                    self.replaced.insert(former, taker);
                }
            }
        }
    }

    fn can_take_over(&self, former: &PersonId, taker: &Person, employee: &Employee) -> bool {
        let name = taker.full_name().unwrap_or_default();
        *former != taker.id
            && !self.rejects(&taker.id, &employee.id)
            && self
                .own_name(former)
                .is_some_and(|former| is_same_name_loosely(&former, &name))
    }

    /// Whether nothing but these employees is decided, in force or pending for a person.
    fn is_free_for(&self, person: &PersonId, employees: &[&Employee]) -> bool {
        let Some(record) = self.records.get(person) else {
            return true;
        };
        let is_one = |id: &EmployeeId| employees.iter().any(|employee| employee.id == *id);
        record.decision == Decision::Auto
            && record.pending.is_none()
            && !record.rejected.iter().any(is_one)
            && record.employees_in_force().iter().all(is_one)
    }

    /// Whether a person has an active employee other than this one.
    fn has_another_employee(&self, person: &PersonId, but: &Employee) -> bool {
        let record = self.records.get(person);
        let matched = record.into_iter().flat_map(|record| self.matched(record));
        let proposed = self
            .proposed
            .get(person)
            .and_then(|employee| self.active(employee));
        matched.chain(proposed).any(|employee| employee.id != but.id)
    }

    /// The active employees of a decision or a match in force.
    fn matched(&self, record: &Record) -> impl Iterator<Item = &'a Employee> + use<'a> {
        let employees = match record.decision {
            Decision::Match => record.employee_ids.clone(),
            _ if record.keeps_match() => record.employees_in_force(),
            _ => Vec::new(),
        };
        let snapshot = self.snapshot;
        let found = employees
            .into_iter()
            .filter_map(|id| snapshot.employees().get(&id));
        found.filter(|employee| !employee.deactivated)
    }

    fn active(&self, employee: &EmployeeId) -> Option<&'a Employee> {
        self.snapshot
            .employees()
            .get(employee)
            .filter(|employee| !employee.deactivated)
    }

    /// Returns the record of a person who works here.
    fn present(&self, id: &PersonId) -> Option<&'a Person> {
        let person = self.snapshot.people().get(id);
        person.filter(|person| !has_departed(person, self.spec))
    }

    fn rejects(&self, person: &PersonId, employee: &EmployeeId) -> bool {
        self.records
            .get(person)
            .is_some_and(|record| record.rejected.contains(employee))
    }

    /// The name of a person; of one whom Okta lacks, the one that their match wrote.
    pub fn own_name(&self, id: &PersonId) -> Option<String> {
        let person = self.snapshot.people().get(id);
        person
            .and_then(Person::full_name)
            .or_else(|| self.records.get(id)?.written_name().map(str::to_owned))
    }

    /// Whether the employee has the name or the email of its person, now or as their match wrote it.
    fn is_own(&self, person: &Person, employee: &Employee) -> bool {
        let is_email = |email: &String| is_same_email(email, &employee.email);
        person
            .full_name()
            .is_some_and(|name| is_same_name_loosely(&name, &employee.name))
            || !employee.email.is_empty() && person.email.iter().chain([&person.login]).any(is_email)
            || self.wrote(&person.id, employee, Field::Name)
            || self.wrote(&person.id, employee, Field::Email)
    }

    /// Whether the employee has not changed, as far as the record tells, since a decision matched it with the person.
    /// The first write leaves it with the person's name, if Okta has one.
    fn is_as_decided(&self, person: &Person, employee: &Employee) -> bool {
        let Some(record) = self.records.get(&person.id) else {
            return true;
        };
        if !record.employees_in_force().contains(&employee.id) {
            return true;
        }
        let is_unchanged = match self.written(&person.id, employee, Field::Name) {
            Some(name) => {
                let before = name.before.as_deref();
                before.is_some_and(|before| is_same_name_loosely(before, &employee.name))
            }
            None => {
                let mut written = record.applied.iter().flat_map(|applied| &applied.fields);
                let was_written = written.any(|field| field.employee_id == employee.id.as_str());
                !was_written || person.given_name.is_none() || person.family_name.is_none()
            }
        };
        record.decision == Decision::Match && is_unchanged
    }

    fn written(&self, person: &PersonId, employee: &Employee, field: Field) -> Option<&'a AppliedField> {
        let mut written = self
            .records
            .get(person)?
            .applied
            .iter()
            .flat_map(|applied| &applied.fields);
        written.find(|written| written.field == field && written.employee_id == employee.id.as_str())
    }

    /// Whether the employee still holds what the match of the person wrote.
    fn wrote(&self, person: &PersonId, employee: &Employee, field: Field) -> bool {
        let written = self.written(person, employee, field).zip(value(employee, field));
        written.is_some_and(|(written, now)| is_ours(written, now))
    }
}

#[cfg(test)]
mod tests;
