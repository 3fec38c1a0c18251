//! What we wrote to an employee, as the records have it, and what becomes of it
//! when something else is wanted.

use std::collections::BTreeMap;

use super::Replace;
use crate::{
    api::{Applied, AppliedField, Field},
    model::Employee,
    rules::record,
};

/// Whether the employee still holds what was written. A title cannot be read,
/// and nothing else can tell.
fn holds(employee: &Employee, field: &AppliedField) -> bool {
    match field.field {
        Field::Name => is_ours(field, &employee.name),
        Field::Email => is_ours(field, &employee.email),
        Field::Team => is_ours(field, employee.team.as_str()),
        Field::Title => true,
        Field::Active => employee.deactivated,
    }
}

/// Whether what the field holds now was written by us: this write or, if it
/// did not take effect, the one before it.
pub(super) fn is_ours(field: &AppliedField, now: &str) -> bool {
    let holds = |value: &str| record::is_same(field.field, value, now);
    holds(&field.after) || field.replaced.as_deref().is_some_and(holds)
}

/// What we wrote to an employee, and by which match.
pub(super) struct FieldHistory<'a>(BTreeMap<Field, (&'a AppliedField, By)>);

/// Which match wrote a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The person's.
    This,
    /// An earlier one of the employee; it is on the person's record.
    Earlier,
    /// One that is on another person's record.
    Other,
}

/// What becomes of a field for which there is no wanted value that differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// It holds the wanted value.
    Stays,
    /// The person has no such value: what an earlier match wrote is given back.
    Unwanted,
    /// The email is another employee's of the person: what we wrote is given back.
    MovedOn,
}

impl<'a> FieldHistory<'a> {
    /// `previous`: what is on other people's records.
    pub(super) fn of(employee: &Employee, own: Option<&'a Applied>, previous: &[&'a AppliedField]) -> Self {
        let own = own.into_iter().flat_map(|applied| &applied.fields);
        let own = own.filter(|field| field.employee_id == employee.id.as_str());
        let (resolution, overwritten): (Vec<_>, Vec<_>) = own.partition(|field| holds(employee, field));
        let by = |field: &'a AppliedField| if field.inherited { By::Earlier } else { By::This };
        let own = |fields: Vec<&'a AppliedField>| {
            fields
                .into_iter()
                .map(move |field| (field.field, (field, by(field))))
        };
        let previous = previous
            .iter()
            .filter(|field| holds(employee, field))
            .map(|field| (field.field, (*field, By::Other)));
        // The last one counts: what the employee still holds, by this match first.
        Self(own(overwritten).chain(previous).chain(own(resolution)).collect())
    }

    /// What is to go on the person's record, too.
    pub(super) fn inherited(&self) -> impl Iterator<Item = AppliedField> {
        let others = self.0.values().filter(|(_, by)| *by == By::Other);
        others.map(|(field, _)| AppliedField {
            inherited: true,
            ..(*field).clone()
        })
    }

    pub(super) fn field(&self, field: Field) -> Option<&'a AppliedField> {
        self.0.get(&field).map(|(written, _)| *written)
    }

    /// What the field held before our first write: what we recorded if it
    /// still holds what we wrote, else what it holds now.
    pub(super) fn before(&self, field: Field, now: &str) -> String {
        self.field(field)
            .filter(|written| is_ours(written, now))
            .and_then(|written| written.before.clone())
            .unwrap_or_else(|| now.to_owned())
    }

    /// The value to give back to a field that this match does not write, and
    /// that still holds what we wrote: an earlier match, or this one while
    /// another of the person's employees took the email.
    pub(super) fn give_back(&self, field: Field, now: &str, moved_on: bool) -> Option<String> {
        let (written, by) = self.0.get(&field)?;
        let due = (*by != By::This || moved_on) && is_ours(written, now);
        let before = written.before.clone()?;
        (due && !record::is_same(field, &before, now)).then_some(before)
    }

    /// What is written to a text field: the wanted value or, where this person
    /// has none, what an earlier match of the employee is to give back.
    pub(super) fn replace(
        &self,
        field: Field,
        now: &str,
        wanted: Option<String>,
        otherwise: Otherwise,
    ) -> Option<Replace<String>> {
        let from = Some(now.to_owned());
        match wanted {
            Some(to) => Some(Replace {
                before: Some(self.before(field, now)),
                from,
                to,
                ours: true,
            }),
            None if otherwise == Otherwise::Stays => None,
            None => {
                let to = self.give_back(field, now, otherwise == Otherwise::MovedOn)?;
                Some(Replace {
                    before: None,
                    from,
                    to,
                    ours: false,
                })
            }
        }
    }
}
