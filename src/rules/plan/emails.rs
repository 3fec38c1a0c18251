//! An order of the writes in which each email is free before it is given: Insightful refuses an email that
//! another employee has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Creation, FieldWrites, Update};
use crate::{
    api::Field,
    model::{EmployeeId, PersonId, Snapshot},
    rules::blocker::Blocker,
};

/// The holders of each email at one point of a plan.
pub(super) struct Emails {
    holders: BTreeMap<String, BTreeSet<EmployeeId>>,
    /// Emails of people who are invited.
    invited: BTreeSet<String>,
}

/// The updates in an order in which they can be written.
pub(super) struct Order {
    pub(super) updates: Vec<Update>,
    /// People whose email is not free in any order.
    pub(super) held: BTreeMap<PersonId, Blocker>,
    /// The holders after all updates.
    pub(super) emails: Emails,
}

/// Emails are compared as Insightful compares them.
fn key(email: &str) -> String {
    email.to_lowercase()
}

/// The email that a write gives.
fn email(fields: &FieldWrites) -> Option<&str> {
    fields.get(&Field::Email)?.to.as_text()
}

impl Emails {
    fn of(snapshot: &Snapshot) -> Self {
        let mut holders: BTreeMap<String, BTreeSet<EmployeeId>> = BTreeMap::new();
        for employee in snapshot.employees().values() {
            holders
                .entry(key(&employee.email))
                .or_default()
                .insert(employee.id.clone());
        }
        Self {
            holders,
            invited: BTreeSet::new(),
        }
    }

    fn taken_by(&self, email: &str, except: Option<&EmployeeId>) -> Option<Blocker> {
        let ids = self.holders.get(&key(email))?;
        let by = ids.iter().find(|id| Some(*id) != except)?;
        Some(Blocker::EmailTaken { by: by.clone() })
    }

    fn is_free(&self, email: &str, except: &EmployeeId) -> bool {
        !self.invited.contains(&key(email)) && self.taken_by(email, Some(except)).is_none()
    }

    fn write(&mut self, employee: &EmployeeId, fields: &FieldWrites) {
        let Some(replace) = fields.get(&Field::Email) else {
            return;
        };
        if let Some(ids) = replace
            .from
            .as_ref()
            .and_then(|from| self.holders.get_mut(&key(from)))
        {
            ids.remove(employee);
        }
        if let Some(to) = replace.to.as_text() {
            self.holders.entry(key(to)).or_default().insert(employee.clone());
        }
    }

    /// Orders writes so that each email is free before it is given. Returns them, and those whose email is
    /// not free even after all others. `parts` are the employee and the fields of a write.
    pub(super) fn order<W>(
        &mut self,
        writes: Vec<W>,
        parts: impl Fn(&W) -> (&EmployeeId, &FieldWrites),
    ) -> (Vec<W>, Vec<W>) {
        let (mut ordered, mut waiting) = (Vec::new(), writes);
        loop {
            let before = ordered.len();
            for write in std::mem::take(&mut waiting) {
                let (employee, fields) = parts(&write);
                if email(fields).is_none_or(|email| self.is_free(email, employee)) {
                    self.write(employee, fields);
                    ordered.push(write);
                } else {
                    waiting.push(write);
                }
            }
            if ordered.len() == before {
                return (ordered, waiting);
            }
        }
    }
}

/// Orders the updates, and holds the people whose email is not free or is wanted by several people.
pub(super) fn order(snapshot: &Snapshot, creations: &[Creation], updates: Vec<Update>) -> Order {
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    let invited = creations.iter().map(|creation| creation.email.as_str());
    for email in invited.chain(updates.iter().filter_map(|update| email(&update.fields))) {
        *wanted.entry(key(email)).or_default() += 1;
    }
    let is_unique = |email: &str| wanted[&key(email)] == 1;

    // Creations come before updates, so that their emails must be free from the start.
    let mut emails = Emails::of(snapshot);
    let mut held: BTreeMap<PersonId, Blocker> = BTreeMap::new();
    for creation in creations {
        if !is_unique(&creation.email) {
            held.insert(creation.person.clone(), Blocker::EmailNotUnique);
        } else if let Some(blocker) = emails.taken_by(&creation.email, None) {
            held.insert(creation.person.clone(), blocker);
        }
        emails.invited.insert(key(&creation.email));
    }

    let (updates, not_unique): (Vec<Update>, Vec<Update>) = updates
        .into_iter()
        .partition(|update| email(&update.fields).is_none_or(is_unique));
    let (updates, not_free) = emails.order(updates, |update| (&update.employee, &update.fields));
    for update in not_free {
        let by = email(&update.fields).and_then(|email| emails.taken_by(email, Some(&update.employee)));
        held.insert(update.person, by.unwrap_or(Blocker::EmailNotUnique));
    }
    held.extend(
        not_unique
            .into_iter()
            .map(|update| (update.person, Blocker::EmailNotUnique)),
    );
    Order {
        updates,
        held,
        emails,
    }
}
