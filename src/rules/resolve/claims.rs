//! The claims on employees: by decision, by a match in force, or by an invitation without a response.

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, Records};
use crate::{
    api::{Decision, Pending},
    model::{EmployeeId, Person, PersonId, Snapshot},
    rules::{exclusion::Excluded, pending, succession::Succession},
};

/// Who else has a claim on an employee.
pub(super) enum Rival {
    /// The claims of these people are decisions, and the other one is not.
    Decided(Vec<PersonId>),
    Equal(Vec<PersonId>),
}

/// The claims on employees, by whom and by what right.
pub(super) struct Claims<'a> {
    /// By decision.
    decided: BTreeMap<&'a EmployeeId, BTreeSet<&'a PersonId>>,
    /// By a match in force, or by an invitation that took effect.
    held: BTreeMap<EmployeeId, BTreeSet<&'a PersonId>>,
    /// The employees that invitations without a response created.
    pub(super) invited: BTreeMap<&'a PersonId, EmployeeId>,
    /// The employees that objects name which are not used: they stop their own person only.
    reserved: BTreeMap<&'a EmployeeId, &'a PersonId>,
    snapshot: &'a Snapshot,
}

impl<'a> Claims<'a> {
    pub(super) fn of(
        snapshot: &'a Snapshot,
        records: &'a Records,
        in_scope: &BTreeMap<&'a PersonId, &'a Person>,
        excluded: &Excluded<'_>,
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
            }
            // The match of an excluded person rests, whatever else is decided.
            let rests = excluded.contains_key(id) && record.decision != Decision::Ignore;
            if rests || record.keeps_match() {
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
    pub(super) fn bound(&self) -> BTreeMap<EmployeeId, PersonId> {
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
    pub(super) fn holder(&self, employee: &EmployeeId) -> Option<&'a PersonId> {
        let people = self.decided.get(employee).or_else(|| self.held.get(employee));
        people?.first().copied()
    }

    /// The people with whom decisions match the employee.
    pub(super) fn decided(&self, employee: &EmployeeId) -> Vec<PersonId> {
        let people = self.decided.get(employee).into_iter().flatten();
        people.map(|id| (*id).clone()).collect()
    }

    /// Returns who else has an equal or better claim on the employee.
    pub(super) fn rival(&self, employee: &EmployeeId, id: &PersonId) -> Option<Rival> {
        let decided = self.decided.get(employee);
        if decided.is_some_and(|decided| !decided.contains(id)) {
            return Some(Rival::Decided(self.decided(employee)));
        }
        let with: Vec<PersonId> = decided
            .or_else(|| self.held.get(employee))
            .into_iter()
            .flatten()
            .filter(|other| **other != id)
            .map(|other| (*other).clone())
            .collect();
        (!with.is_empty()).then_some(Rival::Equal(with))
    }
}
