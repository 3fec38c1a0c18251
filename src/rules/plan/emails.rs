//! An order of the writes in which each email is free before it is given: Insightful refuses an email that
//! another employee has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Creation, FieldWrites, Omission, Update};
use crate::{
    api::Field,
    model::{EmployeeId, PersonId, Snapshot, text::email_key},
    rules::blocker::{Blocker, EmailHolder},
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
    /// Former emails that are not free: the other fields are written.
    pub(super) omissions: Vec<(PersonId, Omission)>,
    /// The holders after all updates.
    pub(super) emails: Emails,
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
                .entry(email_key(&employee.email))
                .or_default()
                .insert(employee.id.clone());
        }
        Self {
            holders,
            invited: BTreeSet::new(),
        }
    }

    /// The other employee who has an email.
    fn holder(&self, email: &str, except: Option<&EmployeeId>) -> Option<&EmployeeId> {
        let ids = self.holders.get(&email_key(email))?;
        ids.iter().find(|id| Some(*id) != except)
    }

    fn is_free(&self, email: &str, except: &EmployeeId) -> bool {
        !self.invited.contains(&email_key(email)) && self.holder(email, Some(except)).is_none()
    }

    fn write(&mut self, employee: &EmployeeId, fields: &FieldWrites) {
        let Some(replace) = fields.get(&Field::Email) else {
            return;
        };
        if let Some(ids) = replace
            .from
            .as_ref()
            .and_then(|from| self.holders.get_mut(&email_key(from)))
        {
            ids.remove(employee);
        }
        if let Some(to) = replace.to.as_text() {
            let ids = self.holders.entry(email_key(to)).or_default();
            ids.insert(employee.clone());
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

    /// The updates that wait for each other's email in a circle, with the employees of each circle.
    fn circles(&self, waiting: &[Update]) -> BTreeMap<EmployeeId, Vec<EmployeeId>> {
        let waits: BTreeSet<&EmployeeId> = waiting.iter().map(|update| &update.employee).collect();
        let next: BTreeMap<&EmployeeId, &EmployeeId> = waiting
            .iter()
            .filter_map(|Update { employee, fields, .. }| {
                let holder = self.holder(email(fields)?, Some(employee))?;
                waits.contains(holder).then_some((employee, holder))
            })
            .collect();
        let circle_of = |start: &EmployeeId| -> Option<Vec<EmployeeId>> {
            let follow = |at: &&EmployeeId| next.get(*at).copied().filter(|next| *next != start);
            let circle: Vec<_> =
                std::iter::successors(next.get_key_value(start).map(|(start, _)| *start), follow)
                    .take(next.len())
                    .collect();
            let is_closed = next.get(*circle.last()?) == Some(&start);
            is_closed.then(|| circle.into_iter().cloned().collect())
        };
        let circles = next
            .keys()
            .filter_map(|start| Some(((*start).clone(), circle_of(start)?)));
        circles.collect()
    }
}

/// Orders the updates, and holds the people whose email is not free or is wanted by several people. `holder_of`
/// returns who has an employee whose email a person is to get.
pub(super) fn order(
    snapshot: &Snapshot,
    creations: &[Creation],
    updates: Vec<Update>,
    holder_of: impl Fn(&EmployeeId, &PersonId) -> EmailHolder,
) -> Order {
    let invited = creations
        .iter()
        .map(|creation| (&creation.person, creation.email.as_str()));
    let given = updates.iter().filter(|update| !restores_email(update));
    let given = given.filter_map(|update| Some((&update.person, email(&update.fields)?)));
    let mut wanted: BTreeMap<String, BTreeSet<PersonId>> = BTreeMap::new();
    for (person, email) in invited.chain(given) {
        let people = wanted.entry(email_key(email)).or_default();
        people.insert(person.clone());
    }
    let also_wanted = |person: &PersonId, email: &str| -> Option<Blocker> {
        let others = wanted[&email_key(email)].iter().filter(|other| *other != person);
        let with: Vec<PersonId> = others.cloned().collect();
        (!with.is_empty()).then_some(Blocker::EmailNotUnique { with })
    };
    let taken = |by: &EmployeeId, person: &PersonId| Blocker::EmailTaken {
        by: by.clone(),
        holder: holder_of(by, person),
    };
    let mut omissions = Vec::new();
    let mut without_former_email = |mut update: Update| {
        update.fields.remove(&Field::Email);
        let employee = update.employee.clone();
        omissions.push((update.person.clone(), Omission::FormerEmailTaken { employee }));
        (!update.fields.is_empty()).then_some(update)
    };

    // Creations come before updates, so that their emails must be free from the start.
    let mut emails = Emails::of(snapshot);
    let mut held: BTreeMap<PersonId, Blocker> = BTreeMap::new();
    for Creation { person, email, .. } in creations {
        let blocker =
            also_wanted(person, email).or_else(|| emails.holder(email, None).map(|by| taken(by, person)));
        held.extend(blocker.map(|blocker| (person.clone(), blocker)));
        emails.invited.insert(email_key(email));
    }

    let mut to_order = Vec::new();
    for update in updates {
        match email(&update.fields) {
            Some(former) if restores_email(&update) && wanted.contains_key(&email_key(former)) => {
                to_order.extend(without_former_email(update));
            }
            Some(email)
                if !restores_email(&update)
                    && let Some(blocker) = also_wanted(&update.person, email) =>
            {
                held.insert(update.person, blocker);
            }
            _ => to_order.push(update),
        }
    }
    let (mut updates, not_free) = emails.order(to_order, |update| (&update.employee, &update.fields));
    let (former, not_free): (Vec<_>, Vec<_>) = not_free.into_iter().partition(restores_email);
    updates.extend(former.into_iter().filter_map(without_former_email));
    let circles = emails.circles(&not_free);
    for Update {
        person,
        employee,
        fields,
    } in &not_free
    {
        let by = || {
            let holder = emails.holder(email(fields)?, Some(employee))?;
            Some(taken(holder, person))
        };
        let person_of = |employee: &EmployeeId| {
            let update = not_free.iter().find(|update| update.employee == *employee)?;
            Some((employee.clone(), update.person.clone()))
        };
        let blocker = match circles.get(employee) {
            Some(circle) => Some(Blocker::EmailsExchanged {
                matches: circle.iter().filter_map(person_of).collect(),
            }),
            None => by(),
        };
        held.extend(blocker.map(|blocker| (person.clone(), blocker)));
    }
    Order {
        updates,
        held,
        omissions,
        emails,
    }
}

/// Whether the email that an update gives is a former one of the employee.
fn restores_email(update: &Update) -> bool {
    update
        .fields
        .get(&Field::Email)
        .is_some_and(|email| email.restores)
}
