//! Who holds which email while a plan is written: Insightful refuses one that
//! another employee has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Creation, Restore, Update};
use crate::{
    model::{EmployeeId, PersonId, Snapshot},
    rules::{
        blocker::Blocker,
        plan::{NotRestored, Replace},
    },
};

/// The holders of each email at one point of a plan.
pub(super) struct Emails {
    holders: BTreeMap<String, BTreeSet<EmployeeId>>,
    /// Emails of people who are invited.
    invited: BTreeSet<String>,
}

/// The updates in an order in which they can be written, and the people for
/// whom there is none.
pub(super) struct Order {
    pub(super) updates: Vec<Update>,
    pub(super) held: BTreeMap<PersonId, Blocker>,
    /// The holders once all of it is written.
    pub(super) emails: Emails,
}

/// Emails are compared as Insightful compares them.
fn key(email: &str) -> String {
    email.to_lowercase()
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

    fn write(&mut self, employee: &EmployeeId, email: Option<&Replace<String>>) {
        let Some(Replace {
            from: Some(from), to, ..
        }) = email
        else {
            return;
        };
        if let Some(ids) = self.holders.get_mut(&key(from)) {
            ids.remove(employee);
        }
        self.holders.entry(key(to)).or_default().insert(employee.clone());
    }
}

/// Each email goes to one employee, and only when nobody holds it any more.
pub(super) fn order(snapshot: &Snapshot, creations: &[Creation], updates: Vec<Update>) -> Order {
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    let replaced = updates.iter().filter_map(|update| update.email.as_ref());
    let given = replaced.map(|email| &email.to);
    for email in creations.iter().map(|creation| &creation.email).chain(given) {
        *wanted.entry(key(email)).or_default() += 1;
    }
    let twice = |email: &str| wanted[&key(email)] > 1;

    // Creations come before updates, so that only emails free from the start will do.
    let mut emails = Emails::of(snapshot);
    let mut held: BTreeMap<PersonId, Blocker> = BTreeMap::new();
    for creation in creations {
        if twice(&creation.email) {
            held.insert(creation.person.clone(), Blocker::EmailNotUnique);
        } else if let Some(blocker) = emails.taken_by(&creation.email, None) {
            held.insert(creation.person.clone(), blocker);
        }
        emails.invited.insert(key(&creation.email));
    }

    let (mut ordered, mut waiting): (Vec<Update>, Vec<Update>) =
        updates.into_iter().partition(|update| update.email.is_none());
    loop {
        let (free, not_free): (Vec<Update>, Vec<Update>) = waiting.into_iter().partition(|update| {
            update.email.as_ref().is_none_or(|email| {
                !twice(&email.to) && emails.taken_by(&email.to, Some(&update.employee)).is_none()
            })
        });
        waiting = not_free;
        if free.is_empty() {
            break;
        }
        for update in &free {
            emails.write(&update.employee, update.email.as_ref());
        }
        ordered.extend(free);
    }
    for update in waiting {
        let Some(email) = &update.email else { continue };
        let blocker = if twice(&email.to) {
            Some(Blocker::EmailNotUnique)
        } else {
            emails.taken_by(&email.to, Some(&update.employee))
        };
        held.extend(blocker.map(|blocker| (update.person.clone(), blocker)));
        ordered.push(update);
    }
    Order {
        updates: ordered,
        held,
        emails,
    }
}

/// Restores in an order in which they can be written after all else, each
/// without an email that is not free even then.
pub(super) fn order_restores(mut emails: Emails, mut waiting: Vec<Restore>) -> Vec<Restore> {
    let mut ordered = Vec::new();
    loop {
        let (free, not_free): (Vec<Restore>, Vec<Restore>) = waiting.into_iter().partition(|restore| {
            let email = restore.email.as_ref();
            email.is_none_or(|email| emails.is_free(&email.to, &restore.employee))
        });
        waiting = not_free;
        if free.is_empty() {
            break;
        }
        // One at a time: two may want the same email.
        for restore in free {
            let email = restore.email.as_ref();
            if email.is_none_or(|email| emails.is_free(&email.to, &restore.employee)) {
                emails.write(&restore.employee, email);
                ordered.push(restore);
            } else {
                waiting.push(restore);
            }
        }
    }
    ordered.extend(waiting.into_iter().map(|mut restore| {
        restore.email = None;
        restore
            .left
            .push((crate::api::Field::Email, NotRestored::NoLongerFree));
        restore
    }));
    ordered
}
