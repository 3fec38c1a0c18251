//! What happens when a match is unmatched, from the plan to the record:
//!
//! 1. [`plan`] finds the employees that leave a match in force: the match is ignored, rejected or replaced by
//!    a decision, or another person's match takes the employee over.
//! 2. With `onUnmatch: Restore`, each of these employees gets a [`Restore`]: every field that still holds
//!    what the match wrote is set back to the value before the first write. An employee that another match
//!    takes over gets none: the update of that match restores what it does not overwrite itself.
//! 3. The restores come after all updates, in an order in which each email is free before it is given.
//! 4. Right before the write, the employee is read once more, and a [`RestoreWrite`] leaves out what somebody
//!    changed since the plan was made. It says what the status shows of the unmatched employee.
//! 5. If Insightful refuses the write of several fields, each is written by itself, and those that it refuses are
//!    named. If it refuses all, the restore is retried.
//! 6. When every restore of a match is done, [`without_employees`] removes its employees from the record.
//!
//! A field that cannot be restored keeps no other field from being restored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;

use super::{
    FieldWrites, NewValue, Replace, TeamTarget,
    emails::Emails,
    facts::Facts,
    field_history::is_ours,
    fields::{self, is_same, is_writable, value},
};
use crate::{
    api::{Applied, AppliedField, Decision, Field, NotRestoredField, OnUnmatch, Unmatched},
    model::{Employee, EmployeeId, EmployeeUpdate, PersonId, Snapshot, text::shown},
    rules::{
        blocker::Blocker,
        resolve::{Record, Resolution},
    },
};

/// The fields of an unmatched employee that are set back to their former values, by one PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restore {
    /// The person whose match ends.
    pub person: PersonId,
    pub employee: EmployeeId,
    pub fields: FieldWrites,
    /// Fields that already hold their former value: an earlier try restored them, the write of the match
    /// never took effect, or somebody else restored them.
    pub already: Vec<Field>,
    pub not_restored: Vec<(Field, NotRestored)>,
}

/// Why a field is not set back to its former value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum NotRestored {
    ChangedSince,
    Unreadable,
    Irreversible,
    EmailTaken,
    TeamMissing,
    /// It was empty before.
    Empty,
    /// Insightful refused the former value, for this reason.
    Refused(String),
    /// Insightful accepted the former value and has this one now.
    StoredDifferently(String),
}

impl NotRestored {
    pub fn message(&self) -> String {
        match self {
            Self::ChangedSince => "somebody changed it after it was synced".to_owned(),
            Self::Unreadable => "the former value is unknown".to_owned(),
            Self::Irreversible => "Insightful's API cannot reactivate an employee".to_owned(),
            Self::EmailTaken => "another employee has the former email".to_owned(),
            Self::TeamMissing => "the former team no longer exists".to_owned(),
            Self::Empty => "it was empty before, and Insightful accepts no empty value".to_owned(),
            Self::Refused(why) => format!("Insightful refused the former value: {why}"),
            Self::StoredDifferently(stored) => format!("Insightful stored the former value as {stored:?}"),
        }
    }
}

impl Restore {
    /// Whether anything is written at all.
    pub fn writes(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Whether there is anything to write or to report.
    fn is_due(&self) -> bool {
        self.writes() || !self.already.is_empty() || !self.not_restored.is_empty()
    }

    /// The fields that will be restored and those that will not, for people to read.
    pub fn announcement(&self, snapshot: &Snapshot) -> String {
        let employee = snapshot.named_employee(&self.employee);
        let fields: Vec<String> = self.fields.keys().map(ToString::to_string).collect();
        let restores = match fields.as_slice() {
            [] => format!("restores nothing of {employee}"),
            fields => format!("restores {} of {employee}", fields.join(", ")),
        };
        let already = self.already.iter();
        let already = already.map(|field| format!("{field} already holds its former value"));
        let not_restored = self.not_restored.iter();
        let not_restored =
            not_restored.map(|(field, why)| format!("{field} is not restored: {}", why.message()));
        let parts: Vec<String> = [restores]
            .into_iter()
            .chain(already)
            .chain(not_restored)
            .collect();
        parts.join("; ")
    }

    /// Plans one employee's restore from the record of the match.
    fn of(person: &PersonId, employee: &Employee, applied: &Applied, snapshot: &Snapshot) -> Self {
        let mut restore = Self {
            person: person.clone(),
            employee: employee.id.clone(),
            fields: FieldWrites::new(),
            already: Vec::new(),
            not_restored: Vec::new(),
        };
        let written = applied.fields.iter();
        for written in written.filter(|written| written.employee_id == employee.id.as_str()) {
            let field = written.field;
            let now = value(employee, field);
            let is_former = |(now, before): (&str, &str)| is_same(field, now, before);
            if now.zip(written.before.as_deref()).is_some_and(is_former) {
                restore.already.push(field);
                continue;
            }
            // A deactivation that did not take effect needs no undo.
            if field == Field::Active && !employee.deactivated {
                continue;
            }
            match former(written, now, snapshot) {
                Ok(replace) => {
                    restore.fields.insert(field, replace);
                }
                Err(why) => restore.not_restored.push((field, why)),
            }
        }
        restore
    }

    /// Adds the restore of the same employee from another person's record: after a crash two records may hold
    /// before-images of one employee, which is written once.
    fn merge(&mut self, other: Self) {
        for (field, replace) in other.fields {
            self.fields.entry(field).or_insert(replace);
        }
        self.already.extend(other.already);
        self.already.sort();
        self.already.dedup();
        self.not_restored.extend(other.not_restored);
        self.not_restored
            .retain(|(field, _)| !self.fields.contains_key(field));
        self.not_restored.sort();
        self.not_restored.dedup();
    }
}

/// The write that sets a field, which holds `now`, back to its former value.
fn former(written: &AppliedField, now: Option<&str>, snapshot: &Snapshot) -> Result<Replace, NotRestored> {
    let now = now.ok_or(match written.field {
        Field::Active => NotRestored::Irreversible,
        _ => NotRestored::Unreadable,
    })?;
    if !is_ours(written, now) {
        return Err(NotRestored::ChangedSince);
    }
    let before = written.before.as_deref().ok_or(NotRestored::Unreadable)?;
    if !is_writable(written.field, before) {
        return Err(NotRestored::Empty);
    }
    let replace = Replace::restore(written.field, now, before);
    match &replace.to {
        NewValue::Team(TeamTarget::Existing(team)) if !snapshot.has_team(team) => {
            Err(NotRestored::TeamMissing)
        }
        _ => Ok(replace),
    }
}

/// The employees that leave each match in force, and what is restored of them. `takers` are the people whose
/// match of an employee is in force or comes into force; `emails` are those after all updates.
pub(super) fn plan(
    facts: Facts<'_>,
    takers: &BTreeMap<&EmployeeId, &PersonId>,
    mut emails: Emails,
) -> (Vec<Restore>, BTreeMap<PersonId, BTreeSet<EmployeeId>>) {
    let mut restores: Vec<Restore> = Vec::new();
    let mut unmatches = BTreeMap::new();
    for (id, resolved) in facts.resolved {
        let Some((record, applied)) = facts
            .record(id)
            .and_then(|record| Some((record, record.applied.as_ref()?)))
        else {
            continue;
        };
        let is_taken_over = |employee: &EmployeeId| takers.get(employee).is_some_and(|taker| *taker != id);
        let mut unmatched = unmatched(&resolved.resolution, record, applied, is_taken_over);
        // Without its values, nothing of an employee can be restored: the match ends once they can be read.
        unmatched.retain(|employee| facts.snapshot.unreadable_employee(employee).is_none());
        if unmatched.is_empty() {
            continue;
        }
        if facts.spec.on_unmatch == OnUnmatch::Restore {
            let employees = unmatched.iter().filter(|employee| !is_taken_over(employee));
            for employee in employees.filter_map(|employee| facts.snapshot.employees().get(employee)) {
                let restore = Restore::of(id, employee, applied, facts.snapshot);
                if !restore.is_due() {
                    continue;
                }
                match restores
                    .iter_mut()
                    .find(|known| known.employee == restore.employee)
                {
                    Some(known) => known.merge(restore),
                    None => restores.push(restore),
                }
            }
        }
        unmatches.insert(id.clone(), unmatched);
    }
    (order(&mut emails, restores), unmatches)
}

/// The employees on a person's record whose match ends.
fn unmatched(
    resolution: &Resolution,
    record: &Record,
    applied: &Applied,
    is_taken_over: impl Fn(&EmployeeId) -> bool,
) -> BTreeSet<EmployeeId> {
    let kept: Option<&[EmployeeId]> = match resolution {
        Resolution::Matched(employees) => Some(employees),
        Resolution::Waits(Blocker::ReassignedByDecision { employee, .. }) if is_taken_over(employee) => {
            Some(&[])
        }
        // What Okta says about the person is unknown.
        Resolution::Waits(Blocker::PersonUnreadable { .. }) => None,
        // The match rests, whatever is decided.
        Resolution::OutOfScope(Blocker::Excluded { .. }) => None,
        _ if record.ends_match() => Some(&[]),
        // Nothing is written for this person, but an employee that a corrected decision no longer names is
        // unmatched.
        Resolution::OutOfScope(_) if record.decision == Decision::Match => Some(&record.employee_ids),
        // All, until another person's match takes them over.
        _ => None,
    };
    // A field of an employee that is no longer matched is a restore that is still due.
    let with_fields = applied.fields.iter().map(|field| &field.employee_id);
    let on_record = applied.employee_ids.iter().chain(with_fields);
    on_record
        .map(|employee| EmployeeId::from(employee.as_str()))
        .filter(|employee| is_taken_over(employee) || kept.is_some_and(|kept| !kept.contains(employee)))
        .collect()
}

/// Orders the restores after all updates; an email that is not free even then is not restored.
fn order(emails: &mut Emails, restores: Vec<Restore>) -> Vec<Restore> {
    let (mut ordered, mut not_free) = emails.order(restores, |restore| (&restore.employee, &restore.fields));
    for restore in &mut not_free {
        restore.fields.remove(&Field::Email);
        restore.not_restored.push((Field::Email, NotRestored::EmailTaken));
    }
    ordered.append(&mut not_free);
    ordered
}

/// One PUT that restores an employee, as far as the employee still holds what the plan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreWrite {
    /// Empty if nothing is to be written.
    pub body: EmployeeUpdate,
    /// The fields that hold their former value after the write.
    pub restored: Vec<Field>,
    pub not_restored: Vec<(Field, NotRestored)>,
}

impl RestoreWrite {
    /// `now` is the employee read right before the write: what somebody changed after the plan was made
    /// stays.
    pub fn of(restore: Restore, now: &Employee) -> Self {
        let mut write = Self {
            body: EmployeeUpdate::default(),
            restored: restore.already,
            not_restored: restore.not_restored,
        };
        for (field, Replace { from, to, .. }) in restore.fields {
            let Some((to, now)) = to.as_text().zip(value(now, field)) else {
                continue;
            };
            if is_same(field, to, now) {
                write.restored.push(field);
            } else if from.is_some_and(|from| is_same(field, &from, now)) {
                write.restored.push(field);
                fields::set(&mut write.body, field, to.to_owned());
            } else {
                write.not_restored.push((field, NotRestored::ChangedSince));
            }
        }
        write.restored.sort();
        write
    }

    /// The write of each field by itself; empty if there is only one.
    pub fn one_by_one(&self) -> Vec<(Field, EmployeeUpdate)> {
        if self.restored.len() > 1 {
            fields::split(&self.body)
        } else {
            Vec::new()
        }
    }

    /// Insightful refused a field: the others are restored nevertheless.
    pub fn refused(&mut self, field: Field, why: String) {
        self.not_restored(field, NotRestored::Refused(why));
    }

    /// What Insightful answered to a write.
    pub fn answered(&mut self, sent: &EmployeeUpdate, answer: &Employee) {
        for (field, stored) in fields::stored_differently(sent, answer) {
            self.not_restored(field, NotRestored::StoredDifferently(stored));
        }
    }

    fn not_restored(&mut self, field: Field, why: NotRestored) {
        self.restored.retain(|restored| *restored != field);
        self.not_restored.push((field, why));
    }

    /// What the match's status shows of the unmatched employee.
    pub fn into_status(self, employee: &EmployeeId, now: Timestamp) -> Unmatched {
        let not_restored = self.not_restored.into_iter();
        Unmatched {
            employee_id: employee.to_string(),
            time: Time(now),
            restored: self.restored,
            not_restored: not_restored
                .map(|(field, why)| NotRestoredField {
                    field,
                    reason: shown(&why.message()).into_owned(),
                })
                .collect(),
        }
    }
}

/// The record without the unmatched employees; None if nothing remains of it.
pub fn without_employees(on_record: Option<Applied>, employees: &BTreeSet<EmployeeId>) -> Option<Applied> {
    let mut applied = on_record?;
    let is_unmatched = |id: &str| employees.contains(&EmployeeId::from(id));
    applied.fields.retain(|field| !is_unmatched(&field.employee_id));
    applied.employee_ids.retain(|employee| !is_unmatched(employee));
    (!applied.employee_ids.is_empty() || !applied.fields.is_empty()).then_some(applied)
}

/// What the status shows of the employees that were unmatched, of which `before` may show one.
pub fn last_unmatched(
    before: Option<Unmatched>,
    employees: &BTreeSet<EmployeeId>,
    now: Timestamp,
) -> Option<Unmatched> {
    let is_shown = |shown: &Unmatched| employees.iter().any(|one| one.as_str() == shown.employee_id);
    before.filter(is_shown).or_else(|| {
        Some(Unmatched {
            employee_id: employees.first()?.to_string(),
            time: Time(now),
            restored: Vec::new(),
            not_restored: Vec::new(),
        })
    })
}

#[cfg(test)]
mod tests;
